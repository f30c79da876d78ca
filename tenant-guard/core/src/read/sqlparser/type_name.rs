//! Types: read from the tokens alone, by PostgreSQL's grammar (`Typename`, `gram.y`).
//!
//! sqlparser's own idea of a type is not looked at. Where it is another one, it ends at another token,
//! and the rest of its tree does not spell the text.

use crate::facts::{QualifiedName, Span};
use crate::lexer::{Kind, fold, unquote};
use crate::{Ident, Refusal};

use super::keywords::Place;
use super::reader::Reader;

/// Where a type stands, which says what may follow its name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// `x::type`, `CAST(x AS type)`, a column definition.
    Cast,
    /// `type '…'`
    Constant,
}

impl Reader<'_> {
    /// A type's name as PostgreSQL stores it, with one byte as its place.
    pub(super) fn type_name(&mut self, used: Use) -> Result<QualifiedName, Refusal> {
        let span = self.point();
        let name = match self.builtin_type()? {
            Some(name) => QualifiedName {
                schema: Some("pg_catalog".into()),
                name: name.into(),
                span,
            },
            None => self.generic_type(used, span)?,
        };
        if used == Use::Cast {
            self.array_bounds()?;
        }
        Ok(name)
    }

    /// A type that the grammar knows by keywords, by the name that it gives it.
    fn builtin_type(&mut self) -> Result<Option<&'static str>, Refusal> {
        let Some(word) = self.sees_kind(Kind::Word) else {
            return Ok(None);
        };
        let plain = match word.to_ascii_lowercase().as_str() {
            "int" | "integer" => "int4",
            "smallint" => "int2",
            "bigint" => "int8",
            "real" => "float4",
            "boolean" => "bool",
            "json" => "json",
            "decimal" | "dec" | "numeric" => {
                self.take(Kind::Word)?;
                self.modifiers()?;
                return Ok(Some("numeric"));
            }
            "float" => return self.float().map(Some),
            "bit" => {
                self.take(Kind::Word)?;
                let varying = self.eat("varying");
                self.modifiers()?;
                return Ok(Some(if varying { "varbit" } else { "bit" }));
            }
            "character" | "char" | "nchar" | "national" | "varchar" => {
                return self.character().map(Some);
            }
            "timestamp" => return self.with_zone("timestamp", "timestamptz").map(Some),
            "time" => return self.with_zone("time", "timetz").map(Some),
            "interval" => {
                self.take(Kind::Word)?;
                if self.sees_mark(b'(') {
                    self.precision()?;
                } else {
                    self.interval_fields()?;
                }
                return Ok(Some("interval"));
            }
            _ if self.eat("double precision") => return Ok(Some("float8")),
            _ => return Ok(None),
        };
        self.take(Kind::Word)?;
        Ok(Some(plain))
    }

    fn float(&mut self) -> Result<&'static str, Refusal> {
        self.words("float")?;
        if !self.eat_mark(b'(') {
            return Ok("float8");
        }
        let bits = self.take(Kind::Number)?.parse::<u32>().ok();
        let name = match bits {
            Some(1..=24) => "float4",
            Some(25..=53) => "float8",
            Some(_) | None => return Err(self.lost()),
        };
        self.mark(b')')?;
        Ok(name)
    }

    fn character(&mut self) -> Result<&'static str, Refusal> {
        let varying = self.eat("varchar") || {
            if self.eat("national") {
                self.one_of(&["character", "char"])?;
            } else {
                self.one_of(&["character", "char", "nchar"])?;
            }
            self.eat("varying")
        };
        if self.sees_mark(b'(') {
            self.precision()?;
        }
        Ok(if varying { "varchar" } else { "bpchar" })
    }

    fn with_zone(
        &mut self,
        without: &'static str,
        with: &'static str,
    ) -> Result<&'static str, Refusal> {
        self.take(Kind::Word)?;
        if self.sees_mark(b'(') {
            self.precision()?;
        }
        if self.eat("with time zone") {
            return Ok(with);
        }
        self.eat("without time zone");
        Ok(without)
    }

    /// `opt_interval`
    pub(super) fn interval_fields(&mut self) -> Result<(), Refusal> {
        let fields = [
            "year to month",
            "day to hour",
            "day to minute",
            "day to second",
            "hour to minute",
            "hour to second",
            "minute to second",
            "year",
            "month",
            "day",
            "hour",
            "minute",
            "second",
        ];
        let field = fields.iter().find(|fields| self.eat(fields));
        if field.is_some_and(|field| field.ends_with("second")) && self.sees_mark(b'(') {
            self.precision()?;
        }
        Ok(())
    }

    /// `GenericType`: a function's kind of name, perhaps with its schema and with modifiers.
    fn generic_type(&mut self, used: Use, span: Span) -> Result<QualifiedName, Refusal> {
        let first = self.type_part(Place::Function)?;
        let (schema, name) = if self.eat_mark(b'.') {
            (Some(first), self.type_part(Place::Label)?)
        } else {
            (None, first)
        };
        if self.sees_mark(b'.') {
            return Err(self.unknown("a name of this many parts"));
        }
        if used == Use::Cast {
            self.modifiers()?;
        }
        Ok(QualifiedName { schema, name, span })
    }

    pub(super) fn type_part(&mut self, place: Place) -> Result<Ident, Refusal> {
        if let Some(word) = self.sees_kind(Kind::Word) {
            if !place.takes(word) || self.is_taken_ahead() {
                return Err(self.lost());
            }
            return self.take(Kind::Word).map(fold);
        }
        let quoted = self.take(Kind::QuotedWord)?;
        match unquote(quoted) {
            empty if empty.as_str().is_empty() => Err(self.lost()),
            name => Ok(name),
        }
    }

    /// `(n, …)` of constants, if it is there.
    fn modifiers(&mut self) -> Result<(), Refusal> {
        if !self.eat_mark(b'(') {
            return Ok(());
        }
        loop {
            let constant = [Kind::Number, Kind::String, Kind::DollarString]
                .into_iter()
                .find(|kind| self.sees_kind(*kind).is_some());
            match constant {
                Some(kind) => self.take(kind)?,
                None => return Err(self.lost()),
            };
            if !self.eat_mark(b',') {
                return self.mark(b')');
            }
        }
    }

    /// `(n)` with a whole number.
    pub(super) fn precision(&mut self) -> Result<(), Refusal> {
        self.mark(b'(')?;
        self.whole_number()?;
        self.mark(b')')
    }

    /// `Iconst`
    fn whole_number(&mut self) -> Result<(), Refusal> {
        match self.take(Kind::Number)?.parse::<i32>() {
            Ok(_) => Ok(()),
            Err(_) => Err(self.lost()),
        }
    }

    /// `[]`, `[3]`, `ARRAY`, `ARRAY[3]`
    fn array_bounds(&mut self) -> Result<(), Refusal> {
        if self.eat("array") {
            if self.eat_mark(b'[') {
                self.whole_number()?;
                self.mark(b']')?;
            }
            return Ok(());
        }
        while self.eat_mark(b'[') {
            if !self.sees_mark(b']') {
                self.whole_number()?;
            }
            self.mark(b']')?;
        }
        Ok(())
    }
}
