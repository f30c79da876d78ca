//! Files that hold the way up and the way down.

use std::borrow::Cow;

/// The part of a file that migrates up: goose, sql-migrate and dbmate write both ways into one
/// file and mark them by comments. What belongs to the way down becomes blanks, so that places stay
/// as they are.
pub(super) fn up_part(text: &str) -> Cow<'_, str> {
    if !text.lines().any(|line| marker(line) == Some(Way::Down)) {
        return Cow::Borrowed(text);
    }
    let mut up = String::with_capacity(text.len());
    let mut way = Way::Up;
    for line in text.split_inclusive('\n') {
        way = marker(line).unwrap_or(way);
        match way {
            Way::Up => up.push_str(line),
            Way::Down if line.ends_with('\n') => up.push('\n'),
            Way::Down => {}
        }
    }
    Cow::Owned(up)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Up,
    Down,
}

fn marker(line: &str) -> Option<Way> {
    let comment = line.trim().strip_prefix("--")?.trim().to_ascii_lowercase();
    let mark = comment
        .strip_prefix("+goose ")
        .or_else(|| comment.strip_prefix("+migrate "))
        .or_else(|| comment.strip_prefix("migrate:"))?;
    match mark.split_whitespace().next()? {
        "up" => Some(Way::Up),
        "down" => Some(Way::Down),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_down_is_blank() {
        let text =
            "-- +goose Up\na;\n-- +goose StatementBegin\nb;\n-- +goose Down\nc;\n-- +goose Up\nd;";
        assert_eq!(
            up_part(text),
            "-- +goose Up\na;\n-- +goose StatementBegin\nb;\n\n\n-- +goose Up\nd;"
        );
        assert_eq!(
            up_part("-- migrate:up\na;\n-- migrate:down transaction:false\nb;"),
            "-- migrate:up\na;\n\n"
        );
        assert_eq!(up_part("a; -- migrate:down"), "a; -- migrate:down");
    }
}
