//! The queue against a sorted list, and what its assertions hold.

use super::*;
use crate::Rng;

/// A sorted list of (deadline, sequence): what the wheel must agree with.
#[derive(Default)]
struct Reference(std::collections::BTreeMap<(u64, u64), u64>);

#[test]
fn agrees_with_a_sorted_list_under_ties_cancels_and_large_jumps() {
    for seed in 0..200 {
        let mut rng = Rng::new(seed);
        let mut wheel = TimerQueue::default();
        let mut list = Reference::default();
        let mut keys = Vec::new();
        let mut now = 0_u64;
        for sequence in 0..400_u64 {
            match rng.below(10) {
                0..=5 => {
                    let magnitude = rng.below(64);
                    let ahead = rng.next_u64() >> magnitude;
                    let deadline = match rng.below(4) {
                        0 => now + rng.below(4),
                        // Where a coarse slot begins.
                        1 => (now >> magnitude).saturating_add(1 + rng.below(3)) << magnitude,
                        _ => now.saturating_add(ahead),
                    };
                    let deadline = deadline.max(now);
                    let key = wheel.insert(deadline, sequence);
                    keys.push((key, (deadline, sequence)));
                    list.0.insert((deadline, sequence), sequence);
                }
                6 if !keys.is_empty() => {
                    let pick = rng.below(keys.len() as u64) as usize;
                    let (key, place) = keys.swap_remove(pick);
                    assert_eq!(wheel.cancel(key), list.0.remove(&place), "seed {seed}");
                    assert_eq!(wheel.cancel(key), None, "a key dies once");
                }
                _ => {
                    let first = list.0.first_key_value().map(|(&place, _)| place);
                    let limit = match (rng.below(4), first) {
                        (0, Some((deadline, _))) => deadline,
                        (1, Some((deadline, _))) => deadline.saturating_sub(1).max(now),
                        _ => now.saturating_add(rng.next_u64() >> rng.below(64)),
                    };
                    match first {
                        Some(place) if place.0 <= limit => {
                            list.0.remove(&place);
                            assert_eq!(wheel.pop(limit), Some(place), "seed {seed}");
                            now = place.0;
                        }
                        _ => {
                            assert_eq!(wheel.pop(limit), None, "seed {seed}");
                            now = limit;
                        }
                    }
                }
            }
            assert_eq!(wheel.len(), list.0.len());
        }
        while let Some((place, _)) = list.0.pop_first() {
            assert_eq!(wheel.pop(u64::MAX), Some(place), "seed {seed}");
        }
        assert_eq!(wheel.pop(u64::MAX), None);
        assert!(wheel.is_empty());
    }
}

/// What a queue tells of when its timers are popped one by one.
fn told(timers: u64, apart: u64) -> Vec<u64> {
    let (mut queue, mut told) = (TimerQueue::default(), Vec::new());
    for i in 1..=timers {
        queue.insert(i * apart, i);
    }
    for i in 1..=timers {
        assert_eq!(queue.pop(u64::MAX), Some((i * apart, i)));
        told.extend(queue.soon().into_iter().flat_map(std::mem::take));
    }
    told
}

#[test]
fn of_a_crowd_each_timer_is_told_of_once_and_few_are_not_told_of() {
    // Five ticks apart there are more of them in one slot than the cache might hold.
    for (apart, most) in [(5, 0), (300, 8_000), (3_000, 8_000), (250_000, 8_000), (20_000_000, 8_000)] {
        let told = told(8_000, apart);
        assert!(told.is_sorted_by(|a, b| a < b), "{apart}");
        assert!((most * 9 / 10..=most).contains(&told.len()), "{apart}: {}", told.len());
        assert_eq!(self::told(100, apart), []);
    }
}

#[test]
fn the_last_instant_of_all_is_a_deadline_too() {
    let mut wheel = TimerQueue::default();
    wheel.insert(u64::MAX, 'b');
    wheel.insert(1, 'a');
    assert_eq!(wheel.pop(u64::MAX - 1), Some((1, 'a')));
    assert_eq!(wheel.pop(u64::MAX - 1), None);
    assert_eq!(wheel.pop(u64::MAX), Some((u64::MAX, 'b')));
}

#[cfg(debug_assertions)]
mod assertions {
    use crate::timer_queue::{SENTINELS, TimerQueue};

    fn at(cursor: u64, deadline: u64) -> TimerQueue<()> {
        let mut queue = TimerQueue::default();
        queue.insert(deadline, ());
        TimerQueue { cursor, ..queue }
    }

    #[test]
    #[should_panic(expected = "nothing is placed in the past")]
    fn no_slot_is_in_the_past() {
        at(10, 20).place(SENTINELS as u32, 9);
    }

    #[test]
    #[should_panic(expected = "time does not go back")]
    fn the_cursor_passes_no_timer() {
        at(10, 9).pop(20);
    }

    #[test]
    #[should_panic(expected = "the cursor's own coarse slots are empty")]
    fn the_cursor_passes_no_slot() {
        at(9 << 20, 8 << 20).pop(10 << 20);
    }

    #[test]
    #[should_panic(expected = "each entry has its link")]
    fn no_entry_is_without_a_link() {
        let mut queue = at(0, 9);
        queue.links.pop();
        queue.place(SENTINELS as u32, 9);
    }
}
