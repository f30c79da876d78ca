//! Whether the server remembers statements.

/// Whether the server remembers statements from one use to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StatementMode {
    /// Each statement is prepared once on each connection, with a name (the default).
    #[default]
    Named,
    /// Each statement is parsed each time, and nothing stays in a session: for a pooler between this
    /// driver and the servers that gives each transaction another session, such as PgBouncer with
    /// `pool_mode = transaction`. The types of a statement's parameters are asked for once.
    ///
    /// Such sessions cannot be set up by those who use them. So each new connection is checked for the
    /// settings that the driver relies on, and they have to be the role's
    /// (`ALTER ROLE … SET search_path = …`); and what is [`unscoped`](crate::Cluster::unscoped) must
    /// leave no setting behind: `SET LOCAL` in a transaction, and never `SET`.
    ///
    /// Columns of types that an extension or a schema has added need a pooler that follows statements
    /// with names (PgBouncer 1.21 or newer with `max_prepared_statements`): what such a type is, is
    /// asked with one.
    Unnamed,
}
