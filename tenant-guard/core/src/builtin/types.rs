//! PostgreSQL's own types for data.

/// Whether this is a base type of `pg_catalog`, by its stored name (`int8`, not `bigint`), whose
/// values are data and nothing else. Left out are types that name objects of the database
/// (`regclass` and its kin, `oid`), places of rows and transactions (`tid`, `xid`), pseudo-types,
/// and XML.
pub(crate) fn is_safe_type(name: &str) -> bool {
    TYPES.binary_search(&name).is_ok()
}

#[rustfmt::skip]
static TYPES: &[&str] = &[
    "bit", "bool", "box", "bpchar", "bytea", "char", "cidr", "circle", "date", "datemultirange",
    "daterange", "float4", "float8", "inet", "int2", "int4", "int4multirange", "int4range", "int8",
    "int8multirange", "int8range", "interval", "json", "jsonb", "jsonpath", "line", "lseg",
    "macaddr", "macaddr8", "money", "name", "numeric", "nummultirange", "numrange", "path", "point",
    "polygon", "record", "text", "time", "timestamp", "timestamptz", "timetz", "tsmultirange",
    "tsquery", "tsrange", "tstzmultirange", "tstzrange", "tsvector", "uuid", "varbit", "varchar",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_types_can_be_searched() {
        assert!(TYPES.is_sorted_by(|one, next| one < next));
    }

    #[test]
    fn types_are_data() {
        for name in [
            "int8",
            "text",
            "jsonb",
            "timestamptz",
            "tstzrange",
            "bpchar",
            "char",
            "record",
        ] {
            assert!(is_safe_type(name), "{name}");
        }
        let refused = "regclass regproc regtype oid tid xid xid8 cid internal cstring any anyelement \
            anyarray void trigger aclitem pg_lsn pg_node_tree pg_snapshot refcursor unknown xml \
            int2vector oidvector bigint _int8";
        for name in refused.split_whitespace() {
            assert!(!is_safe_type(name), "{name}");
        }
    }
}
