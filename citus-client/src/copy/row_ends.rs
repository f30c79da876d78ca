//! Where the rows of a `COPY` end, so that the tenant can be written behind each.

use bytes::{BufMut, BytesMut};

use super::CopyFormat;

/// Writes a last column behind each row of a stream of rows, which may come in any pieces.
///
/// The column is written in front of each line feed that ends a row. Whatever the rows hold, what is
/// written is their last column: PostgreSQL ends a row there too, and a row with more or fewer columns
/// than were named is an error of the whole `COPY` (PostgreSQL 15, `commands/copyfromparse.c`).
#[derive(Debug)]
pub(super) struct RowEnds {
    format: CopyFormat,
    suffix: Vec<u8>,
    place: Place,
    /// A carriage return that may belong to the line's end.
    held: bool,
    /// Whether a row has begun.
    in_row: bool,
}

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
        }
    }

    /// The next piece.
    pub(super) fn piece(&mut self, piece: &[u8], out: &mut BytesMut) {
        for byte in piece {
            if self.held && *byte != b'\n' {
                self.held = false;
                out.put_u8(b'\r');
            }
            match (self.place, *byte) {
                (Place::Plain, b'\n') => {
                    self.end_row(out);
                    continue;
                }
                (Place::Plain, b'\r') => {
                    self.in_row = true;
                    self.held = true;
                    continue;
                }
                (Place::Plain, b'\\') if self.format == CopyFormat::Text => {
                    self.place = Place::Escaped;
                }
                (Place::Plain, b'"') if self.format != CopyFormat::Text => {
                    self.place = Place::Quoted;
                }
                (Place::Escaped, _) | (Place::Quoted, b'"') => self.place = Place::Plain,
                (Place::Plain | Place::Quoted, _) => {}
            }
            self.in_row = true;
            out.put_u8(*byte);
        }
    }

    /// The end, where the last row may lack its line feed.
    pub(super) fn finish(&mut self, out: &mut BytesMut) {
        if self.in_row {
            self.end_row(out);
        }
    }

    fn end_row(&mut self, out: &mut BytesMut) {
        out.put_slice(&self.suffix);
        if std::mem::take(&mut self.held) {
            out.put_u8(b'\r');
        }
        out.put_u8(b'\n');
        self.in_row = false;
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

    fn written(format: CopyFormat, pieces: &[&[u8]]) -> String {
        let mut rows = RowEnds::new(format, Some("7"));
        let mut out = BytesMut::new();
        for piece in pieces {
            rows.piece(piece, &mut out);
        }
        rows.finish(&mut out);
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn the_tenant_is_the_last_column_of_each_row() {
        assert_eq!(written(CSV, &[b"1,a\n2,b\n"]), "1,a,\"7\"\n2,b,\"7\"\n");
        assert_eq!(written(CSV, &[b"1,a\r\n2,b"]), "1,a,\"7\"\r\n2,b,\"7\"\n");
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
            RowEnds::new(format, Some(tenant)).piece(b"\n", &mut out);
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
            prop_assert_eq!(written(format, &[bytes]), written(format, &pieces));
        }
    }
}
