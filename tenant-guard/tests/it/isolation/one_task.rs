//! On Citus: that an accepted statement is one task, so that one node carries it out.

use super::oracle::Rewritten;
use super::statement::Statement;
use super::world::World;

impl World<'_> {
    /// Whether Citus plans an accepted statement as more than one task.
    pub(crate) async fn takes_several_tasks(&self, statement: &Statement) -> bool {
        let Ok(guarded) = self.guard.check(&statement.sql) else {
            return false;
        };
        // As a literal: Citus then knows the shard when it plans.
        let kind = self.schema.tenant_kind;
        let tenant = format!("{}::{}", super::data::tenant_literal(kind, 0), kind.sql());
        let mut text = guarded.text().to_owned();
        for slot in guarded.tenant_param_slots().iter().rev() {
            text.replace_range(slot.clone(), &tenant);
        }
        let caller_params = Rewritten::from(&guarded).caller_params;
        let params = &statement.params[..caller_params.min(statement.params.len())];
        let explain = format!("EXPLAIN (COSTS OFF) {text}");
        let Ok(plan) = self.whole.run(&explain, params).await else {
            return false;
        };
        let mut lines = plan.rows.iter().flatten().flatten();
        lines.any(|line| {
            let line = String::from_utf8_lossy(line).trim().to_owned();
            // There is none where the conditions contradict each other.
            let one = matches!(line.as_str(), "Task Count: 0" | "Task Count: 1");
            (line.starts_with("Task Count:") && !one) || line.contains("Distributed Subplan")
        })
    }
}
