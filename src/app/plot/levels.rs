//! A level over time, such as how many tasks are in flight: its peaks, in slots of time, and its value now.

/// How long a slot is at first: a fraction of a pixel on the shortest timeline.
const SLOT_NS: u64 = 25_000_000;
/// The most slots; when there would be more, each two become one.
const SLOTS_MAX: usize = 8192;

/// The peaks of a level that starts at 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Levels {
    slot_ns: u64,
    peaks: Vec<u32>,
    level: u32,
}

impl Default for Levels {
    fn default() -> Self {
        Levels { slot_ns: SLOT_NS, peaks: Vec::new(), level: 0 }
    }
}

impl Levels {
    /// The level now.
    pub fn level(&self) -> u32 {
        self.level
    }

    /// Changes the level at an instant, not earlier than the change before.
    pub fn change(&mut self, at_ns: u64, by: i64) {
        self.extend_to(at_ns);
        self.level = u32::try_from((i64::from(self.level) + by).max(0)).unwrap_or(u32::MAX);
        if let Some(peak) = self.peaks.last_mut() {
            *peak = (*peak).max(self.level);
        }
    }

    /// Says that the level stayed as it is up to an instant.
    pub fn extend_to(&mut self, at_ns: u64) {
        while at_ns / self.slot_ns >= SLOTS_MAX as u64 {
            self.peaks = self.peaks.chunks(2).filter_map(|two| two.iter().copied().max()).collect();
            self.slot_ns *= 2;
        }
        let slots = (at_ns / self.slot_ns) as usize + 1;
        if self.peaks.len() < slots {
            self.peaks.resize(slots, self.level);
        }
    }

    /// The highest level between two instants in milliseconds; 0 where nothing is known.
    pub fn peak(&self, from_ms: f64, to_ms: f64) -> u32 {
        let slot_ms = self.slot_ns as f64 / 1e6;
        let from = (from_ms / slot_ms) as usize;
        let to = (libm::ceil(to_ms / slot_ms) as usize).max(from + 1).min(self.peaks.len());
        self.peaks.get(from..to).and_then(|slots| slots.iter().copied().max()).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peaks_are_those_of_their_time() {
        let mut levels = Levels::default();
        levels.change(200_000_000, 12);
        levels.change(300_000_000, -2);
        levels.change(1_000_000_000, -10);
        levels.extend_to(2_000_000_000);
        assert_eq!(levels.peak(0.0, 200.0), 0);
        assert_eq!(levels.peak(0.0, 225.0), 12);
        assert_eq!(levels.peak(325.0, 1000.0), 10);
        assert_eq!(levels.peak(1025.0, 2000.0), 0);
        assert_eq!(levels.peak(9000.0, 9100.0), 0);
        assert_eq!(levels.level(), 0);
    }

    #[test]
    fn a_day_takes_no_more_room_than_an_hour_and_loses_no_peak() {
        let mut levels = Levels::default();
        levels.change(5_000_000_000, 7);
        levels.change(6_000_000_000, -7);
        levels.change(86_400_000_000_000, 3);
        assert!(levels.peaks.len() <= SLOTS_MAX);
        assert_eq!(levels.peak(0.0, 60_000.0), 7);
        assert_eq!(levels.peak(0.0, 86_400_000.0), 7);
        assert_eq!(levels.level(), 3);
    }
}
