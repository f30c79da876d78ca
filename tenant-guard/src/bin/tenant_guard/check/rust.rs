//! SQL in Rust sources.

mod calls;
mod imports;
mod literal;
mod names;
mod resolve;
mod scan;
mod tokens;
mod walk;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use proc_macro2::TokenStream;
use tenant_guard::Guard;

use self::resolve::{Folder, Named};
use self::walk::{Use, What};
use super::files;
use super::finding::{OwnRule, Rule};
use super::review::Hit;
use super::source::Source;
use super::sql::{Found, unreadable};
use super::statement;

/// Checks the SQL of a Rust file, and gives the files of SQL that it names.
pub(crate) fn check(guard: &Guard, source: &Source, path: &Path) -> (Found, Vec<PathBuf>) {
    let checked = check_tokens(guard, source, path);
    // The texts that places refer to are kept for the whole thread otherwise.
    proc_macro2::extra::invalidate_current_thread_spans();
    checked.unwrap_or_else(|(message, range)| {
        let hits = vec![unreadable(message, range)];
        (
            Found {
                hits,
                ..Found::default()
            },
            Vec::new(),
        )
    })
}

type Unreadable = (String, Range<usize>);

fn check_tokens(
    guard: &Guard,
    source: &Source,
    path: &Path,
) -> Result<(Found, Vec<PathBuf>), Unreadable> {
    let text = without_shebang(source.text());
    let tokens = TokenStream::from_str(&text).map_err(|error| {
        let message = "the file is not Rust: a literal or a parenthesis is not closed";
        (message.to_owned(), error.span().byte_range())
    })?;
    let places = tokens::places(tokens.clone())
        .ok_or_else(|| ("the file is nested too deep to be read".to_owned(), 0..0))?;
    let file: syn::File = syn::parse2(tokens).map_err(|error| {
        let message = format!("the file is not Rust: {error}");
        (message, error.span().byte_range())
    })?;
    let mut found = Found {
        comments: tokens::comments(source, &places),
        ..Found::default()
    };
    let mut files = Vec::new();
    for found_use in walk::uses(&file, source) {
        add(guard, path, found_use, &mut found, &mut files);
    }
    Ok((found, files))
}

/// With spaces instead of a first line `#!/…`, so that places stay what they are.
fn without_shebang(text: &str) -> String {
    let end = text.find('\n').unwrap_or(text.len());
    // `#![` begins an attribute.
    let is_shebang = text.starts_with("#!") && !text[2..end].trim_start().starts_with('[');
    if is_shebang {
        format!("{}{}", " ".repeat(end), &text[end..])
    } else {
        text.to_owned()
    }
}

fn add(
    guard: &Guard,
    path: &Path,
    Use { what, anchors }: Use,
    found: &mut Found,
    files: &mut Vec<PathBuf>,
) {
    match what {
        What::Sql { sql, script: true } => {
            let (count, hits) = statement::check_script(guard, &sql, &anchors);
            found.statements += count;
            found.hits.extend(hits);
        }
        What::Sql { sql, script: false } => {
            found.statements += 1;
            found.hits.extend(statement::check(guard, &sql, anchors));
        }
        What::File(named) => {
            let file = folder(path, named.from).join(&named.path);
            if file.is_file() {
                files.push(file);
            } else {
                found.hits.push(missing(&named));
            }
        }
        What::Unchecked { why, range } => found.hits.push(Hit {
            rule: Rule::Own(OwnRule::Unchecked),
            message: why,
            hint: "write each statement as one literal and bind values as $1, $2, …; where that \
                cannot be, allow it with a reason"
                .to_owned(),
            range,
            anchors,
        }),
        What::Unscoped { reason, range } => found.hits.push(unscoped(reason, range, anchors)),
    }
}

/// Where the path of a named file begins. Without a Cargo.toml the crate is the folder itself.
fn folder(source: &Path, from: Folder) -> PathBuf {
    let here = source.parent().unwrap_or(Path::new("")).to_owned();
    match from {
        Folder::OfSource => here,
        Folder::OfCrate => {
            let mut way_up = here.clone();
            for _ in files::absolute(&here).ancestors() {
                if way_up.join("Cargo.toml").is_file() {
                    return way_up;
                }
                way_up.push("..");
            }
            here
        }
    }
}

fn missing(named: &Named) -> Hit {
    let hint = match named.from {
        Folder::OfSource => "the path begins at the folder of this file",
        Folder::OfCrate => "the path begins at the folder of Cargo.toml",
    };
    Hit {
        rule: Rule::Own(OwnRule::Unreadable),
        message: format!("there is no file {}", named.path),
        hint: hint.to_owned(),
        range: named.range.clone(),
        anchors: Vec::new(),
    }
}

fn unscoped(reason: Option<String>, range: Range<usize>, anchors: Vec<usize>) -> Hit {
    let (rule, message) = match reason {
        Some(reason) if reason.trim().is_empty() => (
            OwnRule::UnscopedWithoutReason,
            "all tenants are reached without a reason".to_owned(),
        ),
        Some(reason) => (
            OwnRule::Unscoped,
            format!("all tenants are reached: {reason}"),
        ),
        None => (
            OwnRule::Unscoped,
            "all tenants are reached, for a reason that is known at run time only".to_owned(),
        ),
    };
    Hit {
        rule: Rule::Own(rule),
        message,
        hint: "its SQL is not checked: say in the reason why all tenants are meant".to_owned(),
        range,
        anchors,
    }
}
