//! A second line behind the guard: row-level security that says the same, in the servers themselves.
//!
//! [`script`] writes SQL that turns row-level security on for each tenant table of a tenancy and makes a
//! role that it holds for. A session of that role says who the tenant is by a setting, and then meets no
//! other tenant's rows, whatever statement it sends. The guard does not need this; it is for what goes
//! around the guard by mistake.
//!
//! # What holds
//! - Without the setting, statements on tenant tables fail or see nothing; they never see all.
//! - The policies hold for the owner of the tables, too. They do not hold for superusers and for roles
//!   with `BYPASSRLS`, and data migrations have to run as one of these.
//! - Policies of one table are alternatives, so the script fails where a tenant table has another one.
//!   (A restrictive policy could not help: Citus 13.2 carries it to the shards as a permissive one.)
//! - Whoever can send any SQL can change the setting: this is no wall against injected `SET`.
//!
//! # On Citus
//! Run it on the coordinator, one statement at a time as psql does: Citus carries roles, grants and policies to all nodes and shards. A session
//! sends `SET citus.propagate_set_commands = 'local'` once and sets the tenant by `SET LOCAL` in each
//! transaction. Without, the setting is known to the node alone that the session is on, and statements
//! that need another fail with SQLSTATE 42704 (measured on Citus 13.2).

use std::fmt::Write as _;

use crate::{Distribution, Ident, Table, TableKind, Tenancy, TenantType};

/// The names that the script uses.
///
/// ```
/// use tenant_guard::rls::Options;
///
/// let options = Options::default().role("app_tenant").setting("app.tenant_id")?;
/// # let _ = options;
/// # Ok::<(), tenant_guard::rls::SettingError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Options {
    role: Ident,
    setting: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            role: "app_tenant".into(),
            setting: "app.tenant_id".to_owned(),
        }
    }
}

/// The name is none that a setting can have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} cannot be a setting: write two or more names of letters, digits and underscores with dots \
     between them, such as app.tenant_id"
)]
pub struct SettingError(String);

impl Options {
    /// The role that tenants' sessions have (`app_tenant`), as stored. The script makes it if it is not
    /// there, and fails if row-level security does not hold for it.
    pub fn role(mut self, role: impl Into<Ident>) -> Self {
        self.role = role.into();
        self
    }

    /// The setting that says who the tenant is (`app.tenant_id`).
    ///
    /// # Errors
    /// The name is none that PostgreSQL accepts (`valid_custom_variable_name`,
    /// `src/backend/utils/misc/guc.c`).
    pub fn setting(mut self, setting: &str) -> Result<Self, SettingError> {
        let valid = |part: &str| {
            let mut bytes = part.bytes();
            bytes
                .next()
                .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
                && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        if !setting.contains('.') || !setting.split('.').all(valid) {
            return Err(SettingError(setting.to_owned()));
        }
        setting.clone_into(&mut self.setting);
        Ok(self)
    }

    /// The role's name.
    pub fn role_name(&self) -> &Ident {
        &self.role
    }

    /// The setting's name.
    pub fn setting_name(&self) -> &str {
        &self.setting
    }
}

/// The name of the policy on each table.
const POLICY: &str = "tenant_guard";

/// Writes the script: one transaction, which can be run again and then changes nothing.
///
/// ```
/// use tenant_guard::{Tenancy, rls};
///
/// let tenancy = Tenancy::from_sql(
///     "CREATE TABLE tasks (tenant_id bigint, id bigint);
///      SELECT create_distributed_table('tasks', 'tenant_id');",
/// )?;
/// let script = rls::script(&tenancy, &rls::Options::default());
/// assert!(script.contains("ALTER TABLE public.tasks FORCE ROW LEVEL SECURITY;"));
/// # Ok::<(), tenant_guard::MigrationError>(())
/// ```
pub fn script(tenancy: &Tenancy, options: &Options) -> String {
    let mut script = Script::default();
    script.head(options);
    script.role(&options.role);
    script.grants(tenancy, &options.role);
    script.no_other_policies(tenancy);
    for table in tenancy.tables() {
        if let Some(distribution) = protected(table) {
            script.table(table, &condition(distribution, options));
        }
    }
    script.line("\nCOMMIT;");
    script.0
}

/// The comparison of the tenant column with the setting.
fn condition(distribution: &Distribution, options: &Options) -> String {
    let column = distribution.column.quoted();
    let setting = format!("pg_catalog.current_setting({})", literal(&options.setting));
    let cast = distribution.tenant_type.as_sql();
    match &distribution.tenant_type {
        // Behind a transaction with SET LOCAL the setting is empty. These types have no such value, and
        // the statement fails.
        TenantType::Int2
        | TenantType::Int4
        | TenantType::Int8
        | TenantType::Uuid
        | TenantType::Date
        | TenantType::Timestamptz
        | TenantType::Bool => format!("{column} = {setting}::{cast}"),
        // These have one, and it is nobody's.
        TenantType::Text
        | TenantType::Varchar
        | TenantType::Bpchar
        | TenantType::Bytea
        | TenantType::Other(_) => format!("{column} = nullif({setting}, '')::{cast}"),
    }
}

/// A constant, whatever `standard_conforming_strings` is: it holds no backslash, or is an escape string.
fn literal(text: &str) -> String {
    let doubled = text.replace('\'', "''");
    if doubled.contains('\\') {
        format!("E'{}'", doubled.replace('\\', "\\\\"))
    } else {
        format!("'{doubled}'")
    }
}

#[derive(Default)]
struct Script(String);

impl Script {
    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    fn head(&mut self, options: &Options) {
        let Options { role, setting } = options;
        // A name with a line's end would leave the comment.
        let role = role.as_str().replace(['\n', '\r'], " ");
        self.line(&format!(
            "-- Row-level security as a second line behind tenant-guard. Run it on the coordinator, as the\n\
             -- owner of the tables who may create roles; it can be run again.\n\
             --\n\
             -- Sessions of the role {role} then say in each transaction who the tenant is:\n\
             --     BEGIN; SET LOCAL {setting} = '…'; …; COMMIT;\n\
             -- and on Citus once for each connection, so that the other nodes are told, too:\n\
             --     SET citus.propagate_set_commands = 'local';\n\
             \n\
             BEGIN;\n\
             -- Citus: a role and tables in one transaction. Elsewhere a setting without a meaning.\n\
             SET LOCAL citus.multi_shard_modify_mode = 'sequential';"
        ));
    }

