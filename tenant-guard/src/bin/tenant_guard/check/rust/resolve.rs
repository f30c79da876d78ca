//! The texts that an expression can have, as far as they stand in the file.

use std::ops::Range;

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned as _;
use syn::{BinOp, Expr, Lit};

use super::calls;
use super::literal;
use super::names::Names;
use crate::check::source::Source;
use crate::check::sql_text::SqlText;

/// What is known of an expression's text. Nothing at all: a statement that was prepared, and
/// checked there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resolved {
    /// The texts that it can be.
    pub(crate) texts: Vec<Known>,
    /// The files whose text it can be.
    pub(crate) files: Vec<Named>,
    /// Why it can be something else, too.
    pub(crate) unknown: Option<&'static str>,
}

/// A text that stands in the file.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) sql: SqlText,
    /// Where it stands, and where the definition begins that it is in.
    pub(crate) anchors: Vec<usize>,
}

/// A file that is named in the source.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) path: String,
    pub(crate) from: Folder,
    /// The place of the name.
    pub(crate) range: Range<usize>,
}

/// Where the path of a file begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Folder {
    /// At the folder of the source file, as for `include_str!`.
    OfSource,
    /// At the folder of the crate.
    OfCrate,
}

impl Resolved {
    pub(crate) fn unknown(why: &'static str) -> Self {
        Self {
            unknown: Some(why),
            ..Self::default()
        }
    }

    fn text(sql: SqlText, start: usize) -> Self {
        Self {
            texts: vec![Known {
                sql,
                anchors: vec![start],
            }],
            ..Self::default()
        }
    }

    /// Either of the two.
    fn or(mut self, other: Self) -> Self {
        self.texts.extend(other.texts);
        self.files.extend(other.files);
        self.unknown = self.unknown.or(other.unknown);
        self
    }

    /// As what a definition gives that begins there.
    pub(crate) fn with_anchor(mut self, start: usize) -> Self {
        for known in &mut self.texts {
            known.anchors.push(start);
        }
        self
    }

    /// The text, if it can be no other.
    pub(crate) fn only_text(&self) -> Option<&SqlText> {
        match (self.texts.as_slice(), self.files.as_slice(), self.unknown) {
            ([only], [], None) => Some(&only.sql),
            _ => None,
        }
    }
}

/// Looks up what expressions say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resolver<'a> {
    pub(crate) names: &'a Names,
    pub(crate) source: &'a Source,
}

