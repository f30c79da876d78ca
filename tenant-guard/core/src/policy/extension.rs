//! What well-known extensions have that is safe.

use std::ops::RangeInclusive;
use std::str::FromStr;

use super::PolicyError;

/// An extension whose functions, operators and types were read: those that
/// [`Policy::allow_extension`](crate::Policy::allow_extension) lets pass depend on their arguments
/// alone, or also on chance, the clock and the configuration of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Extension {
    /// `citext` 1.6.
    Citext,
    /// `fuzzystrmatch` 1.1.
    FuzzyStrMatch,
    /// `hstore` 1.8.
    Hstore,
    /// `intarray` 1.5.
    IntArray,
    /// `ltree` 1.2.
    Ltree,
    /// `pg_trgm` 1.6, without `set_limit` and `show_limit`: the thresholds belong to the session.
    PgTrgm,
    /// `pgcrypto` 1.3.
    PgCrypto,
    /// `unaccent` 1.1.
    Unaccent,
    /// `uuid-ossp` 1.1, without `uuid_generate_v1`, which shows the server's network address.
    UuidOssp,
}

impl FromStr for Extension {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        let named = |extension: &&Self| extension.name() == text;
        Self::ALL
            .iter()
            .find(named)
            .copied()
            .ok_or_else(|| PolicyError::Extension {
                text: text.to_owned(),
            })
    }
}

/// What is safe of an extension.
#[derive(Debug)]
struct Contents {
    functions: &'static [(&'static str, RangeInclusive<usize>)],
    operators: &'static [&'static str],
    types: &'static [&'static str],
}

