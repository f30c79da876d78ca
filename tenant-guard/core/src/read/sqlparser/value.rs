//! What stands by itself: names, literals, parameters, sub-queries, arrays, and parts of them.

use sqlparser::ast::{AccessExpr, Array, Expr, Ident, Query, Subscript, Value, ValueWithSpan};

use crate::Refusal;
use crate::facts::{ColumnName, Expressions, FieldName};
use crate::lexer::Kind;

use super::adapt::ABSENT;
use super::figured::Figured;
use super::keywords::Place;
use super::reader::Reader;

impl Reader<'_> {
    /// A query in parentheses; its column has the name of the query's first.
    pub(super) fn subquery(
        &mut self,
        query: &Query,
        into: &mut Expressions,
    ) -> Result<Figured, Refusal> {
        self.mark(b'(')?;
        let query = self.query(query)?;
        self.mark(b')')?;
        into.subqueries.push(query);
        Ok(std::mem::replace(&mut self.first_output, Figured::Nothing))
    }

    /// `[…]` behind `ARRAY`: values, or arrays of one level less.
    pub(super) fn array(&mut self, array: &Array, into: &mut Expressions) -> Result<(), Refusal> {
        let Array { elem, named: _ } = array;
        self.mark(b'[')?;
        let inner: Vec<&Array> = elem.iter().filter_map(inner_array).collect();
        if inner.is_empty() {
            self.expressions(elem, into)?;
        } else {
            self.absent(inner.len() == elem.len(), "this array")?;
            self.list(inner, |reader, inner| {
                reader.nested(|reader| reader.array(inner, into))
            })?;
        }
        self.mark(b']')
    }

    /// `value.field`, `value[1]`, `value[1:2]`
    pub(super) fn access(
        &mut self,
        root: &Expr,
        steps: &[AccessExpr],
        into: &mut Expressions,
    ) -> Result<Figured, Refusal> {
        let mut steps = steps.iter().peekable();
        let mut figured = match root {
            Expr::Identifier(first) => {
                // The names up to the first bracket are a column's.
                let mut parts = vec![first];
                while let Some(AccessExpr::Dot(Expr::Identifier(part))) = steps.peek() {
                    parts.push(part);
                    steps.next();
                }
                self.column(&parts, into)?
            }
            Expr::CompoundIdentifier(parts) => {
                let parts: Vec<_> = parts.iter().collect();
                self.column(&parts, into)?
            }
            Expr::Nested(_)
            | Expr::Subquery(_)
            | Expr::Value(ValueWithSpan {
                value: Value::Placeholder(_),
                span: _,
            }) => self.expression(root, into)?,
            _ => return Err(self.unknown("a part of this expression without parentheses")),
        };
        while let Some(step) = steps.next() {
            match step {
                // `(value).*`
                AccessExpr::Dot(Expr::Identifier(field)) if field.value == ABSENT => {
                    self.absent(steps.peek().is_none(), "a part of all fields of a value")?;
                    self.mark(b'.')?;
                    self.symbol("*")?;
                }
                AccessExpr::Dot(Expr::Identifier(field)) => {
                    self.mark(b'.')?;
                    let name = self.name(field, Place::Label)?;
                    figured = Figured::Strong(name.clone());
                    into.fields.push(FieldName { name, span: 0..0 });
                }
                AccessExpr::Dot(_) => return Err(self.unknown("this part of a value")),
                AccessExpr::Subscript(subscript) => self.subscript(subscript, into)?,
            }
        }
        Ok(figured)
    }

    fn subscript(&mut self, subscript: &Subscript, into: &mut Expressions) -> Result<(), Refusal> {
        self.mark(b'[')?;
        match subscript {
            Subscript::Index { index } => {
                self.expression(index, into)?;
            }
            Subscript::Slice {
                lower_bound,
                upper_bound,
                stride,
            } => {
                self.absent(stride.is_none(), "a slice with a stride")?;
                if let Some(lower) = lower_bound {
                    self.expression(lower, into)?;
                }
                self.mark(b':')?;
                if let Some(upper) = upper_bound {
                    self.expression(upper, into)?;
                }
            }
        }
        self.mark(b']')
    }

    /// A name without dots: a column, or a word that stands for a value.
    pub(super) fn identifier(
        &mut self,
        name: &Ident,
        into: &mut Expressions,
    ) -> Result<Figured, Refusal> {
        let is_word = name.quote_style.is_none();
        if is_word && name.value.eq_ignore_ascii_case("default") {
            self.words("default")?;
            return Ok(Figured::Nothing);
        }
        if is_word && let Some(value) = self.value_function(&name.value)? {
            return Ok(value);
        }
        self.column(&[name], into)
    }

    pub(super) fn column(
        &mut self,
        parts: &[&Ident],
        into: &mut Expressions,
    ) -> Result<Figured, Refusal> {
        self.absent(parts.len() <= 3, "a column named with its database")?;
        let (mut names, span) = self.dotted_parts(parts, Place::Column)?;
        let name = names.pop().ok_or_else(|| self.lost())?;
        let qualifier = names.pop();
        into.columns.push(ColumnName {
            schema: names.pop(),
            qualifier,
            name: Some(name.clone()),
            span,
        });
        Ok(Figured::Strong(name))
    }

    /// A literal or a parameter.
    pub(super) fn value(&mut self, value: &ValueWithSpan) -> Result<Figured, Refusal> {
        let ValueWithSpan { value, span: _ } = value;
        match value {
            Value::Number(..) => {
                self.take(Kind::Number)?;
            }
            Value::SingleQuotedString(_)
            | Value::EscapedStringLiteral(_)
            | Value::SingleQuotedByteStringLiteral(_)
            | Value::HexStringLiteral(_) => {
                self.take(Kind::String)?;
            }
            Value::DollarQuotedString(_) => {
                self.take(Kind::DollarString)?;
            }
            Value::Boolean(true) => self.words("true")?,
            Value::Boolean(false) => self.words("false")?,
            Value::Null => self.words("null")?,
            Value::Placeholder(_) => self.parameter()?,
            Value::TripleSingleQuotedString(_)
            | Value::TripleDoubleQuotedString(_)
            | Value::UnicodeStringLiteral(_)
            | Value::DoubleQuotedByteStringLiteral(_)
            | Value::TripleSingleQuotedByteStringLiteral(_)
            | Value::TripleDoubleQuotedByteStringLiteral(_)
            | Value::SingleQuotedRawStringLiteral(_)
            | Value::DoubleQuotedRawStringLiteral(_)
            | Value::TripleSingleQuotedRawStringLiteral(_)
            | Value::TripleDoubleQuotedRawStringLiteral(_)
            | Value::NationalStringLiteral(_)
            | Value::QuoteDelimitedStringLiteral(_)
            | Value::NationalQuoteDelimitedStringLiteral(_)
            | Value::DoubleQuotedString(_) => return Err(self.unknown("this literal")),
        }
        Ok(Figured::Nothing)
    }

    fn parameter(&mut self) -> Result<(), Refusal> {
        let refusal = self.unknown("a parameter of this number");
        let number = self.take(Kind::Parameter)?.strip_prefix('$');
        match number.and_then(|number| number.parse::<u32>().ok()) {
            // The protocol counts parameters in 16 bits, and one more is added.
            Some(number) if (1..u32::from(u16::MAX)).contains(&number) => {
                self.max_param = self.max_param.max(number);
                Ok(())
            }
            Some(_) | None => Err(refusal),
        }
    }
}

/// `[…]` without `ARRAY`.
fn inner_array(expression: &Expr) -> Option<&Array> {
    match expression {
        Expr::Array(array) => (!array.named).then_some(array),
        _ => None,
    }
}
