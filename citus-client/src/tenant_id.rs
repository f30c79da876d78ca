//! Which tenant a request is for.

mod column_value;
mod date_time;
mod error;
mod input;
mod to_sql;
mod to_text;

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use tenant_guard::TenantType;
use uuid::Uuid;

pub(crate) use column_value::ColumnValue;
pub use error::TenantIdError;

/// The value of the tenant column, as the application knows it; or the name of the tenant's own
/// schema ([`TenantId::schema`]).
///
/// The type of the column is not known here: a request converts the value to it, as a cast of
/// PostgreSQL would or not at all ([`TenantIdError`]). Integers fit integer columns of every width
/// that can hold them; a text is read as PostgreSQL reads a literal of the column's type, as far as
/// no setting of the session has a say in that.
///
/// It can be a secret or personal data, so `Debug` shows the type and not the value.
///
/// ```
/// use citus_client::TenantId;
/// let id = TenantId::from(42);
/// assert_eq!(format!("{id:?}"), "TenantId(integer)");
/// assert_eq!(id, TenantId::from(42_i16));
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TenantId(Value);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Value {
    Bool(bool),
    Bytes(Box<[u8]>),
    Date(NaiveDate),
    Integer(i64),
    /// No value of a column: the stored name of the tenant's own schema.
    Schema(Box<str>),
    Text(Box<str>),
    Timestamp(DateTime<Utc>),
    Uuid(Uuid),
}

impl TenantId {
    /// The hash by which Citus finds the shard when the tenant column has this type; `None` for a
    /// type that cannot be hashed exactly here.
    ///
    /// Text is hashed as UTF-8, which is what a database with that encoding does.
    ///
    /// # Errors
    /// The value is none of that type.
    ///
    /// ```
    /// use citus_client::{TenantId, TenantType};
    /// let id = TenantId::from("1");
    /// assert_eq!(id.hash_as(&TenantType::Int8)?, Some(-1905060026));
    /// assert_eq!(id.hash_as(&TenantType::from_sql("numeric"))?, None);
    /// assert!(TenantId::from(1_i64 << 40).hash_as(&TenantType::Int4).is_err());
    /// # Ok::<(), citus_client::TenantIdError>(())
    /// ```
    pub fn hash_as(&self, tenant_type: &TenantType) -> Result<Option<i32>, TenantIdError> {
        Ok(ColumnValue::new(self, tenant_type)?.hash())
    }

    /// A tenant that has its tables in a schema of its own, by the schema's name as it is stored: `Acme`
    /// and `acme` are two. See [`Cluster::schema_tenant`](crate::Cluster::schema_tenant).
    pub fn schema(name: impl Into<Box<str>>) -> Self {
        Self(Value::Schema(name.into()))
    }

    /// The name of the tenant's schema, if that is what tells it from others.
    pub(crate) fn as_schema(&self) -> Option<&str> {
        match &self.0 {
            Value::Schema(name) => Some(name),
            _ => None,
        }
    }

    fn kind(&self) -> &'static str {
        match self.0 {
            Value::Bool(_) => "boolean",
            Value::Bytes(_) => "bytes",
            Value::Date(_) => "date",
            Value::Integer(_) => "integer",
            Value::Schema(_) => "the name of a schema",
            Value::Text(_) => "text",
            Value::Timestamp(_) => "timestamp",
            Value::Uuid(_) => "uuid",
        }
    }
}

impl fmt::Debug for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TenantId({})", self.kind())
    }
}

macro_rules! from {
    ($($from:ty => |$value:ident| $to:expr;)*) => {
        $(impl From<$from> for TenantId {
            fn from($value: $from) -> Self {
                Self($to)
            }
        })*
    };
}

from! {
    bool => |value| Value::Bool(value);
    i16 => |value| Value::Integer(value.into());
    i32 => |value| Value::Integer(value.into());
    i64 => |value| Value::Integer(value);
    u32 => |value| Value::Integer(value.into());
    Uuid => |value| Value::Uuid(value);
    &str => |value| Value::Text(value.into());
    String => |value| Value::Text(value.into());
    &String => |value| Value::Text(value.as_str().into());
    &[u8] => |value| Value::Bytes(value.into());
    Vec<u8> => |value| Value::Bytes(value.into());
    NaiveDate => |value| Value::Date(value);
    DateTime<Utc> => |value| Value::Timestamp(value);
}

impl From<&TenantId> for TenantId {
    fn from(value: &TenantId) -> Self {
        value.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_is_not_shown() {
        let shown = format!("{:?}", TenantId::from("acme-secret"));
        assert_eq!(shown, "TenantId(text)");
    }
}
