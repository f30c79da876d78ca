//! Why a statement is not accepted.

use std::fmt;
use std::ops::Range;

use crate::TableName;

/// A statement that was not accepted, with a stable [`Code`], what is wrong, where, and how to fix
/// it.
///
/// `Display` is the code and the message. Neither it nor the hint quotes a literal of the
/// statement; [`Refusal::render`] shows the place in the statement's own text, which may hold data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Refusal {
    code: Code,
    message: String,
    hint: String,
    span: Option<Range<usize>>,
}

impl Refusal {
    pub(crate) fn new(code: Code, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: hint.into(),
            span: None,
        }
    }

    /// With the place; an empty span is none.
    pub(crate) fn at(mut self, span: Range<usize>) -> Self {
        self.span = (!span.is_empty()).then_some(span);
        self
    }

    /// The refusal of a view's query at the place of the view's name.
    pub(crate) fn within(mut self, view: Option<&TableName>, span: Range<usize>) -> Self {
        if let Some(view) = view {
            self.message = format!("in view {view}: {}", self.message);
        }
        self.at(span)
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// What is wrong, in one sentence.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// How to fix it.
    pub fn hint(&self) -> &str {
        &self.hint
    }

    /// The offending bytes of the statement, where one place is to blame.
    pub fn span(&self) -> Option<Range<usize>> {
        self.span.clone()
    }

    /// The refusal as a person wants to read it: message, the offending line with carets, hint.
    ///
    /// `sql` has to be the text that was checked; with another text the place is left out.
    pub fn render(&self, sql: &str) -> String {
        let mut page = format!("{self}\n");
        if let Some(excerpt) = self.span.clone().and_then(|span| excerpt(sql, span)) {
            page.push_str(&excerpt);
        }
        page.push_str("help: ");
        page.push_str(&self.hint);
        page
    }
}

/// The line in which `span` starts, with carets below it.
fn excerpt(sql: &str, span: Range<usize>) -> Option<String> {
    sql.get(span.clone())?;
    let line_start = sql[..span.start]
        .rfind('\n')
        .map_or(0, |newline| newline + 1);
    let line_end = sql[span.start..]
        .find('\n')
        .map_or(sql.len(), |newline| span.start + newline);
    let number = sql[..span.start].matches('\n').count() + 1;
    let gutter = number.to_string();
    let before = sql[line_start..span.start].chars().count();
    let marked = sql[span.start..span.end.min(line_end)]
        .chars()
        .count()
        .max(1);
    let (bar, pad) = (" ".repeat(gutter.len()), " ".repeat(before));
    let line = sql[line_start..line_end].replace('\t', " ");
    let carets = "^".repeat(marked);
    Some(format!(
        "{bar} |\n{gutter} | {line}\n{bar} | {pad}{carets}\n"
    ))
}

macro_rules! codes {
    ($($name:ident = $number:literal, $doc:literal;)*) => {
        /// The stable codes of refusals. A code keeps its meaning for ever.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = $doc] $name,)*
        }

        impl Code {
            /// All codes, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The code as it is written: `TG001`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $number,)* }
            }

            /// What the code stands for, in one sentence.
            pub fn explanation(self) -> &'static str {
                match self { $(Self::$name => $doc,)* }
            }
        }
    };
}

codes! {
    Syntax = "TG001", "PostgreSQL's grammar does not accept the text.";
    NotOneStatement = "TG002", "The text is empty or holds more than one statement.";
    StatementKind = "TG003", "This kind of statement cannot be restricted to a tenant.";
    TooComplex = "TG004", "The text is longer or nested deeper than is read.";
    UnknownSyntax = "TG005", "A construct that the guard does not know to be safe.";
    UnknownTable = "TG006", "The table is not in the tenancy.";
    LocalTable = "TG007", "The table exists on the coordinator alone.";
    MixedColocation = "TG008", "The tenant tables are not all in one colocation group.";
    UnknownFunction = "TG009", "The function is not known to be safe.";
    UnknownType = "TG010", "The type is not known to be safe.";
    UnknownOperator = "TG011", "The operator is not PostgreSQL's own.";
    UnknownColumn = "TG012", "A qualified name is no known column, so it may be a function call.";
    SystemColumn = "TG013", "System columns say where a row lies, which is not a tenant's business.";
    QualifiedColumn = "TG014", "A column is named with its schema, which the restricted table has no more.";
    ReferenceWrite = "TG015", "Reference tables are read by every tenant and written by none.";
    TenantColumnGiven = "TG016", "An INSERT gives the tenant column itself.";
    TenantColumnChanged = "TG017", "A row's tenant cannot be changed.";
    ConflictTarget = "TG018", "ON CONFLICT could meet another tenant's row.";
    UniqueKey = "TG019", "A unique key of the table lacks the tenant column.";
    InsertColumns = "TG020", "An INSERT without a column list.";
    RelationUse = "TG021", "The table stands in a place where it cannot be restricted.";
    Certificate = "TG022", "The rewritten statement could not be proven right.";
    NoSuchColumn = "TG023", "A name is no column of any table that is in scope.";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_numbered_without_gaps() {
        for (index, code) in Code::ALL.iter().enumerate() {
            assert_eq!(code.as_str(), format!("TG{:03}", index + 1));
        }
    }

    #[test]
    fn the_place_is_shown_below_its_line() {
        let sql = "SELECT *\n  FROM täsks t";
        let start = sql.find("täsks").unwrap();
        let refusal = Refusal::new(Code::UnknownTable, "no table täsks", "add it")
            .at(start..start + "täsks".len());
        assert_eq!(
            refusal.render(sql),
            "TG006: no table täsks\n  |\n2 |   FROM täsks t\n  |        ^^^^^\nhelp: add it"
        );
    }

    #[test]
    fn a_foreign_text_shows_no_place() {
        let refusal = Refusal::new(Code::UnknownTable, "no table x", "add it").at(50..60);
        assert_eq!(
            refusal.render("SELECT 1"),
            "TG006: no table x\nhelp: add it"
        );
    }
}
