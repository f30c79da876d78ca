//! What of PostgreSQL's own functions, operators and types guarded SQL may name.
//!
//! All three are closed lists: a name that PostgreSQL gains later is refused until someone has read
//! what it does.

use std::sync::LazyLock;

/// Whether this is a function of `pg_catalog` of which every overload is safe: what it returns
/// depends on its arguments, the clock, chance and the session alone, and it touches no table.
///
/// The name is as stored. Whoever calls this has made sure that the schema defines no function of
/// the same name ([`Tenancy::is_user_function`](crate::Tenancy::is_user_function)).
pub(crate) fn is_safe_builtin(name: &str) -> bool {
    FUNCTIONS.binary_search(&name).is_ok()
}

/// Whether `pg_catalog` has an operator of this name (PostgreSQL 15). All of them compute from
/// their operands alone.
pub(crate) fn is_builtin_operator(name: &str) -> bool {
    OPERATORS.binary_search(&name).is_ok()
}

/// Whether this is a base type of `pg_catalog`, by its stored name (`int8`, not `bigint`), whose
/// values are data and nothing else. Left out are types that name objects of the database
/// (`regclass` and its kin, `oid`), places of rows and transactions (`tid`, `xid`), pseudo-types,
/// and XML.
pub(crate) fn is_safe_builtin_type(name: &str) -> bool {
    TYPES.binary_search(&name).is_ok()
}

static FUNCTIONS: LazyLock<Box<[&'static str]>> =
    LazyLock::new(|| listed(include_str!("safe_functions.txt")).collect());

fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split(' ').next())
}

