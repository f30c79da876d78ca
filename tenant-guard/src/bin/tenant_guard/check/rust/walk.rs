//! A walk over a Rust file, in search of SQL.

use std::ops::Range;

use proc_macro2::TokenStream;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{Block, Expr, Stmt};

use super::calls::{self, Function, Macro, Takes};
use super::imports::Imports;
use super::names::{Binding, Constant, Names};
use super::resolve::{Folder, Known, Named, Resolved, Resolver, arguments, segments};
use super::scan;
use crate::check::source::Source;
use crate::check::sql_text::SqlText;

/// Something that a file does with SQL.
#[derive(Debug)]
pub(crate) struct Use {
    pub(crate) what: What,
    pub(crate) anchors: Vec<usize>,
}

#[derive(Debug)]
pub(crate) enum What {
    /// SQL that stands in the file.
    Sql { sql: SqlText, script: bool },
    /// SQL that stands in another file.
    File(Named),
    /// SQL that is not known, or something that is no SQL.
    Unchecked { why: String, range: Range<usize> },
    /// The way to all tenants. `None`: the reason is not known before run time.
    Unscoped {
        reason: Option<String>,
        range: Range<usize>,
    },
}

/// All that a file does with SQL, in the order in which it is met.
pub(crate) fn uses(file: &syn::File, source: &Source) -> Vec<Use> {
    let mut names = Names::default();
    names.learn_constants(file, source);
    let mut walk = Walk {
        source,
        imports: Imports::of(file),
        names,
        statement: 0,
        uses: Vec::new(),
    };
    walk.scoped(|walk| {
        walk.bind_constants(file.items.iter().filter_map(Constant::of_item));
        visit::visit_file(walk, file);
    });
    walk.uses
}

pub(crate) struct Walk<'a> {
    source: &'a Source,
    imports: Imports,
    names: Names,
    /// Where the statement or item begins that is being looked at.
    statement: usize,
    uses: Vec<Use>,
}

