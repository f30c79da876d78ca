//! What the terminal shows, and how.

use std::env;
use std::fmt::Display;
use std::io::{self, IsTerminal as _};
use std::ops::Range;

use console::Term;
use owo_colors::{OwoColorize as _, Style};

use crate::highlight::{Piece, added};

/// Where text starts, below a label.
const INDENT: usize = 14;

/// Prints in colours where they are wanted, and plain text everywhere else.
#[derive(Debug)]
pub(crate) struct Page {
    colours: bool,
    /// How many characters fit between the indent and the right edge.
    width: usize,
    step: u32,
}

impl Page {
    /// Colours go to a terminal that has not been asked to do without (`NO_COLOR`, `TERM=dumb`).
    pub(crate) fn new() -> Self {
        let unwanted = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || env::var_os("TERM").is_some_and(|term| term == "dumb");
        let columns = Term::stdout()
            .size_checked()
            .map_or(100, |(_, columns)| usize::from(columns).clamp(60, 120));
        Self {
            colours: io::stdout().is_terminal() && !unwanted,
            width: columns - INDENT,
            step: 0,
        }
    }

    pub(crate) fn colours(&self) -> bool {
        self.colours
    }

    /// The next step's heading.
    pub(crate) fn step(&mut self, heading: &str) {
        self.step += 1;
        let number = format!(" {} ", self.step);
        let number = number.style(self.ink(Style::new().bold().reversed()));
        println!(
            "\n{number} {}",
            heading.style(self.ink(Style::new().bold()))
        );
        println!();
    }

    /// A sentence that leads over to what follows.
    pub(crate) fn say(&self, text: &str) {
        for line in wrapped(text, self.width) {
            println!("    {}", line.style(self.ink(Style::new().dimmed())));
        }
    }

    /// `label  value`.
    pub(crate) fn fact(&self, label: &str, value: impl Display) {
        self.pieces(label, &[Piece::Kept(&value.to_string())]);
    }

    /// A good end, with a tick.
    pub(crate) fn good(&self, label: &str, value: impl Display) {
        let tick = "✓".style(self.ink(Style::new().green().bold()));
        println!("{}{tick} {value}", self.label(label));
    }

    /// A statement.
    pub(crate) fn sql(&self, label: &str, sql: &str) {
        self.pieces(label, &[Piece::Kept(sql)]);
    }

    /// A statement as it is sent, with what was added to the one that was written.
    pub(crate) fn sent(&self, label: &str, written: &str, sent: &str) {
        self.pieces(label, &added(written, sent));
    }

    /// Text that has its own layout, such as a refusal with its carets.
    pub(crate) fn verbatim(&self, label: &str, text: &str) {
        let mut label = self.label(label);
        for line in text.lines() {
            let style = if line.starts_with("TG") {
                Style::new().red().bold()
            } else if line.starts_with("help") {
                Style::new().cyan()
            } else {
                Style::new()
            };
            // A line of code has its carets below it, and is never broken.
            let width = if line.contains(" | ") {
                usize::MAX
            } else {
                self.width
            };
            for line in wrapped(line, width) {
                println!("{label}{}", line.style(self.ink(style)));
                label = " ".repeat(INDENT);
            }
        }
    }

    /// Rows below a head; numbers to the right.
    pub(crate) fn table(&self, head: &[&str], rows: &[Vec<String>]) {
        let width = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            let widest = cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
            head.get(column)
                .map_or(widest, |cell| widest.max(cell.chars().count()))
        };
        let numeric = |column: usize| {
            rows.iter()
                .filter_map(|row| row.get(column))
                .all(|cell| cell.starts_with(|c: char| c.is_ascii_digit() || c == '×'))
        };
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            let cells = cells.enumerate().map(|(column, cell)| {
                let pad = " ".repeat(width(column).saturating_sub(cell.chars().count()));
                if numeric(column) {
                    format!("{pad}{cell}")
                } else {
                    format!("{cell}{pad}")
                }
            });
            let line = cells.collect::<Vec<_>>().join("   ");
            format!("{}{}", " ".repeat(INDENT), line.trim_end())
        };
        let head = line(&mut head.iter().copied());
        println!(
            "{}",
            head.style(self.ink(Style::new().dimmed().underline()))
        );
        for row in rows {
            println!("{}", line(&mut row.iter().map(String::as_str)));
        }
    }

    fn pieces(&self, label: &str, pieces: &[Piece<'_>]) {
        // Colour goes on after the lines are broken: a colour code has no width.
        let text: String = pieces.iter().map(Piece::text).collect();
        let mut at = 0;
        let mut rest: Vec<(usize, bool)> = Vec::new();
        for piece in pieces {
            rest.push((at + piece.text().len(), matches!(piece, Piece::Added(_))));
            at += piece.text().len();
        }
        let is_added = |offset: usize| {
            rest.iter()
                .find(|(end, _)| offset < *end)
                .is_some_and(|p| p.1)
        };
        let mut label = self.label(label);
        for line in lines(&text, self.width) {
            print!("{label}");
            let mut start = line.start;
            while start < line.end {
                let added = is_added(start);
                let end = text[start..line.end]
                    .char_indices()
                    .map(|(offset, _)| start + offset)
                    .find(|offset| is_added(*offset) != added)
                    .unwrap_or(line.end);
                let style = if added {
                    Style::new().green().bold()
                } else {
                    Style::new()
                };
                print!("{}", (&text[start..end]).style(self.ink(style)));
                start = end;
            }
            println!();
            label = " ".repeat(INDENT);
        }
    }

    fn label(&self, label: &str) -> String {
        let padded = format!("    {label:<width$}", width = INDENT - 4);
        padded.style(self.ink(Style::new().blue())).to_string()
    }

    fn ink(&self, style: Style) -> Style {
        if self.colours { style } else { Style::new() }
    }
}

/// The lines of a text: its own, and long ones broken at blanks.
fn lines(text: &str, width: usize) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    let mut at = 0;
    for own in text.split('\n') {
        let end = at + own.len();
        let mut start = at;
        while end - start > width {
            let within = &text[start..=floor(text, start + width)];
            let Some(blank) = break_in(within) else {
                break;
            };
            lines.push(start..start + blank);
            start += blank + 1;
        }
        lines.push(start..end);
        at = end + 1;
    }
    lines
}

/// The blank to break at: before a clause where one starts in the right half, else the last.
fn break_in(line: &str) -> Option<usize> {
    let clauses = [" FROM ", " LEFT JOIN ", " WHERE ", " ON "];
    let clause = clauses.iter().filter_map(|clause| line.rfind(clause)).max();
    clause
        .filter(|blank| *blank > line.len() / 2)
        .or_else(|| line.rfind(' '))
        .filter(|blank| *blank > 0)
}

/// The start of the character that this byte is part of, less what `..=` adds.
fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at + 1) {
        at -= 1;
    }
    at
}

fn wrapped(text: &str, width: usize) -> impl Iterator<Item = &str> {
    lines(text, width).into_iter().map(|line| &text[line])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_break_at_blanks() {
        let broken: Vec<_> = wrapped("one two three\nfour", 7).collect();
        assert_eq!(broken, ["one two", "three", "four"]);
    }

    #[test]
    fn what_has_no_blank_stays_whole() {
        assert_eq!(wrapped("ääääääää b", 4).collect::<Vec<_>>(), ["ääääääää b"]);
    }
}