impl Extension {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Citext,
        Self::FuzzyStrMatch,
        Self::Hstore,
        Self::IntArray,
        Self::Ltree,
        Self::PgTrgm,
        Self::PgCrypto,
        Self::Unaccent,
        Self::UuidOssp,
    ];

    /// Its name in `CREATE EXTENSION`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Citext => "citext",
            Self::FuzzyStrMatch => "fuzzystrmatch",
            Self::Hstore => "hstore",
            Self::IntArray => "intarray",
            Self::Ltree => "ltree",
            Self::PgTrgm => "pg_trgm",
            Self::PgCrypto => "pgcrypto",
            Self::Unaccent => "unaccent",
            Self::UuidOssp => "uuid-ossp",
        }
    }

    /// Its safe functions, each with the numbers of arguments that it takes.
    pub fn functions(self) -> &'static [(&'static str, RangeInclusive<usize>)] {
        self.contents().functions
    }

    /// Its safe operators, but for those that have the name of one of PostgreSQL's own: these are
    /// accepted without it.
    pub fn operators(self) -> &'static [&'static str] {
        self.contents().operators
    }

    /// Its safe types.
    pub fn types(self) -> &'static [&'static str] {
        self.contents().types
    }

    #[rustfmt::skip]
    fn contents(self) -> Contents {
        match self {
            Self::Citext => Contents {
                functions: &[
                    ("citext", 1..=1), ("max", 1..=1), ("min", 1..=1), ("regexp_match", 2..=3),
                    ("regexp_matches", 2..=3), ("regexp_replace", 3..=4), ("regexp_split_to_array", 2..=3),
                    ("regexp_split_to_table", 2..=3), ("replace", 3..=3), ("split_part", 3..=3),
                    ("strpos", 2..=2), ("translate", 3..=3),
                ],
                operators: &[],
                types: &["citext"],
            },
            Self::FuzzyStrMatch => Contents {
                functions: &[
                    ("difference", 2..=2), ("dmetaphone", 1..=1), ("dmetaphone_alt", 1..=1),
                    ("levenshtein", 2..=2), ("levenshtein", 5..=5), ("levenshtein_less_equal", 3..=3),
                    ("levenshtein_less_equal", 6..=6), ("metaphone", 2..=2), ("soundex", 1..=1),
                ],
                operators: &[],
                types: &[],
            },
            Self::Hstore => Contents {
                functions: &[
                    ("akeys", 1..=1), ("avals", 1..=1), ("defined", 2..=2), ("delete", 2..=2),
                    ("each", 1..=1), ("exist", 2..=2), ("exists_all", 2..=2), ("exists_any", 2..=2),
                    ("hstore", 1..=2), ("hstore_to_array", 1..=1), ("hstore_to_json", 1..=1),
                    ("hstore_to_json_loose", 1..=1), ("hstore_to_jsonb", 1..=1),
                    ("hstore_to_jsonb_loose", 1..=1), ("hstore_to_matrix", 1..=1), ("skeys", 1..=1),
                    ("slice", 2..=2), ("slice_array", 2..=2), ("svals", 1..=1),
                ],
                operators: &["#=", "%#", "%%"],
                types: &["hstore"],
            },
            Self::IntArray => Contents {
                functions: &[
                    ("icount", 1..=1), ("idx", 2..=2), ("intset", 1..=1), ("sort", 1..=2),
                    ("sort_asc", 1..=1), ("sort_desc", 1..=1), ("subarray", 2..=3), ("uniq", 1..=1),
                ],
                operators: &[],
                types: &["query_int"],
            },
            Self::Ltree => Contents {
                functions: &[
                    ("index", 2..=3), ("lca", 1..=8), ("ltree2text", 1..=1), ("nlevel", 1..=1),
                    ("subltree", 3..=3), ("subpath", 2..=3), ("text2ltree", 1..=1),
                ],
                operators: &["?<@", "?@", "?@>", "?~", "^<@", "^?", "^@>", "^~"],
                types: &["lquery", "ltree", "ltxtquery"],
            },
            Self::PgTrgm => Contents {
                functions: &[
                    ("show_trgm", 1..=1), ("similarity", 2..=2), ("strict_word_similarity", 2..=2),
                    ("word_similarity", 2..=2),
                ],
                operators: &["%>", "%>>", "<%", "<->>", "<->>>", "<<%", "<<->", "<<<->"],
                types: &[],
            },
            Self::PgCrypto => Contents {
                functions: &[
                    ("armor", 1..=1), ("armor", 3..=3), ("crypt", 2..=2), ("dearmor", 1..=1),
                    ("decrypt", 3..=3), ("decrypt_iv", 4..=4), ("digest", 2..=2), ("encrypt", 3..=3),
                    ("encrypt_iv", 4..=4), ("gen_random_bytes", 1..=1), ("gen_random_uuid", 0..=0),
                    ("gen_salt", 1..=2), ("hmac", 3..=3), ("pgp_key_id", 1..=1),
                    ("pgp_pub_decrypt", 2..=4), ("pgp_pub_decrypt_bytea", 2..=4),
                    ("pgp_pub_encrypt", 2..=3), ("pgp_pub_encrypt_bytea", 2..=3),
                    ("pgp_sym_decrypt", 2..=3), ("pgp_sym_decrypt_bytea", 2..=3),
                    ("pgp_sym_encrypt", 2..=3), ("pgp_sym_encrypt_bytea", 2..=3),
                ],
                operators: &[],
                types: &[],
            },
            Self::Unaccent => Contents {
                functions: &[("unaccent", 1..=2)],
                operators: &[],
                types: &[],
            },
            Self::UuidOssp => Contents {
                functions: &[
                    ("uuid_generate_v1mc", 0..=0), ("uuid_generate_v3", 2..=2), ("uuid_generate_v4", 0..=0),
                    ("uuid_generate_v5", 2..=2), ("uuid_nil", 0..=0), ("uuid_ns_dns", 0..=0),
                    ("uuid_ns_oid", 0..=0), ("uuid_ns_url", 0..=0), ("uuid_ns_x500", 0..=0),
                ],
                operators: &[],
                types: &[],
            },
        }
    }
}
