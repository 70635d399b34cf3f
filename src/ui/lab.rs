//! The page's handle to the player: what every component, and the automation surface, acts through.

use crate::app::{Player, PlayerState, Snapshot};
use crate::lab::{Invalid, SEED_MAX, Scenario};
use leptos::prelude::*;
use std::rc::Rc;

/// The run that the page opens with: in this seed w-09's first lie comes in time and moves the average, not the median.
const OPENING_PRESET: &str = "oracle-http";
const OPENING_SEED: u64 = 31;
const OPENING_SPEED: f64 = 0.5;
/// Proposed seeds are small enough to be read out.
const SEEDS_PROPOSED: u32 = 1_000_000;

/// What the transport shows of the player.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Status {
    /// Running, paused or replaying.
    pub state: PlayerState,
    /// The speed that was asked for.
    pub speed: f64,
    /// The speed of the last frames.
    pub reached: f64,
    /// How far a replay has come.
    pub progress: Option<f64>,
}

/// A copyable handle; all copies are of the one player.
#[derive(Clone, Copy)]
pub struct Lab {
    player: StoredValue<Player, LocalStorage>,
    /// This moment.
    pub snapshot: RwSignal<Rc<Snapshot>, LocalStorage>,
    /// What the player is doing.
    pub status: RwSignal<Status>,
    /// The last thing that was not allowed, for the page to say.
    pub problem: RwSignal<Option<String>>,
    /// The tab was hidden just now, and the run stood still meanwhile.
    pub was_hidden: RwSignal<bool>,
    /// Those who wait for a seek to arrive.
    waiting: StoredValue<Vec<Box<dyn FnOnce()>>, LocalStorage>,
}

impl Lab {
    /// A running player of the scenario that the page's address names, or of the opening one.
    pub fn open() -> Self {
        let opening = || Scenario::preset(OPENING_PRESET, OPENING_SEED);
        let search = window().location().search().unwrap_or_default();
        let (asked, problem) = match named_in(&search) {
            Ok(asked) => (asked, None),
            Err(invalid) => (None, Some(invalid)),
        };
        let (player, problem) = match Player::new(&asked.unwrap_or_else(opening), OPENING_SPEED) {
            Ok(player) => (Ok(player), problem),
            Err(invalid) => (Player::new(&opening(), OPENING_SPEED), Some(invalid)),
        };
        let mut player = match player {
            Ok(player) => player,
            Err(invalid) => panic!("the opening scenario is not valid: {invalid}"),
        };
        let (snapshot, status) = (Rc::new(player.snapshot()), status_of(&player));
        Lab {
            player: StoredValue::new_local(player),
            snapshot: RwSignal::new_local(snapshot),
            status: RwSignal::new(status),
            problem: RwSignal::new(problem.map(|invalid| invalid.to_string())),
            was_hidden: RwSignal::new(false),
            waiting: StoredValue::new_local(Vec::new()),
        }
    }

    /// Reads something off the player.
    pub fn read<R>(&self, read: impl FnOnce(&Player) -> R) -> R {
        self.player.with_value(read)
    }

    /// Lets the player do something, and shows what came of it.
    pub fn act<R>(&self, act: impl FnOnce(&mut Player) -> R) -> R {
        let mut outcome = None;
        self.player.update_value(|player| outcome = Some(act(player)));
        self.show();
        match outcome {
            Some(outcome) => outcome,
            None => unreachable!("the player lives as long as the page"),
        }
    }

    /// The same, and a value that is not allowed is said on the page.
    pub fn attempt<R>(&self, act: impl FnOnce(&mut Player) -> Result<R, Invalid>) -> Result<R, Invalid> {
        let outcome = self.act(act);
        let refused = outcome.as_ref().err().map(Invalid::to_string);
        self.problem.set(refused.or_else(|| self.read(|player| player.run().stopped())));
        outcome
    }

    /// Plays one animation frame; draws only if something moved.
    pub fn frame(&self, elapsed_ms: f64, has_time: impl FnMut() -> bool) {
        let mut moved = false;
        self.player.update_value(|player| moved = player.frame(elapsed_ms, has_time));
        if moved {
            self.show();
        }
        if self.read(|player| player.state() != PlayerState::Replaying) {
            let mut arrived = Vec::new();
            self.waiting.update_value(|waiting| arrived = std::mem::take(waiting));
            arrived.into_iter().for_each(|hear| hear());
        }
    }

    /// Sets out for another moment. What is not allowed is said on the page.
    pub fn jump(&self, go: impl FnOnce(&mut Player) -> Result<(), Invalid>) {
        let _ = self.attempt(go);
    }

    /// Plays the same scenario with a seed that nobody has seen: the one place where true randomness comes in.
    pub fn another_seed(&self) {
        let mut bytes = [0; 4];
        // A browser without a source of randomness still has other seeds than the opening one.
        let seed = getrandom::fill(&mut bytes).map_or(1, |()| u32::from_le_bytes(bytes) % SEEDS_PROPOSED);
        self.jump(|player| player.set_seed(u64::from(seed)));
    }

    /// Calls `hear` when the player has arrived where it is on its way to: at the next frame, if it is on no way.
    pub fn when_arrived(&self, hear: Box<dyn FnOnce()>) {
        self.waiting.update_value(|waiting| waiting.push(hear));
    }

    /// Whether time passes, or will when a replay has arrived.
    pub fn is_running(&self) -> bool {
        self.status.get().state != PlayerState::Paused
    }

    /// Plays or pauses.
    pub fn toggle_play(&self) {
        self.act(|player| if player.state() == PlayerState::Paused { player.play() } else { player.pause() });
    }

    /// Pauses, and plays the next event.
    pub fn step(&self) {
        // At the horizon there is none, and the clock says so.
        let _ = self.act(Player::step);
    }

    /// This moment.
    pub fn snapshot_now(&self) -> Rc<Snapshot> {
        self.snapshot.get_untracked()
    }

    /// Shows this moment, and why no other follows if none does.
    fn show(&self) {
        let stopped = self.read(|player| player.run().stopped());
        if stopped.is_some() && self.problem.with_untracked(|problem| *problem != stopped) {
            self.problem.set(stopped);
        }
        let mut shown = None;
        self.player.update_value(|player| shown = Some((Rc::new(player.snapshot()), status_of(player))));
        if let Some((snapshot, status)) = shown {
            self.snapshot.set(snapshot);
            if self.status.get_untracked() != status {
                self.status.set(status);
            }
        }
    }
}

/// The scenario of an address such as `?preset=oracle-http&seed=7`; none if it names none.
fn named_in(search: &str) -> Result<Option<Scenario>, Invalid> {
    let parts = search.trim_start_matches('?').split('&').filter_map(|part| part.split_once('='));
    let value = |key: &str| parts.clone().find(|(other, _)| *other == key).map(|(_, value)| value);
    let Some(preset) = value("preset") else {
        return Ok(None);
    };
    let seed = value("seed").map_or(Ok(OPENING_SEED), |text| {
        let allowed = format!("a whole number from 0 to {SEED_MAX}");
        text.parse().map_err(|_| Invalid { field: "seed".to_owned(), value: text.to_owned(), allowed })
    });
    Ok(Some(Scenario::preset(preset, seed?)))
}

fn status_of(player: &Player) -> Status {
    Status {
        state: player.state(),
        speed: player.speed(),
        reached: player.reached(),
        progress: player.progress(),
    }
}
