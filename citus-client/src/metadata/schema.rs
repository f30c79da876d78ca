//! The schema, as the guard has to know it.

use std::collections::BTreeMap;

use serde::Deserialize;
use tenant_guard::{Ident, Table, TableName, Tenancy, TenancyBuilder, TenancyError, View};

use super::cluster::LiveTable;
use super::{CitusVersion, ClusterMetadata};

/// Schemas of PostgreSQL's and Citus' own are left out, and those that are tenants, which Citus' own
/// catalogs tell of ([`question`](super::question)). Of exclusion constraints the columns
/// compared by `=` are told: only these keep rows of different tenants apart. A view's query comes
/// with its columns written out, and with a schema before each name that the session's search path,
/// which becomes the tenancy's, would not find.
macro_rules! question {
    (namespaces where $namespaces:literal) => {
        concat!(
            "\
WITH namespaces AS (
    SELECT oid, nspname FROM pg_catalog.pg_namespace
    WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'citus', 'citus_internal', 'columnar',
                          'columnar_internal')
      AND nspname !~ '^pg_(toast|temp)'
      AND ",
            $namespaces,
            "
), relations AS (
    SELECT c.oid, n.nspname, c.relname, (
        SELECT pg_catalog.json_agg(a.attname ORDER BY a.attnum)
        FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    ) AS columns, (
        SELECT pg_catalog.json_agg(pg_catalog.json_build_array(ic.relname, (
            SELECT coalesce(pg_catalog.json_agg(a.attname ORDER BY k.position), '[]')
            FROM pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY k (attnum, position)
            JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
            WHERE k.position <= i.indnkeyatts AND k.attnum > 0
              AND (x.conexclop IS NULL OR EXISTS (
                SELECT FROM pg_catalog.pg_operator o
                WHERE o.oid = x.conexclop[k.position] AND o.oprname = '='))
        )) ORDER BY ic.relname)
        FROM pg_catalog.pg_index i
        JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid
        LEFT JOIN pg_catalog.pg_constraint x ON x.conindid = i.indexrelid AND x.contype = 'x'
        WHERE i.indrelid = c.oid AND (i.indisunique OR i.indisexclusion)
    ) AS keys, CASE c.relkind
        WHEN 'v' THEN pg_catalog.json_build_object('view', pg_catalog.json_build_object(
            'definition', pg_catalog.pg_get_viewdef(c.oid),
            'security_barrier', coalesce((
                SELECT o.option_value::boolean FROM pg_catalog.pg_options_to_table(c.reloptions) o
                WHERE o.option_name = 'security_barrier'), false)))
        WHEN 'm' THEN '\"materialized_view\"'
        WHEN 'f' THEN '\"foreign_table\"'
        ELSE '\"table\"'
    END AS kind
    FROM pg_catalog.pg_class c JOIN namespaces n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
)
SELECT pg_catalog.json_build_object(
    'encoding', pg_catalog.current_setting('server_encoding'),
    'search_path', pg_catalog.to_json(pg_catalog.current_schemas(false)),
    'tables', (
        SELECT pg_catalog.json_agg(pg_catalog.json_build_array(nspname, relname, columns, keys, kind))
        FROM relations
    ),
    'enums', (
        SELECT pg_catalog.json_agg(DISTINCT t.typname)
        FROM pg_catalog.pg_type t JOIN namespaces n ON n.oid = t.typnamespace
        WHERE t.typtype = 'e'
    ),
    'composites', (
        SELECT pg_catalog.json_agg(pg_catalog.json_build_array(t.typname, (
            SELECT coalesce(pg_catalog.json_agg(a.attname ORDER BY a.attnum), '[]')
            FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
        )))
        FROM pg_catalog.pg_type t
        JOIN namespaces n ON n.oid = t.typnamespace
        JOIN pg_catalog.pg_class c ON c.oid = t.typrelid AND c.relkind = 'c'
        WHERE t.typtype = 'c'
    ),
    'functions', (
        SELECT pg_catalog.json_agg(DISTINCT p.proname)
        FROM pg_catalog.pg_proc p JOIN namespaces n ON n.oid = p.pronamespace
    )
)"
        )
    };
}

const QUESTION: &str = question!(namespaces where "true");
const QUESTION_WITHOUT_TENANTS: &str = question!(
    namespaces where
    "NOT EXISTS (SELECT FROM pg_catalog.pg_dist_schema s WHERE s.schemaid = pg_namespace.oid)"
);

