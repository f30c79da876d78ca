//! Dates and times in PostgreSQL's units, and reading them from ISO 8601.

use chrono::{DateTime, NaiveDate, Utc};

/// Days from 0000-03-01 to 2000-01-01 in the proleptic Gregorian calendar.
const MARCH_YEAR_ZERO: i64 = 730_425;
/// 4714-11-24 BC, where PostgreSQL's dates begin, and the day after 5874897-12-31, where they end
/// (`IS_VALID_DATE`, PostgreSQL `src/include/datatype/timestamp.h`).
const DATES: std::ops::Range<i64> = -2_451_545..2_145_031_949;
/// `MIN_TIMESTAMP` and `END_TIMESTAMP` of the same file.
const TIMESTAMPS: std::ops::Range<i64> = -211_813_488_000_000_000..9_223_371_331_200_000_000;
const SECONDS_A_DAY: i64 = 86_400;
const UNIX_TO_2000_SECONDS: i64 = 946_684_800;

/// Days since 2000-01-01.
pub(super) fn days(date: NaiveDate) -> Option<i32> {
    use chrono::Datelike;
    days_from_civil(date.year().into(), date.month().into(), date.day().into())
}

/// Microseconds since 2000-01-01 00:00 UTC; `None` when out of range or finer than a microsecond.
pub(super) fn microseconds(time: DateTime<Utc>) -> Option<i64> {
    if !time.timestamp_subsec_nanos().is_multiple_of(1000) {
        return None;
    }
    let seconds = time.timestamp().checked_sub(UNIX_TO_2000_SECONDS)?;
    timestamp(seconds, time.timestamp_subsec_micros().into())
}

/// `YYYY-MM-DD`, with ` BC` after it for years before 1, or an infinity.
pub(super) fn read_date(text: &str) -> Option<i32> {
    match text {
        "infinity" => return Some(i32::MAX),
        "-infinity" => return Some(i32::MIN),
        _ => {}
    }
    let (text, bc) = era(text);
    let mut reader = Reader(text);
    let days = reader.date(bc)?;
    reader.0.is_empty().then_some(days)
}

/// `YYYY-MM-DD HH:MM:SS.ffffff+HH:MM` (a `T` in the middle, no fraction, minutes or seconds of the
/// offset left out, or `Z` are fine), with ` BC` after it for years before 1, or an infinity. Without
/// an offset it would mean something else in each session, so it is not read.
pub(super) fn read_timestamptz(text: &str) -> Option<i64> {
    match text {
        "infinity" => return Some(i64::MAX),
        "-infinity" => return Some(i64::MIN),
        _ => {}
    }
    let (text, bc) = era(text);
    let mut reader = Reader(text);
    let days = reader.date(bc)?;
    if !reader.skip(' ') && !reader.skip('T') {
        return None;
    }
    let time = reader.clock()?;
    let fraction = reader.fraction()?;
    let offset = reader.offset()?;
    let seconds = i64::from(days) * SECONDS_A_DAY + time - offset;
    reader
        .0
        .is_empty()
        .then(|| timestamp(seconds, fraction))
        .flatten()
}

fn timestamp(seconds: i64, microseconds: i64) -> Option<i64> {
    let total = seconds.checked_mul(1_000_000)?.checked_add(microseconds)?;
    TIMESTAMPS.contains(&total).then_some(total)
}

fn era(text: &str) -> (&str, bool) {
    match text.strip_suffix(" BC") {
        Some(text) => (text, true),
        None => (text, false),
    }
}

/// Howard Hinnant's `days_from_civil`, from another day on. `month` and `day` have been checked.
fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i32> {
    // Years begin in March here, so that the leap day is the last one.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - MARCH_YEAR_ZERO;
    if DATES.contains(&days) {
        i32::try_from(days).ok()
    } else {
        None
    }
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// What has not been read yet.
struct Reader<'a>(&'a str);

