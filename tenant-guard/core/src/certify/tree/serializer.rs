//! A serde serializer whose output is a [`Tree`].

use std::fmt;

use serde::ser::{Impossible, Serialize, SerializeSeq, SerializeStruct, Serializer};

use super::Tree;

/// Fields that only say where something stands in the text.
const POSITIONS: &[&str] = &[
    "location",
    "stmt_location",
    "stmt_len",
    "list_start",
    "list_end",
    "rexpr_list_start",
    "rexpr_list_end",
    "arg_location",
    "name_location",
];

/// Serializes to a tree, which is `Nothing` for a default value.
pub(super) struct Trees;

/// A shape that libpg_query's types do not have.
#[derive(Debug)]
pub(super) struct UnknownShape;

impl fmt::Display for UnknownShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unknown shape")
    }
}

impl std::error::Error for UnknownShape {}

impl serde::ser::Error for UnknownShape {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

type Made = Result<Tree, UnknownShape>;

fn number(value: i64) -> Tree {
    if value == 0 {
        Tree::Nothing
    } else {
        Tree::Number(value)
    }
}

impl Serializer for Trees {
    type Ok = Tree;
    type Error = UnknownShape;
    type SerializeSeq = ListBuilder;
    type SerializeStruct = StructBuilder;
    type SerializeTuple = Impossible<Self::Ok, Self::Error>;
    type SerializeTupleStruct = Impossible<Self::Ok, Self::Error>;
    type SerializeTupleVariant = Impossible<Self::Ok, Self::Error>;
    type SerializeMap = Impossible<Self::Ok, Self::Error>;
    type SerializeStructVariant = Impossible<Self::Ok, Self::Error>;

    fn serialize_bool(self, value: bool) -> Made {
        Ok(number(i64::from(value)))
    }

    fn serialize_i32(self, value: i32) -> Made {
        Ok(number(i64::from(value)))
    }

    fn serialize_i64(self, value: i64) -> Made {
        Ok(number(value))
    }

    fn serialize_u32(self, value: u32) -> Made {
        Ok(number(i64::from(value)))
    }

    fn serialize_u64(self, value: u64) -> Made {
        i64::try_from(value).map(number).map_err(|_| UnknownShape)
    }

    fn serialize_str(self, value: &str) -> Made {
        Ok(if value.is_empty() {
            Tree::Nothing
        } else {
            Tree::Text(value.to_owned())
        })
    }

