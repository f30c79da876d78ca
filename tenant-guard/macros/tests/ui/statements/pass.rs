use tenant_guard::{StaticSql, sql, sql_deferred, sql_file};

static BY_ID: &StaticSql<1> = sql!("SELECT title FROM tasks WHERE id = $1");

fn main() {
    assert_eq!(BY_ID.text(), "SELECT title FROM tasks WHERE id = $1");

    let joined: &StaticSql<2> = sql!(
        r#"
        SELECT t.title, p.name AS "project", count(*)
        FROM tasks t
        JOIN projects p ON p.id = t.id AND p.name = $2
        WHERE NOT t.done AND t.id > $1
        GROUP BY t.title, project
        "#,
    );
    assert!(joined.text().contains("\"project\""));

    let _: &StaticSql<2> = sql!("INSERT INTO tasks (id, title) VALUES ($1, $2) RETURNING id");
    let _: &StaticSql<1> = sql!("SELECT slugify(title) FROM tasks WHERE id = $1");

    let open: &StaticSql<1> = sql_file!("queries/open.sql");
    assert!(open.text().starts_with("-- What is left"));

    let deferred: &StaticSql<3> = sql_deferred!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $3)
         SEARCH DEPTH FIRST BY i SET place
         SELECT i, '$9' FROM n ORDER BY place"
    );
    assert!(deferred.text().starts_with("WITH"));
}
