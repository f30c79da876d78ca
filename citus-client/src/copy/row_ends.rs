//! Where the rows of a `COPY` end, so that the tenant can be written behind each.

use bytes::{BufMut, BytesMut};

use super::CopyFormat;

/// Writes a last column behind each row of a stream of rows, which may come in any pieces.
///
/// The column is written in front of each line feed that ends a row, and PostgreSQL must end its rows at the
/// same places (PostgreSQL 15, `commands/copyfromparse.c`). It takes the first line's end for that of all: so
/// each row leaves here with a line feed alone, and a carriage return that would end one is an error, as is
/// the mark `\.`, which ends the data. A row with more or fewer columns than were named is the server's error.
#[derive(Debug)]
pub(super) struct RowEnds {
    format: CopyFormat,
    suffix: Vec<u8>,
    place: Place,
    /// A carriage return that may belong to the line's end.
    held: bool,
    /// Whether a row has begun.
    in_row: bool,
    /// How many rows have ended.
    rows: u64,
}

/// Why rows cannot be copied.
pub(super) type Problem = &'static str;

/// Where in a row the stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Plain,
    /// Behind a backslash of the text format.
    Escaped,
    /// Between quotes of CSV.
    Quoted,
}

impl RowEnds {
    /// With the tenant as text, or nothing to be written.
    pub(super) fn new(format: CopyFormat, tenant: Option<&str>) -> Self {
        let suffix = match (tenant, format) {
            (None, _) => Vec::new(),
            (Some(tenant), CopyFormat::Text) => text_column(tenant),
            (Some(tenant), CopyFormat::Csv { .. }) => {
                format!(",\"{}\"", tenant.replace('"', "\"\"")).into_bytes()
            }
        };
        Self {
            format,
            suffix,
            place: Place::Plain,
            held: false,
            in_row: false,
            rows: 0,
        }
    }

    /// The number of the row that is being written, from 1.
    pub(super) fn row(&self) -> u64 {
        self.rows + 1
    }

    /// The next piece.
    pub(super) fn piece(&mut self, piece: &[u8], out: &mut BytesMut) -> Result<(), Problem> {
        for byte in piece {
            if std::mem::take(&mut self.held) && *byte != b'\n' {
                return Err("a carriage return that ends no line has to be quoted or escaped");
            }
            match (self.place, *byte) {
                (Place::Plain, b'\n') => {
                    self.end_row(out);
                    continue;
                }
                (Place::Plain, b'\r') => {
                    (self.in_row, self.held) = (true, true);
                    continue;
                }
                (Place::Plain, b'\\') if self.format == CopyFormat::Text => {
                    self.place = Place::Escaped;
                }
                (Place::Escaped, b'.') => return Err("\\. would end the data"),
                // It could end the row for the server, depending on the first one.
                (Place::Escaped, b'\r') => return Err("a carriage return is written \\r"),
                (Place::Plain, b'"') if self.format != CopyFormat::Text => {
                    self.place = Place::Quoted;
                }
                (Place::Escaped, _) | (Place::Quoted, b'"') => self.place = Place::Plain,
                (Place::Plain | Place::Quoted, _) => {}
            }
            self.in_row = true;
            out.put_u8(*byte);
        }
        Ok(())
    }

    /// The end, where the last row may lack its line feed.
    pub(super) fn finish(&mut self, out: &mut BytesMut) -> Result<(), Problem> {
        match self.place {
            Place::Plain => {}
            Place::Escaped => return Err("the last row ends within an escape"),
            Place::Quoted => return Err("the last row ends within quotes"),
        }
        if self.in_row {
            self.end_row(out);
        }
        Ok(())
    }

    fn end_row(&mut self, out: &mut BytesMut) {
        out.put_slice(&self.suffix);
        out.put_u8(b'\n');
        (self.in_row, self.held) = (false, false);
        self.rows += 1;
    }
}

