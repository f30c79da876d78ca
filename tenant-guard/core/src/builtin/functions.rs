//! PostgreSQL's own functions, each with what makes it safe or what speaks against it.
//!
//! The list is a text, `functions.txt`, whose head explains the reasons. It is searched as it is:
//! nothing is made of it at start.

use std::cmp::Ordering;

/// The class of the functions of `pg_catalog` that have this name, as stored; `None` where there is
/// none that is known.
///
/// Whoever calls this has made sure that the schema defines no function of the same name
/// ([`Tenancy::is_user_function`](crate::Tenancy::is_user_function)).
pub(crate) fn class(name: &str) -> Option<Class> {
    let mut words = line(FUNCTIONS, name)?.split(' ').skip(1);
    Class::of(words.next()?, words.next()?)
}

/// Whether all functions of `pg_catalog` with this name are safe, and there is one.
pub(crate) fn is_safe(name: &str) -> bool {
    matches!(class(name), Some(Class::Safe(_)))
}

static FUNCTIONS: &str = include_str!("functions.txt");

/// The line with this first word, of lines that are sorted by it. Comments have the word `#`.
fn line<'t>(mut lines: &'t str, word: &str) -> Option<&'t str> {
    while !lines.is_empty() {
        let (before, behind) = lines.split_at_checked(lines.len() / 2)?;
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let end = before.len() + behind.find('\n').unwrap_or(behind.len());
        let line = lines.get(start..end)?;
        match line.split(' ').next().unwrap_or_default().cmp(word) {
            Ordering::Less => lines = lines.get(end + 1..).unwrap_or_default(),
            Ordering::Equal => return Some(line),
            Ordering::Greater => lines = lines.get(..start)?,
        }
    }
    None
}

/// What is known of a function's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Its result depends on its arguments and on this alone.
    Safe(Basis),
    Refused(Danger),
}

impl Class {
    fn of(class: &str, reason: &str) -> Option<Self> {
        match class {
            "safe" => Basis::of(reason).map(Self::Safe),
            "refused" => Danger::of(reason).map(Self::Refused),
            _ => None,
        }
    }
}

/// What a safe function's result depends on besides its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Basis {
    Chance,
    Clock,
    Identity,
    Immutable,
    Search,
    /// It takes a number of a sequence, and so changes it.
    Sequence,
    Settings,
    Types,
}

impl Basis {
    fn of(reason: &str) -> Option<Self> {
        Some(match reason {
            "chance" => Self::Chance,
            "clock" => Self::Clock,
            "identity" => Self::Identity,
            "immutable" => Self::Immutable,
            "search" => Self::Search,
            "sequence" => Self::Sequence,
            "settings" => Self::Settings,
            "types" => Self::Types,
            _ => return None,
        })
    }
}

/// What speaks against a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Danger {
    Administration,
    Catalog,
    Files,
    Internal,
    LargeObjects,
    Locks,
    Notifications,
    Objects,
    Privileges,
    Replication,
    RunsSql,
    Sequences,
    Server,
    Session,
    Settings,
    Signals,
    Statistics,
    Storage,
    Transactions,
    Unread,
    Waits,
    Xml,
}

impl Danger {
    fn of(reason: &str) -> Option<Self> {
        Some(match reason {
            "administration" => Self::Administration,
            "catalog" => Self::Catalog,
            "files" => Self::Files,
            "internal" => Self::Internal,
            "large-objects" => Self::LargeObjects,
            "locks" => Self::Locks,
            "notifications" => Self::Notifications,
            "objects" => Self::Objects,
            "privileges" => Self::Privileges,
            "replication" => Self::Replication,
            "runs-sql" => Self::RunsSql,
            "sequences" => Self::Sequences,
            "server" => Self::Server,
            "session" => Self::Session,
            "settings" => Self::Settings,
            "signals" => Self::Signals,
            "statistics" => Self::Statistics,
            "storage" => Self::Storage,
            "transactions" => Self::Transactions,
            "unread" => Self::Unread,
            "waits" => Self::Waits,
            "xml" => Self::Xml,
            _ => return None,
        })
    }

