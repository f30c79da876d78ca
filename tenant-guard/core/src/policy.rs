//! What a team allows beyond the defaults.

mod catalog;
mod error;
mod extension;
mod fingerprint;
mod name;
mod signature;

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{Call, QualifiedName};
use crate::{Fingerprint, Ident, TableName};

pub(crate) use catalog::Catalogs;
pub use error::PolicyError;
pub use extension::Extension;
use name::DeclaredName;
pub(crate) use signature::FunctionSignature;

/// The bounds of what a [`Guard`](crate::Guard) accepts.
///
/// ```
/// use tenant_guard::{Extension, Policy};
///
/// let policy = Policy::default()
///     .allow_function("slugify(text, integer DEFAULT 80)")?
///     .allow_extension(Extension::PgTrgm)
///     .max_bytes(16 * 1024);
/// # let _ = policy;
/// # Ok::<(), tenant_guard::PolicyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Policy {
    functions: BTreeMap<Ident, BTreeSet<FunctionSignature>>,
    operators: BTreeSet<DeclaredName>,
    types: BTreeSet<DeclaredName>,
    catalogs: Catalogs,
    pub(crate) max_bytes: usize,
    pub(crate) cache_bytes: u64,
    pub(crate) refuse_unknown_columns: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            functions: BTreeMap::new(),
            operators: BTreeSet::new(),
            types: BTreeSet::new(),
            catalogs: catalog::fixed(),
            max_bytes: 256 * 1024,
            cache_bytes: 16 * 1024 * 1024,
            refuse_unknown_columns: false,
        }
    }
}

impl Policy {
    /// Declares a function of yours (or of an extension) tenant-safe: what it returns depends on
    /// nothing but its arguments, it reads and writes no table, and quotes no argument in an error.
    /// The guard cannot check that.
    ///
    /// It is written with its signature, as in `DROP FUNCTION`, and may have what
    /// `CREATE FUNCTION` writes besides: `slugify(text)`, `app.slugify(text, integer DEFAULT 80)`,
    /// `concat_all(VARIADIC text[])`, `search(text) RETURNS TABLE (id bigint, rank real)`. The
    /// columns of a table that it returns (or of its `OUT` arguments) can then be named in `FROM`.
    /// The guard knows no types of arguments: a declaration is for all functions of this name that
    /// take as many. Without a schema it is for the name in each schema of the search path.
    ///
    /// # Errors
    /// [`PolicyError::Function`] where the text is no signature.
    ///
    /// ```
    /// use tenant_guard::Policy;
    ///
    /// let error = Policy::default().allow_function("slugify").unwrap_err();
    /// assert!(error.to_string().ends_with("write it as `slugify(text, integer)`"));
    /// ```
    pub fn allow_function(mut self, signature: &str) -> Result<Self, PolicyError> {
        let signature: FunctionSignature = signature.parse()?;
        self.add_function(signature);
        Ok(self)
    }

    /// Declares an operator of yours (or of an extension) tenant-safe, for operands of any types, as
    /// [`Policy::allow_function`] does for functions: `<=>`, `app.===`.
    ///
    /// # Errors
    /// [`PolicyError::Operator`] where the text is no operator.
    pub fn allow_operator(mut self, operator: &str) -> Result<Self, PolicyError> {
        let name = DeclaredName::of_operator(operator).ok_or_else(|| PolicyError::Operator {
            text: operator.to_owned(),
        })?;
        self.operators.insert(name);
        Ok(self)
    }

    /// Declares a type of yours (or of an extension) tenant-safe: reading and writing its values
    /// runs no code that meets a table. Enum and composite types of the tenancy need no declaration.
    ///
    /// # Errors
    /// [`PolicyError::Type`] where the text is no name of a type.
    pub fn allow_type(mut self, name: &str) -> Result<Self, PolicyError> {
        let name = DeclaredName::parse(name).ok_or_else(|| PolicyError::Type {
            text: name.to_owned(),
        })?;
        self.types.insert(name);
        Ok(self)
    }

    /// Allows what is safe of a well-known extension. This is right where no other function of the
    /// search path has a name and number of arguments of these.
    pub fn allow_extension(mut self, extension: Extension) -> Self {
        let unqualified = |name: &str| DeclaredName {
            schema: None,
            name: name.into(),
        };
        for (name, arguments) in extension.functions() {
            self.add_function(FunctionSignature::of_extension(name, arguments.clone()));
        }
        self.operators
            .extend(extension.operators().iter().copied().map(unqualified));
        self.types
            .extend(extension.types().iter().copied().map(unqualified));
        self
    }

