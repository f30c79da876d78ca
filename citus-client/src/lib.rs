//! A driver for multi-tenant applications on Citus: guarded SQL, sent straight to the worker that owns the tenant.
