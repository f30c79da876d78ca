//! What a name stands for at a place of a Rust file.

use std::collections::HashMap;

use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{Expr, Pat, Type};

use super::resolve::{Resolved, Resolver};
use crate::check::source::Source;

/// A variable, constant or parameter.
#[derive(Clone, Debug)]
pub(crate) struct Binding {
    /// Its text, if it is one.
    pub(crate) sql: Resolved,
    /// Whether it reaches all tenants: made by `unscoped(reason)`.
    pub(crate) unscoped: bool,
}

impl Binding {
    /// Something whose text is not known, with why.
    pub(crate) fn opaque(why: &'static str) -> Self {
        Self {
            sql: Resolved::unknown(why),
            unscoped: false,
        }
    }
}

/// The names that are visible: scopes within each other, and the constants of the file.
#[derive(Debug, Default)]
pub(crate) struct Names {
    scopes: Vec<HashMap<String, Binding>>,
    /// By name, and by `Parent::NAME`. `None` for a name that several constants have.
    constants: HashMap<String, Option<Binding>>,
}

impl Names {
    pub(crate) fn enter(&mut self) {
        self.scopes.push(HashMap::new());
    }

    pub(crate) fn leave(&mut self) {
        self.scopes.pop();
    }

    pub(crate) fn bind(&mut self, name: String, binding: Binding) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name, binding);
        }
    }

    /// Binds the names of a pattern that takes `binding` apart. Only a plain name takes its text
    /// along, and only one that cannot be changed later.
    pub(crate) fn bind_pattern(&mut self, pattern: &Pat, binding: Binding) {
        match pattern {
            Pat::Ident(name) if name.mutability.is_none() && name.by_ref.is_none() => {
                self.bind(name.ident.to_string(), binding);
            }
            Pat::Ident(name) => {
                let why = "it is a variable that may be changed";
                self.bind(
                    name.ident.to_string(),
                    Binding {
                        sql: Resolved::unknown(why),
                        ..binding
                    },
                );
            }
            Pat::Type(typed) => {
                let unscoped = binding.unscoped || is_unscoped_type(&typed.ty);
                let sql = if is_prepared_type(&typed.ty) {
                    Resolved::default()
                } else {
                    binding.sql
                };
                self.bind_pattern(&typed.pat, Binding { sql, unscoped });
            }
            _ => {
                let mut idents = Idents(Vec::new());
                idents.visit_pat(pattern);
                for name in idents.0 {
                    let sql = Resolved::unknown("it is a part of another value");
                    self.bind(
                        name,
                        Binding {
                            sql,
                            unscoped: binding.unscoped,
                        },
                    );
                }
            }
        }
    }

    /// What a path of one or more segments stands for.
    pub(crate) fn look_up(&self, segments: &[String]) -> Binding {
        let unknown = || Binding::opaque("it is not defined in this file");
        match segments {
            [name] => match self.in_scope(name) {
                Some(binding) => binding.clone(),
                None => self.constant(name),
            },
            [.., parent, name] => match parent.as_str() {
                "Self" => self
                    .in_scope(&format!("Self::{name}"))
                    .cloned()
                    .unwrap_or_else(unknown),
                "self" | "super" | "crate" => self.constant(name),
                parent => self.constant(&format!("{parent}::{name}")),
            },
            [] => unknown(),
        }
    }

    fn in_scope(&self, name: &str) -> Option<&Binding> {
        self.scopes.iter().rev().find_map(|scope| scope.get(name))
    }

    fn constant(&self, name: &str) -> Binding {
        match self.constants.get(name) {
            Some(Some(binding)) => binding.clone(),
            Some(None) => Binding::opaque("several constants of this file have its name"),
            None => Binding::opaque("it is not defined in this file"),
        }
    }

    /// Learns the constants of a file.
    pub(crate) fn learn_constants(&mut self, file: &syn::File, source: &Source) {
        let mut collected = Constants::default();
        collected.visit_file(file);
        // Twice, because a constant may name one that stands below it.
        for _ in 0..2 {
            let mut constants = HashMap::new();
            for (name, constant) in &collected.found {
                let binding = constant.binding(self, source);
                constants
                    .entry(name.clone())
                    .and_modify(|known| *known = None)
                    .or_insert(Some(binding));
            }
            self.constants = constants;
        }
    }
}