/// `SELECT DISTINCT oprname FROM pg_operator WHERE oprnamespace = 'pg_catalog'::regnamespace`, from
/// PostgreSQL 15.20. `!=` is missing because PostgreSQL's lexer turns it into `<>`.
#[rustfmt::skip]
static OPERATORS: &[&str] = &[
    "!!", "!~", "!~*", "!~~", "!~~*", "#", "##", "#-", "#>", "#>>", "%", "&", "&&", "&<", "&<|",
    "&>", "*", "*<", "*<=", "*<>", "*=", "*>", "*>=", "+", "-", "->", "->>", "-|-", "/", "<", "<->",
    "<<", "<<=", "<<|", "<=", "<>", "<@", "<^", "=", ">", ">=", ">>", ">>=", ">^", "?", "?#", "?&",
    "?-", "?-|", "?|", "?||", "@", "@-@", "@>", "@?", "@@", "@@@", "^", "^@", "|", "|&>", "|/",
    "|>>", "||", "||/", "~", "~*", "~<=~", "~<~", "~=", "~>=~", "~>~", "~~", "~~*",
];

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

    fn assert_sorted(names: &[&str]) {
        for pair in names.windows(2) {
            assert!(pair[0] < pair[1], "{} stands before {}", pair[0], pair[1]);
        }
    }

    #[test]
    fn the_lists_are_sorted_and_without_duplicates() {
        assert_sorted(&FUNCTIONS);
        assert_sorted(OPERATORS);
        assert_sorted(TYPES);
    }

    #[test]
    fn each_line_is_a_name_and_its_class() {
        for line in include_str!("safe_functions.txt").lines() {
            if line.starts_with('#') {
                continue;
            }
            let (name, class) = line.split_once(' ').unwrap();
            assert!(!name.is_empty(), "{line}");
            let known = matches!(
                class,
                "immutable" | "reviewed" | "since-16" | "since-17" | "since-18"
            );
            assert!(known, "{line}");
        }
    }

    #[test]
    fn functions_of_daily_use_are_safe() {
        let names = "abs age array_agg array_length array_to_json avg bool_or btrim ceil clock_timestamp \
            concat concat_ws count cume_dist date_bin date_part date_trunc dense_rank encode every \
            extract first_value floor format gen_random_uuid generate_series initcap is_normalized \
            json_agg json_build_object jsonb_agg jsonb_array_elements jsonb_array_elements_text \
            jsonb_build_object jsonb_object_agg jsonb_path_query jsonb_populate_record jsonb_set \
            jsonb_strip_nulls lag lead left length like_escape lower lpad ltrim make_interval max md5 \
            min mode nextval normalize now ntile octet_length overlaps overlay percentile_cont \
            phraseto_tsquery plainto_tsquery position random range_agg range_merge rank \
            regexp_matches regexp_replace repeat replace right round row_number row_to_json rtrim \
            setweight sha256 similar_to_escape split_part sqrt starts_with string_agg \
            string_to_array strpos substr substring sum timezone to_char to_date to_json to_jsonb \
            to_number to_timestamp to_tsquery to_tsvector translate trunc ts_headline ts_rank unnest \
            upper websearch_to_tsquery width_bucket";
        for name in names.split_whitespace() {
            assert!(is_safe_builtin(name), "{name}");
        }
    }

    #[test]
    fn functions_that_reach_further_are_not() {
        let names = "array_in citus_table_size col_description current_query current_setting \
            currtid2 currval cursor_to_xml database_to_xml dblink format_type get_current_ts_config \
            has_table_privilege hashhandler inet_server_addr int8out lastval lo_get lo_import \
            obj_description oid pg_advisory_lock pg_advisory_xact_lock pg_backend_pid \
            pg_cancel_backend pg_collation_for pg_column_size pg_current_wal_lsn pg_get_viewdef \
            pg_logical_slot_get_changes pg_logical_slot_peek_changes pg_ls_dir pg_notify \
            pg_read_binary_file pg_read_file pg_relation_size pg_sleep pg_sleep_for pg_stat_file \
            pg_table_size pg_terminate_backend pg_total_relation_size query_to_xml \
            query_to_xmlschema regclass run_command_on_workers satisfies_hash_partition \
            schema_to_xml set_config setseed setval table_to_xml to_regclass ts_debug ts_lexize \
            ts_rewrite ts_stat txid_current version worker_hash xmlexists xpath Abs ";
        for name in names.split_whitespace() {
            assert!(!is_safe_builtin(name), "{name}");
        }
        assert!(!is_safe_builtin(""));
        assert!(!is_safe_builtin("#"));
    }

    #[test]
    fn no_name_of_a_dangerous_family_is_listed() {
        let families = [
            "pg_stat",
            "pg_read",
            "pg_ls",
            "pg_get",
            "pg_logical",
            "pg_replication",
            "lo_",
            "has_",
            "txid_",
            "pg_advisory",
            "pg_try",
            "binary_upgrade",
            "inet_client",
            "inet_server",
            "RI_FKey",
            "to_reg",
            "reg_",
            "citus_",
            "worker_",
            "master_",
        ];
        for name in FUNCTIONS.iter() {
            for family in families {
                assert!(!name.starts_with(family), "{name}");
            }
            assert!(!name.contains("to_xml"), "{name}");
        }
    }

    #[test]
    fn operators_are_postgresql_s_own() {
        for name in [
            "=", "<>", "||", "->>", "@>", "?", "?|", "~~*", "&&", "@@", "<->", "^@",
        ] {
            assert!(is_builtin_operator(name), "{name}");
        }
        for name in ["===", "", "<=>", "=>", "%%"] {
            assert!(!is_builtin_operator(name), "{name}");
        }
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
            assert!(is_safe_builtin_type(name), "{name}");
        }
        let refused = "regclass regproc regtype oid tid xid xid8 cid internal cstring any anyelement \
            anyarray void trigger aclitem pg_lsn pg_node_tree pg_snapshot refcursor unknown xml \
            int2vector oidvector bigint _int8";
        for name in refused.split_whitespace() {
            assert!(!is_safe_builtin_type(name), "{name}");
        }
    }
}
