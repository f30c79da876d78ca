//! What was found in one file, after its comments have had their say.

use std::ops::Range;

use super::comments::Comment;
use super::directive::{self, Directive, FORM, Malformed, Reach};
use super::finding::{Denied, Finding, OwnRule, Rule};
use super::source::Source;

/// Something found in a file, before any comment is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) rule: Rule,
    pub(crate) message: String,
    pub(crate) hint: String,
    pub(crate) range: Range<usize>,
    /// The bytes before which a comment counts for this.
    pub(crate) anchors: Vec<usize>,
}

/// The findings of a file, in the order of their places.
pub(crate) fn findings(
    file: &str,
    source: &Source,
    hits: Vec<Hit>,
    comments: &[Comment],
    denied: &[Denied],
) -> Vec<Finding> {
    let mut allows = Vec::new();
    let mut judged = Vec::new();
    for comment in comments {
        match directive::parse(comment.text(source)) {
            None => {}
            Some(Ok(_)) if !comment.on_its_own => judged.push((misplaced(comment), None)),
            Some(Ok(directive)) => allows.push(Allow::new(directive, comment, source)),
            Some(Err(malformed)) => judged.push((refused(malformed, comment), None)),
        }
    }
    for hit in hits {
        let reason = allowed(&hit, &mut allows);
        judged.push((hit, reason));
    }
    judged.extend(allows.iter().flat_map(Allow::unused).map(|hit| (hit, None)));

    // One statement may be used in several places: what is wrong with it is said once, and is
    // allowed only if it is in all of them.
    judged.sort_by(|(a, allowed_a), (b, allowed_b)| {
        let key = |hit: &Hit| (hit.range.start, hit.range.end, hit.rule);
        key(a)
            .cmp(&key(b))
            .then_with(|| a.message.cmp(&b.message))
            .then_with(|| allowed_a.is_some().cmp(&allowed_b.is_some()))
    });
    judged.dedup_by(|(later, _), (kept, _)| {
        later.range == kept.range && later.rule == kept.rule && later.message == kept.message
    });
    judged
        .into_iter()
        .map(|(hit, allowed)| Finding {
            file: file.to_owned(),
            place: Some(source.place(hit.range)),
            rule: hit.rule,
            level: hit.rule.level(denied),
            message: hit.message,
            hint: hit.hint,
            allowed,
        })
        .collect()
}

/// A comment that allows something, and which of its rules have been of use.
struct Allow {
    directive: Directive,
    range: Range<usize>,
    /// The line of code below it.
    covers: Range<usize>,
    used: Vec<bool>,
}

impl Allow {
    fn new(directive: Directive, comment: &Comment, source: &Source) -> Self {
        let covers = match (directive.reach, comment.next) {
            (Reach::File, _) => 0..usize::MAX,
            (Reach::Next, Some(next)) => next..source.line_end(next).max(next + 1),
            (Reach::Next, None) => 0..0,
        };
        Self {
            used: vec![false; directive.rules.len()],
            directive,
            range: comment.range.clone(),
            covers,
        }
    }

    fn unused(&self) -> impl Iterator<Item = Hit> {
        let rules = self.directive.rules.iter().zip(&self.used);
        rules.filter(|(_, used)| !**used).map(|(rule, _)| {
            let what = match self.directive.reach {
                Reach::Next => "the statement below",
                Reach::File => "this file",
            };
            hit_of_comment(
                OwnRule::AllowUnused,
                format!("{rule} is allowed and does not occur in {what}"),
                "remove it, or the comment if nothing is left",
                self.range.clone(),
            )
        })
    }
}

/// The reason for which a hit is allowed. Each comment that allows it counts as used.
fn allowed(hit: &Hit, allows: &mut [Allow]) -> Option<String> {
    let mut reason = None;
    for allow in allows {
        let covers = hit
            .anchors
            .iter()
            .any(|anchor| allow.covers.contains(anchor));
        let rules = allow.directive.rules.iter().zip(&mut allow.used);
        for (_, used) in rules.filter(|(rule, _)| covers && **rule == hit.rule) {
            *used = true;
            reason.get_or_insert_with(|| allow.directive.reason.clone());
        }
    }
    reason
}

fn misplaced(comment: &Comment) -> Hit {
    hit_of_comment(
        OwnRule::AllowMalformed,
        "the comment stands behind code in its line".to_owned(),
        FORM,
        comment.range.clone(),
    )
}

fn refused(malformed: Malformed, comment: &Comment) -> Hit {
    hit_of_comment(
        malformed.rule,
        malformed.message,
        FORM,
        comment.range.clone(),
    )
}

fn hit_of_comment(rule: OwnRule, message: String, hint: &str, range: Range<usize>) -> Hit {
    Hit {
        rule: Rule::Own(rule),
        message,
        hint: hint.to_owned(),
        range,
        anchors: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::comments;
    use tenant_guard::Code;

    fn hit(source: &Source, at: &str, anchor: &str) -> Hit {
        let start = source.text().find(at).unwrap();
        Hit {
            rule: Rule::Refused(Code::UnknownTable),
            message: String::new(),
            hint: String::new(),
            range: start..start + at.len(),
            anchors: vec![source.text().find(anchor).unwrap()],
        }
    }

    #[test]
    fn a_statement_used_twice_has_to_be_allowed_twice() {
        let source = Source::new("-- tenant-guard: allow(TG006) reason: x\none\ntwo\n");
        let comments = comments::in_gap(&source, 0..source.text().find("one").unwrap(), "--", None);
        let comments: Vec<Comment> = comments
            .into_iter()
            .map(|comment| Comment {
                next: source.text().find("one"),
                ..comment
            })
            .collect();
        let allowed_once = vec![hit(&source, "one", "one")];
        let found = findings("a.rs", &source, allowed_once, &comments, &[]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].allowed.as_deref(), Some("x"));

        let twice = vec![hit(&source, "one", "one"), hit(&source, "one", "two")];
        let found = findings("a.rs", &source, twice, &comments, &[]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].allowed, None);
    }
}