/// A tab and a value of the text format.
fn text_column(value: &str) -> Vec<u8> {
    let mut column = vec![b'\t'];
    for byte in value.bytes() {
        match byte {
            b'\\' => column.extend(b"\\\\"),
            b'\t' => column.extend(b"\\t"),
            b'\n' => column.extend(b"\\n"),
            b'\r' => column.extend(b"\\r"),
            byte => column.push(byte),
        }
    }
    column
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CSV: CopyFormat = CopyFormat::Csv { header: false };

    fn tried(format: CopyFormat, pieces: &[&[u8]]) -> Result<String, Problem> {
        let mut rows = RowEnds::new(format, Some("7"));
        let mut out = BytesMut::new();
        for piece in pieces {
            rows.piece(piece, &mut out)?;
        }
        rows.finish(&mut out)?;
        Ok(String::from_utf8(out.to_vec()).unwrap())
    }

    fn written(format: CopyFormat, pieces: &[&[u8]]) -> String {
        tried(format, pieces).unwrap()
    }

    #[test]
    fn what_the_server_could_take_for_another_end_is_an_error() {
        for (format, rows) in [
            (CopyFormat::Text, &b"1\tevil\t8\\.\rX\n"[..]),
            (CopyFormat::Text, b"1\ta\t8\r2\tb\t9\r\\.\rX"),
            (CopyFormat::Text, b"1\ta\t8\\"),
            (CopyFormat::Text, b"1\ta\\\r\n"),
            (CSV, b"1,a,8\r\\.\rX"),
            (CSV, b"1,\"a"),
        ] {
            assert!(tried(format, &[rows]).is_err(), "{rows:?}");
        }
    }

    #[test]
    fn the_tenant_is_the_last_column_of_each_row() {
        assert_eq!(written(CSV, &[b"1,a\n2,b\n"]), "1,a,\"7\"\n2,b,\"7\"\n");
        assert_eq!(written(CSV, &[b"1,a\r\n2,b"]), "1,a,\"7\"\n2,b,\"7\"\n");
        assert_eq!(
            written(CopyFormat::Text, &[b"1\ta\n2\t\\N\n"]),
            "1\ta\t7\n2\t\\N\t7\n"
        );
        assert_eq!(written(CSV, &[b""]), "");
        assert_eq!(written(CSV, &[b"\n"]), ",\"7\"\n");
    }

    #[test]
    fn line_feeds_inside_of_values_end_no_row() {
        assert_eq!(
            written(CSV, &[b"1,\"a\n\"\"b\n\"\n"]),
            "1,\"a\n\"\"b\n\",\"7\"\n"
        );
        assert_eq!(
            written(CopyFormat::Text, &[b"1\ta\\\nb\n"]),
            "1\ta\\\nb\t7\n"
        );
        // Two backslashes are one, and the row ends behind them.
        assert_eq!(
            written(CopyFormat::Text, &[b"1\ta\\\\\nb\n"]),
            "1\ta\\\\\t7\nb\t7\n"
        );
    }

    #[test]
    fn a_tenant_s_text_is_one_value() {
        let column = |format, tenant| {
            let mut out = BytesMut::new();
            let mut rows = RowEnds::new(format, Some(tenant));
            rows.piece(b"\n", &mut out).unwrap();
            String::from_utf8(out.to_vec()).unwrap()
        };
        assert_eq!(column(CSV, "a\",\n\"b"), ",\"a\"\",\n\"\"b\"\n");
        assert_eq!(column(CopyFormat::Text, "a\\\t\n\r"), "\ta\\\\\\t\\n\\r\n");
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(
            rows in "[a,\"\\\\\r\n\t]{0,40}",
            cuts in proptest::collection::vec(0_usize..40, 0..6),
            csv: bool,
        ) {
            let format = if csv { CSV } else { CopyFormat::Text };
            let bytes = rows.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().filter(|cut| *cut <= bytes.len()).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|ends| &bytes[ends[0]..ends[1]]).collect();
            prop_assert_eq!(tried(format, &[bytes]), tried(format, &pieces));
        }
    }
}
