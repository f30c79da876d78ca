//! What the compiler says: on stable Rust an error can only point at a whole literal, so that the
//! message shows the place in it.

use std::error::Error;

use proc_macro2::Span;
use syn::LitStr;
use tenant_guard_core::{Code, Refusal};

/// An error and what caused it.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// The text of a literal with as many empty lines before it as the source has, where its own lines are
/// those of the source: then the line numbers in a message are the source's.
pub(crate) fn at_its_line(literal: &LitStr) -> String {
    let text = literal.value();
    let written = literal.token().to_string();
    let is_raw = written.starts_with('r');
    if !is_raw && written.contains('\\') {
        return text;
    }
    let line = literal.span().unwrap().line();
    format!("{}{text}", "\n".repeat(line.saturating_sub(1)))
}

/// A refusal, at the literal that `sql` is the text of.
pub(crate) fn refused(refusal: &Refusal, sql: &str, span: Span) -> syn::Error {
    syn::Error::new(span, refusal.render(sql))
}

/// Like [`refused`], with the way on where it may be that the statement is good.
pub(crate) fn not_accepted(refusal: &Refusal, sql: &str, span: Span) -> syn::Error {
    let mut message = refusal.render(sql);
    if matches!(refusal.code(), Code::UnknownSyntax | Code::TooComplex) {
        message.push_str(
            "\nhelp: or write `sql_deferred!`: PostgreSQL's own grammar then reads the statement when it is \
             first used, and in `tenant-guard check`",
        );
    }
    syn::Error::new(span, message)
}
