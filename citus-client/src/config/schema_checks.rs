//! What becomes of a schema in which tenants can meet each other.

/// What [`Cluster::connect`](crate::Cluster::connect) does about the schema's own ways around the
/// guard: unique keys without the tenant column, foreign keys across tenants, triggers, and the rest
/// of what [`tenant_guard::doctor`] looks for.
///
/// It costs one round trip when connecting, and one whenever the schema has changed; requests never
/// wait for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SchemaChecks {
    /// Nothing is asked.
    Off,
    /// Each finding is an event of `tracing`: errors and warnings at level `warn`, notes at `debug`.
    #[default]
    Warn,
    /// A finding of severity error, or a server that does not tell its schema, makes connecting fail
    /// with [`ConnectError::Schema`](crate::ConnectError::Schema) or
    /// [`ConnectError::MetadataRead`](crate::ConnectError::MetadataRead). The other findings are events,
    /// and so are those that a change of the schema brings later.
    Refuse,
}