    /// What such a function does, to stand behind its name.
    pub(crate) fn sentence(self) -> &'static str {
        match self {
            Self::Administration => "changes the database as a whole",
            Self::Catalog => "reads the catalog, which describes all tables",
            Self::Files => "reaches files of the server",
            Self::Internal => "is a part of PostgreSQL's machinery",
            Self::LargeObjects => "reaches large objects, which are no tenant's",
            Self::Locks => "takes or shows locks that all sessions share",
            Self::Notifications => "reaches other sessions",
            Self::Objects => "makes or compares values that stand for objects of the database",
            Self::Privileges => "shows roles and what they may do",
            Self::Replication => "reads or steers the log of all changes",
            Self::RunsSql => "runs SQL that is given as text",
            Self::Sequences => "shows or moves where a sequence stands, which others use too",
            Self::Server => "describes the server, which is not the same on each node",
            Self::Session => "shows the session, which serves many tenants",
            Self::Settings => "shows or changes the session, which serves many tenants",
            Self::Signals => "signals other sessions",
            Self::Statistics => "shows counts over the rows and statements of all tenants",
            Self::Storage => "shows how the rows of all tenants are stored",
            Self::Transactions => "numbers transactions, those of all tenants",
            Self::Unread => "is not known to be safe",
            Self::Waits => "keeps a connection waiting",
            Self::Xml => "reads or makes XML",
        }
    }

    /// What to do instead.
    pub(crate) fn hint(self) -> &'static str {
        match self {
            Self::Administration
            | Self::Catalog
            | Self::Files
            | Self::Notifications
            | Self::Privileges
            | Self::Replication
            | Self::Server
            | Self::Signals => "run it with `unscoped`: it is not a tenant's question",
            Self::Internal => "use the operator, cast or aggregate that it belongs to",
            Self::LargeObjects => "keep the bytes in a column of a tenant table, as bytea",
            Self::Locks => "lock the tenant's own rows: SELECT … FOR UPDATE",
            Self::Objects => "use the table's own key",
            Self::RunsSql => {
                "write the query itself into the statement; json_agg makes one value of its rows"
            }
            Self::Sequences => "let the INSERT tell the number: INSERT … RETURNING id",
            Self::Session | Self::Settings => "bind the value as a parameter",
            Self::Statistics => "count the tenant's own rows: SELECT count(*)",
            Self::Storage => "measure the tenant's own values: sum(octet_length(column))",
            Self::Transactions => "order rows by a column of their own, such as a time or a number",
            Self::Unread => "it is new in PostgreSQL: ask for it to be read and listed",
            Self::Waits => "wait in the application, where no connection is held",
            Self::Xml => "use JSON",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names and classes of all lines.
    fn listed() -> impl Iterator<Item = (&'static str, &'static str)> {
        FUNCTIONS
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| line.split_once(' ').unwrap())
    }

    #[test]
    fn each_line_has_a_class_and_is_found() {
        assert!(FUNCTIONS.is_ascii());
        let mut count = 0;
        for (name, rest) in listed() {
            let words: Vec<&str> = rest.split(' ').collect();
            let ([word, reason] | [word, reason, "16" | "17" | "18"]) = words.as_slice() else {
                panic!("{name} {rest}");
            };
            let read = Class::of(word, reason);
            assert!(read.is_some(), "{name} {rest}");
            assert_eq!(class(name), read, "{name}");
            count += 1;
        }
        assert!(count > 2_700, "{count}");
    }

    #[test]
    fn the_lines_are_sorted_and_no_name_stands_twice() {
        let names: Vec<&str> = listed().map(|(name, _)| name).collect();
        for pair in names.windows(2) {
            assert!(pair[0] < pair[1], "{} stands before {}", pair[0], pair[1]);
        }
    }

    #[test]
    fn the_head_explains_each_reason() {
        let explained = |reason: &str| FUNCTIONS.contains(&format!("\n#   {reason} "));
        for (_, rest) in listed() {
            let reason = rest.split(' ').nth(1).unwrap();
            assert!(explained(reason), "{reason}");
        }
        assert!(explained("unread"));
    }

    #[test]
    fn what_is_between_the_lines_is_not_found() {
        for name in [
            "", "#", "# ", "aaaa", "zzzz", "Abs", "abs ", "abs safe", "lowerr", "lowe", "safe",
        ] {
            assert_eq!(class(name), None, "{name}");
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
            upper websearch_to_tsquery width_bucket \
            bit_length char_length character_length ascii casefold chr concat_ws convert_from convert_to \
            decode get_byte parse_ident quote_ident quote_literal quote_nullable regexp_count \
            regexp_instr regexp_like regexp_match regexp_split_to_array regexp_split_to_table \
            regexp_substr reverse string_to_table to_ascii to_hex unistr bit_count crc32 sha512 set_bit \
            acos atan2 cbrt degrees div erf exp factorial gamma gcd lcm ln log log10 min_scale mod pi pow \
            power radians random_normal scale sign sin sinh tan trim_scale \
            date_add date_subtract isfinite justify_days justify_hours justify_interval make_date \
            make_time make_timestamp make_timestamptz statement_timestamp timeofday \
            transaction_timestamp enum_first enum_last enum_range \
            area bound_box box center circle diagonal diameter height isclosed isopen line lseg npoints \
            path pclose point polygon popen radius slope width \
            abbrev broadcast family host hostmask inet_merge inet_same_family macaddr8_set7bit masklen \
            netmask network set_masklen text \
            array_to_tsvector get_byte json_to_tsvector jsonb_to_tsvector numnode querytree strip \
            ts_delete ts_filter ts_rank_cd tsquery_phrase tsvector_to_array \
            uuidv4 uuidv7 uuid_extract_timestamp uuid_extract_version \
            array_append array_cat array_dims array_fill array_lower array_ndims array_position \
            array_positions array_prepend array_remove array_replace array_reverse array_sample \
            array_shuffle array_sort array_to_string array_upper cardinality trim_array \
            isempty lower_inc lower_inf multirange upper_inc upper_inf int4range int8range numrange \
            tsrange tstzrange daterange int8multirange tstzmultirange range_intersect_agg \
            json_array_elements json_array_elements_text json_array_length json_build_array json_each \
            json_each_text json_extract_path json_extract_path_text json_object json_object_agg \
            json_object_keys json_populate_record json_populate_recordset json_strip_nulls \
            json_to_record json_to_recordset json_typeof jsonb_array_length jsonb_build_array jsonb_each \
            jsonb_each_text jsonb_extract_path jsonb_extract_path_text jsonb_insert jsonb_object \
            jsonb_object_keys jsonb_path_exists jsonb_path_match jsonb_path_query_array \
            jsonb_path_query_first jsonb_path_query_tz jsonb_populate_recordset \
            jsonb_populate_record_valid jsonb_pretty jsonb_set_lax jsonb_to_record jsonb_to_recordset \
            jsonb_typeof \
            any_value array_agg bit_and bit_or bit_xor bool_and corr covar_pop covar_samp \
            json_object_agg_strict jsonb_agg_strict percentile_disc range_agg regr_count regr_slope \
            stddev stddev_pop stddev_samp var_pop var_samp variance last_value nth_value percent_rank \
            generate_subscripts current_database current_schema current_user session_user pg_typeof \
            pg_size_pretty pg_size_bytes pg_timezone_names num_nonnulls num_nulls hashtext hashtextextended";
        for name in names.split_whitespace() {
            assert!(is_safe(name), "{name}");
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
            ts_rewrite ts_stat txid_current version worker_hash xmlexists xpath Abs lo_put pg_stat_get_live_tuples \
            row_security_active has_column_privilege pg_try_advisory_lock pg_listening_channels \
            pg_current_xact_id pg_export_snapshot pg_reload_conf pg_input_is_valid pg_typeofx \
            pg_sequence_last_value pg_database_size to_regtype setseed inet_client_port pg_has_role \
            int4in textout btint4cmp int4_avg_accum bool_accum RI_FKey_check_ins acldefault ";
        for name in names.split_whitespace() {
            assert!(!is_safe(name), "{name}");
        }
        assert!(!is_safe(""));
        assert!(!is_safe("#"));
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
        for name in listed()
            .filter(|(name, _)| is_safe(name))
            .map(|(name, _)| name)
        {
            for family in families {
                assert!(!name.starts_with(family), "{name}");
            }
            assert!(!name.contains("to_xml"), "{name}");
        }
    }
}
