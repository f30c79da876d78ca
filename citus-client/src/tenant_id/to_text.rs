//! The tenant's value as text that PostgreSQL reads back as the same value, whatever its settings are.

use std::fmt::Write;

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};

use super::ColumnValue;

impl ColumnValue<'_> {
    /// `None` for days and times outside of the years 1 to 9999, and for the infinite ones.
    pub(crate) fn to_text(&self) -> Option<String> {
        Some(match self {
            Self::Bool(value) => value.to_string(),
            Self::Bytea(bytes) => {
                let mut hex = String::from("\\x");
                for byte in bytes.iter() {
                    // Writing to a String cannot fail.
                    let _ = write!(hex, "{byte:02x}");
                }
                hex
            }
            Self::Date(days) => {
                let days = TimeDelta::try_days(i64::from(*days))?;
                let date = epoch()?.date_naive().checked_add_signed(days)?;
                is_plain(date).then(|| date.to_string())?
            }
            Self::Integer(number) => number.to_string(),
            Self::Bpchar(text) | Self::Text(text) => (*text).to_owned(),
            Self::Other(text) => text.clone().into_owned(),
            Self::Timestamptz(microseconds) => {
                let passed = TimeDelta::microseconds(*microseconds);
                let time = epoch()?.checked_add_signed(passed)?;
                is_plain(time.date_naive())
                    .then(|| time.format("%Y-%m-%d %H:%M:%S%.6f+00").to_string())?
            }
            Self::Uuid(bytes) => uuid::Uuid::from_bytes(*bytes).to_string(),
        })
    }
}

/// 2000-01-01 00:00 UTC.
fn epoch() -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(946_684_800, 0)
}

fn is_plain(date: NaiveDate) -> bool {
    (1..=9999).contains(&date.year())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tenant_guard::TenantType;

    use super::*;
    use crate::TenantId;

    fn text(id: impl Into<TenantId>, tenant_type: &TenantType) -> Option<String> {
        ColumnValue::new(&id.into(), tenant_type).unwrap().to_text()
    }

    #[test]
    fn values_are_written_as_postgresql_writes_them() {
        assert_eq!(text(-7, &TenantType::Int4).unwrap(), "-7");
        assert_eq!(text("o'Neil", &TenantType::Text).unwrap(), "o'Neil");
        assert_eq!(text("\\x01FF", &TenantType::Bytea).unwrap(), "\\x01ff");
        assert_eq!(text("yes", &TenantType::Bool).unwrap(), "true");
        assert_eq!(text("1999-12-31", &TenantType::Date).unwrap(), "1999-12-31");
        assert_eq!(text("infinity", &TenantType::Date), None);
        assert_eq!(
            text("1999-12-31 23:59:59.000001+00", &TenantType::Timestamptz).unwrap(),
            "1999-12-31 23:59:59.000001+00"
        );
    }

    proptest! {
        #[test]
        fn the_text_is_read_as_the_same_value(
            days in -730_000_i32..2_900_000,
            microseconds in -60_000_000_000_000_000_i64..250_000_000_000_000_000,
        ) {
            for (value, tenant_type) in [
                (ColumnValue::Date(days), TenantType::Date),
                (ColumnValue::Timestamptz(microseconds), TenantType::Timestamptz),
            ] {
                let id = TenantId::from(value.to_text().unwrap());
                prop_assert!(ColumnValue::new(&id, &tenant_type).unwrap() == value);
            }
        }
    }
}
