//! On Citus: that an accepted statement is one task, so that one node carries it out.

use super::oracle::Rewritten;
use super::statement::Statement;
use super::world::World;

/// Productions whose statements Citus carries out in several steps, each with the reason.
const EXCEPTIONS: &str = include_str!("several_tasks.txt");

impl World<'_> {
    /// How the plan of an accepted statement is more than one task on Citus, if it is.
    pub(crate) async fn several_tasks(&self, statement: &Statement) -> Option<String> {
        let guarded = self.guard.check(&statement.sql).ok()?;
        let is_exception = |name: &&'static str| {
            EXCEPTIONS
                .lines()
                .any(|line| line.split(' ').next() == Some(*name))
        };
        if statement.productions.iter().any(is_exception) {
            return None;
        }
        // As a literal: Citus then knows the shard when it plans.
        let kind = self.schema.tenant_kind;
        let tenant = format!("{}::{}", super::data::tenant_literal(kind, 0), kind.sql());
        let mut text = guarded.text().to_owned();
        for slot in guarded.tenant_param_slots().iter().rev() {
            text.replace_range(slot.clone(), &tenant);
        }
        let caller_params = Rewritten::from(&guarded).caller_params;
        let params = &statement.params[..caller_params.min(statement.params.len())];
        let plan = self
            .whole
            .run(&format!("EXPLAIN (COSTS OFF) {text}"), params)
            .await
            .ok()?;
        let lines = plan.rows.iter().flatten().flatten();
        let plan: Vec<String> = lines
            .map(|line| String::from_utf8_lossy(line).trim().to_owned())
            .collect();
        let several = plan.iter().find(|line| {
            (line.starts_with("Task Count:") && *line != "Task Count: 1")
                || line.contains("Distributed Subplan")
        })?;
        Some(format!("{several}\n{}", plan.join("\n")))
    }
}
