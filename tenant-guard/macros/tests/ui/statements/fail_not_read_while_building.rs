fn main() {
    tenant_guard::sql!(
        r#"
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
        SEARCH DEPTH FIRST BY i SET place
        SELECT i FROM n ORDER BY place
        "#
    );
}
