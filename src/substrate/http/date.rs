//! Dates in headers: `Wed, 01 Jan 2025 00:00:00 GMT` (RFC 9110, section 5.6.7).
//!
//! Only this preferred form is read; the two obsolete ones count as no date at all.

use crate::kernel::Instant;
use crate::substrate::text::push_number;

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const SECONDS_A_DAY: u64 = 86_400;
/// How long a date is.
const WIDTH: usize = 29;

/// An instant of the run's first month as a header's value. Virtual zero is Wednesday, 2025-01-01T00:00:00Z;
/// fractions of a second are cut off.
pub fn http_date(at: Instant) -> String {
    let s = seconds(at) as u64;
    let day = s / SECONDS_A_DAY;
    let (weekday, hour, minute, second) =
        (WEEKDAYS[(day as usize + 2) % 7], s / 3600 % 24, s / 60 % 60, s % 60);
    let mut date = String::with_capacity(WIDTH);
    date.push_str(weekday);
    for (before, number) in [(", ", day + 1), (" Jan 2025 ", hour), (":", minute), (":", second)] {
        date.push_str(before);
        if number < 10 {
            date.push('0');
        }
        push_number(&mut date, number);
    }
    date.push_str(" GMT");
    date
}

/// The whole seconds since virtual zero, which is all that a header's date can say.
pub(super) fn seconds(at: Instant) -> i64 {
    (at.as_nanos() / 1_000_000_000) as i64
}

/// The seconds from virtual zero to a header's date, negative before it; `None` for what is no date.
pub(super) fn parse_http_date(text: &str) -> Option<i64> {
    let (weekday, rest) = text.split_once(", ")?;
    let fields: Vec<&str> = rest.split(' ').collect();
    let [day, month, year, time, "GMT"] = fields[..] else { return None };
    let clock: Vec<&str> = time.split(':').collect();
    let [hour, minute, second] = clock[..] else { return None };
    let month = MONTHS.iter().position(|name| *name == month)?;
    let (day, year) = (digits(day, 2)?, digits(year, 4)?);
    let (hour, minute, second) = (digits(hour, 2)?, digits(minute, 2)?, digits(second, 2)?);
    let in_range = WEEKDAYS.contains(&weekday) && hour < 24 && minute < 60 && second < 60;
    let month = month as i64 + 1;
    let number = days_since_0000(year, month, day);
    // A day that its month does not have is none.
    let exists = day > 0 && number < days_since_0000(year, month + 1, 1);
    let days = number - days_since_0000(2025, 1, 1);
    (in_range && exists).then(|| days * SECONDS_A_DAY as i64 + hour * 3600 + minute * 60 + second)
}

fn digits(text: &str, count: usize) -> Option<i64> {
    let plain = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

/// Days of the Gregorian calendar. Counted in years that begin in March, a leap day is a year's last: 30.6 is the
/// mean length of a month from March on. Month 13 is the next year's first.
fn days_since_0000(year: i64, month: i64, day: i64) -> i64 {
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    365 * y + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) + (306 * m + 5) / 10 + day
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_and_read_back() {
        for (ms, text) in [
            (0, "Wed, 01 Jan 2025 00:00:00 GMT"),
            (59_999, "Wed, 01 Jan 2025 00:00:59 GMT"),
            (86_400_000, "Thu, 02 Jan 2025 00:00:00 GMT"),
            (6 * 86_400_000 + 45_296_000, "Tue, 07 Jan 2025 12:34:56 GMT"),
        ] {
            assert_eq!(http_date(Instant::from_millis(ms)), text);
            assert_eq!(parse_http_date(text), Some(ms as i64 / 1000));
        }
    }

    #[test]
    fn dates_before_and_after_and_over_leap_days_have_their_distance() {
        for (text, s) in [
            ("Tue, 31 Dec 2024 23:59:59 GMT", -1),
            ("Tue, 14 Nov 2023 22:13:20 GMT", 1_700_000_000 - 1_735_689_600),
            ("Thu, 01 Jan 1970 00:00:00 GMT", -1_735_689_600),
            ("Thu, 29 Feb 2024 00:00:00 GMT", 1_709_164_800 - 1_735_689_600),
            ("Fri, 01 Mar 2024 00:00:00 GMT", 1_709_251_200 - 1_735_689_600),
        ] {
            assert_eq!(parse_http_date(text), Some(s), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "yesterday",
            "Wed, 01 Jan 2025 00:00:00",
            "Wed, 01 Jan 2025 00:00:00 UTC",
            "Wed, 1 Jan 2025 00:00:00 GMT",
            "Wed, 01 Jan 2025 24:00:00 GMT",
            "Wed, 00 Jan 2025 00:00:00 GMT",
            "Sat, 29 Feb 2025 00:00:00 GMT",
            "Thu, 29 Feb 1900 00:00:00 GMT",
            "Fri, 30 Feb 2024 00:00:00 GMT",
            "Wed, 31 Apr 2025 00:00:00 GMT",
            "Thu, 32 Dec 2025 00:00:00 GMT",
            "Wed, 01 Foo 2025 00:00:00 GMT",
            "Xyz, 01 Jan 2025 00:00:00 GMT",
            "Wednesday, 01-Jan-25 00:00:00 GMT",
            "Wed Jan  1 00:00:00 2025",
        ] {
            assert_eq!(parse_http_date(text), None, "{text}");
        }
    }
}
