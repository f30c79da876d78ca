//! SQL as the server gets it, and where it stands in a file.

use std::ops::Range;

/// The text of SQL, with the place of each of its bytes in the file that it was written in.
///
/// In a file of SQL the two are one; a literal of another language has escapes, and its parts may
/// lie apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SqlText {
    text: String,
    pieces: Vec<Piece>,
    /// The place of an empty text.
    start: usize,
}

/// A part of the text and how it is written. Ranges of one length are the same bytes; otherwise it
/// is one escape, which has no inside.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    text: Range<usize>,
    file: Range<usize>,
}

impl SqlText {
    /// An empty text that begins at a byte of the file.
    pub(crate) fn new(start: usize) -> Self {
        Self {
            text: String::new(),
            pieces: Vec::new(),
            start,
        }
    }

    /// A text that stands in the file as it is.
    pub(crate) fn verbatim(text: &str, start: usize) -> Self {
        let mut sql = Self::new(start);
        sql.push_verbatim(text, start);
        sql
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Goes on with what stands in the file as it is.
    pub(crate) fn push_verbatim(&mut self, text: &str, at: usize) {
        if !text.is_empty() {
            self.push(text, at..at + text.len());
        }
    }

    /// Goes on with a character that is written in another way.
    pub(crate) fn push_escape(&mut self, character: char, file: Range<usize>) {
        self.push(character.encode_utf8(&mut [0; 4]), file);
    }

    fn push(&mut self, text: &str, file: Range<usize>) {
        let start = self.text.len();
        self.text.push_str(text);
        self.pieces.push(Piece {
            text: start..self.text.len(),
            file,
        });
    }

    /// Goes on with another text of the same file.
    pub(crate) fn append(&mut self, other: &Self) {
        let before = self.text.len();
        self.text.push_str(&other.text);
        self.pieces.extend(other.pieces.iter().map(|piece| Piece {
            text: piece.text.start + before..piece.text.end + before,
            file: piece.file.clone(),
        }));
    }

    /// Where a range of the text stands in the file: from the start of what its first byte is
    /// written as, to the end of what its last byte is written as.
    pub(crate) fn locate(&self, range: Range<usize>) -> Range<usize> {
        let start = self.start_of(range.start);
        let last = range.end.max(range.start + 1) - 1;
        let end = self.end_of(last);
        start..end.max(start)
    }

    fn start_of(&self, at: usize) -> usize {
        match self.piece(at) {
            Some(piece) if piece.is_verbatim() => piece.file.start + (at - piece.text.start),
            Some(piece) => piece.file.start,
            None => self.pieces.last().map_or(self.start, |last| last.file.end),
        }
    }

    fn end_of(&self, last: usize) -> usize {
        match self.piece(last) {
            Some(piece) if piece.is_verbatim() => piece.file.start + (last - piece.text.start) + 1,
            Some(piece) => piece.file.end,
            None => self.pieces.last().map_or(self.start, |last| last.file.end),
        }
    }

    /// The piece that holds a byte of the text.
    fn piece(&self, at: usize) -> Option<&Piece> {
        let index = self.pieces.partition_point(|piece| piece.text.end <= at);
        self.pieces.get(index)
    }
}

impl Piece {
    fn is_verbatim(&self) -> bool {
        self.text.len() == self.file.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_where_they_are_written() {
        // The file: `"ab\n" … "c"`, the text: `ab⏎c`.
        let mut sql = SqlText::new(1);
        sql.push_verbatim("ab", 1);
        sql.push_escape('\n', 3..5);
        sql.append(&SqlText::verbatim("c", 20));
        assert_eq!(sql.text(), "ab\nc");
        assert_eq!(sql.locate(0..2), 1..3);
        assert_eq!(sql.locate(1..3), 2..5);
        assert_eq!(sql.locate(2..4), 3..21);
        assert_eq!(sql.locate(4..4), 21..21);
        assert_eq!(SqlText::new(7).locate(0..0), 7..7);
    }
}
