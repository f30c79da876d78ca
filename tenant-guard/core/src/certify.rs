//! The proof: the rewritten text, read again by PostgreSQL's grammar, says of one tenant what the input
//! says.
//!
//! This is to be audited. It shares no code with `decide` and `splice`, and does not look at what they
//! did. It walks the trees of both texts side by side, generically, over every field that libpg_query
//! has, so that a table cannot hide in a place that nobody thought of. What is proven is taken off both
//! trees, and what is left has to be the same. They differ in this, and there they have to:
//!
//! 1. A name means a `WITH` query by PostgreSQL's scoping, or what the tenancy or the list of catalogs
//!    says; anything else fails. In the output all but `WITH` queries have their schema, so that no
//!    search path decides. A view is its query, and the proof goes on inside of it (`names`).
//! 2. A tenant table that is read is `(SELECT * FROM t WHERE t.tenant = $n) AS t`, or it stays where it
//!    is and the `WHERE` of its query begins with `t.tenant = $n AND` (`reads`).
//! 3. Only a tenant table is written. The condition on its rows begins with `t.tenant = $n AND`, nothing
//!    is assigned to its tenant column, and a new row has the tenant in it (`writes`).
//!
//! The input has no `$n`. The slots are all of the tenant's parameters and tables' names, and nothing
//! else (`slots`). What `tree` and `syntax` are for is not known to them.

mod names;
mod reads;
mod slots;
mod syntax;
#[cfg(test)]
mod tests;
mod tree;
mod writes;

use pg_query::protobuf::ParseResult;

use crate::policy::Catalogs;
use crate::read::too_deep;
use crate::splice::Spliced;
use crate::{Code, Refusal, Tenancy};

use tree::{Pair, Tree};

/// What was proven, or the step that failed, for a bug report.
type Result<T, E = &'static str> = std::result::Result<T, E>;

/// Proves a rewritten text against the tree of its input.
pub(crate) fn certify(
    input: &ParseResult,
    output: &Spliced,
    tenancy: &Tenancy,
    catalogs: &Catalogs,
    tenant_param: u32,
) -> Result<(), Refusal> {
    let reread = pg_query::parse(&output.text, 0).map_err(|error| match error {
        // A restriction adds two levels of nesting.
        pg_query::Error::Decode(_) => too_deep(),
        _ => unproven("the output does not parse"),
    })?;
    let (tenant, queries) = (syntax::param(tenant_param), Vec::new());
    let mut prover = Prover {
        tenancy,
        catalogs,
        tenant,
        queries,
    };
    let proof = match (Tree::of(input), Tree::of(&reread.protobuf)) {
        (Some(before), Some(after)) => slots::check(&after, output, tenant_param)
            .and_then(|()| prover.same(Pair { before, after })),
        _ => Err("a tree cannot be walked"),
    };
    proof.map_err(unproven)
}

fn unproven(failure: &str) -> Refusal {
    Refusal::new(
        Code::Certificate,
        format!("the rewritten statement could not be proven right: {failure}"),
        "write the statement in a plainer way, and report this: it is a bug of tenant-guard",
    )
}

struct Prover<'t> {
    tenancy: &'t Tenancy,
    catalogs: &'t Catalogs,
    /// `$n`
    tenant: Tree,
    /// The names of the `WITH` queries in scope.
    queries: Vec<String>,
}

impl Prover<'_> {
    /// A part of the output says of one tenant what the same part of the input says.
    fn same(&mut self, part: Pair) -> Result<()> {
        match part.before.name() {
            "RangeVar" | "RangeTableSample" => self.read(part),
            "SelectStmt" => self.query(part, |_, _| Ok(())),
            "InsertStmt" | "UpdateStmt" | "DeleteStmt" | "MergeStmt" => self.write(part),
            "WithClause" => self.with(part),
            // `FOR UPDATE OF name` names aliases.
            "LockingClause" => holds(part.before == part.after, "other rows are locked"),
            "ParamRef" if part.before == self.tenant => Err("the input has the tenant's parameter"),
            _ => self.rest(part),
        }
    }

    /// All that is left of a part.
    fn rest(&mut self, part: Pair) -> Result<()> {
        let mut parts = part.parts()?.into_iter();
        parts.try_for_each(|part| self.same(part))
    }

    /// All that was in a list, and one more behind it, which is given.
    fn added(&mut self, mut items: Pair) -> Result<Tree> {
        let last = items.after.pop();
        self.rest(items)?;
        Ok(last)
    }
}

fn holds(it: bool, failure: &'static str) -> Result<()> {
    it.then_some(()).ok_or(failure)
}
