//! How names and dates are shown.

use std::fmt::{self, Write as _};

/// A name, with its invisible characters as escapes. A name that turns the direction of the text, or
/// has a character without a width, could otherwise look like another name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name(pub(super) String);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                // These are the escapes of visible characters.
                '"' | '\'' | '\\' => f.write_char(character)?,
                _ => write!(f, "{}", character.escape_debug())?,
            }
        }
        Ok(())
    }
}

/// A date in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Date(u64);

impl Date {
    /// Of these seconds since 1970. A date that is too far away counts as none.
    pub(super) fn new(seconds: u64) -> Option<Self> {
        (seconds < 253_402_300_800).then_some(Self(seconds))
    }

    /// As in the attribute `datetime`.
    pub(super) fn machine(self) -> String {
        let (year, month, day) = self.day();
        let [hour, minute, second] = self.time();
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }

    /// The time of the day.
    pub(super) fn clock(self) -> String {
        let [hour, minute, _] = self.time();
        format!("{hour:02}:{minute:02}")
    }

    fn time(self) -> [u64; 3] {
        let second = self.0 % 86_400;
        [second / 3600, second / 60 % 60, second % 60]
    }

    /// The year, the month and the day: counts the days from a first of March, so that the leap day is
    /// the last of a year.
    fn day(self) -> (u64, u64, u64) {
        let days = self.0 / 86_400 + 719_468;
        let era = days / 146_097;
        let of_era = days % 146_097;
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let from_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * from_march + 2) / 5 + 1;
        let month = if from_march < 10 {
            from_march + 3
        } else {
            from_march - 9
        };
        (era * 400 + year + u64::from(month <= 2), month, day)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.day();
        let [hour, minute, second] = self.time();
        write!(
            f,
            "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, shown) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_399, "2000-02-28 23:59:59 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (1_709_164_800, "2024-02-29 00:00:00 UTC"),
            (1_798_761_599, "2026-12-31 23:59:59 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
            (253_402_300_799, "9999-12-31 23:59:59 UTC"),
        ] {
            assert_eq!(Date::new(seconds).unwrap().to_string(), shown);
        }
        assert_eq!(Date::new(253_402_300_800), None);
        assert_eq!(Date(1_700_000_000).machine(), "2023-11-14T22:13:20Z");
    }

    #[test]
    fn name_shows_what_it_hides() {
        let shown = |name: &str| Name(name.to_owned()).to_string();
        assert_eq!(shown("Zoë \"O'Hara\" <b>\\"), "Zoë \"O'Hara\" <b>\\");
        assert_eq!(shown("a\u{202e}b\u{200b}c\nd"), "a\\u{202e}b\\u{200b}c\\nd");
    }
}
