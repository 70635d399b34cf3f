//! The page's handle to the player: what every component, and the automation surface, acts through.

use crate::app::{Player, PlayerState, Snapshot};
use crate::lab::{Invalid, Scenario};
use futures::channel::oneshot;
use leptos::prelude::*;
use std::rc::Rc;

/// The run that the page opens with: in this seed w-09's first lie comes in time and moves the average, not the median.
const OPENING_PRESET: &str = "oracle-http";
const OPENING_SEED: u64 = 31;
const OPENING_SPEED: f64 = 0.5;

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
    /// Those who wait for a seek to arrive.
    waiting: StoredValue<Vec<oneshot::Sender<()>>, LocalStorage>,
}

impl Lab {
    /// A running player of the opening scenario.
    pub fn open() -> Self {
        let scenario = Scenario::preset(OPENING_PRESET, OPENING_SEED);
        let mut player = match Player::new(&scenario, OPENING_SPEED) {
            Ok(player) => player,
            Err(invalid) => panic!("the opening scenario is not valid: {invalid}"),
        };
        let (snapshot, status) = (Rc::new(player.snapshot()), status_of(&player));
        Lab {
            player: StoredValue::new_local(player),
            snapshot: RwSignal::new_local(snapshot),
            status: RwSignal::new(status),
            problem: RwSignal::new(None),
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
        self.problem.set(outcome.as_ref().err().map(Invalid::to_string));
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
            self.waiting
                .update_value(|waiting| waiting.drain(..).for_each(|done| done.send(()).unwrap_or(())));
        }
    }

    /// Sets out for another moment; the receiver hears when it is reached.
    pub fn go(
        &self,
        go: impl FnOnce(&mut Player) -> Result<(), Invalid>,
    ) -> Result<oneshot::Receiver<()>, Invalid> {
        self.attempt(go)?;
        let (done, arrived) = oneshot::channel();
        self.waiting.update_value(|waiting| waiting.push(done));
        Ok(arrived)
    }

    /// The same for a person, who sees what comes of it.
    pub fn jump(&self, go: impl FnOnce(&mut Player) -> Result<(), Invalid>) {
        // What is not allowed is said on the page.
        let _ = self.go(go);
    }

    /// This moment.
    pub fn snapshot_now(&self) -> Rc<Snapshot> {
        self.snapshot.get_untracked()
    }

    fn show(&self) {
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

fn status_of(player: &Player) -> Status {
    Status {
        state: player.state(),
        speed: player.speed(),
        reached: player.reached(),
        progress: player.progress(),
    }
}
