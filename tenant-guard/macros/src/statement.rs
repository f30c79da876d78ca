//! `sql!`, `sql_file!` and `sql_deferred!`

use std::path::{Path, PathBuf};

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{LitStr, Token};
use tenant_guard_core::highest_param;

use crate::message::{at_its_line, not_accepted, refused};
use crate::project::{MANIFEST_VARIABLE, Project};

/// A string literal, and the path of the crate that has `StaticSql` where it is not `tenant_guard`.
pub(crate) struct Input {
    home: TokenStream,
    literal: LitStr,
}

impl Parse for Input {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let home = if input.peek(Token![@]) {
            input.parse::<Token![@]>()?;
            let path: syn::Path = input.parse()?;
            input.parse::<Token![;]>()?;
            quote!(#path)
        } else {
            quote!(::tenant_guard)
        };
        let wrong = |span| {
            syn::Error::new(
                span,
                "one string literal is expected here. SQL that is put together at run time goes to the \
                 driver as a `&str`: it is guarded, too",
            )
        };
        if input.is_empty() {
            return Err(wrong(Span::call_site()));
        }
        let start = input.span();
        let literal: LitStr = input.parse().map_err(|_| wrong(start))?;
        input.parse::<Option<Token![,]>>()?;
        if !input.is_empty() {
            return Err(wrong(input.span()));
        }
        Ok(Self { home, literal })
    }
}

/// `sql!("…")`
pub(crate) fn inline(input: &Input) -> syn::Result<TokenStream> {
    let span = input.literal.span();
    let project = load(span)?;
    let params = drafted(&project, &at_its_line(&input.literal), span)?;
    Ok(expansion(input, &input.literal, params, &project.files))
}

/// `sql_file!("…")`
pub(crate) fn file(input: &Input) -> syn::Result<TokenStream> {
    let span = input.literal.span();
    let project = load(span)?;
    let name = input.literal.value();
    let (path, text) = read(&project.root, &name, span)?;
    let params = drafted(&project, &text, span)
        .map_err(|error| syn::Error::new(span, format!("in {name}: {error}")))?;
    let mut files = project.files.clone();
    files.push(path);
    let text = LitStr::new(&text, span);
    Ok(expansion(input, &text, params, &files))
}

/// `sql_deferred!("…")`
pub(crate) fn deferred(input: &Input) -> syn::Result<TokenStream> {
    let text = at_its_line(&input.literal);
    let span = input.literal.span();
    let params = highest_param(&text).map_err(|refusal| refused(&refusal, &text, span))?;
    Ok(expansion(input, &input.literal, params, &[]))
}

fn load(span: Span) -> syn::Result<Project> {
    Project::load().map_err(|message| syn::Error::new(span, message))
}

/// How many parameters a statement takes that the guard would accept.
fn drafted(project: &Project, sql: &str, span: Span) -> syn::Result<u32> {
    let draft = project.guard.draft(sql);
    let draft = draft.map_err(|refusal| not_accepted(&refusal, sql, span))?;
    Ok(draft.caller_params())
}

fn read(root: &Path, name: &str, span: Span) -> syn::Result<(PathBuf, String)> {
    let path = root.join(name);
    let error = |message: String| syn::Error::new(span, message);
    let bytes = std::fs::read(&path).map_err(|found| {
        error(format!(
            "cannot read {name}, which is looked for in the folder of Cargo.toml: {found}"
        ))
    })?;
    let text = String::from_utf8(bytes)
        .map_err(|_| error(format!("{name} is not UTF-8: save it as UTF-8")))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned();
    Ok((path, text))
}

/// The statement in a static of its own. Each file that it depends on is named to the compiler, which
/// builds the crate again when one of them changes.
fn expansion(input: &Input, text: &LitStr, params: u32, files: &[PathBuf]) -> TokenStream {
    let home = &input.home;
    let params = params as usize;
    let paths = files.iter().filter_map(|path| path.to_str());
    quote! {{
        const _: &[&[::core::primitive::u8]] = &[#(::core::include_bytes!(#paths)),*];
        const _: ::core::option::Option<&::core::primitive::str> =
            ::core::option_env!(#MANIFEST_VARIABLE);
        static STATEMENT: #home::StaticSql<#params> = #home::StaticSql::new(#text);
        &STATEMENT
    }}
}
