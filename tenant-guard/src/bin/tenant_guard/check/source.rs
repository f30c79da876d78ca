//! A file's text and the places in it.

use std::ops::Range;

/// The text of a file, without a byte order mark, and where its lines begin.
#[derive(Debug)]
pub(crate) struct Source {
    text: String,
    line_starts: Vec<usize>,
}

/// A place as editors count: lines and columns from 1, a column for each character.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// A range of a file, and the line in which it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) start: Position,
    /// Behind the last character.
    pub(crate) end: Position,
    /// The first line, or what of a very long one is near the place.
    pub(crate) line: String,
    /// How many characters of the line are left out before `line`.
    pub(crate) left_out: usize,
}

/// How many characters of a line are kept, and how many of these before the place.
const LINE_KEPT: usize = 240;
const KEPT_BEFORE: usize = 80;

impl Source {
    pub(crate) fn new(text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).to_owned();
        let newlines = text.match_indices('\n').map(|(at, _)| at + 1);
        let line_starts = std::iter::once(0).chain(newlines).collect();
        Self { text, line_starts }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The text of a range; empty where it is no range of the text.
    pub(crate) fn slice(&self, range: Range<usize>) -> &str {
        self.text.get(range).unwrap_or_default()
    }

    /// The line, from 0, that holds a byte.
    fn line_index(&self, at: usize) -> usize {
        let lines_begun = self.line_starts.partition_point(|start| *start <= at);
        lines_begun.saturating_sub(1)
    }

    /// Where the line of a byte begins.
    pub(crate) fn line_start(&self, at: usize) -> usize {
        self.line_starts[self.line_index(at)]
    }

    /// Where the line of a byte ends, without its line break.
    pub(crate) fn line_end(&self, at: usize) -> usize {
        let next = self.line_starts.get(self.line_index(at) + 1);
        let end = next.map_or(self.text.len(), |start| start - 1);
        if self.text[..end].ends_with('\r') {
            end - 1
        } else {
            end
        }
    }

    pub(crate) fn position(&self, at: usize) -> Position {
        let at = at.min(self.text.len());
        Position {
            line: self.line_index(at) + 1,
            column: self.slice(self.line_start(at)..at).chars().count() + 1,
        }
    }

    pub(crate) fn place(&self, range: Range<usize>) -> Place {
        let (start, end) = (self.position(range.start), self.position(range.end));
        let line = self.slice(self.line_start(range.start)..self.line_end(range.start));
        let left_out = if line.chars().count() <= LINE_KEPT {
            0
        } else {
            (start.column - 1).saturating_sub(KEPT_BEFORE)
        };
        let line = line.chars().skip(left_out).take(LINE_KEPT).collect();
        Place {
            start,
            end,
            line,
            left_out,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(source: &Source, what: &str) -> (usize, usize) {
        let position = source.position(source.text().find(what).unwrap());
        (position.line, position.column)
    }

    #[test]
    fn lines_and_columns_count_characters_from_1() {
        let source = Source::new("\u{feff}one\r\n\tzwei ä€\u{1f980} drei\nvier");
        assert_eq!(position(&source, "one"), (1, 1));
        assert_eq!(position(&source, "zwei"), (2, 2));
        assert_eq!(position(&source, "drei"), (2, 11));
        assert_eq!(position(&source, "vier"), (3, 1));
        let place = source.place(source.text().len()..source.text().len());
        assert_eq!((place.start.line, place.start.column), (3, 5));
        assert_eq!(source.place(0..3).line, "one");
    }

    #[test]
    fn a_very_long_line_is_kept_near_the_place() {
        let text = format!("{}here{}", "x".repeat(100_000), "y".repeat(100_000));
        let place = Source::new(&text).place(100_000..100_004);
        assert_eq!(place.line.chars().count(), LINE_KEPT);
        assert_eq!(place.line.find("here"), Some(KEPT_BEFORE));
        assert_eq!(place.start.column, place.left_out + KEPT_BEFORE + 1);
    }
}
