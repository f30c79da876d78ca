//! Views.
//!
//! PostgreSQL keeps a view's query bound to the tables and columns that its names meant when the
//! view was made, also when these get other names later, and its `*` means the columns of that time.
//! Here the query is a text. So a view is followed as long as nothing has changed that a name in its
//! text could mean; after that it is known as a view whose query is not known, until it is made anew.

use std::collections::BTreeSet;

use super::super::{Ident, Table, TableName, TenancyBuilder, View};
use super::cursor::Cursor;
use super::error::MigrationProblem as Problem;

use super::schema::{Relation, Schema};
use crate::lexer::Kind;

/// A view as it is so far.
#[derive(Clone, Debug)]
pub(super) struct ViewState {
    columns: Vec<Ident>,
    definition: String,
    /// All words of the definition, as names are stored.
    words: BTreeSet<Ident>,
    /// Whether it has a `*` other than that of `count(*)`.
    has_star: bool,
    /// The schemas in which its names were looked up, where that is known.
    path: Option<Vec<Ident>>,
    /// Why its query is not known.
    opaque: Option<&'static str>,
}

const CHANGED: &str = "a view that names what was changed or made after it";
const RENAMED: &str = "a view whose columns got other names";
const OTHER_PATH: &str = "a view that was made under another search path";
const RECURSIVE: &str = "a recursive view";
const TEMPORARY: &str = "a view of a temporary table";
const BARRIER: &str = "a view with security_barrier, which its query alone would not have";

/// Reads from behind `CREATE [OR REPLACE] [TEMP] [RECURSIVE] VIEW`.
pub(super) fn create(
    schema: &mut Schema,
    mut at: Cursor<'_>,
    replaces: bool,
    temporary: bool,
    recursive: bool,
) -> Result<(), Problem> {
    let name = schema.place(&at.name()?, temporary)?;
    let columns = match at.group() {
        Some(columns) => columns
            .list()
            .into_iter()
            .map(|mut column| column.ident())
            .collect::<Result<_, _>>()?,
        None => Vec::new(),
    };
    let mut opaque = recursive.then_some(RECURSIVE);
    if at.eat("WITH") {
        let options = at.group();
        let options = options.ok_or_else(|| Problem::misread("a view's options", at))?;
        if options.words().any(is_barrier) {
            opaque = Some(BARRIER);
        }
    }
    if !at.eat("AS") {
        return Err(Problem::misread("a view's query is missing", at));
    }
    let query = without_check_option(at);
    let words = words(query)?;
    if words.iter().any(|word| schema.is_temporary(word)) {
        opaque = opaque.or(Some(TEMPORARY));
    }
    let view = ViewState {
        columns,
        definition: query.rest().to_owned(),
        words,
        has_star: has_star(query),
        path: schema.path.current().ok().map(<[Ident]>::to_vec),
        opaque,
    };
    schema.insert_view(name, view, replaces)
}

/// The query without `WITH [CASCADED | LOCAL] CHECK OPTION`, which is about writing to the view.
fn without_check_option(query: Cursor<'_>) -> Cursor<'_> {
    for option in [
        "WITH CHECK OPTION",
        "WITH CASCADED CHECK OPTION",
        "WITH LOCAL CHECK OPTION",
    ] {
        let length = option.split(' ').count();
        let (text, tokens) = (query.text(), query.tokens());
        let (before, last) = tokens.split_at(tokens.len().saturating_sub(length));
        if Cursor::new(text, last).sees(option) {
            return Cursor::new(text, before);
        }
    }
    query
}

fn is_barrier(word: &str) -> bool {
    word.eq_ignore_ascii_case("security_barrier")
}

fn words(query: Cursor<'_>) -> Result<BTreeSet<Ident>, Problem> {
    let mut words = BTreeSet::new();
    for token in query.tokens() {
        match token.kind {
            Kind::Word | Kind::QuotedWord | Kind::UnicodeWord => {
                let mut word = Cursor::new(query.text(), std::slice::from_ref(token));
                words.insert(word.ident()?);
            }
            Kind::String
            | Kind::DollarString
            | Kind::Number
            | Kind::Parameter
            | Kind::Punctuation(_)
            | Kind::Typecast
            | Kind::Assign
            | Kind::Operator
            | Kind::PsqlCommand => {}
        }
    }
    Ok(words)
}

fn has_star(query: Cursor<'_>) -> bool {
    let tokens = query.tokens();
    tokens.iter().enumerate().any(|(place, token)| {
        let is_star = token.kind == Kind::Operator && query.slice(*token).contains('*');
        let in_parentheses = place.checked_sub(1).is_some_and(|before| {
            tokens[before].kind == Kind::Punctuation(b'(')
                && tokens.get(place + 1).map(|after| after.kind) == Some(Kind::Punctuation(b')'))
        });
        is_star && !in_parentheses
    })
}

impl ViewState {
    /// Something of this name was made, renamed or dropped.
    pub(super) fn name_changed(&mut self, name: &Ident) {
        if self.words.contains(name) {
            self.opaque = self.opaque.or(Some(CHANGED));
        }
    }

    /// A column of this relation was made, renamed or dropped.
    pub(super) fn column_changed(&mut self, relation: &Ident, column: &Ident) {
        if self.words.contains(relation) && (self.has_star || self.words.contains(column)) {
            self.opaque = self.opaque.or(Some(CHANGED));
        }
    }

    /// What the tenancy knows of it, for sessions with this search path.
    pub(super) fn add_to(
        &self,
        builder: TenancyBuilder,
        name: &TableName,
        path: &[Ident],
    ) -> TenancyBuilder {
        // With an empty path all names had their schemas.
        let same_path = self
            .path
            .as_ref()
            .is_some_and(|made_under| made_under.is_empty() || made_under == path);
        let (schema, own_name) = (name.schema.as_str(), name.name.as_str());
        match self.opaque.or((!same_path).then_some(OTHER_PATH)) {
            Some(what) => builder.table(Table::opaque(own_name, what).schema(schema)),
            None => builder.view(
                View::new(own_name, &self.definition)
                    .schema(schema)
                    .columns(self.columns.iter().cloned()),
            ),
        }
    }
}

/// `ALTER VIEW` of what is known, from behind its name; `ALTER TABLE` may name a view too.
pub(super) fn alter(
    schema: &mut Schema,
    name: &TableName,
    mut at: Cursor<'_>,
) -> Result<(), Problem> {
    let Some(Relation::View(view)) = schema.relation_mut(name) else {
        return Ok(());
    };
    if at.words().any(is_barrier) {
        view.opaque = Some(BARRIER);
    }
    if !at.eat("RENAME") || at.sees("TO") {
        return Ok(());
    }
    at.eat("COLUMN");
    let from = at.ident()?;
    if !at.eat("TO") {
        return Err(Problem::misread("a new name is missing", at));
    }
    let to = at.ident()?;
    match view.columns.iter_mut().find(|column| **column == from) {
        Some(column) => *column = to.clone(),
        None => view.opaque = Some(RENAMED),
    }
    for column in [&from, &to] {
        schema.columns_changed(name, column);
    }
    Ok(())
}
