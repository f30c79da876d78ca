//! Reads SQL, restricts every tenant table in it to one tenant, and refuses what it cannot prove.
