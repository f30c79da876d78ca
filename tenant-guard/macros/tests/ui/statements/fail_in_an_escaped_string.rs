fn main() {
    // Lines are counted from the start of the statement.
    tenant_guard_macros::sql!("SELECT \"title\"\nFROM task");
    tenant_guard_macros::sql!(
        "SELECT title \
         FROM task"
    );
}
