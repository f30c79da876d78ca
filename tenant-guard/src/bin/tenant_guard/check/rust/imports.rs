//! What a file's `use` items bring into it.

use std::collections::HashMap;

use syn::UseTree;
use syn::visit::Visit;

/// The full paths of imported names.
#[derive(Debug, Default)]
pub(crate) struct Imports {
    names: HashMap<String, Vec<String>>,
    /// Crates of which everything is imported.
    globs: Vec<String>,
}

impl Imports {
    pub(crate) fn of(file: &syn::File) -> Self {
        let mut imports = Self::default();
        imports.visit_file(file);
        imports
    }

    /// A path from its crate on, as far as the imports tell.
    pub(crate) fn full_path(&self, path: &[String]) -> Vec<String> {
        let Some((first, rest)) = path.split_first() else {
            return Vec::new();
        };
        if let Some(full) = self.names.get(first) {
            return full.iter().chain(rest).cloned().collect();
        }
        match self.globs.first() {
            Some(krate) if rest.is_empty() => vec![krate.clone(), first.clone()],
            _ => path.to_vec(),
        }
    }

    fn add(&mut self, before: &[String], tree: &UseTree) {
        let path = |last: &syn::Ident| [before, &[last.to_string()]].concat();
        match tree {
            UseTree::Path(tree) => self.add(&path(&tree.ident), &tree.tree),
            UseTree::Name(name) if name.ident == "self" => {
                if let Some(last) = before.last() {
                    self.names.insert(last.clone(), before.to_vec());
                }
            }
            UseTree::Name(name) => {
                self.names.insert(name.ident.to_string(), path(&name.ident));
            }
            UseTree::Rename(rename) => {
                self.names
                    .insert(rename.rename.to_string(), path(&rename.ident));
            }
            UseTree::Glob(_) => {
                // Of other crates nothing is looked for.
                let krate = before.first().filter(|krate| *krate == "sqlx");
                self.globs.extend(krate.cloned());
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.add(before, tree);
                }
            }
        }
    }
}

impl<'a> Visit<'a> for Imports {
    fn visit_item_use(&mut self, item: &'a syn::ItemUse) {
        self.add(&[], &item.tree);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_followed_to_their_crates() {
        let file = syn::parse_str(
            "use sqlx::{self, query as ask, postgres::PgPool};
             mod inner { use diesel::sql_query; use sqlx::*; }",
        )
        .unwrap();
        let imports = Imports::of(&file);
        let full = |path: &str| {
            let path: Vec<String> = path.split("::").map(str::to_owned).collect();
            imports.full_path(&path).join("::")
        };
        assert_eq!(full("ask"), "sqlx::query");
        assert_eq!(full("sql_query"), "diesel::sql_query");
        assert_eq!(full("sqlx::raw_sql"), "sqlx::raw_sql");
        assert_eq!(full("query_as"), "sqlx::query_as");
        assert_eq!(full("other::query"), "other::query");
    }
}
