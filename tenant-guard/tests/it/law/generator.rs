//! Statements, mostly valid, decoded from a tape of bytes: a shorter or smaller tape gives a plainer
//! statement, so that proptest's shrinking needs no help.

/// The statement on a tape.
pub(crate) fn statement(tape: &[u8]) -> String {
    let mut generator = Generator {
        tape: tape.iter(),
        aliases: 0,
    };
    generator.statement()
}

struct Generator<'t> {
    tape: std::slice::Iter<'t, u8>,
    aliases: usize,
}

/// Something in `FROM`, by its alias.
#[derive(Clone)]
struct Source {
    alias: String,
    columns: Vec<(&'static str, Type)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Int,
    Text,
    Bool,
}

fn columns(table: &str) -> Vec<(&'static str, Type)> {
    match table {
        "tasks" => vec![
            ("tenant_id", Type::Int),
            ("id", Type::Int),
            ("project_id", Type::Int),
            ("points", Type::Int),
            ("title", Type::Text),
            ("done", Type::Bool),
        ],
        "projects" => vec![
            ("tenant_id", Type::Int),
            ("id", Type::Int),
            ("owner_id", Type::Int),
            ("name", Type::Text),
        ],
        "users" => vec![
            ("tenant_id", Type::Int),
            ("id", Type::Int),
            ("email", Type::Text),
        ],
        _ => vec![("code", Type::Text), ("name", Type::Text)],
    }
}

impl Generator<'_> {
    /// A number below `below`; 0 when the tape is at its end.
    fn choose(&mut self, below: usize) -> usize {
        self.tape.next().map_or(0, |byte| usize::from(*byte)) % below
    }

