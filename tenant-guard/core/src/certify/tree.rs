//! libpg_query's tree in a uniform shape, so that every field of every node can be walked, also
//! those that nobody here has heard of.
//!
//! It is made through the `Serialize` that `pg_query` derives for all of its types. Fields with their
//! default value are left out, and so are source positions; a node's own position is kept aside and
//! does not count in comparisons.

mod serializer;

use serde::Serialize;

/// A part of a tree.
#[derive(Clone, Debug)]
pub(super) enum Tree {
    Struct {
        name: &'static str,
        location: i32,
        fields: Vec<(&'static str, Tree)>,
    },
    List(Vec<Tree>),
    Text(String),
    Number(i64),
}

impl PartialEq for Tree {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Struct {
                    name,
                    location: _,
                    fields,
                },
                Self::Struct {
                    name: other_name,
                    location: _,
                    fields: other_fields,
                },
            ) => {
                // The order of fields does not count: setting one may have moved it.
                name == other_name
                    && fields.len() == other_fields.len()
                    && fields
                        .iter()
                        .all(|(field, value)| other.field(field) == Some(value))
            }
            (Self::List(items), Self::List(other)) => items == other,
            (Self::Text(text), Self::Text(other)) => text == other,
            (Self::Number(number), Self::Number(other)) => number == other,
            _ => false,
        }
    }
}

impl Tree {
    /// The tree of a parse result; `None` where it holds something of an unknown shape.
    pub(super) fn of(value: &impl Serialize) -> Option<Self> {
        value.serialize(serializer::Trees).ok().flatten()
    }

    /// A node that stands nowhere.
    pub(super) fn node<const N: usize>(
        name: &'static str,
        fields: [(&'static str, Self); N],
    ) -> Self {
        Self::Struct {
            name,
            location: -1,
            fields: fields.into(),
        }
    }

    /// Whether this is a node of this type.
    pub(super) fn is(&self, type_name: &str) -> bool {
        self.name() == type_name
    }

    /// The node's type; empty for lists and values.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Struct { name, .. } => name,
            _ => "",
        }
    }

    /// Where a node stands in its text; -1 where it does not say.
    pub(super) fn location(&self) -> i32 {
        match self {
            Self::Struct { location, .. } => *location,
            _ => -1,
        }
    }

    /// A field that has not its default value.
    pub(super) fn field(&self, wanted: &str) -> Option<&Self> {
        match self {
            Self::Struct { fields, .. } => fields
                .iter()
                .find(|(name, _)| *name == wanted)
                .map(|(_, value)| value),
            _ => None,
        }
    }

    pub(super) fn field_mut(&mut self, wanted: &str) -> Option<&mut Self> {
        match self {
            Self::Struct { fields, .. } => fields
                .iter_mut()
                .find(|(name, _)| *name == wanted)
                .map(|(_, value)| value),
            _ => None,
        }
    }

    /// A text field; empty is its default.
    pub(super) fn text(&self, field: &str) -> &str {
        match self.field(field) {
            Some(Self::Text(text)) => text,
            _ => "",
        }
    }

    /// A number, enum or boolean field; 0 is its default.
    pub(super) fn number(&self, field: &str) -> i64 {
        match self.field(field) {
            Some(Self::Number(number)) => *number,
            _ => 0,
        }
    }

    /// Whether no other field than these is set.
    pub(super) fn has_only(&self, allowed: &[&str]) -> bool {
        match self {
            Self::Struct { fields, .. } => fields.iter().all(|(name, _)| allowed.contains(name)),
            _ => false,
        }
    }

    /// The items of a list; none for anything else.
    pub(super) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// Takes the last item off a list.
    pub(super) fn pop(&mut self) -> Option<Self> {
        match self {
            Self::List(items) => items.pop(),
            _ => None,
        }
    }

    pub(super) fn take(&mut self, wanted: &str) -> Option<Self> {
        match self {
            Self::Struct { fields, .. } => {
                let index = fields.iter().position(|(name, _)| *name == wanted)?;
                Some(fields.remove(index).1)
            }
            _ => None,
        }
    }

    pub(super) fn remove(&mut self, wanted: &str) {
        drop(self.take(wanted));
    }

    /// Sets a field.
    pub(super) fn insert(&mut self, field: &'static str, value: Self) {
        self.remove(field);
        if let Self::Struct { fields, .. } = self {
            fields.push((field, value));
        }
    }

    pub(super) fn set_text(&mut self, field: &'static str, text: &str) {
        self.insert(field, Self::Text(text.to_owned()));
    }

    /// Everything directly below, with the field's name (empty in lists).
    pub(super) fn children_mut(&mut self) -> impl Iterator<Item = (&'static str, &mut Self)> {
        let (fields, items) = match self {
            Self::Struct { fields, .. } => (fields.as_mut_slice(), &mut [][..]),
            Self::List(items) => (&mut [][..], items.as_mut_slice()),
            Self::Text(_) | Self::Number(_) => (&mut [][..], &mut [][..]),
        };
        let fields = fields.iter_mut().map(|(name, value)| (*name, value));
        fields.chain(items.iter_mut().map(|item| ("", item)))
    }

    /// Visits this node and everything below it.
    pub(super) fn visit<'t>(&'t self, visitor: &mut impl FnMut(&'t Self)) {
        visitor(self);
        match self {
            Self::Struct { fields, .. } => {
                for (_, value) in fields {
                    value.visit(visitor);
                }
            }
            Self::List(items) => items.iter().for_each(|item| item.visit(visitor)),
            Self::Text(_) | Self::Number(_) => {}
        }
    }
}