impl Walk<'_> {
    fn scoped(&mut self, visit: impl FnOnce(&mut Self)) {
        self.names.enter();
        visit(self);
        self.names.leave();
    }

    fn in_statement(&mut self, span: proc_macro2::Span, visit: impl FnOnce(&mut Self)) {
        let outer = std::mem::replace(&mut self.statement, span.byte_range().start);
        visit(self);
        self.statement = outer;
    }

    fn bind_constants<'a>(&mut self, constants: impl Iterator<Item = Constant<'a>>) {
        let constants: Vec<Constant<'_>> = constants.collect();
        // Twice, because a constant may name one that stands below it.
        for constant in constants.iter().chain(&constants) {
            let binding = constant.binding(&self.names, self.source);
            self.names.bind(constant.name.to_string(), binding);
        }
    }

    fn resolver(&self) -> Resolver<'_> {
        Resolver {
            names: &self.names,
            source: self.source,
        }
    }

    fn add(&mut self, what: What, mut anchors: Vec<usize>) {
        anchors.push(self.statement);
        self.uses.push(Use { what, anchors });
    }

    /// An argument that is SQL, of the call `name`.
    pub(crate) fn take(&mut self, name: &str, takes: Takes, argument: &Expr, anchors: &[usize]) {
        let found = self.resolver().resolve(argument);
        self.take_resolved(name, takes, found, argument.span().byte_range(), anchors);
    }

    fn take_resolved(
        &mut self,
        name: &str,
        takes: Takes,
        found: Resolved,
        range: Range<usize>,
        anchors: &[usize],
    ) {
        let with = |more: Vec<usize>| [anchors, &[range.start], &more].concat();
        for Known { sql, anchors } in found.texts {
            if calls::begins_as_sql(sql.text()) {
                let script = takes.script;
                self.add(What::Sql { sql, script }, with(anchors));
            } else if takes.certain {
                let why = format!("what `{name}` is given does not begin as SQL does");
                let range = sql.locate(0..sql.text().len());
                self.add(What::Unchecked { why, range }, with(anchors));
            }
        }
        for file in found.files {
            self.add(What::File(file), with(Vec::new()));
        }
        if let Some(why) = found.unknown.filter(|_| takes.certain) {
            let why = format!("the SQL of `{name}` is not checked: {why}");
            let range = range.clone();
            self.add(What::Unchecked { why, range }, with(Vec::new()));
        }
    }

    /// Whether the value reaches all tenants: `cluster.unscoped(reason)`, and what comes of it.
    fn is_unscoped(&self, expr: &Expr) -> bool {
        match expr {
            Expr::MethodCall(call) => is_unscoped_call(call) || self.is_unscoped(&call.receiver),
            Expr::Await(inner) => self.is_unscoped(&inner.base),
            Expr::Try(inner) => self.is_unscoped(&inner.expr),
            Expr::Reference(inner) => self.is_unscoped(&inner.expr),
            Expr::Paren(inner) => self.is_unscoped(&inner.expr),
            Expr::Group(inner) => self.is_unscoped(&inner.expr),
            Expr::Path(path) => self.names.look_up(&segments(&path.path)).unscoped,
            _ => false,
        }
    }

    fn binding(&self, value: &Expr) -> Binding {
        Binding {
            sql: self.resolver().resolve(value),
            unscoped: self.is_unscoped(value),
        }
    }

    fn unscoped(&mut self, call: &syn::ExprMethodCall) {
        let Some(argument) = call.args.first() else {
            return;
        };
        let found = self.resolver().resolve(argument);
        let reason = found.only_text().map(|text| text.text().to_owned());
        let close = call.paren_token.span.close();
        let range = call.method.span().byte_range().start..close.byte_range().end;
        let anchors = method_anchors(call);
        self.add(What::Unscoped { reason, range }, anchors);
    }

    fn macro_that_takes(&mut self, name: &str, takes: Macro, mac: &syn::Macro) {
        let (index, certain) = match takes {
            Macro::Statement { argument } | Macro::File { argument } => (argument, true),
            Macro::PerhapsStatement => (0, false),
        };
        let Some(argument) = arguments(&mac.tokens).into_iter().nth(index) else {
            return;
        };
        let anchors = [mac.span().byte_range().start];
        let range = argument.span().byte_range();
        let mut found = self.resolver().tokens(argument);
        if let Macro::File { .. } = takes {
            found = named_file(&found);
        }
        let takes = Takes {
            argument: 0,
            script: false,
            certain,
        };
        self.take_resolved(&format!("{name}!"), takes, found, range, &anchors);
    }

    /// What is in a macro's parentheses: expressions, statements, or something of its own, in which
    /// calls are looked for token by token.
    fn inside_of_macro(&mut self, tokens: &TokenStream) {
        let parts: Result<Vec<Expr>, syn::Error> =
            arguments(tokens).into_iter().map(syn::parse2).collect();
        if let Ok(expressions) = parts {
            for expression in &expressions {
                self.visit_expr(expression);
            }
            return;
        }
        let block = TokenStream::from(proc_macro2::TokenTree::from(proc_macro2::Group::new(
            proc_macro2::Delimiter::Brace,
            tokens.clone(),
        )));
        match syn::parse2::<Block>(block) {
            Ok(block) => self.visit_block(&block),
            Err(_) => scan::calls(self, tokens),
        }
    }
}

/// The file that a macro's argument names.
fn named_file(found: &Resolved) -> Resolved {
    match found.only_text() {
        Some(sql) => Resolved {
            files: vec![Named {
                path: sql.text().to_owned(),
                from: Folder::OfCrate,
                range: sql.locate(0..sql.text().len()),
            }],
            ..Resolved::default()
        },
        None => Resolved::unknown("the name of the file is no literal"),
    }
}

fn is_unscoped_call(call: &syn::ExprMethodCall) -> bool {
    call.method == "unscoped" && call.args.len() == 1
}

