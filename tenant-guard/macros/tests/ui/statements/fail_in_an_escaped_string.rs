fn main() {
    // Lines are counted from the start of the statement.
    tenant_guard::sql!("SELECT \"title\"\nFROM task");
    tenant_guard::sql!(
        "SELECT title \
         FROM task"
    );
}