    fn role(&mut self, role: &Ident) {
        let (name, text) = (role.quoted(), literal(role.as_str()));
        let body = format!(
            "\nBEGIN\n\
             \x20   IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {text}) THEN\n\
             \x20       CREATE ROLE {name} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;\n\
             \x20   END IF;\n\
             \x20   IF EXISTS (SELECT FROM pg_catalog.pg_roles r\n\
             \x20              WHERE (r.rolsuper OR r.rolbypassrls)\n\
             \x20                AND pg_catalog.pg_has_role({text}, r.oid, 'MEMBER')) THEN\n\
             \x20       RAISE EXCEPTION 'row-level security does not hold for the role %', {text}\n\
             \x20       USING HINT = 'It is, or is a member of, a superuser or a role with BYPASSRLS.';\n\
             \x20   END IF;\n\
             END\n"
        );
        self.block(&body);
    }

    /// What the guard lets tenants do: read and write tenant tables, read reference tables.
    fn grants(&mut self, tenancy: &Tenancy, role: &Ident) {
        self.line("");
        let role = role.quoted();
        let mut schemas: Vec<&Ident> = tenancy
            .tables()
            .filter_map(|table| rights(table).map(|_| &table.name().schema))
            .collect();
        schemas.dedup();
        for schema in schemas {
            let schema = schema.quoted();
            self.line(&format!("GRANT USAGE ON SCHEMA {schema} TO {role};"));
            self.line(&format!(
                "GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {role};"
            ));
        }
        for table in tenancy.tables() {
            if let Some(rights) = rights(table) {
                self.line(&format!("GRANT {rights} ON {} TO {role};", name(table)));
            }
        }
    }

    fn table(&mut self, table: &Table, condition: &str) {
        let table = name(table);
        let script = &mut self.0;
        // Writing to a String does not fail.
        let _ = writeln!(script, "\nALTER TABLE {table} ENABLE ROW LEVEL SECURITY;");
        let _ = writeln!(script, "ALTER TABLE {table} FORCE ROW LEVEL SECURITY;");
        let _ = writeln!(script, "DROP POLICY IF EXISTS {POLICY} ON {table};");
        let _ = writeln!(
            script,
            "CREATE POLICY {POLICY} ON {table}\n    USING ({condition})\n    WITH CHECK ({condition});"
        );
    }

