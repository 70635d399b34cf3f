//! Which story is told now, and for how long: a caption stays until it can have been read.
//!
//! The faces say at every moment what there is to be told ([`Caption`]), each with its rank. The teller shows one and lets
//! the others wait, those that matter most at the front. A story that matters and would come too early makes the player
//! slow down: time passes at the pace of the reader. What a person does is told at once.

use crate::app::caption::{About, Caption, Rank};
use crate::substrate::decimal::within;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Above this speed nothing slows down: nobody reads along.
const READABLE_SPEED: f64 = 5.0;
/// It never becomes slower than this.
const SLOWEST: f64 = 0.1;
/// How long the change from one pace to another takes, in milliseconds of wall time.
const EASE_MS: f64 = 200.0;
/// So many stories are known to have been told.
const TOLD_MAX: usize = 64;
/// More faults than this do not queue for being told.
const WAITING_MAX: usize = 4;

/// What is told, and what waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Teller {
    shown: Caption,
    /// For how long it has been shown, in milliseconds of wall time.
    read_ms: f64,
    /// The newest unit of work that was told: what the board keeps.
    result: Option<u64>,
    /// What was told lately, besides units of work.
    told: VecDeque<About>,
    /// In the order in which they came.
    waiting: Vec<Caption>,
    /// What the speed is multiplied by.
    pace: f64,
    /// Whether it slows down at all.
    pub slows: bool,
    /// Whether a person has sped this story up.
    hurried: bool,
}

impl Default for Teller {
    /// A teller with nothing told yet.
    fn default() -> Self {
        Teller {
            shown: Caption::default(),
            read_ms: 0.0,
            result: None,
            told: VecDeque::new(),
            waiting: Vec::new(),
            pace: 1.0,
            slows: true,
            hurried: false,
        }
    }
}

impl Teller {
    /// What is told now.
    pub fn shown(&self) -> &Caption {
        &self.shown
    }

    /// The unit of work that was told last.
    pub fn result(&self) -> Option<u64> {
        self.result
    }

    /// What the speed is multiplied by, so that there is time to read.
    pub fn pace(&self) -> f64 {
        self.pace
    }

    /// A person goes on: this story slows nothing down any more.
    pub fn hurry(&mut self) {
        self.hurried = true;
    }

    /// Tells the story of this moment, whatever was told before: for a moment that stands still, or was sought.
    pub fn tell_now(&mut self, caption: Caption) {
        self.waiting.clear();
        self.told.clear();
        self.result = None;
        self.pace = 1.0;
        if caption != self.shown {
            self.show(caption);
        } else {
            self.note_result();
        }
    }

    /// Takes in what there is to be told at a moment of a run that plays.
    pub fn hear(&mut self, caption: Caption) {
        // What was told already, or is older than that, is no news.
        let is_told = match caption.about {
            About::Result(number) => self.result.is_some_and(|told| number <= told),
            about => about == self.shown.about && about != About::Nothing || self.told.contains(&about),
        };
        if is_told {
            return;
        }
        if caption.rank == Rank::Act || self.is_read() && self.waiting.is_empty() {
            return self.show(caption);
        }
        if let Some(same) = self.waiting.iter_mut().find(|waiting| waiting.about == caption.about) {
            *same = caption;
            return;
        }
        // Of what happens all the time only the newest waits.
        if caption.rank >= Rank::Exception {
            self.waiting.retain(|waiting| waiting.rank != caption.rank);
        }
        if self.waiting.len() < WAITING_MAX {
            self.waiting.push(caption);
        }
    }

    /// Lets wall time pass.
    pub fn pass(&mut self, elapsed_ms: f64) {
        self.read_ms += elapsed_ms;
        if self.is_read() {
            let first = |rank: Rank| self.waiting.iter().position(|waiting| waiting.rank == rank);
            let next = self.waiting.iter().map(|waiting| waiting.rank).min().and_then(first);
            if let Some(next) = next {
                let next = self.waiting.remove(next);
                self.show(next);
            }
        }
    }

    /// Chooses the pace of the next frame of a run that is asked to play at `speed`; `ahead_ms` is how much virtual time
    /// there is until the next story that is known to come.
    pub fn choose_pace(&mut self, elapsed_ms: f64, speed: f64, ahead_ms: Option<f64>) {
        let left_ms = self.shown.reading_ms() - self.read_ms;
        let slowest = (SLOWEST / speed).min(1.0);
        let wanted = if !self.slows || self.hurried || speed > READABLE_SPEED || left_ms <= 0.0 {
            1.0
        } else if self.waiting.iter().any(|waiting| waiting.rank < Rank::Result) {
            slowest
        } else {
            ahead_ms.map_or(1.0, |ahead_ms| within(ahead_ms / left_ms / speed, slowest, 1.0))
        };
        let step = elapsed_ms / EASE_MS;
        self.pace += within(wanted - self.pace, -step, step);
    }

