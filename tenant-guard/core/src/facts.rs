//! What a statement says, free of any parser's types: the language between `read` and `decide`.
//!
//! Facts keep the nesting that PostgreSQL's name resolution follows (queries, their `WITH` lists
//! and `FROM` lists) and flatten everything else: of an expression only what it names counts.
//! All spans are byte ranges of the statement's text.

use crate::Ident;

/// A range of bytes in the statement's text.
pub(crate) type Span = std::ops::Range<usize>;

/// One whole statement.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) query: Query,
    /// The highest `$n` in it; 0 where there is none.
    pub(crate) max_param: u32,
}

/// A statement or sub-query with its own `WITH` list.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Query {
    pub(crate) recursive: bool,
    pub(crate) ctes: Vec<Cte>,
    pub(crate) body: Body,
}

/// One `WITH` query.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cte {
    pub(crate) name: Ident,
    pub(crate) columns: Vec<Ident>,
    pub(crate) query: Query,
    /// The columns that `SEARCH` and `CYCLE` add behind the query's own.
    pub(crate) added_columns: Vec<Ident>,
    /// The marks of `CYCLE`.
    pub(crate) expressions: Expressions,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Body {
    Select(Box<Select>),
    SetOperation(Box<SetOperation>),
    Insert(Box<Insert>),
    Update(Box<Update>),
    Delete(Box<Delete>),
    Merge(Box<Merge>),
}

/// A plain `SELECT` or `VALUES`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Select {
    pub(crate) from: Vec<FromItem>,
    pub(crate) outputs: Vec<Output>,
    /// `WHERE` and `HAVING`, which decide about rows.
    pub(crate) filter: Expressions,
    /// Everything else.
    pub(crate) expressions: Expressions,
    pub(crate) grouping: Grouping,
    /// Where a condition can be added; `None` where that is not known.
    pub(crate) condition: Option<ConditionSite>,
    /// Where the first output starts; what stands before it belongs to `DISTINCT ON`.
    pub(crate) outputs_start: Option<usize>,
    /// Where one more output can be added; `None` where there is no output yet.
    pub(crate) outputs_end: Option<usize>,
    pub(crate) locking: Locking,
}

/// `GROUP BY`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grouping {
    None,
    Plain,
    /// With `GROUPING SETS`, `ROLLUP` or `CUBE`.
    Sets,
}

/// `FOR UPDATE` and its kin.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Locking {
    None,
    /// Rows of everything in `FROM`, also inside sub-queries there.
    All,
    /// `OF` these.
    Of(Vec<Ident>),
}

/// `UNION`, `INTERSECT`, `EXCEPT`. Each arm may have its own `WITH` list.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SetOperation {
    pub(crate) left: Query,
    pub(crate) right: Query,
    /// `ORDER BY`, `LIMIT` and the like of the whole.
    pub(crate) expressions: Expressions,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Insert {
    pub(crate) target: Relation,
    pub(crate) columns: InsertColumns,
    pub(crate) source: InsertSource,
    pub(crate) on_conflict: Option<OnConflict>,
    /// `ON CONFLICT DO UPDATE` and parts of columns: these see the target's columns.
    pub(crate) expressions: Expressions,
    pub(crate) returning: Returning,
}