impl Resolver<'_> {
    pub(crate) fn resolve(self, expr: &Expr) -> Resolved {
        match expr {
            Expr::Lit(lit) => self.literal(&lit.lit),
            Expr::Path(path) => self.names.look_up(&segments(&path.path)).sql,
            Expr::Macro(call) => self.macro_call(&call.mac),
            Expr::MethodCall(call) => self.method_call(call),
            Expr::Call(call) => self.call(call),
            Expr::Reference(inner) => self.resolve(&inner.expr),
            Expr::Paren(inner) => self.resolve(&inner.expr),
            Expr::Group(inner) => self.resolve(&inner.expr),
            Expr::Await(inner) => self.resolve(&inner.base),
            Expr::Try(inner) => self.resolve(&inner.expr),
            Expr::Unary(inner) if matches!(inner.op, syn::UnOp::Deref(_)) => {
                self.resolve(&inner.expr)
            }
            Expr::Binary(sum) if matches!(sum.op, BinOp::Add(_)) => {
                let parts = [self.resolve(&sum.left), self.resolve(&sum.right)];
                joined(&parts, || expr.span().byte_range().start)
            }
            Expr::If(choice) => match &choice.else_branch {
                Some((_, other)) => self.block(&choice.then_branch).or(self.resolve(other)),
                None => Resolved::unknown("it has no value where the condition is false"),
            },
            Expr::Match(choice) => self.any_of(choice.arms.iter().map(|arm| &*arm.body)),
            Expr::Block(block) => self.block(&block.block),
            _ => Resolved::unknown("it is computed at run time"),
        }
    }

    /// One of several values.
    pub(crate) fn any_of<'e>(self, values: impl Iterator<Item = &'e Expr>) -> Resolved {
        values
            .map(|value| self.resolve(value))
            .reduce(Resolved::or)
            .unwrap_or_else(|| Resolved::unknown("it has no value"))
    }

    fn literal(self, lit: &Lit) -> Resolved {
        let range = lit.span().byte_range();
        match literal::value(self.source.slice(range.clone()), range.start) {
            Some(sql) => Resolved::text(sql, range.start),
            None => Resolved::unknown("it is no string literal"),
        }
    }

    /// A block that is nothing but its value: names of its own are not looked at.
    fn block(self, block: &syn::Block) -> Resolved {
        match block.stmts.as_slice() {
            [syn::Stmt::Expr(value, None)] => self.resolve(value),
            [syn::Stmt::Macro(value)] if value.semi_token.is_none() => self.macro_call(&value.mac),
            _ => Resolved::unknown("it is computed at run time"),
        }
    }

    fn method_call(self, call: &syn::ExprMethodCall) -> Resolved {
        let name = call.method.to_string();
        match name.as_str() {
            // The same text, or the same statement out of its `Result`.
            "as_ref" | "as_str" | "borrow" | "clone" | "expect" | "into" | "to_owned"
            | "to_string" | "unwrap" => self.resolve(&call.receiver),
            name if calls::prepares(name) => Resolved::default(),
            _ => Resolved::unknown("it is computed at run time"),
        }
    }

    /// Conversions of a text into another type of text.
    fn call(self, call: &syn::ExprCall) -> Resolved {
        let unknown = Resolved::unknown("a function computes it at run time");
        let Expr::Path(function) = &*call.func else {
            return unknown;
        };
        let path = segments(&function.path);
        let converts = matches!(
            path.last().map(String::as_str),
            Some("from" | "AssertSqlSafe" | "Borrowed")
        );
        match call.args.first() {
            Some(argument) if converts && call.args.len() == 1 => self.resolve(argument),
            _ => unknown,
        }
    }

    fn macro_call(self, mac: &syn::Macro) -> Resolved {
        let name = mac.path.segments.last().map(|last| last.ident.to_string());
        match name.as_deref() {
            // `concatcp!` is const_format's, `indoc!` takes away space at the start of lines.
            Some("concat" | "concatcp") => {
                let parts: Vec<Resolved> = arguments(&mac.tokens)
                    .into_iter()
                    .map(|part| self.tokens(part))
                    .collect();
                joined(&parts, || mac.span().byte_range().start)
            }
            Some("indoc" | "sql" | "sql_deferred") => {
                match arguments(&mac.tokens).into_iter().next() {
                    Some(first) => self.tokens(first),
                    None => Resolved::unknown("the macro has no argument"),
                }
            }
            Some("include_str") => self.included(&mac.tokens),
            Some("format") => self.format(&mac.tokens),
            _ => Resolved::unknown("a macro makes it"),
        }
    }

    fn included(self, tokens: &TokenStream) -> Resolved {
        let path = self.tokens(tokens.clone());
        match path.only_text() {
            Some(sql) => Resolved {
                files: vec![Named {
                    path: sql.text().to_owned(),
                    from: Folder::OfSource,
                    range: sql.locate(0..sql.text().len()),
                }],
                ..Resolved::default()
            },
            None => Resolved::unknown("the name of the file that is included is no literal"),
        }
    }

    /// A `format!` into which nothing is put is its text.
    fn format(self, tokens: &TokenStream) -> Resolved {
        let text = self.tokens(tokens.clone());
        match text.only_text() {
            Some(sql) if !sql.text().contains(['{', '}']) => text,
            _ => Resolved::unknown("format! puts it together at run time"),
        }
    }

    /// An expression that is still a row of tokens.
    pub(crate) fn tokens(self, tokens: TokenStream) -> Resolved {
        match syn::parse2::<Expr>(tokens) {
            Ok(expr) => self.resolve(&expr),
            Err(_) => Resolved::unknown("it is no expression that is understood"),
        }
    }
}

/// The texts one after the other, if each is known and no choice. The place is asked for only then:
/// to tell it takes as long as the expression is.
fn joined(parts: &[Resolved], start: impl FnOnce() -> usize) -> Resolved {
    let texts: Option<Vec<&SqlText>> = parts.iter().map(Resolved::only_text).collect();
    let Some(texts) = texts else {
        return Resolved::unknown("a part of it is no literal");
    };
    let start = start();
    let mut sql = SqlText::new(start);
    for text in texts {
        sql.append(text);
    }
    Resolved::text(sql, start)
}

/// The segments of a path, without generic arguments.
pub(crate) fn segments(path: &syn::Path) -> Vec<String> {
    path.segments
        .iter()
        .map(|segment| segment.ident.to_string())
        .collect()
}

/// The arguments of a macro: its tokens, cut at the commas.
pub(crate) fn arguments(tokens: &TokenStream) -> Vec<TokenStream> {
    let mut arguments = vec![Vec::new()];
    for token in tokens.clone() {
        let is_comma = matches!(&token, TokenTree::Punct(mark) if mark.as_char() == ',');
        if is_comma {
            arguments.push(Vec::new());
        } else if let Some(last) = arguments.last_mut() {
            last.push(token);
        }
    }
    // A comma may end the list.
    if arguments.last().is_some_and(Vec::is_empty) {
        arguments.pop();
    }
    arguments.into_iter().map(TokenStream::from_iter).collect()
}