impl Reader<'_> {
    fn skip(&mut self, expected: char) -> bool {
        match self.0.strip_prefix(expected) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    /// A number of so many digits.
    fn number(&mut self, digits: std::ops::RangeInclusive<usize>) -> Option<i64> {
        let count = self.0.bytes().take_while(u8::is_ascii_digit).count();
        if !digits.contains(&count) {
            return None;
        }
        let (number, rest) = self.0.split_at(count);
        self.0 = rest;
        number.parse().ok()
    }

    fn two_digits(&mut self, allowed: std::ops::RangeInclusive<i64>) -> Option<i64> {
        self.number(2..=2).filter(|number| allowed.contains(number))
    }

    fn date(&mut self, bc: bool) -> Option<i32> {
        let written = self.number(4..=7).filter(|year| *year > 0)?;
        let year = if bc { 1 - written } else { written };
        self.skip('-').then_some(())?;
        let month = self.two_digits(1..=12)?;
        self.skip('-').then_some(())?;
        let day = self.two_digits(1..=days_in_month(year, month))?;
        days_from_civil(year, month, day)
    }

    /// Seconds since midnight.
    fn clock(&mut self) -> Option<i64> {
        let hours = self.two_digits(0..=23)?;
        self.skip(':').then_some(())?;
        let minutes = self.two_digits(0..=59)?;
        self.skip(':').then_some(())?;
        Some(hours * 3600 + minutes * 60 + self.two_digits(0..=59)?)
    }

    /// Microseconds.
    fn fraction(&mut self) -> Option<i64> {
        if !self.skip('.') {
            return Some(0);
        }
        let before = self.0.len();
        let number = self.number(1..=6)?;
        let digits = before - self.0.len();
        (digits..6).try_fold(number, |number, _| number.checked_mul(10))
    }

    /// Seconds east of UTC.
    fn offset(&mut self) -> Option<i64> {
        if self.skip('Z') {
            return Some(0);
        }
        let sign = match (self.skip('+'), self.skip('-')) {
            (true, false) => 1,
            (false, true) => -1,
            _ => return None,
        };
        let mut offset = self.two_digits(0..=15)? * 3600;
        if self.skip(':') {
            offset += self.two_digits(0..=59)? * 60;
            if self.skip(':') {
                offset += self.two_digits(0..=59)?;
            }
        }
        Some(sign * offset)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_days() {
        assert_eq!(read_date("2000-01-01"), Some(0));
        assert_eq!(read_date("1999-12-31"), Some(-1));
        assert_eq!(read_date("2000-03-01"), Some(60));
        assert_eq!(read_date("4714-11-24 BC"), Some(-2_451_545));
        assert_eq!(read_date("4714-11-23 BC"), None);
        assert_eq!(read_date("5874897-12-31"), Some(2_145_031_948));
        assert_eq!(read_date("5874898-01-01"), None);
    }

    #[test]
    fn days_that_do_not_exist_are_refused() {
        for text in [
            "2023-02-29",
            "1900-02-29",
            "2024-13-01",
            "2024-00-01",
            "0000-01-01",
            "2024-1-1",
        ] {
            assert_eq!(read_date(text), None, "{text}");
        }
        assert!(read_date("2024-02-29").is_some());
        assert!(read_date("0001-02-29 BC").is_some());
    }

    #[test]
    fn times_are_told_in_utc() {
        let noon = read_timestamptz("2024-06-01 12:00:00+00").unwrap();
        assert_eq!(read_timestamptz("2024-06-01T14:00:00+02:00"), Some(noon));
        assert_eq!(read_timestamptz("2024-06-01 06:30:00.0-05:30"), Some(noon));
        assert_eq!(
            read_timestamptz("2024-06-01T12:00:00.000001Z"),
            Some(noon + 1)
        );
        for text in [
            "2024-06-01 12:00:00",
            "2024-06-01 12:00+00",
            "2024-06-01 12:00:00.0000001Z",
        ] {
            assert_eq!(read_timestamptz(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_finer_than_a_microsecond_is_refused() {
        let time = DateTime::from_timestamp(1_700_000_000, 1_500).unwrap();
        assert_eq!(microseconds(time), None);
    }

    proptest! {
        #[test]
        fn dates_agree_with_chrono(days_ce in -1_700_000_i32..90_000_000) {
            let date = NaiveDate::from_num_days_from_ce_opt(days_ce);
            prop_assume!(date.is_some());
            let (date, base) = (date.unwrap(), NaiveDate::from_ymd_opt(2000, 1, 1).unwrap());
            prop_assert_eq!(days(date).map(i64::from), Some((date - base).num_days()));
        }

        #[test]
        fn times_agree_with_chrono(seconds in -60_000_000_000_i64..200_000_000_000, micros in 0..1_000_000_u32) {
            let time = DateTime::from_timestamp(seconds, micros * 1000).unwrap();
            let text = time.format("%Y-%m-%d %H:%M:%S%.6f+00").to_string();
            prop_assert_eq!(read_timestamptz(&text), microseconds(time));
        }

        #[test]
        fn any_text_is_read_without_panic(text: String) {
            let _ = (read_date(&text), read_timestamptz(&text));
        }
    }
}