    /// Policies of one table are alternatives; on Citus also those that should not be.
    fn no_other_policies(&mut self, tenancy: &Tenancy) {
        let tables: Vec<String> = tenancy
            .tables()
            .filter(|table| protected(table).is_some())
            .map(|table| format!("                {}", literal(&name(table))))
            .collect();
        let body = format!(
            "\nDECLARE\n\
             \x20   other pg_catalog.pg_policy;\n\
             BEGIN\n\
             \x20   SELECT * INTO other FROM pg_catalog.pg_policy p\n\
             \x20   WHERE p.polname <> '{POLICY}'\n\
             \x20     AND (p.polpermissive OR EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'citus'))\n\
             \x20     AND p.polrelid::pg_catalog.regclass = ANY (CAST(ARRAY[\n{}\n\
             \x20         ] AS pg_catalog.regclass[]))\n\
             \x20   LIMIT 1;\n\
             \x20   IF FOUND THEN\n\
             \x20       RAISE EXCEPTION 'policy % of % lets more rows be seen', other.polname,\n\
             \x20           other.polrelid::pg_catalog.regclass\n\
             \x20       USING HINT = 'Drop it first: a table''s policies are alternatives.';\n\
             \x20   END IF;\n\
             END\n",
            tables.join(",\n")
        );
        self.block(&body);
    }

    fn block(&mut self, body: &str) {
        // A tag that is not in the body.
        let mut tag = "$block$".to_owned();
        while body.contains(&tag) {
            tag.insert(1, '_');
        }
        self.line(&format!("\nDO {tag}{body}{tag};"));
    }
}

/// Tables that can have a policy. A view that was declared to be a table has none, and would read its
/// tables with the rights of its owner: the role gets no right to it.
fn protected(table: &Table) -> Option<&Distribution> {
    table.distribution().filter(|_| !table.is_read_only())
}

fn rights(table: &Table) -> Option<&'static str> {
    if table.is_read_only() {
        return None;
    }
    match table.kind() {
        TableKind::Distributed(_) => Some("SELECT, INSERT, UPDATE, DELETE"),
        TableKind::Reference => Some("SELECT"),
        TableKind::TenantSchema | TableKind::Local | TableKind::Opaque { .. } => None,
    }
}

fn name(table: &Table) -> String {
    let name = table.name();
    format!("{}.{}", name.schema.quoted(), name.name.quoted())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_have_two_names() {
        for wrong in [
            "tenant",
            "",
            "app.",
            ".x",
            "app.tenant-id",
            "app.1x",
            "a.b'; DROP",
            "ä.b",
        ] {
            assert!(Options::default().setting(wrong).is_err(), "{wrong}");
        }
        for right in ["app.tenant_id", "a.b.c", "_a._1"] {
            assert!(Options::default().setting(right).is_ok(), "{right}");
        }
    }

    #[test]
    fn a_declared_view_gets_neither_policy_nor_right() {
        let totals = Table::distributed("totals", "tenant_id", TenantType::Int8);
        let tenancy = Tenancy::builder()
            .table(totals.columns(["tenant_id"]).read_only())
            .table(Table::reference("rates").read_only())
            .table(Table::opaque("elsewhere", "a foreign table"));
        let script = script(&tenancy.build().unwrap(), &Options::default());
        for name in ["totals", "rates", "elsewhere"] {
            assert!(!script.contains(name), "{script}");
        }
    }

    #[test]
    fn names_are_quoted() {
        let tenancy = Tenancy::builder()
            .table(
                Table::distributed("Or\"der", "User", TenantType::Text)
                    .schema("My App")
                    .columns(["User"]),
            )
            .build()
            .unwrap();
        let options = Options::default().role("it's $block$\n");
        let script = script(&tenancy, &options);
        for part in [
            "ALTER TABLE \"My App\".\"Or\"\"der\" ENABLE ROW LEVEL SECURITY;",
            "USING (\"User\" = nullif(pg_catalog.current_setting('app.tenant_id'), '')::text)",
            "rolname = 'it''s $block$\n'",
            "DO $_block$",
            "TO \"it's $block$\n\";",
            "-- Sessions of the role it's $block$  then",
        ] {
            assert!(script.contains(part), "{part}\n{script}");
        }
    }

    #[test]
    fn a_backslash_is_data() {
        assert_eq!(literal("a\\'b"), "E'a\\\\''b'");
    }
}
