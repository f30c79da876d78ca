//! The proof: the rewritten text, read again by PostgreSQL's grammar, is the input plus exactly the
//! restrictions.
//!
//! This module is to be audited. It shares no code with `decide` and `splice`, and does not look at
//! what they did. It walks both trees generically, over every field that libpg_query has, so that a
//! table cannot hide in a place that the reader forgot:
//!
//! 1. In both trees each table's name is resolved (`WITH` queries by PostgreSQL's scoping, the rest
//!    through the tenancy; anything else fails).
//! 2. In the output tree each canonical restriction is folded back to what it restricts. A tenant
//!    table that is read without its restriction, or written to without it, fails.
//! 3. Without source positions, the two trees have to be identical, and the number of restrictions
//!    has to be the number of tenant tables in the input.
//! 4. The slots have to lie on the tenant's parameters and on the tables' names, and on all of them.

mod fold;
mod resolve;
mod shape;
mod tree;

use pg_query::protobuf::ParseResult;

use crate::splice::Spliced;
use crate::{Code, Refusal, Tenancy};

use tree::Tree;

/// Why a certificate cannot be given. The text says which step failed, for a bug report.
pub(super) type Failure = &'static str;

/// Proves a rewritten text against the tree of its input.
pub(crate) fn certify(
    input: &ParseResult,
    output: &Spliced,
    tenancy: &Tenancy,
    tenant_param: u32,
) -> Result<(), Refusal> {
    prove(input, output, tenancy, tenant_param).map_err(|failure| {
        Refusal::new(
            Code::Certificate,
            format!("the rewritten statement could not be proven right: {failure}"),
            "write the statement in a plainer way, and report this: it is a bug of tenant-guard",
        )
    })
}

fn prove(
    input: &ParseResult,
    output: &Spliced,
    tenancy: &Tenancy,
    tenant_param: u32,
) -> Result<(), Failure> {
    let reread = pg_query::parse(&output.text, 0).map_err(|_| "the output does not parse")?;
    let mut input = Tree::of(input).ok_or("the input's tree cannot be walked")?;
    let mut output_tree = Tree::of(&reread.protobuf).ok_or("the output's tree cannot be walked")?;
    if output_tree
        .field("stmts")
        .map_or(0, |stmts| stmts.items().len())
        != 1
    {
        return Err("the output is not one statement");
    }

    let tenant_tables = resolve::resolve(&mut input, tenancy)?;
    check_slots(&output_tree, output, tenant_param)?;
    resolve::resolve(&mut output_tree, tenancy)?;
    let restrictions = fold::fold(&mut output_tree, tenancy, tenant_param)?;

    if restrictions != tenant_tables {
        return Err("not every tenant table has its restriction");
    }
    if input != output_tree {
        return Err("the output says something else than the input");
    }
    Ok(())
}

/// The slots are exactly the tenant's parameters and the tables' names of the output.
fn check_slots(tree: &Tree, output: &Spliced, tenant_param: u32) -> Result<(), Failure> {
    let params: Vec<i32> = tree
        .structs("ParamRef")
        .filter(|param| shape::is_tenant_param(param, tenant_param))
        .map(Tree::location)
        .collect();
    let slots = output.tenant_param_slots.iter();
    if !same_places(params, slots.clone().map(|slot| slot.start)) {
        return Err("a tenant parameter's slot is misplaced");
    }
    let written = format!("${tenant_param}");
    if slots
        .clone()
        .any(|slot| output.text.get(slot.clone()) != Some(written.as_str()))
    {
        return Err("a tenant parameter's slot holds something else");
    }

    let tables: Vec<i32> = tree
        .structs("RangeVar")
        .filter(|table| !table.text("schemaname").is_empty())
        .map(Tree::location)
        .collect();
    if !same_places(
        tables,
        output.table_slots.iter().map(|slot| slot.range.start),
    ) {
        return Err("a table's slot is misplaced");
    }
    Ok(())
}

fn same_places(mut locations: Vec<i32>, starts: impl Iterator<Item = usize>) -> bool {
    let mut starts: Vec<i32> = starts
        .map(|start| i32::try_from(start).unwrap_or(-1))
        .collect();
    locations.sort_unstable();
    starts.sort_unstable();
    // libpg_query repeats the source of `SET (a, b) = (…)` for each column.
    locations.dedup();
    locations == starts
}