    fn pick<'a>(&mut self, options: &[&'a str]) -> &'a str {
        options[self.choose(options.len())]
    }

    fn alias(&mut self) -> String {
        self.aliases += 1;
        // Some aliases are called like tables.
        match self.choose(8) {
            7 => format!("tasks{}", ["", "_"][self.aliases % 2].repeat(self.aliases)),
            _ => format!("a{}", self.aliases),
        }
    }

    fn statement(&mut self) -> String {
        match self.choose(16) {
            0..=3 => self.one_table(),
            4..=7 => self.select(2, &[]).0,
            8 => self.with(),
            9 => self.set_operation(),
            10 => self.recursive(),
            11 => self.insert(),
            12 => self.upsert(),
            13 => self.update(),
            14 => self.delete(),
            _ => self.writing_with(),
        }
    }

    /// The form that keeps its table.
    fn one_table(&mut self) -> String {
        let table = self.pick(&["tasks", "projects", "users"]);
        let source = Source {
            alias: table.to_owned(),
            columns: columns(table),
        };
        let scope = [source];
        let only = self.pick(&["", "", "ONLY "]);
        let condition = if self.choose(3) == 0 {
            String::new()
        } else {
            format!(" WHERE {}", self.boolean(0, &scope))
        };
        match self.choose(5) {
            0 => format!("SELECT * FROM {only}{table}{condition}"),
            1 => format!(
                "SELECT * FROM {only}{table}{condition} ORDER BY id LIMIT {}",
                1 + self.choose(4)
            ),
            2 => format!(
                "SELECT id, {} FROM {table}{condition} GROUP BY tenant_id, id HAVING count(*) > 0",
                self.integer(&scope)
            ),
            3 => format!("SELECT {table} FROM {table}{condition} FOR UPDATE"),
            _ => format!(
                "SELECT count(*), min({}) FROM {only}{table}{condition}",
                self.integer(&scope)
            ),
        }
    }

    /// A query with one to three sources, and the type of its only column.
    fn select(&mut self, depth: usize, outer: &[Source]) -> (String, Type) {
        let (from, mut scope) = self.from(depth);
        scope.extend(outer.iter().cloned());
        let wanted = [Type::Int, Type::Text, Type::Bool][self.choose(3)];
        let value = self.value(wanted, &scope);
        let condition = self.boolean(depth, &scope);
        let text = match self.choose(6) {
            0 => format!("SELECT {value} AS v FROM {from} WHERE {condition}"),
            1 => format!("SELECT DISTINCT {value} AS v FROM {from} WHERE {condition}"),
            2 => format!(
                "SELECT {value} AS v FROM {from} WHERE {condition} GROUP BY 1 HAVING count(*) > 1"
            ),
            3 => format!("SELECT {value} AS v FROM {from} ORDER BY 1"),
            4 => format!("SELECT {value} AS v FROM {from} WHERE ({condition}) IS NOT TRUE"),
            _ => format!(
                "SELECT max({}) AS v FROM {from} WHERE {condition}",
                self.value(Type::Int, &scope)
            ),
        };
        (text, wanted)
    }

    fn from(&mut self, depth: usize) -> (String, Vec<Source>) {
        let (mut text, mut scope) = self.source(depth);
        for _ in 0..self.choose(if depth > 1 { 3 } else { 2 }) {
            let (next, added) = self.source(depth);
            let mut both = scope.clone();
            both.extend(added.iter().cloned());
            let on = if self.choose(4) == 0 {
                self.boolean(0, &both)
            } else {
                format!(
                    "{} = {}",
                    self.column(Type::Int, &scope),
                    self.column(Type::Int, &added)
                )
            };
            text = match self.choose(6) {
                0 => format!("{text} JOIN {next} ON {on}"),
                1 => format!("{text} LEFT JOIN {next} ON {on}"),
                2 => format!("{text} RIGHT JOIN {next} ON {on}"),
                // Hash- or merge-joinable conditions only.
                3 => {
                    format!(
                        "{text} FULL JOIN {next} ON {} = {}",
                        self.column(Type::Int, &scope),
                        self.column(Type::Int, &added)
                    )
                }
                4 => format!("{text} CROSS JOIN {next}"),
                _ => format!("({text}) LEFT JOIN ({next}) ON {on}"),
            };
            scope = both;
        }
        (text, scope)
    }

    fn source(&mut self, depth: usize) -> (String, Vec<Source>) {
        let alias = self.alias();
        if depth > 0 && self.choose(5) == 0 {
            let (query, wanted) = self.select(depth - 1, &[]);
            let source = Source {
                alias: alias.clone(),
                columns: vec![("v", wanted)],
            };
            // Every scope needs a number.
            let (table, mut scope) = self.table();
            scope.push(source);
            return (format!("{table} CROSS JOIN ({query}) AS {alias}"), scope);
        }
        self.table()
    }

    fn table(&mut self) -> (String, Vec<Source>) {
        let alias = self.alias();
        match self.choose(10) {
            0 => (
                format!("countries {alias} CROSS JOIN generate_series(1, 2) AS s{alias}"),
                vec![
                    Source {
                        alias: format!("s{alias}"),
                        columns: vec![],
                    },
                    Source {
                        alias: alias.clone(),
                        columns: columns("countries"),
                    },
                ],
            ),
            1 => (
                format!("tasks AS {alias}(x, y)"),
                vec![Source {
                    alias,
                    columns: vec![("x", Type::Int), ("y", Type::Int), ("title", Type::Text)],
                }],
            ),
            n => {
                let table = ["tasks", "projects", "users"][n % 3];
                let only = ["", "ONLY "][usize::from(n == 9)];
                (
                    format!("{only}{table} AS {alias}"),
                    vec![Source {
                        alias,
                        columns: columns(table),
                    }],
                )
            }
        }
    }

    fn column(&mut self, wanted: Type, scope: &[Source]) -> String {
        let fitting: Vec<String> = scope
            .iter()
            .flat_map(|source| source.columns.iter().map(move |column| (source, column)))
            .filter(|(_, (_, found))| *found == wanted)
            .map(|(source, (name, _))| format!("{}.{name}", source.alias))
            .collect();
        match fitting.len() {
            0 => self.constant(wanted),
            count => fitting[self.choose(count)].clone(),
        }
    }

    fn constant(&mut self, wanted: Type) -> String {
        match wanted {
            Type::Int => self.choose(6).to_string(),
            Type::Text => self
                .pick(&["'1'", "'de'", "'leak_1_2'", "'\\'", "'a''b'", "NULL"])
                .to_owned(),
            Type::Bool => self.pick(&["true", "false", "NULL::boolean"]).to_owned(),
        }
    }

    fn value(&mut self, wanted: Type, scope: &[Source]) -> String {
        match wanted {
            Type::Int => self.integer(scope),
            Type::Text => self.text(scope),
            Type::Bool => self.boolean(0, scope),
        }
    }

    fn integer(&mut self, scope: &[Source]) -> String {
        let column = self.column(Type::Int, scope);
        match self.choose(7) {
            0..=2 => column,
            3 => format!("coalesce({column}, {})", self.constant(Type::Int)),
            4 => format!("({column} + {})", self.column(Type::Int, scope)),
            5 => format!("length({})", self.column(Type::Text, scope)),
            _ => format!(
                "CASE WHEN {} THEN {column} ELSE 0 END",
                self.boolean(0, scope)
            ),
        }
    }

    fn text(&mut self, scope: &[Source]) -> String {
        let column = self.column(Type::Text, scope);
        match self.choose(4) {
            0 | 1 => column,
            2 => format!("({column} || '!')"),
            _ => format!("upper({column})"),
        }
    }

    fn boolean(&mut self, depth: usize, scope: &[Source]) -> String {
        let number = self.column(Type::Int, scope);
        match self.choose(if depth > 0 { 18 } else { 14 }) {
            0 => format!("{number} > {}", self.constant(Type::Int)),
            1 => self.column(Type::Bool, scope),
            2 => format!("{number} IS NOT NULL"),
            3 => format!("{number} IN (1, 2, {})", self.constant(Type::Int)),
            4 => format!("({} OR {})", self.boolean(0, scope), self.boolean(0, scope)),
            5 => format!("NOT ({})", self.boolean(0, scope)),
            6 => format!(
                "{} = {}",
                self.column(Type::Text, scope),
                self.constant(Type::Text)
            ),
            // Fails on rows of some tenants only.
            7 => format!(
                "CASE WHEN {number} < 9 THEN {}::text::integer > 1 END",
                self.column(Type::Text, scope)
            ),
            8 => format!(
                "{number} IS DISTINCT FROM {} OR true",
                self.constant(Type::Int)
            ),
            9 => format!("{number} = ANY(ARRAY[1, 2, 3]) AND {number} BETWEEN 0 AND 7"),
            // One cheap operation that fails on some tenants' values and may quote them.
            10 => format!("is_normalized('x', {})", self.column(Type::Text, scope)),
            11 => format!("(10 / {number}) IS NOT NULL"),
            12 => format!(
                "NOT {} ~ {}",
                self.constant(Type::Text),
                self.column(Type::Text, scope)
            ),
            13 => format!("'x' ~ ANY(ARRAY[{}])", self.column(Type::Text, scope)),
            14 => format!("EXISTS ({})", self.select(depth - 1, scope).0),
            15 => format!("NOT EXISTS ({})", self.select(depth - 1, scope).0),
            16 => format!(
                "{number} IN (SELECT id FROM {} WHERE id > {})",
                self.pick(&["tasks", "users"]),
                self.constant(Type::Int)
            ),
            _ => format!(
                "{number} > (SELECT count(*) FROM {})",
                self.pick(&["tasks", "projects", "countries"])
            ),
        }
    }

    fn with(&mut self) -> String {
        let name = self.pick(&["w", "tasks", "projects"]);
        let kind = self.pick(&["", "MATERIALIZED ", "NOT MATERIALIZED "]);
        let (query, _) = self.select(1, &[]);
        let other = self.pick(&["users", "projects", "tasks"]);
        format!(
            "WITH {name}(v) AS {kind}({query}) SELECT w.v, o.* FROM {name} AS w CROSS JOIN (SELECT count(*) FROM {other}) AS o"
        )
    }

    fn set_operation(&mut self) -> String {
        let operator = self.pick(&["UNION", "UNION ALL", "INTERSECT", "EXCEPT", "EXCEPT ALL"]);
        let (one, other) = (
            self.pick(&["tasks", "projects", "users"]),
            self.pick(&["tasks", "projects"]),
        );
        let last = self.pick(&[
            "SELECT 1",
            "SELECT id FROM users WHERE id > 2",
            "VALUES (3), (4)",
        ]);
        format!("SELECT id FROM {one} {operator} (SELECT id FROM {other} UNION {last}) ORDER BY 1")
    }

    fn recursive(&mut self) -> String {
        let table = self.pick(&["projects", "tasks"]);
        let link = if table == "tasks" {
            "project_id"
        } else {
            "owner_id"
        };
        format!(
            "WITH RECURSIVE r AS (SELECT id, 1 AS n FROM {table} WHERE id = {} UNION SELECT t.id, r.n + 1 FROM {table} t JOIN r ON t.{link} = r.id WHERE r.n < 4) SELECT r.id, r.n FROM r",
            self.constant(Type::Int)
        )
    }

    fn insert(&mut self) -> String {
        let id = 20 + self.choose(5);
        match self.choose(4) {
            0 => format!("INSERT INTO tasks (id, title) VALUES ({id}, 'x'), ({}, DEFAULT) RETURNING *", id + 10),
            1 => {
                let source = self.pick(&["projects", "tasks"]);
                format!("INSERT INTO users (id, email) SELECT id + 100, 'e' FROM {source} RETURNING id, email")
            }
            2 => "INSERT INTO users (id) SELECT id + 50 FROM tasks UNION SELECT id + 60 FROM projects".to_owned(),
            _ => format!("INSERT INTO projects (id, name) SELECT DISTINCT points + 200, max(title) FROM tasks WHERE points IS NOT NULL GROUP BY points, {}", self.pick(&["points", "done IS DISTINCT FROM true"])),
        }
    }

    fn upsert(&mut self) -> String {
        let id = self.choose(12);
        let action = self.pick(&[
            "DO NOTHING",
            "DO UPDATE SET name = excluded.name || '+'",
            "DO UPDATE SET owner_id = projects.owner_id + 1 WHERE projects.id > 3",
            "DO UPDATE SET (name, owner_id) = (SELECT email, id FROM users WHERE users.id = projects.id)",
        ]);
        format!(
            "INSERT INTO projects (id, name) VALUES ({id}, 'new') ON CONFLICT (tenant_id, id) {action} RETURNING id, name"
        )
    }

    fn update(&mut self) -> String {
        let scope = [Source {
            alias: "tasks".to_owned(),
            columns: columns("tasks"),
        }];
        let condition = self.boolean(1, &scope);
        match self.choose(4) {
            0 => format!("UPDATE tasks SET done = NOT done WHERE {condition} RETURNING id, done"),
            1 => "UPDATE tasks SET points = points + 1, title = 'y'".to_owned(),
            2 => "UPDATE tasks SET title = p.name FROM projects p WHERE p.id = tasks.id RETURNING tasks.id, p.id".to_owned(),
            _ => format!("UPDATE tasks SET (title, points) = (SELECT email, 7 FROM users WHERE users.id = tasks.id) WHERE {condition}"),
        }
    }

    fn delete(&mut self) -> String {
        let scope = [Source {
            alias: "tasks".to_owned(),
            columns: columns("tasks"),
        }];
        let condition = self.boolean(1, &scope);
        match self.choose(3) {
            0 => format!("DELETE FROM tasks WHERE {condition} RETURNING *"),
            1 => "DELETE FROM ONLY tasks".to_owned(),
            _ => "DELETE FROM tasks USING projects p WHERE p.id = tasks.id AND p.owner_id IS NOT NULL".to_owned(),
        }
    }

    fn writing_with(&mut self) -> String {
        let scope = [Source {
            alias: "tasks".to_owned(),
            columns: columns("tasks"),
        }];
        let condition = self.boolean(0, &scope);
        match self.choose(3) {
            0 => format!("WITH d AS (DELETE FROM tasks WHERE {condition} RETURNING id) SELECT count(*), (SELECT count(*) FROM tasks) FROM d"),
            1 => format!("WITH u AS (UPDATE tasks SET done = true WHERE {condition} RETURNING id) INSERT INTO users (id) SELECT id + 300 FROM u"),
            _ => "WITH i AS (INSERT INTO users (id) VALUES (400) RETURNING id) SELECT i.id, t.id FROM i, tasks t".to_owned(),
        }
    }
}
