//! Real Citus or PostgreSQL clusters for tests and demos, started in a second and gone when dropped.
