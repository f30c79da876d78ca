//! Small changes to a statement's tokens: deterministic, by a seed. The crate's own tests use it, too.

use std::ops::Range;

/// Words and signs at which readers have differed, or that begin a clause.
const PIECES: &[&str] = &[
    "END",
    "ONLY",
    "TABLE",
    "TOP",
    "ISNULL",
    "NOTNULL",
    "IS NULL",
    "AS",
    "x",
    "tasks",
    "\"Tasks\"",
    "t.*",
    "*",
    "(",
    ")",
    ",",
    ".",
    ";",
    "--",
    "/*",
    "*/",
    "-- c\n",
    "/* c */",
    "- -",
    "<>-",
    "!=-",
    "=@",
    "@",
    "~",
    "!~",
    "::",
    "::int",
    "::text",
    ":=",
    "=>",
    "||",
    "->",
    "->>",
    "^",
    "-",
    "+",
    "=",
    "<",
    "%",
    "AND",
    "OR",
    "NOT",
    "IN",
    "(1)",
    "(SELECT 1)",
    "BETWEEN 1 AND 2",
    "LIKE",
    "ESCAPE 'x'",
    "ILIKE",
    "SIMILAR TO",
    "IS DISTINCT FROM",
    "AT TIME ZONE 'UTC'",
    "COLLATE \"C\"",
    "[1]",
    "[1:2]",
    "ARRAY",
    "ARRAY[1]",
    "ROW",
    "ROW(1, 2)",
    "ANY",
    "ALL",
    "= ANY($1)",
    "CASE WHEN true THEN 1 END",
    "CAST(1 AS text)",
    "date '2020-01-01'",
    "interval '1' day",
    "E'\\''",
    "'\\'",
    "'a''b'",
    "$$x$$",
    "$1",
    "$2",
    "1",
    "1.5",
    "0x1F",
    "1_000",
    "1e3",
    "'x'",
    "b'1'",
    "x'1F'",
    "N'x'",
    "U&'x'",
    "NULL",
    "true",
    "DEFAULT",
    "current_date",
    "user",
    "coalesce(1)",
    "count(*)",
    "count(DISTINCT 1)",
    "FILTER (WHERE true)",
    "OVER ()",
    "OVER w",
    "WINDOW w AS (ORDER BY 1)",
    "DISTINCT",
    "DISTINCT ON (1)",
    "FROM tasks",
    "FROM ONLY tasks",
    "JOIN projects p ON true",
    "CROSS JOIN users",
    "NATURAL JOIN users",
    "JOIN",
    "ON true",
    "USING (id)",
    "LATERAL",
    "WHERE",
    "WHERE true",
    "GROUP BY 1",
    "HAVING true",
    "ORDER BY 1",
    "DESC",
    "NULLS FIRST",
    "LIMIT 1",
    "LIMIT ALL",
    "OFFSET 1",
    "FETCH FIRST ROW ONLY",
    "FOR UPDATE",
    "FOR UPDATE OF t",
    "SKIP LOCKED",
    "UNION",
    "UNION ALL SELECT 1",
    "EXCEPT",
    "INTERSECT SELECT 2",
    "VALUES (1)",
    "WITH w AS (SELECT 1)",
    "RECURSIVE",
    "MATERIALIZED",
    "RETURNING *",
    "ON CONFLICT DO NOTHING",
    "SET x = 1",
    "GLOBAL",
    "REPLACE",
    "QUALIFY",
    "PREWHERE",
    "SAMPLE",
    "MINUS",
    "XOR",
    "overlaps",
    "WITH ORDINALITY",
    "position",
    "extract(year FROM x)",
    "substring('a' FROM 1)",
    "trim('a')",
    "DEFAULT VALUES",
    "\u{e9}",
    "\u{212a}",
    "\u{a0}",
    "select",
    "insert",
    "update",
    "delete",
    "into",
    "from",
    "values",
    "with",
];

/// A source of numbers that looks random (xorshift64*).
pub(crate) struct Mutator(u64);

