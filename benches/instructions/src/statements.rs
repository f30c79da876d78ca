//! A schema of a multi-tenant application and statements as applications write them, small, middling and large.

use tenant_guard::{Table, Tenancy, TenancyError, TenantType};

/// A point read, about 60 bytes.
pub const POINT: &str = "SELECT id, title, done, points FROM tasks WHERE id = $1";

/// A page of a list, about 250 bytes.
pub const PAGE: &str = "\
SELECT t.id, t.title, t.done, t.points, p.name AS project, u.email AS assignee
FROM tasks t
JOIN projects p ON p.id = t.project_id
LEFT JOIN users u ON u.id = p.owner_id
WHERE p.id = $1 AND NOT t.done AND t.points > $2
ORDER BY t.points DESC, t.id LIMIT 50";

/// A report, about 750 bytes.
pub const REPORT: &str = "\
WITH open AS (
  SELECT t.project_id, count(*) AS tasks, sum(t.points) AS points
  FROM tasks t
  WHERE NOT t.done AND t.title ILIKE '%' || $1 || '%'
  GROUP BY t.project_id
), busiest AS (
  SELECT o.project_id, o.tasks, o.points, rank() OVER (ORDER BY o.points DESC) AS place
  FROM open o
)
SELECT p.id, p.name, u.email, c.name AS country, b.tasks, b.points, b.place,
  EXISTS (SELECT 1 FROM tasks late WHERE late.project_id = p.id AND late.points > $2) AS has_large,
  (SELECT max(d.points) FROM tasks d WHERE d.project_id = p.id AND d.done) AS largest_done
FROM busiest b
JOIN projects p ON p.id = b.project_id
LEFT JOIN users u ON u.id = p.owner_id
LEFT JOIN countries c ON c.code = u.country
WHERE b.place <= $3
ORDER BY b.place, p.name";

/// The three with their sizes as names.
pub const BY_SIZE: [(&str, &str); 3] = [("60 B", POINT), ("250 B", PAGE), ("750 B", REPORT)];

/// The schema that they are written for.
///
/// # Errors
/// None, as long as the schema above is sound.
pub fn tenancy() -> Result<Tenancy, TenancyError> {
    let tenant = |name, columns: &[&str]| {
        let table = Table::distributed(name, "tenant_id", TenantType::Int8);
        table
            .columns(columns.iter().copied())
            .unique_key(["tenant_id", "id"])
    };
    Tenancy::builder()
        .table(tenant(
            "tasks",
            &["tenant_id", "id", "project_id", "title", "done", "points"],
        ))
        .table(tenant("projects", &["tenant_id", "id", "name", "owner_id"]))
        .table(tenant("users", &["tenant_id", "id", "email", "country"]))
        .table(
            Table::reference("countries")
                .columns(["code", "name"])
                .unique_key(["code"]),
        )
        .build()
}

#[cfg(test)]
mod tests {
    use tenant_guard::{Guard, Policy};

    use super::*;

    #[test]
    fn the_guard_accepts_them() {
        let guard = Guard::new(tenancy().unwrap(), Policy::default());
        for (name, sql) in BY_SIZE {
            if let Err(refusal) = guard.check(sql) {
                panic!("{name}: {}", refusal.render(sql));
            }
        }
    }

    #[test]
    fn sizes_are_what_their_names_say() {
        for (name, sql) in BY_SIZE {
            let said: f64 = name.trim_end_matches(" B").parse().unwrap();
            let size = f64::from(u32::try_from(sql.len()).unwrap());
            assert!((size / said - 1.0).abs() < 0.1, "{name}: {size}");
        }
    }
}