    /// Allows statements to read a catalog, with the columns that can be named as `catalog.column`.
    /// Without being told, `pg_timezone_names` and `pg_timezone_abbrevs` may be read. What a catalog
    /// says is not restricted: each tenant sees the whole schema. On Citus the catalogs of workers
    /// list shards, too.
    ///
    /// # Errors
    /// [`PolicyError::Catalog`] where it does not describe the schema alone, such as `pg_stats`,
    /// which holds values of all tenants, or `pg_class`, which counts their rows.
    ///
    /// ```
    /// use tenant_guard::Policy;
    ///
    /// let columns = ["enumtypid", "enumlabel", "enumsortorder"];
    /// assert!(Policy::default().allow_catalog("pg_catalog.pg_enum", columns).is_ok());
    /// assert!(Policy::default().allow_catalog("pg_catalog.pg_stats", ["attname"]).is_err());
    /// ```
    pub fn allow_catalog<C: Into<Ident>>(
        mut self,
        name: &str,
        columns: impl IntoIterator<Item = C>,
    ) -> Result<Self, PolicyError> {
        let catalog = DeclaredName::parse(name)
            .map(|name| catalog_name(name.schema.as_ref(), &name.name))
            .filter(catalog::describes_schema)
            .ok_or_else(|| PolicyError::Catalog {
                text: name.to_owned(),
            })?;
        let columns = columns.into_iter().map(Into::into).collect();
        self.catalogs.insert(catalog, columns);
        Ok(self)
    }

    /// The longest statement that is read, in bytes; 256 KiB by default.
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// How much memory accepted statements may take in the cache of
    /// [`Guard::cached`](crate::Guard::cached), in bytes; 16 MiB by default. The least used go first.
    /// Statements of [`Guard::fixed`](crate::Guard::fixed) come on top: they are a part of the program.
    pub fn cache_bytes(mut self, bytes: u64) -> Self {
        self.cache_bytes = bytes;
        self
    }

    /// Refuses a name that is surely no column, such as `titel` for `title`: PostgreSQL would, too,
    /// when the statement is prepared. It is for checks of a program that is being built, where the
    /// tenancy is the schema that the program will run on; a server may be ahead of what a running
    /// program knows of it. Off by default.
    ///
    /// ```
    /// # #[cfg(feature = "pg-grammar")] {
    /// use tenant_guard::{Guard, Policy, Table, Tenancy};
    ///
    /// let countries = Table::reference("countries").columns(["code", "name"]);
    /// let tenancy = Tenancy::builder().table(countries).build()?;
    /// let guard = Guard::new(tenancy, Policy::default().refuse_unknown_columns());
    /// let refusal = guard.check("SELECT nmae FROM countries").unwrap_err();
    /// assert_eq!(refusal.to_string(), "TG023: countries has no column nmae");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn refuse_unknown_columns(mut self) -> Self {
        self.refuse_unknown_columns = true;
        self
    }

    /// A stable hash of all that it allows: a statement that was guarded under one policy may be
    /// refused under another.
    pub fn fingerprint(&self) -> Fingerprint {
        fingerprint::of(self)
    }
}

impl Policy {
    fn add_function(&mut self, signature: FunctionSignature) {
        self.functions
            .entry(signature.name.name.clone())
            .or_default()
            .insert(signature);
    }

    /// What was declared of the function that a call means.
    pub(crate) fn function(&self, call: &Call, path: &[Ident]) -> Declared<'_> {
        let QualifiedName { schema, name, .. } = &call.name;
        let mut found = Declared::Not;
        for signature in self.functions.get(name).into_iter().flatten() {
            if !signature.name.covers(schema.as_ref(), name, path) {
                continue;
            }
            if signature.takes(call.arguments, call.is_variadic) {
                return Declared::As(signature);
            }
            found = Declared::Otherwise;
        }
        found
    }

    /// The names of all declared functions.
    pub(crate) fn function_names(&self) -> impl Iterator<Item = &Ident> {
        self.functions.keys()
    }

    /// The columns that a declared function of this name has in `FROM`, where all have the same;
    /// `None` where no function of the name is declared.
    pub(crate) fn function_columns(&self, name: &Ident) -> Option<&[Ident]> {
        let mut declared = self.functions.get(name)?.iter();
        let columns = declared.next()?.columns();
        let same = declared.all(|other| other.columns() == columns);
        Some(if same { columns } else { &[] })
    }

    pub(crate) fn has_operator(&self, operator: &QualifiedName, path: &[Ident]) -> bool {
        covers(&self.operators, operator, path)
    }

    /// By the name of the type, or of an array's elements.
    pub(crate) fn has_type(&self, schema: Option<&Ident>, name: &Ident, path: &[Ident]) -> bool {
        let covers = |declared: &DeclaredName| declared.covers(schema, name, path);
        self.types.iter().any(covers)
    }

    /// The catalogs that may be read.
    #[cfg(feature = "pg-grammar")]
    pub(crate) fn catalogs(&self) -> &Catalogs {
        &self.catalogs
    }

    /// The catalog that a name means, where it may be read, with its columns.
    pub(crate) fn catalog(
        &self,
        schema: Option<&Ident>,
        name: &Ident,
    ) -> Option<(&TableName, &[Ident])> {
        let (name, columns) = self.catalogs.get_key_value(&catalog_name(schema, name))?;
        Some((name, columns))
    }
}