    fn serialize_none(self) -> Made {
        Ok(Tree::Nothing)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Made {
        value.serialize(self)
    }

    /// The variants of `Node` and of a constant's value: each holds a struct of its own name.
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Made {
        value.serialize(self)
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<ListBuilder, UnknownShape> {
        Ok(ListBuilder(Vec::with_capacity(len.unwrap_or(0))))
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<StructBuilder, UnknownShape> {
        Ok(StructBuilder {
            name,
            location: -1,
            fields: Vec::new(),
        })
    }

    fn serialize_i8(self, _: i8) -> Made {
        Err(UnknownShape)
    }

    fn serialize_i16(self, _: i16) -> Made {
        Err(UnknownShape)
    }

    fn serialize_u8(self, _: u8) -> Made {
        Err(UnknownShape)
    }

    fn serialize_u16(self, _: u16) -> Made {
        Err(UnknownShape)
    }

    fn serialize_f32(self, _: f32) -> Made {
        Err(UnknownShape)
    }

    fn serialize_f64(self, _: f64) -> Made {
        Err(UnknownShape)
    }

    fn serialize_char(self, _: char) -> Made {
        Err(UnknownShape)
    }

    fn serialize_bytes(self, _: &[u8]) -> Made {
        Err(UnknownShape)
    }

    fn serialize_unit(self) -> Made {
        Err(UnknownShape)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Made {
        Err(UnknownShape)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Made {
        Err(UnknownShape)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, _: &T) -> Made {
        Err(UnknownShape)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, UnknownShape> {
        Err(UnknownShape)
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, UnknownShape> {
        Err(UnknownShape)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, UnknownShape> {
        Err(UnknownShape)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, UnknownShape> {
        Err(UnknownShape)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, UnknownShape> {
        Err(UnknownShape)
    }
}

pub(super) struct ListBuilder(Vec<Tree>);

impl SerializeSeq for ListBuilder {
    type Ok = Tree;
    type Error = UnknownShape;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), UnknownShape> {
        // An empty item still counts: `(a, , b)` is not `(a, b)`.
        self.0.push(value.serialize(Trees)?);
        Ok(())
    }

    fn end(self) -> Made {
        Ok(Tree::list(self.0))
    }
}

pub(super) struct StructBuilder {
    name: &'static str,
    location: i32,
    fields: Vec<(&'static str, Tree)>,
}

impl SerializeStruct for StructBuilder {
    type Ok = Tree;
    type Error = UnknownShape;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        field: &'static str,
        value: &T,
    ) -> Result<(), UnknownShape> {
        let value = value.serialize(Trees)?;
        if POSITIONS.contains(&field) {
            if field == "location" {
                self.location = match value {
                    Tree::Number(location) => i32::try_from(location).unwrap_or(-1),
                    _ => 0,
                };
            }
            return Ok(());
        }
        if value != Tree::Nothing {
            self.fields.push((field, value));
        }
        Ok(())
    }

    /// `Node` is only a wrapper around its variant.
    fn end(mut self) -> Made {
        if self.name == "Node" {
            return Ok(self
                .fields
                .pop()
                .map_or(Tree::Nothing, |(_, variant)| variant));
        }
        Ok(Tree::Node {
            name: self.name,
            location: self.location,
            fields: self.fields,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(serde::Serialize)]
    struct Unit;

    #[derive(serde::Serialize)]
    struct Newtype(i32);

    #[derive(serde::Serialize)]
    struct Pair(i32, i32);

    #[derive(serde::Serialize)]
    enum Variant {
        Unit,
        Newtype(i32),
        Pair(i32, i32),
        Fields { number: i32 },
    }

    struct Bytes;

    impl Serialize for Bytes {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_bytes(b"a")
        }
    }

    fn of(value: &impl Serialize) -> Made {
        value.serialize(Trees)
    }

    #[test]
    fn values_are_kept_and_defaults_are_not() {
        assert_eq!(of(&true).unwrap(), Tree::Number(1));
        assert_eq!(of(&-7_i32).unwrap(), Tree::Number(-7));
        assert_eq!(of(&7_i64).unwrap(), Tree::Number(7));
        assert_eq!(of(&7_u32).unwrap(), Tree::Number(7));
        assert_eq!(of(&7_u64).unwrap(), Tree::Number(7));
        assert_eq!(of(&"a").unwrap(), Tree::Text("a".to_owned()));
        assert_eq!(of(&Some(7_i32)).unwrap(), Tree::Number(7));
        assert_eq!(of(&Variant::Newtype(7)).unwrap(), Tree::Number(7));
        let list = Tree::List(vec![Tree::Number(7), Tree::Nothing]);
        assert_eq!(of(&vec![7_i32, 0]).unwrap(), list);
        for default in [
            of(&false),
            of(&0_i32),
            of(&""),
            of(&None::<i32>),
            of(&Vec::<i32>::new()),
        ] {
            assert_eq!(default.unwrap(), Tree::Nothing);
        }
    }

    #[test]
    fn shapes_that_libpg_query_does_not_have_are_errors() {
        for made in [
            of(&1_i8),
            of(&1_i16),
            of(&1_u8),
            of(&1_u16),
            of(&u64::MAX),
            of(&1_f32),
            of(&1_f64),
            of(&'a'),
            of(&Bytes),
            of(&()),
            of(&Unit),
            of(&Newtype(1)),
            of(&Pair(1, 2)),
            of(&(1, 2)),
            of(&Variant::Unit),
            of(&Variant::Pair(1, 2)),
            of(&Variant::Fields { number: 1 }),
            of(&BTreeMap::from([(1, 2)])),
        ] {
            assert!(made.is_err(), "{made:?}");
        }
    }

    #[test]
    fn positions_are_set_aside() {
        #[derive(serde::Serialize)]
        struct Node {
            node: Option<Variant>,
        }

        #[derive(serde::Serialize)]
        struct ParamRef {
            number: i32,
            location: i32,
            stmt_len: i32,
        }

        #[derive(serde::Serialize)]
        struct Nowhere {
            number: i32,
        }

        let param = |number, location| {
            let stmt_len = location;
            of(&ParamRef {
                number,
                location,
                stmt_len,
            })
            .unwrap()
        };
        assert_eq!(param(1, 7), param(1, 8));
        assert_ne!(param(1, 7), param(2, 7));
        assert_eq!((param(1, 7).location(), param(1, 0).location()), (7, 0));
        // What does not say where it stands, stands nowhere.
        assert_eq!(of(&Nowhere { number: 1 }).unwrap().location(), -1);
        assert_eq!(Tree::List(Vec::new()).location(), -1);
        // `Node` is only a wrapper.
        let node = Some(Variant::Newtype(7));
        assert_eq!(of(&Node { node }).unwrap(), Tree::Number(7));
        let text = UnknownShape.to_string();
        assert_eq!(
            <UnknownShape as serde::ser::Error>::custom(1).to_string(),
            text
        );
        assert_eq!(text, "unknown shape");
    }
}