/// The columns that an `INSERT` gives.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum InsertColumns {
    /// Named, and where one more can be added.
    Listed { columns: Vec<Ident>, end: usize },
    /// The table's first ones, and where a list of them can be added.
    Implied { at: usize },
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum InsertSource {
    /// The bytes of `DEFAULT VALUES`.
    DefaultValues(Span),
    /// Rows of the same width, and where one more value can be added to each.
    Values {
        row_ends: Vec<usize>,
        width: usize,
        expressions: Expressions,
    },
    Query(Query),
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct OnConflict {
    pub(crate) target: ConflictTarget,
    /// The columns that `DO UPDATE SET` assigns; empty for `DO NOTHING`.
    pub(crate) assigned: Vec<Ident>,
    pub(crate) updates: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ConflictTarget {
    /// `ON CONFLICT DO NOTHING`: any unique key.
    Any,
    /// The plain columns of `ON CONFLICT (…)`; expressions are among the insert's expressions.
    Columns(Vec<Ident>),
    /// `ON CONFLICT ON CONSTRAINT name`
    Constraint(Ident),
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Update {
    pub(crate) target: Relation,
    pub(crate) assigned: Vec<Ident>,
    pub(crate) from: Vec<FromItem>,
    pub(crate) condition: ConditionSite,
    pub(crate) filter: Expressions,
    pub(crate) expressions: Expressions,
    pub(crate) returning: Returning,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Delete {
    pub(crate) target: Relation,
    pub(crate) using: Vec<FromItem>,
    pub(crate) condition: ConditionSite,
    pub(crate) filter: Expressions,
    pub(crate) returning: Returning,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Merge {
    pub(crate) target: Relation,
    pub(crate) source: FromItem,
    /// That of `ON`.
    pub(crate) condition: ConditionSite,
    pub(crate) filter: Expressions,
    pub(crate) arms: Vec<MergeArm>,
    pub(crate) returning: Returning,
}

/// One `WHEN … THEN …` of a `MERGE`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct MergeArm {
    pub(crate) when: MergeWhen,
    /// That of `WHEN … AND`.
    pub(crate) condition: ConditionSite,
    pub(crate) filter: Expressions,
    pub(crate) action: MergeAction,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MergeWhen {
    Matched,
    NotMatchedBySource,
    NotMatchedByTarget,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum MergeAction {
    DoNothing,
    Delete,
    Update {
        assigned: Vec<Ident>,
        expressions: Expressions,
    },
    Insert {
        columns: InsertColumns,
        values: MergeValues,
        expressions: Expressions,
    },
}

/// The row of a `MERGE`'s `INSERT`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum MergeValues {
    /// The bytes of `DEFAULT VALUES`.
    #[cfg_attr(
        not(feature = "pg-grammar"),
        expect(dead_code, reason = "sqlparser does not read it")
    )]
    Defaults(Span),
    /// So many values, and where one more can be added.
    Row { width: usize, end: usize },
}

/// `RETURNING`, which in PostgreSQL 18 can name the row before and after.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Returning {
    pub(crate) outputs: Vec<Output>,
    pub(crate) expressions: Expressions,
    /// What `RETURNING WITH (OLD AS …, NEW AS …)` calls the two.
    pub(crate) old: Option<Ident>,
    pub(crate) new: Option<Ident>,
}

/// A table, view or `WITH` query named in the statement. Which of these it is, `decide` finds out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Relation {
    pub(crate) schema: Option<Ident>,
    pub(crate) name: Ident,
    /// The name with its schema.
    pub(crate) name_span: Span,
    /// The name with `ONLY`, parentheses and the inheritance star, without the alias.
    pub(crate) span: Span,
    pub(crate) alias: Option<Alias>,
    /// The word `TABLE` of a query `TABLE name`.
    pub(crate) table_keyword: Option<Span>,
    /// The byte behind its `TABLESAMPLE`.
    pub(crate) sample_end: Option<usize>,
}

impl Relation {
    /// The name by which columns refer to it.
    pub(crate) fn reference_name(&self) -> &Ident {
        self.alias.as_ref().map_or(&self.name, |alias| &alias.name)
    }

    /// Whether its alias gives columns other names.
    pub(crate) fn renames_columns(&self) -> bool {
        self.alias
            .as_ref()
            .is_some_and(|alias| !alias.columns.is_empty())
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Alias {
    pub(crate) name: Ident,
    pub(crate) columns: Vec<Ident>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum FromItem {
    Relation(Relation),
    Subquery { query: Query, alias: Option<Alias> },
    Function(FromFunction),
    Join(Box<Join>),
}

/// A function call (or several, `ROWS FROM`) in the place of a table, or one of the grammar's own
/// (`JSON_TABLE`).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FromFunction {
    pub(crate) names: Vec<Ident>,
    pub(crate) alias: Option<Alias>,
    /// The names of a column definition list.
    pub(crate) columns: Vec<Ident>,
    /// Whether a column `ordinality` follows.
    pub(crate) ordinality: bool,
    pub(crate) expressions: Expressions,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Join {
    pub(crate) kind: JoinKind,
    pub(crate) left: FromItem,
    pub(crate) right: FromItem,
    pub(crate) expressions: Expressions,
    pub(crate) alias: Option<Alias>,
    /// The alias of `JOIN … USING (…) AS x` and the columns it has.
    pub(crate) using_alias: Option<Alias>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JoinKind {
    /// Also `CROSS JOIN`.
    Inner,
    Left,
    Right,
    Full,
}

/// What a select list, a `RETURNING` list or a row of `VALUES` gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// A column of this name.
    Named(Ident),
    /// The column `column` or `qualifier.column`, and nothing done to it, under this name.
    Column {
        qualifier: Option<Ident>,
        column: Ident,
        name: Ident,
    },
    /// A column without a name that could be referred to.
    Unnamed,
    /// `*` or `t.*`.
    Star { qualifier: Option<Ident> },
    /// `(expression).*`: the fields of a composite value.
    Fields,
}

/// What the expressions of one query level name.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Expressions {
    pub(crate) columns: Vec<ColumnName>,
    pub(crate) functions: Vec<Call>,
    /// What the grammar has words of its own for (`JSON_OBJECT`), and a server with an older grammar
    /// reads as a call.
    pub(crate) constructors: Vec<QualifiedName>,
    pub(crate) casts: Vec<Cast>,
    pub(crate) operators: Vec<QualifiedName>,
    /// `(expression).name`
    pub(crate) fields: Vec<FieldName>,
    pub(crate) subqueries: Vec<Query>,
    /// Whether a `SET` gives a column an element (`a[1]`), with nothing computed of it.
    pub(crate) assigns_element: bool,
}

/// A function that is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) name: QualifiedName,
    /// How many arguments it is given, with the columns of `WITHIN GROUP (ORDER BY …)`; none for
    /// `*`.
    pub(crate) arguments: usize,
    /// Whether the last one is given as `VARIADIC array`.
    pub(crate) is_variadic: bool,
}

/// A column reference with one to three parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ColumnName {
    pub(crate) schema: Option<Ident>,
    pub(crate) qualifier: Option<Ident>,
    /// `None` is `*`.
    pub(crate) name: Option<Ident>,
    pub(crate) span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldName {
    pub(crate) name: Ident,
    pub(crate) span: Span,
}

/// A type that a value is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cast {
    pub(crate) type_name: QualifiedName,
    /// Whether the value is a literal or a parameter, so that it is cast before any row is met.
    pub(crate) of_constant: bool,
}

/// The name of a function, type or operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct QualifiedName {
    pub(crate) schema: Option<Ident>,
    pub(crate) name: Ident,
    pub(crate) span: Span,
}

/// Where a condition goes: to the one that stands there, or where there is none yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ConditionSite {
    /// The bytes of the condition that stands behind `WHERE`, `ON` or `WHEN … AND`.
    Existing(Span),
    /// Where a `WHERE` can be added.
    Missing(usize),
    /// Where an `AND` can be added behind `WHEN …`.
    MissingAnd(usize),
}
