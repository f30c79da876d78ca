//! Checks of a schema that are done once, and not for each statement: what the guard cannot see in a
//! statement because it lies in keys, triggers, functions and privileges.
//!
//! [`examine`] compares what the database holds ([`SchemaFacts`]) with what the guard believes of it
//! (a [`Tenancy`]) and gives a [`Report`]. It does no I/O: whoever has a connection asks
//! [`CATALOG_QUERY`] and [`CITUS_QUERY`], and reads the answers with serde. Without a server
//! [`SchemaFacts::from_migrations`] knows a part.
//!
//! ```
//! use tenant_guard::Tenancy;
//! use tenant_guard::doctor::{Code, Exceptions, SchemaFacts, examine};
//!
//! let tenancy = Tenancy::from_sql(
//!     "CREATE TABLE accounts (tenant_id bigint, email text UNIQUE);
//!      SELECT create_distributed_table('accounts', 'tenant_id');",
//! )?;
//! // What `CATALOG_QUERY` answers, here cut short.
//! let facts: SchemaFacts = serde_json::from_str(
//!     r#"{"search_path": ["public"], "relations": [{"schema": "public", "name": "accounts", "kind": "table",
//!         "columns": [{"name": "tenant_id", "data_type": "bigint", "not_null": true},
//!                     {"name": "email", "data_type": "text"}],
//!         "keys": [{"name": "accounts_email_key", "columns": ["email"]}]}]}"#,
//! )?;
//! let report = examine(&facts, &tenancy, &Exceptions::default());
//! assert_eq!(report.findings()[0].code(), Code::KeyWithoutTenant);
//! assert_eq!(report.findings()[0].object(), "public.accounts.accounts_email_key");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod checks;
mod code;
mod exceptions;
mod facts;
mod live;
mod report;
mod tenancy;

pub use code::{Code, Severity};
pub use exceptions::{Exceptions, ExceptionsError};
pub use facts::{
    Action, Aspect, Cast, CitusFacts, CitusTable, Column, Expression, ForeignKey, Key, Parent,
    Place, Policy, Relation, RelationKind, Routine, Schema, SchemaFacts, Trigger,
};
pub use live::{CATALOG_QUERY, CITUS_QUERY};
pub use report::{Allowed, Finding, Report};

use crate::Tenancy;

/// Looks for what lets tenants meet each other past the guard.
///
/// The tenancy is what the guard works with; the facts are what there is. Both may come from the same
/// source, and then they cannot disagree.
pub fn examine(facts: &SchemaFacts, tenancy: &Tenancy, exceptions: &Exceptions) -> Report {
    let subject = checks::Subject::new(facts, tenancy, exceptions);
    Report::new(checks::all(&subject), facts, exceptions)
}