/// Where a chain of calls may carry a comment: before the chain, or before one of its links.
fn method_anchors(call: &syn::ExprMethodCall) -> Vec<usize> {
    let mut first = &*call.receiver;
    while let Some(inner) = receiver(first) {
        first = inner;
    }
    [first.span(), call.dot_token.span(), call.method.span()]
        .map(|span| span.byte_range().start)
        .to_vec()
}

/// What the last link of a chain is applied to.
fn receiver(expr: &Expr) -> Option<&Expr> {
    match expr {
        Expr::MethodCall(call) => Some(&call.receiver),
        Expr::Await(inner) => Some(&inner.base),
        Expr::Try(inner) => Some(&inner.expr),
        Expr::Field(inner) => Some(&inner.base),
        _ => None,
    }
}

impl<'ast> Visit<'ast> for Walk<'_> {
    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let name = call.method.to_string();
        if is_unscoped_call(call) {
            self.unscoped(call);
        } else if let Some(takes) = calls::method(&name, call.args.len())
            && let Some(argument) = call.args.iter().nth(takes.argument)
            && !self.is_unscoped(&call.receiver)
        {
            self.take(&name, takes, argument, &method_anchors(call));
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        self.function_call(call);
        visit::visit_expr_call(self, call);
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        let path = self.imports.full_path(&segments(&mac.path));
        let name = path.last().cloned().unwrap_or_default();
        if let Some(takes) = calls::macro_named(&name) {
            self.macro_that_takes(&name, takes, mac);
        }
        self.inside_of_macro(&mac.tokens);
    }

    fn visit_stmt(&mut self, statement: &'ast Stmt) {
        self.in_statement(statement.span(), |walk| visit::visit_stmt(walk, statement));
    }

    fn visit_item(&mut self, item: &'ast syn::Item) {
        self.in_statement(item.span(), |walk| visit::visit_item(walk, item));
    }

    fn visit_impl_item(&mut self, item: &'ast syn::ImplItem) {
        self.in_statement(item.span(), |walk| visit::visit_impl_item(walk, item));
    }

    fn visit_trait_item(&mut self, item: &'ast syn::TraitItem) {
        self.in_statement(item.span(), |walk| visit::visit_trait_item(walk, item));
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.scoped(|walk| {
            let items = item.content.iter().flat_map(|(_, items)| items);
            walk.bind_constants(items.filter_map(Constant::of_item));
            visit::visit_item_mod(walk, item);
        });
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        self.scoped(|walk| {
            for constant in item.items.iter().filter_map(Constant::of_impl) {
                let binding = constant.binding(&walk.names, walk.source);
                walk.names.bind(format!("Self::{}", constant.name), binding);
            }
            visit::visit_item_impl(walk, item);
        });
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.scoped(|walk| visit::visit_item_fn(walk, item));
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.scoped(|walk| visit::visit_impl_item_fn(walk, item));
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.scoped(|walk| visit::visit_trait_item_fn(walk, item));
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        for input in &signature.inputs {
            if let syn::FnArg::Typed(typed) = input {
                let pattern = syn::Pat::Type(typed.clone());
                self.names
                    .bind_pattern(&pattern, Binding::opaque("it is a parameter"));
            }
        }
    }

    fn visit_expr_closure(&mut self, closure: &'ast syn::ExprClosure) {
        self.scoped(|walk| {
            for input in &closure.inputs {
                walk.names
                    .bind_pattern(input, Binding::opaque("it is a parameter"));
            }
            visit::visit_expr_closure(walk, closure);
        });
    }

    fn visit_block(&mut self, block: &'ast Block) {
        self.scoped(|walk| {
            let items = block.stmts.iter().filter_map(|statement| match statement {
                Stmt::Item(item) => Some(item),
                Stmt::Local(_) | Stmt::Expr(..) | Stmt::Macro(_) => None,
            });
            walk.bind_constants(items.filter_map(Constant::of_item));
            visit::visit_block(walk, block);
        });
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        visit::visit_local(self, local);
        let mut binding = match &local.init {
            Some(init) => self.binding(&init.expr),
            None => Binding::opaque("it is given a value later"),
        };
        binding.sql = binding.sql.with_anchor(local.span().byte_range().start);
        self.names.bind_pattern(&local.pat, binding);
    }

    fn visit_expr_let(&mut self, expr: &'ast syn::ExprLet) {
        visit::visit_expr_let(self, expr);
        let binding = self.binding(&expr.expr);
        self.names.bind_pattern(&expr.pat, binding);
    }

    fn visit_expr_if(&mut self, expr: &'ast syn::ExprIf) {
        self.scoped(|walk| {
            walk.visit_expr(&expr.cond);
            walk.visit_block(&expr.then_branch);
        });
        if let Some((_, other)) = &expr.else_branch {
            self.visit_expr(other);
        }
    }

    fn visit_expr_while(&mut self, expr: &'ast syn::ExprWhile) {
        self.scoped(|walk| visit::visit_expr_while(walk, expr));
    }

    fn visit_expr_match(&mut self, expr: &'ast syn::ExprMatch) {
        self.visit_expr(&expr.expr);
        let binding = Binding {
            unscoped: self.is_unscoped(&expr.expr),
            ..Binding::opaque("it is a part of another value")
        };
        for arm in &expr.arms {
            self.in_statement(arm.span(), |walk| {
                walk.scoped(|walk| {
                    walk.names.bind_pattern(&arm.pat, binding.clone());
                    visit::visit_arm(walk, arm);
                });
            });
        }
    }

    fn visit_expr_for_loop(&mut self, expr: &'ast syn::ExprForLoop) {
        self.visit_expr(&expr.expr);
        let each = self.each_of(&expr.expr);
        self.scoped(|walk| {
            walk.names.bind_pattern(&expr.pat, each);
            walk.visit_block(&expr.body);
        });
    }
}

