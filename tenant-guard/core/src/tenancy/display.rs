//! A tenancy for people to read.

use std::fmt;

use super::{Ident, TableKind, Tenancy};

/// One table a paragraph: whose rows it holds, its columns, its unique keys; then what else is
/// known. For people: the form may change.
impl fmt::Display for Tenancy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "search path: {}", joined(&self.search_path))?;
        for table in self.tables.values() {
            write!(f, "{}: ", table.name())?;
            match table.kind() {
                TableKind::Distributed(distribution) => writeln!(
                    f,
                    "by {} {}, group {}",
                    distribution.column, distribution.tenant_type, distribution.colocation
                )?,
                TableKind::TenantSchema => writeln!(f, "in each tenant's schema")?,
                TableKind::Reference => writeln!(f, "reference")?,
                TableKind::Local => writeln!(f, "local")?,
                TableKind::Opaque { what } => writeln!(f, "{what}, refused")?,
            }
            if table.is_read_only() {
                writeln!(f, "    declared, never written")?;
            }
            if !matches!(table.kind(), TableKind::Opaque { .. }) {
                let columns = table.column_list().iter().map(|column| &column.name);
                writeln!(f, "    columns {}", joined(columns))?;
            }
            for key in table.unique_keys() {
                let name = key.name.as_ref().map_or("(unnamed)", Ident::as_str);
                writeln!(f, "    key {name} ({})", joined(&key.columns))?;
            }
        }
        for view in self.views.values() {
            writeln!(f, "{}: view", view.name())?;
            if !view.column_list().is_empty() {
                writeln!(f, "    columns {}", joined(view.column_list()))?;
            }
            for line in view.definition().lines() {
                writeln!(f, "    {}", line.trim())?;
            }
        }
        for (what, names) in [
            ("types", &self.types),
            ("fields of types", &self.composite_fields),
            ("functions", &self.user_functions),
        ] {
            if !names.is_empty() {
                writeln!(f, "{what}: {}", joined(names))?;
            }
        }
        Ok(())
    }
}

fn joined<'a>(names: impl IntoIterator<Item = &'a Ident>) -> String {
    let names: Vec<&str> = names.into_iter().map(Ident::as_str).collect();
    names.join(", ")
}
