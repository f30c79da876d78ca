//! Comments between tokens.

use std::ops::Range;

use super::source::Source;

/// A comment to the end of its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Comment {
    /// With the characters that make it one.
    pub(crate) range: Range<usize>,
    /// How long these are.
    pub(crate) marker: usize,
    /// Whether nothing but space stands before it in its line.
    pub(crate) on_its_own: bool,
    /// The place of the token that follows it, if there is one.
    pub(crate) next: Option<usize>,
}

impl Comment {
    /// What the comment says.
    pub(crate) fn text<'a>(&self, source: &'a Source) -> &'a str {
        source.slice(self.range.start + self.marker..self.range.end)
    }
}

/// The comments of a gap between two tokens that begin with `marker`: `--` in SQL, `//` in Rust.
/// Both languages nest the other kind, `/* … */`, which is passed over.
pub(crate) fn in_gap(
    source: &Source,
    gap: Range<usize>,
    marker: &str,
    next: Option<usize>,
) -> Vec<Comment> {
    let text = source.slice(gap.clone());
    let mut comments = Vec::new();
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if depth > 0 && rest.starts_with("*/") {
            depth -= 1;
            at += 2;
        } else if depth == 0 && rest.starts_with(marker) {
            let start = gap.start + at;
            let end = source.line_end(start).min(gap.end);
            let before = source.slice(source.line_start(start)..start);
            comments.push(Comment {
                range: start..end,
                marker: marker.len(),
                on_its_own: before.trim().is_empty(),
                next,
            });
            at = end.max(start + marker.len()) - gap.start;
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    comments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_of_a_gap() {
        let source =
            Source::new("x; -- one ä\n /* -- two /* */ -- three\n */ -- four\n\n  -- five");
        let found: Vec<(&str, bool)> = in_gap(&source, 2..source.text().len(), "--", None)
            .iter()
            .map(|comment| (comment.text(&source), comment.on_its_own))
            .collect();
        assert_eq!(
            found,
            [(" one ä", false), (" four", false), (" five", true)]
        );
    }
}