impl Walk<'_> {
    /// A function that takes SQL, without what is in its arguments.
    pub(crate) fn function_call(&mut self, call: &syn::ExprCall) {
        let Expr::Path(function) = &*call.func else {
            return;
        };
        let path = self.imports.full_path(&segments(&function.path));
        let (name, range) = (path.join("::"), call.span().byte_range());
        match calls::function(&path) {
            Some(Function::Takes(takes)) => {
                if let Some(argument) = call.args.iter().nth(takes.argument) {
                    self.take(&name, takes, argument, &[range.start]);
                }
            }
            Some(Function::BuildsSql) => {
                let why =
                    format!("the SQL of `{name}` is not checked: it is put together at run time");
                let anchors = vec![range.start];
                self.add(What::Unchecked { why, range }, anchors);
            }
            None => self.method_as_function(&path, call),
        }
    }

    /// `Client::query(&client, sql, params)`.
    fn method_as_function(&mut self, path: &[String], call: &syn::ExprCall) {
        let [.., _, name] = path else {
            return;
        };
        let Some(takes) = calls::method(name, call.args.len().saturating_sub(1)) else {
            return;
        };
        let mut arguments = call.args.iter();
        let receiver = arguments.next();
        let Some(argument) = arguments.nth(takes.argument) else {
            return;
        };
        if !receiver.is_some_and(|receiver| self.is_unscoped(receiver)) {
            // Functions that are no methods have such names, too.
            let takes = Takes {
                certain: false,
                ..takes
            };
            let anchors = [call.span().byte_range().start];
            self.take(name, takes, argument, &anchors);
        }
    }

    /// What a loop over the value gives: of an array that stands there, each element.
    fn each_of(&self, value: &Expr) -> Binding {
        match value {
            Expr::Array(array) => Binding {
                sql: self.resolver().any_of(array.elems.iter()),
                unscoped: false,
            },
            Expr::Reference(inner) => self.each_of(&inner.expr),
            Expr::Paren(inner) => self.each_of(&inner.expr),
            _ => Binding::opaque("a loop gives it"),
        }
    }
}