impl Mutator {
    pub(crate) fn new(seed: u64) -> Self {
        Self((seed + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn below(&mut self, below: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(number).unwrap_or(0) % below.max(1)
    }

    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// One of the statements, changed in one place or two.
    pub(crate) fn mutate(&mut self, statements: &[String]) -> String {
        let sql = self.pick(statements);
        let other = self.pick(statements);
        let (mut tokens, others) = (tokens(sql), tokens(other));
        for _ in 0..=self.below(4) / 3 {
            if tokens.is_empty() {
                tokens.push((Kind::Word, "SELECT"));
            }
            let at = self.below(tokens.len());
            let (kind, _) = tokens[at];
            let alike: Vec<Token<'_>> = others
                .iter()
                .chain(&tokens)
                .filter(|(other, _)| *other == kind)
                .copied()
                .collect();
            match self.below(8) {
                0 => drop(tokens.remove(at)),
                1 => tokens.insert(at, tokens[at]),
                2 => {
                    let other = self.below(tokens.len());
                    tokens.swap(at, other);
                }
                3 => tokens[at] = *self.pick(&alike),
                4 => self.graft(&mut tokens, &others),
                5 => tokens[at] = (Kind::Word, self.pick::<&str>(PIECES)),
                _ => tokens.insert(at, (Kind::Word, self.pick::<&str>(PIECES))),
            }
        }
        let texts: Vec<&str> = tokens.iter().map(|(_, text)| *text).collect();
        texts.join(if self.below(8) == 0 { "" } else { " " })
    }

    /// Puts what stands in parentheses in one statement into those of another.
    fn graft<'a>(&mut self, tokens: &mut Vec<Token<'a>>, others: &[Token<'a>]) {
        let (own, their) = (groups(tokens), groups(others));
        if own.is_empty() || their.is_empty() {
            return;
        }
        let (own, their) = (self.pick(&own).clone(), self.pick(&their).clone());
        tokens.splice(own, others[their].iter().copied());
    }
}

type Token<'a> = (Kind, &'a str);

/// The tokens from each parenthesis to the one that closes it.
fn groups(tokens: &[Token<'_>]) -> Vec<Range<usize>> {
    let mut open = Vec::new();
    let mut groups = Vec::new();
    for (index, (_, text)) in tokens.iter().enumerate() {
        match *text {
            "(" => open.push(index),
            ")" => groups.extend(open.pop().map(|start| start..index + 1)),
            _ => {}
        }
    }
    groups
}

/// What may take a token's place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Word,
    Number,
    Quoted,
    Operator,
    Mark,
}

/// The tokens of a plain statement, cut roughly.
fn tokens(sql: &str) -> Vec<Token<'_>> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80;
    let is_operator = |byte: u8| b"+-*/<>=~!@#%^&|`?".contains(&byte);
    let mut tokens = Vec::new();
    let mut rest = sql.trim_start();
    while let Some(&first) = rest.as_bytes().first() {
        let run = |belongs: &dyn Fn(u8) -> bool| {
            let end = rest.bytes().skip(1).position(|byte| !belongs(byte));
            end.map_or(rest.len(), |end| end + 1)
        };
        let (kind, length) = match first {
            b'\'' | b'"' => {
                let end = rest.bytes().skip(1).position(|byte| byte == first);
                (Kind::Quoted, end.map_or(rest.len(), |end| end + 2))
            }
            b'0'..=b'9' => (Kind::Number, run(&|byte| byte.is_ascii_digit())),
            b'$' => (Kind::Number, run(&|byte| byte.is_ascii_digit())),
            byte if is_word(byte) => (Kind::Word, run(&is_word)),
            byte if is_operator(byte) => (Kind::Operator, run(&is_operator)),
            _ => (Kind::Mark, 1),
        };
        let (token, behind) = rest.split_at(length);
        tokens.push((kind, token));
        rest = behind.trim_start();
    }
    tokens
}
