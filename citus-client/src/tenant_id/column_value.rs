//! A tenant's value in the type of the tenant column.

use std::borrow::Cow;
use std::fmt;

use tenant_guard::TenantType;

use super::{TenantId, TenantIdError, Value, date_time, input};
use crate::hash;

/// A [`TenantId`] that is known to be a value of the tenant column's type. Making one allocates
/// nothing, but for a `bytea` that is given as text.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum ColumnValue<'a> {
    Bool(bool),
    Bpchar(&'a str),
    Bytea(Cow<'a, [u8]>),
    /// Days since 2000-01-01.
    Date(i32),
    /// Of any width that holds it.
    Integer(i64),
    /// A type that only the server understands; it reads the value as text.
    Other(Cow<'a, str>),
    Text(&'a str),
    /// Microseconds since 2000-01-01 00:00 UTC.
    Timestamptz(i64),
    Uuid([u8; 16]),
}

impl<'a> ColumnValue<'a> {
    /// Converts as PostgreSQL casts, or says why not.
    pub(crate) fn new(id: &'a TenantId, expected: &TenantType) -> Result<Self, TenantIdError> {
        let value = &id.0;
        match value {
            Value::Text(text) => Self::from_text(text, expected),
            Value::Integer(number) => Self::from_integer(*number, expected),
            _ => {
                let converted = match (expected, value) {
                    (TenantType::Bool, Value::Bool(value)) => Some(Self::Bool(*value)),
                    (TenantType::Bytea, Value::Bytes(bytes)) => {
                        Some(Self::Bytea(Cow::Borrowed(bytes)))
                    }
                    (TenantType::Uuid, Value::Uuid(uuid)) => Some(Self::Uuid(uuid.into_bytes())),
                    (TenantType::Other(_), Value::Uuid(uuid)) => {
                        Some(Self::Other(uuid.to_string().into()))
                    }
                    (TenantType::Date, Value::Date(date)) => date_time::days(*date).map(Self::Date),
                    (TenantType::Timestamptz, Value::Timestamp(time)) => {
                        let microseconds = date_time::microseconds(*time).ok_or_else(|| {
                            TenantIdError::OutOfRange {
                                expected: expected.clone(),
                            }
                        })?;
                        Some(Self::Timestamptz(microseconds))
                    }
                    _ => None,
                };
                converted.ok_or_else(|| TenantIdError::Kind {
                    given: id.kind(),
                    expected: expected.clone(),
                })
            }
        }
    }

    fn from_integer(number: i64, expected: &TenantType) -> Result<Self, TenantIdError> {
        let fits = match expected {
            TenantType::Int2 => i16::try_from(number).is_ok(),
            TenantType::Int4 => i32::try_from(number).is_ok(),
            TenantType::Int8 => true,
            TenantType::Other(_) => return Ok(Self::Other(number.to_string().into())),
            _ => {
                return Err(TenantIdError::Kind {
                    given: "integer",
                    expected: expected.clone(),
                });
            }
        };
        if fits {
            Ok(Self::Integer(number))
        } else {
            Err(TenantIdError::OutOfRange {
                expected: expected.clone(),
            })
        }
    }

    fn from_text(text: &'a str, expected: &TenantType) -> Result<Self, TenantIdError> {
        if text.contains('\0') {
            return Err(TenantIdError::Nul);
        }
        let read = match expected {
            TenantType::Text | TenantType::Varchar => return Ok(Self::Text(text)),
            TenantType::Bpchar => return Ok(Self::Bpchar(text)),
            TenantType::Int2 | TenantType::Int4 | TenantType::Int8 => {
                return match input::integer(text) {
                    Some(number) => Self::from_integer(number, expected),
                    None => Err(TenantIdError::Unreadable {
                        expected: expected.clone(),
                    }),
                };
            }
            TenantType::Bool => input::boolean(text).map(Self::Bool),
            TenantType::Bytea => input::bytea(text).map(|bytes| Self::Bytea(Cow::Owned(bytes))),
            TenantType::Uuid => input::uuid(text).map(Self::Uuid),
            TenantType::Date => date_time::read_date(text).map(Self::Date),
            TenantType::Timestamptz => date_time::read_timestamptz(text).map(Self::Timestamptz),
            // `Other`, and types that the guard may learn to name: they are not hashed here.
            _ => Some(Self::Other(Cow::Borrowed(text))),
        };
        read.ok_or_else(|| TenantIdError::Unreadable {
            expected: expected.clone(),
        })
    }

    /// The hash that decides about the shard; `None` for types that are not hashed here.
    pub(crate) fn hash(&self) -> Option<i32> {
        match self {
            Self::Bool(value) => Some(hash::hash_bool(*value)),
            Self::Bpchar(text) => Some(hash::hash_bpchar(text)),
            Self::Bytea(bytes) => Some(hash::hash_bytea(bytes)),
            Self::Date(days) => Some(hash::hash_date(*days)),
            Self::Integer(number) => Some(hash::hash_int8(*number)),
            Self::Other(_) => None,
            Self::Text(text) => Some(hash::hash_text(text)),
            Self::Timestamptz(microseconds) => Some(hash::hash_timestamptz(*microseconds)),
            Self::Uuid(bytes) => Some(hash::hash_uuid(bytes)),
        }
    }

    /// Whether the server holds it as the bytes that were hashed, whatever its encoding is: not so
    /// for a text beyond ASCII in a database that is not UTF-8.
    pub(crate) fn is_ascii(&self) -> bool {
        match self {
            Self::Text(text) | Self::Bpchar(text) => text.is_ascii(),
            _ => true,
        }
    }
}

impl fmt::Debug for ColumnValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The driver below logs parameters with `Debug`.
        f.write_str("tenant")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(id: impl Into<TenantId>, expected: &TenantType) -> TenantIdError {
        ColumnValue::new(&id.into(), expected).unwrap_err()
    }

    #[test]
    fn integers_fit_or_are_refused() {
        let id = TenantId::from(40_000);
        assert!(ColumnValue::new(&id, &TenantType::Int4).is_ok());
        let out_of_range = TenantIdError::OutOfRange {
            expected: TenantType::Int2,
        };
        assert_eq!(error(40_000, &TenantType::Int2), out_of_range);
        assert_eq!(error("40000", &TenantType::Int2), out_of_range);
        let kind = TenantIdError::Kind {
            given: "integer",
            expected: TenantType::Text,
        };
        assert_eq!(error(7, &TenantType::Text), kind);
    }

    #[test]
    fn one_tenant_is_one_value_however_it_is_given() {
        let uuid = uuid::Uuid::from_u128(0x1234);
        let (given, text) = (TenantId::from(uuid), TenantId::from(uuid.to_string()));
        assert_eq!(
            ColumnValue::new(&given, &TenantType::Uuid),
            ColumnValue::new(&text, &TenantType::Uuid)
        );
        let bytes = TenantId::from(&b"\x01\xff"[..]);
        assert_eq!(
            ColumnValue::new(&bytes, &TenantType::Bytea),
            ColumnValue::new(&TenantId::from("\\x01FF"), &TenantType::Bytea)
        );
    }

    #[test]
    fn a_session_setting_never_decides_what_a_value_means() {
        let date = TenantId::from(chrono::NaiveDate::from_ymd_opt(2024, 2, 3).unwrap());
        assert!(ColumnValue::new(&date, &TenantType::Timestamptz).is_err());
        let unreadable = TenantIdError::Unreadable {
            expected: TenantType::Date,
        };
        assert_eq!(error("03/02/2024", &TenantType::Date), unreadable);
    }

    #[test]
    fn unhashed_types_have_no_hash() {
        let id = TenantId::from(7);
        let value = ColumnValue::new(&id, &TenantType::from_sql("numeric")).unwrap();
        assert_eq!(value.hash(), None);
    }

    #[test]
    fn nul_is_refused() {
        assert_eq!(error("a\0b", &TenantType::Text), TenantIdError::Nul);
    }
}
