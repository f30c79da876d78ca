//! `tenancy!`

use std::error::Error;
use std::path::Path;

use proc_macro2::TokenStream;
use quote::quote;
use syn::LitStr;
use tenant_guard_core::{MigrationFile, Tenancy, migration_files};

use crate::message::chain;
use crate::project;

/// An expression that makes the tenancy again from the same texts, embedded.
pub(crate) fn expand(path: &LitStr) -> Result<TokenStream, syn::Error> {
    let root = project::root().map_err(|message| syn::Error::new(path.span(), message))?;
    let error = |error: &dyn Error| syn::Error::new(path.span(), chain(error));
    let files = migration_files(root.join(path.value())).map_err(|found| error(&found))?;
    let names: Vec<String> = files.iter().map(|file| name(file, &root)).collect();
    let sources = names.iter().map(String::as_str);
    let texts = files.iter().map(MigrationFile::text);
    Tenancy::from_sources(sources.zip(texts)).map_err(|found| error(&found))?;

    let mut paths = Vec::new();
    for file in &files {
        let Some(path_of_file) = file.path().to_str() else {
            let message = format!("the path {} is not UTF-8", file.path().display());
            return Err(syn::Error::new(path.span(), message));
        };
        paths.push(path_of_file.to_owned());
    }
    // The texts were read a moment ago by the same code, so the error cannot happen; should it, the
    // application must not start with another schema than it was built for.
    Ok(quote! {
        match ::tenant_guard::Tenancy::from_sources(
            [#((#names, ::core::include_str!(#paths))),*]
        ) {
            ::core::result::Result::Ok(tenancy) => tenancy,
            ::core::result::Result::Err(error) => ::core::panic!("{error}"),
        }
    })
}

/// The file as its errors name it: relative to the crate.
fn name(file: &MigrationFile, root: &Path) -> String {
    let path = file.path();
    path.strip_prefix(root)
        .unwrap_or(path)
        .display()
        .to_string()
}
