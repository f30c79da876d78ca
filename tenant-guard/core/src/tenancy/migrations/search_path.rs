//! The schemas in which a migration's unqualified names are looked up.

use super::super::Ident;
use super::cursor::Cursor;
use super::error::MigrationProblem as Problem;
use super::literal;
use crate::lexer::{Kind, fold};

/// `search_path` as it is in force while migrations run.
///
/// It is not known whether a tool runs all files in one session, so a file that relies on the
/// setting of an earlier one is an error instead of a guess.
#[derive(Clone, Debug)]
pub(super) struct SearchPath {
    /// What a new session has (`ALTER DATABASE … SET search_path`).
    default: Vec<Ident>,
    session: Option<Vec<Ident>>,
    transaction: Option<Vec<Ident>>,
    /// Whether it depends on the tool which path is in force.
    open: bool,
    last_set: Option<Vec<Ident>>,
}

impl Default for SearchPath {
    fn default() -> Self {
        Self {
            default: vec!["public".into()],
            session: None,
            transaction: None,
            open: false,
            last_set: None,
        }
    }
}

impl SearchPath {
    /// The schemas for an unqualified name.
    pub(super) fn current(&self) -> Result<&[Ident], Problem> {
        if let Some(path) = &self.transaction {
            return Ok(path);
        }
        if self.open {
            return Err(Problem::OpenSearchPath);
        }
        Ok(self.session.as_ref().unwrap_or(&self.default))
    }

    /// What the applications' sessions are taken to have: the last path that was set other than
    /// for a transaction alone.
    pub(super) fn for_sessions(&self) -> &[Ident] {
        self.last_set.as_ref().unwrap_or(&self.default)
    }

    pub(super) fn start_file(&mut self) {
        self.transaction = None;
        self.open |= self
            .session
            .as_ref()
            .is_some_and(|path| *path != self.default);
    }

    pub(super) fn end_transaction(&mut self) {
        self.transaction = None;
    }

    pub(super) fn reset(&mut self) {
        self.session = None;
        self.transaction = None;
        self.open = self.default != Self::default().default;
    }

    /// `SET [SESSION | LOCAL] search_path {TO | =} …`, from behind `search_path`.
    pub(super) fn set(&mut self, value: Cursor<'_>, local: bool) -> Result<(), Problem> {
        if value.sees("DEFAULT") {
            self.reset();
            return Ok(());
        }
        self.assign(listed(value)?, local);
        Ok(())
    }

    /// `ALTER DATABASE … SET search_path {TO | =} …`: for sessions that start later.
    pub(super) fn set_default(&mut self, value: Cursor<'_>) -> Result<(), Problem> {
        let path = if value.sees("DEFAULT") {
            Self::default().default
        } else {
            listed(value)?
        };
        self.open |= self.session.is_none() && path != self.default;
        self.default = path;
        Ok(())
    }

    /// `set_config('search_path', value, local)`, where the value is one string with commas.
    pub(super) fn set_config(&mut self, value: &str, local: bool) {
        let schemas = value.split(',').map(|part| {
            let part = part.trim();
            match part
                .strip_prefix('"')
                .and_then(|rest| rest.strip_suffix('"'))
            {
                Some(quoted) => Ident::new(quoted.replace("\"\"", "\"")),
                None => fold(part),
            }
        });
        self.assign(schemas.filter(is_a_schema).collect(), local);
    }

    fn assign(&mut self, path: Vec<Ident>, local: bool) {
        if local {
            self.transaction = Some(path);
            return;
        }
        if !path.is_empty() {
            self.last_set = Some(path.clone());
        }
        self.session = Some(path);
        self.transaction = None;
        self.open = false;
    }
}

/// Names and strings between commas; each string is one name, also with commas in it.
fn listed(value: Cursor<'_>) -> Result<Vec<Ident>, Problem> {
    let mut path = Vec::new();
    for mut item in value.list() {
        let schema = match item.peek() {
            Some(token) if token.kind == Kind::String => {
                item.next();
                Ident::new(literal::plain_string(value.slice(token))?)
            }
            _ => item.ident()?,
        };
        if !item.is_at_end() {
            return Err(Problem::misread("a search path", item));
        }
        path.push(schema);
    }
    Ok(path.into_iter().filter(is_a_schema).collect())
}

/// Not `"$user"`, which is a schema for those users only that have one of their own, and not what
/// is always searched.
fn is_a_schema(name: &Ident) -> bool {
    !matches!(name.as_str(), "" | "$user" | "pg_catalog" | "pg_temp")
}