/// What was declared of a call's function.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Declared<'p> {
    As(&'p FunctionSignature),
    /// With other numbers of arguments.
    Otherwise,
    Not,
}

/// PostgreSQL looks for a name without schema in `pg_catalog` first.
fn catalog_name(schema: Option<&Ident>, name: &Ident) -> TableName {
    let schema = schema.map_or("pg_catalog", Ident::as_str);
    TableName::new(schema, name.as_str())
}

fn covers(declared: &BTreeSet<DeclaredName>, name: &QualifiedName, path: &[Ident]) -> bool {
    declared
        .iter()
        .any(|declared| declared.covers(name.schema.as_ref(), &name.name, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_are_read_or_refused_with_how_they_are_written() {
        let policy = Policy::default;
        for operator in ["<=>", "app.===", "\"App\".<->"] {
            assert!(policy().allow_operator(operator).is_ok(), "{operator}");
        }
        for operator in ["", "like", "a.b.===", "=== ===", "app.", "--"] {
            let error = policy().allow_operator(operator).unwrap_err().to_string();
            assert!(error.contains("write it as `<=>`"), "{error}");
        }
        for name in ["vector", "app.vector", "\"V\""] {
            assert!(policy().allow_type(name).is_ok(), "{name}");
        }
        for name in ["", "a.b.c", "vector(3)", "vector[]", "1"] {
            let error = policy().allow_type(name).unwrap_err().to_string();
            assert!(error.contains("write it as `vector`"), "{error}");
        }
    }

    #[test]
    fn a_catalog_with_counts_values_or_sessions_cannot_be_allowed() {
        let allow = |name: &str| Policy::default().allow_catalog(name, ["a"]);
        for name in [
            "pg_enum",
            "pg_catalog.pg_type",
            "information_schema.columns",
        ] {
            assert!(allow(name).is_ok(), "{name}");
        }
        for name in [
            "pg_class",
            "pg_stats",
            "pg_statistic",
            "pg_catalog.pg_stat_activity",
            "pg_locks",
            "pg_settings",
            "pg_authid",
            "pg_largeobject",
            "public.pg_enum",
            "columns",
            "",
            "information_schema.pg_enum",
            "pg_catalog.columns",
            "information_schema.role_table_grants",
        ] {
            assert!(allow(name).is_err(), "{name}");
        }
    }

    #[test]
    fn the_fingerprint_changes_with_all_that_is_allowed() {
        let policy = Policy::default;
        let policies = [
            policy(),
            policy().allow_function("f(text)").unwrap(),
            policy().allow_function("f(text, text)").unwrap(),
            policy().allow_function("f(text, text DEFAULT 1)").unwrap(),
            policy().allow_function("f(VARIADIC text[])").unwrap(),
            policy().allow_function("app.f(text)").unwrap(),
            policy()
                .allow_function("f(text) RETURNS TABLE (a int)")
                .unwrap(),
            policy().allow_operator("<=>").unwrap(),
            policy().allow_type("vector").unwrap(),
            policy().allow_type("app.vector").unwrap(),
            policy().allow_extension(Extension::PgTrgm),
            policy().allow_catalog("pg_enum", ["enumlabel"]).unwrap(),
            policy().allow_catalog("pg_enum", ["oid"]).unwrap(),
        ];
        let fingerprints: BTreeSet<String> = policies
            .iter()
            .map(|policy| policy.fingerprint().to_string())
            .collect();
        assert_eq!(fingerprints.len(), policies.len());
        assert_eq!(
            policy().cache_bytes(1).fingerprint(),
            policy().fingerprint()
        );
    }

    #[test]
    fn the_order_of_declarations_does_not_count() {
        let one = Policy::default()
            .allow_type("a")
            .unwrap()
            .allow_type("b")
            .unwrap();
        let other = Policy::default()
            .allow_type("b")
            .unwrap()
            .allow_type("a")
            .unwrap();
        assert_eq!(one.fingerprint(), other.fingerprint());
    }
}
