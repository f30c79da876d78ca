//! libpg_query's tree in a uniform shape, so that every field of every node can be walked, also
//! those that nobody here has heard of. It knows nothing of tenants.
//!
//! It is made through the `Serialize` that `pg_query` derives for all of its types. A default value is
//! nothing, and so are source positions; a node's own position is kept aside and does not count in
//! comparisons.

mod serializer;

use serde::Serialize;

/// A part of a tree.
#[derive(Clone, Debug)]
pub(super) enum Tree {
    /// A field with its default value.
    Nothing,
    Number(i64),
    Text(String),
    List(Vec<Tree>),
    Node {
        name: &'static str,
        location: i32,
        fields: Vec<(&'static str, Tree)>,
    },
}

impl PartialEq for Tree {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Nothing, Self::Nothing) => true,
            (Self::Number(number), Self::Number(other)) => number == other,
            (Self::Text(text), Self::Text(other)) => text == other,
            (Self::List(items), Self::List(other)) => items == other,
            (
                Self::Node { name, fields, .. },
                Self::Node {
                    name: other_name, ..
                },
            ) => {
                // The order of fields does not count: setting one may have moved it.
                name == other_name
                    && fields.len() == other.fields().len()
                    && fields
                        .iter()
                        .all(|(name, value)| other.field(name) == value)
            }
            _ => false,
        }
    }
}

impl Tree {
    /// The tree of a parse result; `None` where it holds something of an unknown shape.
    pub(super) fn of(value: &impl Serialize) -> Option<Self> {
        value.serialize(serializer::Trees).ok()
    }

    /// A node that stands nowhere.
    pub(super) fn node<const N: usize>(
        name: &'static str,
        fields: [(&'static str, Self); N],
    ) -> Self {
        let (location, fields) = (-1, fields.into());
        Self::Node {
            name,
            location,
            fields,
        }
    }

    /// A list, of which an empty one is nothing.
    pub(super) fn list(items: Vec<Self>) -> Self {
        if items.is_empty() {
            Self::Nothing
        } else {
            Self::List(items)
        }
    }

    /// The node's type; empty for anything else.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Node { name, .. } => name,
            _ => "",
        }
    }

    /// Whether this is a node of this type.
    pub(super) fn is(&self, name: &str) -> bool {
        self.name() == name
    }

    /// Where a node stands in its text; -1 where it does not say.
    pub(super) fn location(&self) -> i32 {
        match self {
            Self::Node { location, .. } => *location,
            _ => -1,
        }
    }

    /// The fields of a node that have not their default value; none for anything else.
    fn fields(&self) -> &[(&'static str, Self)] {
        match self {
            Self::Node { fields, .. } => fields,
            _ => &[],
        }
    }

    pub(super) fn field(&self, wanted: &str) -> &Self {
        static NOTHING: Tree = Tree::Nothing;
        let mut fields = self.fields().iter();
        fields
            .find(|(name, _)| *name == wanted)
            .map_or(&NOTHING, |(_, value)| value)
    }

    /// Whether a field has another value than its default.
    pub(super) fn has(&self, field: &str) -> bool {
        *self.field(field) != Self::Nothing
    }

    /// A text field.
    pub(super) fn text(&self, field: &str) -> &str {
        match self.field(field) {
            Self::Text(text) => text,
            _ => "",
        }
    }

    /// A number, enum or boolean field.
    pub(super) fn number(&self, field: &str) -> i64 {
        match self.field(field) {
            Self::Number(number) => *number,
            _ => 0,
        }
    }

    /// The items of a list; none for anything else.
    pub(super) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    pub(super) fn into_items(self) -> Vec<Self> {
        match self {
            Self::List(items) => items,
            _ => Vec::new(),
        }
    }

    /// Takes a field out of a node.
    pub(super) fn take(&mut self, field: &str) -> Self {
        if let Self::Node { fields, .. } = self
            && let Some(index) = fields.iter().position(|(name, _)| *name == field)
        {
            return fields.swap_remove(index).1;
        }
        Self::Nothing
    }

    /// Sets a field of a node.
    pub(super) fn set(&mut self, field: &'static str, value: Self) {
        self.take(field);
        if let Self::Node { fields, .. } = self {
            fields.push((field, value));
        }
    }

    /// Takes the last item off a list.
    pub(super) fn pop(&mut self) -> Self {
        let Self::List(items) = self else {
            return Self::Nothing;
        };
        let last = items.pop().unwrap_or(Self::Nothing);
        *self = Self::list(std::mem::take(items));
        last
    }

    /// This and everything below it, in no order.
    pub(super) fn nodes(&self) -> impl Iterator<Item = &Self> {
        let mut below = vec![self];
        std::iter::from_fn(move || {
            let node = below.pop()?;
            below.extend(node.fields().iter().map(|(_, value)| value));
            below.extend(node.items());
            Some(node)
        })
    }
}

/// A part of one tree, and the part of another that stands for it.
pub(super) struct Pair {
    pub(super) before: Tree,
    pub(super) after: Tree,
}

impl Pair {
    /// Takes a field out of both.
    pub(super) fn take(&mut self, field: &str) -> Self {
        let (before, after) = (self.before.take(field), self.after.take(field));
        Self { before, after }
    }

    /// Everything directly below. Fails where one has more than the other, or is of another kind.
    pub(super) fn parts(self) -> super::Result<Vec<Self>> {
        let different = "the output says something else than the input";
        let pair = |(before, after)| Self { before, after };
        match (self.before, self.after) {
            (Tree::List(before), Tree::List(after)) if before.len() == after.len() => {
                Ok(before.into_iter().zip(after).map(pair).collect())
            }
            (Tree::Node { name, fields, .. }, mut after) if after.is(name) => {
                let pairs = fields
                    .into_iter()
                    .map(|(name, before)| (before, after.take(name)));
                let parts = pairs.map(pair).collect();
                after.fields().is_empty().then_some(parts).ok_or(different)
            }
            (before, after) => (before == after).then(Vec::new).ok_or(different),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_another_kind_or_number_are_different() {
        let node = |name, field| Tree::node(name, [(field, Tree::Number(1))]);
        let parts = |before, after| {
            let pair = Pair { before, after };
            pair.parts().map(|parts| parts.len())
        };
        let nothing = || Tree::node("A", []);
        assert_eq!(parts(node("A", "x"), node("A", "x")), Ok(1));
        assert!(parts(node("A", "x"), node("B", "x")).is_err());
        assert!(parts(nothing(), node("A", "x")).is_err());
        let list = |length| Tree::List(vec![Tree::Number(1); length]);
        assert_eq!(parts(list(2), list(2)), Ok(2));
        assert!(parts(list(2), list(1)).is_err());
    }
}
