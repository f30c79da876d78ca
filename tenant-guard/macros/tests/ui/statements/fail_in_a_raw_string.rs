// The line in the message is the line in this file.
fn main() {
    tenant_guard::sql!(
        r#"
        SELECT t.title, p.name AS "project"
        FROM tasks t
        JOIN project p ON p.id = t.id
        "#
    );
}