/// A constant or static that may be a text: a reference to what has a name.
#[derive(Clone, Copy)]
pub(crate) struct Constant<'a> {
    pub(crate) name: &'a syn::Ident,
    value: &'a Expr,
    start: usize,
}

impl<'a> Constant<'a> {
    pub(crate) fn of_item(item: &'a syn::Item) -> Option<Self> {
        match item {
            syn::Item::Const(item) => Self::new(&item.ident, &item.ty, &item.expr, || item.span()),
            syn::Item::Static(item) => Self::new(&item.ident, &item.ty, &item.expr, || item.span()),
            _ => None,
        }
    }

    pub(crate) fn of_impl(item: &'a syn::ImplItem) -> Option<Self> {
        match item {
            syn::ImplItem::Const(item) => {
                Self::new(&item.ident, &item.ty, &item.expr, || item.span())
            }
            _ => None,
        }
    }

    fn new(
        name: &'a syn::Ident,
        ty: &Type,
        value: &'a Expr,
        span: impl FnOnce() -> proc_macro2::Span,
    ) -> Option<Self> {
        let Type::Reference(reference) = ty else {
            return None;
        };
        matches!(&*reference.elem, Type::Path(_)).then(|| Self {
            name,
            value,
            start: span().byte_range().start,
        })
    }

    pub(crate) fn binding(&self, names: &Names, source: &Source) -> Binding {
        let sql = Resolver { names, source }.resolve(self.value);
        Binding {
            sql: sql.with_anchor(self.start),
            unscoped: false,
        }
    }
}

#[derive(Default)]
struct Constants<'a> {
    parents: Vec<String>,
    found: Vec<(String, Constant<'a>)>,
}

impl<'a> Constants<'a> {
    fn add(&mut self, constant: Constant<'a>) {
        let name = constant.name.to_string();
        if let Some(parent) = self.parents.last() {
            self.found.push((format!("{parent}::{name}"), constant));
        }
        self.found.push((name, constant));
    }

    fn within(&mut self, parent: String, visit: impl FnOnce(&mut Self)) {
        self.parents.push(parent);
        visit(self);
        self.parents.pop();
    }
}

impl<'a> Visit<'a> for Constants<'a> {
    fn visit_item(&mut self, item: &'a syn::Item) {
        if let Some(constant) = Constant::of_item(item) {
            self.add(constant);
        }
        visit::visit_item(self, item);
    }

    fn visit_impl_item(&mut self, item: &'a syn::ImplItem) {
        if let Some(constant) = Constant::of_impl(item) {
            self.add(constant);
        }
        visit::visit_impl_item(self, item);
    }

    fn visit_item_mod(&mut self, item: &'a syn::ItemMod) {
        let parent = item.ident.to_string();
        self.within(parent, |this| visit::visit_item_mod(this, item));
    }

    fn visit_item_impl(&mut self, item: &'a syn::ItemImpl) {
        let parent = last_segment(&item.self_ty).unwrap_or_default();
        self.within(parent, |this| visit::visit_item_impl(this, item));
    }
}

struct Idents(Vec<String>);

impl<'a> Visit<'a> for Idents {
    fn visit_pat_ident(&mut self, pattern: &'a syn::PatIdent) {
        self.0.push(pattern.ident.to_string());
        visit::visit_pat_ident(self, pattern);
    }
}

/// The types of citus-client that reach all tenants.
fn is_unscoped_type(ty: &Type) -> bool {
    last_segment(ty).is_some_and(|name| name == "Unscoped" || name == "UnscopedTransaction")
}

/// The types of statements that were checked where they were made.
fn is_prepared_type(ty: &Type) -> bool {
    last_segment(ty).is_some_and(|name| name == "Statement" || name == "GuardedSql")
}

fn last_segment(ty: &Type) -> Option<String> {
    match ty {
        Type::Path(path) => Some(path.path.segments.last()?.ident.to_string()),
        Type::Reference(reference) => last_segment(&reference.elem),
        Type::Paren(paren) => last_segment(&paren.elem),
        Type::Group(group) => last_segment(&group.elem),
        _ => None,
    }
}
