//! What was added to a statement.

/// A part of a rewritten statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// It stood in the statement as written.
    Kept(&'a str),
    /// It was added.
    Added(&'a str),
}

impl<'a> Piece<'a> {
    pub(crate) fn text(&self) -> &'a str {
        match self {
            Self::Kept(text) | Self::Added(text) => text,
        }
    }
}

/// Splits `sent` into what stands in `written` and what does not, by the longest common sequence of
/// words.
pub(crate) fn added<'a>(written: &str, sent: &'a str) -> Vec<Piece<'a>> {
    let (old, new) = (words(written), words(sent));
    // common[i][j]: the length of the longest common sequence of old[i..] and new[j..].
    let mut common = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] = if old[i] == new[j] {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let mut pieces = Vec::new();
    let (mut i, mut j) = (0, 0);
    while j < new.len() {
        if i < old.len() && old[i] == new[j] {
            pieces.push(Piece::Kept(new[j]));
            i += 1;
            j += 1;
        } else if i < old.len() && common[i + 1][j] > common[i][j + 1] {
            i += 1;
        } else {
            pieces.push(Piece::Added(new[j]));
            j += 1;
        }
    }
    pieces
}

/// Identifiers, numbers and runs of blanks as they are; every other character by itself.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let same = |c: char| {
            let part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
            (part(first) && part(c)) || (first.is_whitespace() && c.is_whitespace())
        };
        let end = rest
            .char_indices()
            .skip(1)
            .find(|(_, c)| !same(*c))
            .map_or(rest.len(), |(at, _)| at);
        let (word, after) = rest.split_at(end);
        words.push(word);
        rest = after;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_new_is_added() {
        let written = "SELECT id FROM tasks WHERE id = $1";
        let sent = "SELECT id FROM public.tasks WHERE tasks.org = $2 AND (id = $1)";
        let pieces = added(written, sent);
        let text = |wanted: fn(&Piece<'_>) -> bool| -> String {
            pieces
                .iter()
                .filter(|piece| wanted(piece))
                .map(Piece::text)
                .collect()
        };
        assert_eq!(text(|_| true), sent);
        assert_eq!(text(|piece| matches!(piece, Piece::Kept(_))), written);
    }
}
