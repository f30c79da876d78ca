//! The slots of the output: the bytes that a driver may write anew.

use std::collections::BTreeSet;
use std::ops::Range;

use pg_query::protobuf::{ScanToken, Token};

use crate::TableSlot;
use crate::splice::Spliced;

use super::tree::Tree;
use super::{Result, holds, syntax};

/// There is one for each of the tenant's parameters and each table's name in the output's tree, in
/// order, and nothing else stands in it.
pub(super) fn check(after: &Tree, output: &Spliced, tenant_param: u32) -> Result<()> {
    let tenant = syntax::param(tenant_param);
    // Sets, as libpg_query repeats the source of `SET (a, b) = (…)` for each column.
    let (mut params, mut tables) = (BTreeSet::new(), BTreeSet::new());
    for node in after.nodes() {
        let start = usize::try_from(node.location()).unwrap_or(usize::MAX);
        if *node == tenant {
            params.insert(start);
        } else if node.is("RangeVar") && node.has("schemaname") {
            tables.insert((start, node.text("schemaname"), node.text("relname")));
        }
    }
    let text = |slot: &Range<usize>| output.text.get(slot.clone()).unwrap_or_default();
    let (param, slots) = (format!("${tenant_param}"), &output.tenant_param_slots);
    let is_right = slots.iter().all(|slot| text(slot) == param);
    let starts = slots.iter().map(|slot| slot.start);
    let is_right = is_right && starts.eq(params);
    holds(is_right, "a tenant parameter's slot is misplaced")?;

    let scanned = pg_query::scan(&output.text).map_err(|_| "the output has no words")?;
    let mut words = scanned.tokens;
    words.retain(|word| !matches!(word.token(), Token::SqlComment | Token::CComment));
    let slots = &output.table_slots;
    let is_right = slots.iter().all(|slot| is_table_name(&words, &slot.range));
    let named = slots.iter().map(|TableSlot { range, table }| {
        (range.start, table.schema.as_str(), table.name.as_str())
    });
    holds(is_right && named.eq(tables), "a table's slot is misplaced")
}

/// Whether a slot holds a name with its schema and nothing else, but for comments inside of it.
fn is_table_name(words: &[ScanToken], slot: &Range<usize>) -> bool {
    use Token::{Ascii46, Sconst, Uescape, Uident};
    let place = |at: i32| usize::try_from(at).unwrap_or(usize::MAX);
    let first = words.partition_point(|word| place(word.start) < slot.start);
    let behind = words.partition_point(|word| place(word.end) <= slot.end);
    let words = words.get(first..behind).unwrap_or_default();
    let start = words.first().map(|word| place(word.start));
    let is_whole =
        (start, words.last().map(|word| place(word.end))) == (Some(slot.start), Some(slot.end));
    let kinds: Vec<Token> = words.iter().map(ScanToken::token).collect();
    let escaped = [Ascii46, Uident, Uescape, Sconst];
    is_whole && (matches!(kinds[..], [_, Ascii46, _]) || kinds.get(1..) == Some(&escaped))
}
