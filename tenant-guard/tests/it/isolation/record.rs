//! Rows as values, in PostgreSQL's binary format, without what differs from database to database.

use citus_testkit::tokio_postgres::types::{Kind, Type};

/// The first object id that is not PostgreSQL's own (`FirstNormalObjectId`).
const FIRST_OWN: u32 = 16_384;
const RECORD: u32 = 2249;

/// The value with the ids of the database's own types as those of any record: a table's row type has
/// an id of its own in every database, and the row of a sub-query is just a record.
pub(super) fn canonical(of: &Type, raw: &[u8]) -> Vec<u8> {
    let known = match of.kind() {
        Kind::Array(element) if is_record(element.oid()) => array(raw),
        _ if is_record(of.oid()) => record(raw),
        _ => None,
    };
    known.unwrap_or_else(|| raw.to_vec())
}

fn is_record(oid: u32) -> bool {
    oid == RECORD || oid >= FIRST_OWN
}

/// `record_send`: the number of fields, and for each the id of its type, its length, and its value.
fn record(raw: &[u8]) -> Option<Vec<u8>> {
    let (count, mut rest) = raw.split_first_chunk::<4>()?;
    let mut out = count.to_vec();
    for _ in 0..u32::from_be_bytes(*count) {
        let (oid, after) = rest.split_first_chunk::<4>()?;
        let oid = u32::from_be_bytes(*oid);
        let own = is_record(oid);
        out.extend(if own { RECORD } else { oid }.to_be_bytes());
        rest = value(after, &mut out, own)?;
    }
    rest.is_empty().then_some(out)
}

/// `array_send`: dimensions, flags, the id of the elements' type, bounds, and the elements.
fn array(raw: &[u8]) -> Option<Vec<u8>> {
    let (dimensions, rest) = raw.split_first_chunk::<4>()?;
    let (flags, rest) = rest.split_first_chunk::<4>()?;
    let (_, rest) = rest.split_first_chunk::<4>()?;
    let mut out = [&dimensions[..], flags, &RECORD.to_be_bytes()].concat();
    let bounds = 8 * usize::try_from(u32::from_be_bytes(*dimensions)).ok()?;
    let (bounds, mut rest) = rest.split_at_checked(bounds)?;
    out.extend(bounds);
    while !rest.is_empty() {
        rest = value(rest, &mut out, true)?;
    }
    Some(out)
}

/// Copies a length and a value; gives what stands behind them.
fn value<'r>(raw: &'r [u8], out: &mut Vec<u8>, is_record: bool) -> Option<&'r [u8]> {
    let (length, rest) = raw.split_first_chunk::<4>()?;
    let Ok(bytes) = usize::try_from(i32::from_be_bytes(*length)) else {
        out.extend(length);
        return Some(rest);
    };
    let (value, rest) = rest.split_at_checked(bytes)?;
    out.extend(length);
    match record(value).filter(|_| is_record) {
        Some(canonical) => out.extend(canonical),
        None => out.extend(value),
    }
    Some(rest)
}
