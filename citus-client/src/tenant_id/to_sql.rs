//! The tenant's value as a parameter of a statement.

use std::error::Error;

use bytes::BytesMut;
use postgres_types::{Format, IsNull, ToSql, Type, WrongType, to_sql_checked};

use super::ColumnValue;

impl ToSql for ColumnValue<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Bool(value) if *ty == Type::BOOL => value.to_sql(ty, out),
            Self::Bytea(bytes) if *ty == Type::BYTEA => bytes.as_ref().to_sql(ty, out),
            Self::Date(days) if *ty == Type::DATE => days.to_sql(&Type::INT4, out),
            Self::Integer(number) => integer(*number, ty, out),
            Self::Bpchar(text) | Self::Text(text) if is_text(ty) => text.to_sql(ty, out),
            // In the text format, which the server reads as a cast from text would.
            Self::Other(text) => {
                out.extend_from_slice(text.as_bytes());
                Ok(IsNull::No)
            }
            Self::Timestamptz(microseconds) if *ty == Type::TIMESTAMPTZ => {
                microseconds.to_sql(&Type::INT8, out)
            }
            Self::Uuid(bytes) if *ty == Type::UUID => {
                out.extend_from_slice(bytes);
                Ok(IsNull::No)
            }
            _ => Err(wrong(ty)),
        }
    }

    // What is accepted depends on the value, so `to_sql` decides.
    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        match self {
            Self::Other(_) => Format::Text,
            _ => Format::Binary,
        }
    }

    to_sql_checked!();
}

/// The server may have chosen a wider type than the column's; never does a number change.
fn integer(
    number: i64,
    ty: &Type,
    out: &mut BytesMut,
) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
    match *ty {
        Type::INT2 => i16::try_from(number)?.to_sql(ty, out),
        Type::INT4 => i32::try_from(number)?.to_sql(ty, out),
        Type::INT8 => number.to_sql(ty, out),
        _ => Err(wrong(ty)),
    }
}

fn is_text(ty: &Type) -> bool {
    [Type::TEXT, Type::VARCHAR, Type::BPCHAR].contains(ty)
}

fn wrong(ty: &Type) -> Box<dyn Error + Sync + Send> {
    Box::new(WrongType::new::<ColumnValue<'_>>(ty.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(value: &ColumnValue<'_>, ty: &Type) -> Option<Vec<u8>> {
        let mut out = BytesMut::new();
        value
            .to_sql_checked(ty, &mut out)
            .ok()
            .map(|_| out.to_vec())
    }

    #[test]
    fn an_integer_keeps_its_value_in_every_width() {
        let value = ColumnValue::Integer(-2);
        assert_eq!(encoded(&value, &Type::INT2), Some(vec![0xff, 0xfe]));
        assert_eq!(
            encoded(&value, &Type::INT4),
            Some(vec![0xff, 0xff, 0xff, 0xfe])
        );
        assert_eq!(encoded(&ColumnValue::Integer(1 << 40), &Type::INT4), None);
    }

    #[test]
    fn another_type_is_refused() {
        assert_eq!(encoded(&ColumnValue::Integer(1), &Type::TEXT), None);
        assert_eq!(encoded(&ColumnValue::Text("1"), &Type::INT8), None);
        assert_eq!(encoded(&ColumnValue::Uuid([0; 16]), &Type::BYTEA), None);
    }

    #[test]
    fn what_only_the_server_reads_is_sent_as_text() {
        let value = ColumnValue::Other("12.50".into());
        assert!(matches!(value.encode_format(&Type::NUMERIC), Format::Text));
        assert_eq!(encoded(&value, &Type::NUMERIC), Some(b"12.50".to_vec()));
    }
}
