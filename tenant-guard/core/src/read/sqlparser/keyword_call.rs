//! What the grammar writes like calls, with words between the arguments, and typed constants.

use sqlparser::ast::{
    CeilFloorKind, DateTimeField, Expr, ExtractSyntax, Interval, TrimWhereField, TypedString,
    Value, ValueWithSpan,
};

use crate::Refusal;
use crate::facts::{Cast, Expressions, QualifiedName};
use crate::lexer::Kind;

use super::call::{push_call, push_system_function};
use super::figured::Figured;
use super::precedence::is_restricted;
use super::reader::Reader;
use super::type_name::Use;

impl Reader<'_> {
    pub(super) fn extract(
        &mut self,
        syntax: &ExtractSyntax,
        value: &Expr,
        into: &mut Expressions,
    ) -> Result<Figured, Refusal> {
        self.absent(*syntax == ExtractSyntax::From, "EXTRACT with a comma")?;
        push_system_function("extract", 2, self.point(), into);
        self.words("extract")?;
        self.mark(b'(')?;
        if self.sees_kind(Kind::String).is_some() {
            self.string_constant()?;
        } else {
            self.one_of(&[
                "century",
                "day",
                "decade",
                "dow",
                "doy",
                "epoch",
                "hour",
                "isodow",
                "isoyear",
                "julian",
                "microseconds",
                "millennium",
                "milliseconds",
                "minute",
                "month",
                "quarter",
                "second",
                "timezone",
                "timezone_hour",
                "timezone_minute",
                "week",
                "year",
            ])?;
        }
        self.words("from")?;
        self.expression(value, into)?;
        self.mark(b')')?;
        Ok(Figured::strong("extract"))
    }

    /// `ceil(x)` and `floor(x)`, which are plain functions here.
    pub(super) fn rounded(
        &mut self,
        names: &[&str],
        value: &Expr,
        field: &CeilFloorKind,
        into: &mut Expressions,
    ) -> Result<Figured, Refusal> {
        let plain = *field == CeilFloorKind::DateTimeField(DateTimeField::NoDateTime);
        self.absent(plain, "this call")?;
        let span = self.point();
        let name = names.iter().find(|name| self.eat(name));
        let name = *name.ok_or_else(|| self.lost())?;
        let called = QualifiedName {
            schema: None,
            name: name.into(),
            span,
        };
        push_call(called, 1, into);
        self.mark(b'(')?;
        self.expression(value, into)?;
        self.mark(b')')?;
        Ok(Figured::strong(name))
    }

    pub(super) fn position(
        &mut self,
        part: &Expr,
        whole: &Expr,
        into: &mut Expressions,
    ) -> Result<Figured, Refusal> {
        let plain = is_restricted(part) && is_restricted(whole);
        self.absent(plain, "POSITION of these operands")?;
        push_system_function("position", 2, self.point(), into);
        self.words("position")?;
        self.mark(b'(')?;
        self.expression(part, into)?;
        self.words("in")?;
        self.expression(whole, into)?;
        self.mark(b')')?;
        Ok(Figured::strong("position"))
    }

    /// `substring(x FROM y FOR z)`, or a plain call with commas.
    pub(super) fn substring(
        &mut self,
        value: &Expr,
        from: Option<&Expr>,
        length: Option<&Expr>,
        special: bool,
        shorthand: bool,
        into: &mut Expressions,
    ) -> Result<Figured, Refusal> {
        let name = if shorthand { "substr" } else { "substring" };
        let has_words = !special && from.is_some();
        self.absent(!(has_words && shorthand), "this call")?;
        // `substring(x FOR z)` casts z, which nobody wrote.
        self.absent(from.is_some() || length.is_none(), "SUBSTRING without FROM")?;
        let called = QualifiedName {
            schema: has_words.then(|| "pg_catalog".into()),
            name: name.into(),
            span: self.point(),
        };
        let parts = [from, length].into_iter().flatten().count();
        push_call(called, 1 + parts, into);
        self.words(name)?;
        self.mark(b'(')?;
        self.expression(value, into)?;
        for (word, part) in [("from", from), ("for", length)] {
            if let Some(part) = part {
                if has_words {
                    self.words(word)?;
                } else {
                    self.mark(b',')?;
                }
                self.expression(part, into)?;
            }
        }
        self.mark(b')')?;
        Ok(Figured::strong(name))
    }

    pub(super) fn trim(
        &mut self,
        side: Option<TrimWhereField>,
        what: Option<&Expr>,
        value: &Expr,
        characters: Option<&[Expr]>,
        into: &mut Expressions,
    ) -> Result<Figured, Refusal> {
        let (word, name) = match side {
            None => (None, "btrim"),
            Some(TrimWhereField::Both) => (Some("both"), "btrim"),
            Some(TrimWhereField::Leading) => (Some("leading"), "ltrim"),
            Some(TrimWhereField::Trailing) => (Some("trailing"), "rtrim"),
        };
        let others = usize::from(what.is_some()) + characters.map_or(0, <[Expr]>::len);
        push_system_function(name, 1 + others, self.point(), into);
        self.words("trim")?;
        self.mark(b'(')?;
        if let Some(word) = word {
            self.words(word)?;
        }
        if let Some(what) = what {
            self.expression(what, into)?;
            self.words("from")?;
        } else {
            self.eat("from");
        }
        self.expression(value, into)?;
        if let Some(characters) = characters {
            self.mark(b',')?;
            self.expressions(characters, into)?;
        }
        self.mark(b')')?;
        Ok(Figured::strong(name))
    }

    pub(super) fn overlay(
        &mut self,
        value: &Expr,
        parts: [(&str, Option<&Expr>); 3],
        into: &mut Expressions,
    ) -> Result<Figured, Refusal> {
        let others = parts.iter().filter(|(_, part)| part.is_some()).count();
        push_system_function("overlay", 1 + others, self.point(), into);
        self.words("overlay")?;
        self.mark(b'(')?;
        self.expression(value, into)?;
        for (word, part) in parts {
            if let Some(part) = part {
                self.words(word)?;
                self.expression(part, into)?;
            }
        }
        self.mark(b')')?;
        Ok(Figured::strong("overlay"))
    }

    /// `type '…'`
    pub(super) fn typed_string(
        &mut self,
        string: &TypedString,
        into: &mut Expressions,
    ) -> Result<Figured, Refusal> {
        let TypedString {
            data_type: _,
            value: _,
            uses_odbc_syntax,
        } = string;
        self.absent(!uses_odbc_syntax, "this literal")?;
        let type_name = self.type_name(Use::Constant)?;
        self.string_constant()?;
        let name = type_name.name.clone();
        into.casts.push(Cast {
            type_name,
            of_constant: true,
        });
        Ok(Figured::Weak(name))
    }

    /// `INTERVAL '…' [fields]`
    pub(super) fn interval(
        &mut self,
        interval: &Interval,
        into: &mut Expressions,
    ) -> Result<Figured, Refusal> {
        let Interval {
            value,
            // The fields are constants, and read from the tokens.
            leading_field: _,
            leading_precision: _,
            last_field: _,
            fractional_seconds_precision: _,
        } = interval;
        let is_string = matches!(
            **value,
            Expr::Value(ValueWithSpan {
                value: Value::SingleQuotedString(_) | Value::EscapedStringLiteral(_),
                span: _,
            })
        );
        self.absent(is_string, "an INTERVAL of something else than a string")?;
        let span = self.point();
        self.words("interval")?;
        self.string_constant()?;
        self.interval_fields()?;
        into.casts.push(Cast {
            type_name: QualifiedName {
                schema: Some("pg_catalog".into()),
                name: "interval".into(),
                span,
            },
            of_constant: true,
        });
        Ok(Figured::Weak("interval".into()))
    }

    /// A string of characters: not one of bits.
    pub(super) fn string_constant(&mut self) -> Result<(), Refusal> {
        if self.sees_kind(Kind::DollarString).is_some() {
            return self.take(Kind::DollarString).map(drop);
        }
        let refusal = self.lost();
        match self.take(Kind::String)?.as_bytes().first() {
            Some(b'\'' | b'e' | b'E') => Ok(()),
            Some(_) | None => Err(refusal),
        }
    }
}
