//! Virtual time as wall-clock time: virtual zero is 2025-01-01T00:00:00Z, and a run is at most a day.

use crate::kernel::Instant;

/// RFC 3339 in UTC with milliseconds.
pub fn rfc3339(instant: Instant) -> String {
    let ms = instant.as_nanos() / 1_000_000;
    let (s, ms) = (ms / 1000, ms % 1000);
    let (day, hour, minute, second) = (s / 86_400 + 1, s / 3600 % 24, s / 60 % 60, s % 60);
    format!("2025-01-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn virtual_zero_is_new_year_2025() {
        assert_eq!(rfc3339(Instant::ZERO), "2025-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(Instant::from_millis(86_399_999)), "2025-01-01T23:59:59.999Z");
        assert_eq!(rfc3339(Instant::from_millis(86_400_000)), "2025-01-02T00:00:00.000Z");
    }
}