    fn is_read(&self) -> bool {
        self.read_ms >= self.shown.reading_ms() || self.shown.about == About::Nothing
    }

    fn show(&mut self, caption: Caption) {
        self.waiting.retain(|waiting| waiting.about != caption.about);
        if !matches!(caption.about, About::Nothing | About::Result(_)) {
            self.told.truncate(TOLD_MAX - 1);
            self.told.push_front(caption.about);
        }
        self.shown = caption;
        self.read_ms = 0.0;
        self.hurried = false;
        self.note_result();
    }

    fn note_result(&mut self) {
        if let About::Result(number) = self.shown.about {
            // What waits and is older is no news any more.
            self.waiting.retain(|waiting| !matches!(waiting.about, About::Result(older) if older < number));
            self.result = Some(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn story(words: usize, about: About, rank: Rank) -> Caption {
        Caption::new("word ".repeat(words), String::new(), "And a question of many words that do not count?")
            .about(about, rank)
    }

    fn rounded(teller: &Teller) -> f64 {
        (teller.pace() * 1000.0).round() / 1000.0
    }

    fn result(number: u64) -> Caption {
        story(4, About::Result(number), Rank::Result)
    }

    #[test]
    fn a_caption_stays_until_it_can_have_been_read() {
        let mut teller = Teller::default();
        teller.hear(story(20, About::Begin(0), Rank::Fault));
        teller.pass(1000.0);
        teller.hear(result(1));
        teller.pass(4900.0);
        teller.hear(result(2));
        assert_eq!(teller.shown().about, About::Begin(0));
        teller.pass(100.0);
        // The newest result, 6 s after the fault was told; the older one is forgotten.
        assert_eq!((teller.shown().about, teller.result()), (About::Result(2), Some(2)));
        teller.pass(2499.0);
        teller.hear(result(3));
        assert_eq!(teller.shown().about, About::Result(2));
        teller.pass(1.0);
        assert_eq!(teller.shown().about, About::Result(3));
    }

    #[test]
    fn what_matters_more_is_told_first_and_an_act_at_once() {
        let mut teller = Teller::default();
        teller.hear(result(1));
        teller.hear(story(4, About::Result(2), Rank::Exception));
        teller.hear(story(4, About::Begin(0), Rank::Fault));
        teller.hear(story(4, About::Begin(1), Rank::Fault));
        let mut told = Vec::new();
        for _ in 0..4 {
            teller.pass(2500.0);
            told.push(teller.shown().about);
        }
        let [first, second] = [About::Begin(0), About::Begin(1)];
        assert_eq!(told, [first, second, About::Result(2), About::Result(2)]);
        teller.hear(story(4, About::Begin(2), Rank::Act));
        assert_eq!(teller.shown().about, About::Begin(2));
        teller.pass(2500.0);
        teller.hear(story(4, About::Begin(0), Rank::Fault));
        assert_eq!(teller.shown().about, About::Begin(2), "it was told");
    }

    #[test]
    fn the_pace_follows_the_reader() {
        let mut teller = Teller::default();
        teller.hear(story(20, About::Begin(0), Rank::Fault));
        teller.choose_pace(16.0, 1.0, None);
        assert_eq!(teller.pace(), 1.0, "nothing is to come");
        // 3 s of virtual time for 6 s of reading: half as fast, and not at once.
        teller.choose_pace(16.0, 1.0, Some(3000.0));
        assert!((0.9..1.0).contains(&teller.pace()), "{}", teller.pace());
        teller.choose_pace(200.0, 1.0, Some(3000.0));
        assert_eq!(rounded(&teller), 0.5);
        teller.hear(story(4, About::Result(5), Rank::Effect));
        teller.choose_pace(1000.0, 1.0, Some(3000.0));
        assert_eq!(rounded(&teller), 0.1, "one waits already");
        for (speed, pace) in [(0.5, 0.2), (0.1, 1.0), (5.0, 0.02), (5.1, 1.0)] {
            teller.choose_pace(1000.0, speed, None);
            assert_eq!(rounded(&teller), pace, "at {speed}");
        }
        teller.hurry();
        teller.choose_pace(1000.0, 1.0, None);
        assert_eq!(teller.pace(), 1.0, "a person has sped it up");
        teller.pass(6000.0);
        teller.hear(story(4, About::End(0), Rank::Fault));
        teller.choose_pace(1000.0, 1.0, None);
        assert_eq!(rounded(&teller), 0.1, "the next story is read again");
    }
}