/// For a server with this version of Citus, or without any.
pub(super) fn question(citus: Option<CitusVersion>) -> &'static str {
    if citus >= Some(CitusVersion::SCHEMAS) {
        QUESTION_WITHOUT_TENANTS
    } else {
        QUESTION
    }
}

/// The answer. Empty lists are `null` in it.
#[derive(Debug, Deserialize)]
pub(crate) struct SchemaMetadata {
    encoding: String,
    search_path: Vec<String>,
    tables: Option<Vec<Relation>>,
    enums: Option<Vec<String>>,
    composites: Option<Vec<(String, Vec<String>)>>,
    functions: Option<Vec<String>>,
}

/// Schema, name, columns, the unique keys with their names, and what it is.
#[derive(Debug, Deserialize)]
struct Relation(
    String,
    String,
    Option<Vec<String>>,
    Option<Vec<(String, Vec<String>)>>,
    Kind,
);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Table,
    View {
        definition: String,
        security_barrier: bool,
    },
    MaterializedView,
    ForeignTable,
}

impl SchemaMetadata {
    /// Whether texts are stored as the bytes that are hashed here.
    pub(crate) fn is_utf8(&self) -> bool {
        self.encoding == "UTF8"
    }

    /// The tenancy of the live tables. Tenants are told by a column or have a schema each, and not
    /// both: where a cluster has both, it is by the column. Without Citus they are all local: nobody knows whose rows
    /// they hold.
    pub(crate) fn tenancy(
        &self,
        cluster: Option<&ClusterMetadata>,
    ) -> Result<Tenancy, TenancyError> {
        let distributed: BTreeMap<TableName, LiveTable> = cluster
            .map(ClusterMetadata::live_tables)
            .unwrap_or_default();
        let mut builder = Tenancy::builder();
        if !self.search_path.is_empty() {
            builder = builder.search_path(self.search_path.iter().map(String::as_str));
        }
        for relation in self.tables.iter().flatten() {
            builder = relation.add_to(builder, &distributed);
        }
        let by_column = distributed
            .values()
            .any(|table| matches!(table, LiveTable::Distributed { .. }));
        let in_schemas = cluster.map_or(&[][..], ClusterMetadata::schema_tables);
        if by_column && !in_schemas.is_empty() {
            tracing::warn!(
                "some tenants have a column and others a schema: the tables in tenants' schemas are \
                 left out"
            );
        } else {
            for (name, columns) in in_schemas {
                let columns = columns.iter().map(String::as_str);
                builder = builder.table(Table::in_tenant_schema(name).columns(columns));
            }
        }
        self.types_and_functions(builder).build()
    }

    fn types_and_functions(&self, mut builder: TenancyBuilder) -> TenancyBuilder {
        for name in self.enums.iter().flatten() {
            builder = builder.enum_type(name.as_str());
        }
        for (name, fields) in self.composites.iter().flatten() {
            builder = builder.composite_type(name.as_str(), fields.iter().map(String::as_str));
        }
        for name in self.functions.iter().flatten() {
            builder = builder.user_function(name.as_str());
        }
        builder
    }
}

impl Relation {
    fn add_to(
        &self,
        builder: TenancyBuilder,
        distributed: &BTreeMap<TableName, LiveTable>,
    ) -> TenancyBuilder {
        let Self(schema, name, _, _, kind) = self;
        let what = match kind {
            Kind::Table => return builder.table(self.table(distributed)),
            Kind::View {
                definition,
                security_barrier: false,
            } => return builder.view(View::new(name, definition).schema(schema)),
            Kind::View {
                security_barrier: true,
                ..
            } => "a view with security_barrier, which its query alone would not have",
            Kind::MaterializedView => "a materialized view",
            Kind::ForeignTable => "a foreign table",
        };
        builder.table(Table::opaque(name, what).schema(schema))
    }

    fn table(&self, distributed: &BTreeMap<TableName, LiveTable>) -> Table {
        let Self(schema, name, columns, keys, _) = self;
        let found = distributed.get(&TableName::new(schema.as_str(), name.as_str()));
        let mut table = match found {
            Some(LiveTable::Distributed {
                column,
                tenant_type,
                group,
                ..
            }) => {
                Table::distributed(name, column.as_str(), tenant_type.clone()).colocated_with(group)
            }
            Some(LiveTable::Reference) => Table::reference(name),
            None => Table::local(name),
        };
        let columns = columns.iter().flatten();
        table = table
            .schema(schema)
            .columns(columns.map(|column| Ident::new(column.as_str())));
        for (key, columns) in keys.iter().flatten() {
            table = table.named_unique_key(key, columns.iter().map(String::as_str));
        }
        table
    }
}
