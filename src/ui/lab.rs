//! The page's handle to the session: what every component, and the automation surface, sends commands through.

use super::board::LabelBox;
use super::frames::wall_ms;
use super::{address, host, workbench};
use crate::app::caption::Caption;
use crate::app::catalogue::face;
use crate::app::face::AnyFace;
use crate::app::session::{Address, Command, Outcome, Session, Status, opening_speed};
use crate::app::{PlayerState, Snapshot};
use crate::lab::params::Setting;
use crate::lab::{Invalid, Run, Scenario};
use crate::substrate::decimal;
use leptos::prelude::*;
use serde_json::Value;
use std::rc::Rc;

/// What is said of a link that asks for very much.
const COSTLY: &str = "This link asks for thousands of nodes: press Play to start it";
/// The least wall time between two figures that can be read.
const GLANCE_EVERY_MS: f64 = 100.0;
/// Proposed seeds are small enough to be read out.
const SEEDS_PROPOSED: u32 = 1_000_000;

/// Asks the board which labels it shows.
type Labels = Box<dyn Fn() -> Vec<LabelBox>>;

/// A copyable handle; all copies are of the one session.
#[derive(Clone, Copy)]
pub struct Lab {
    session: StoredValue<Session, LocalStorage>,
    /// The moment that is shown.
    pub snapshot: RwSignal<Rc<Snapshot>, LocalStorage>,
    /// The same for figures and words, which no eye follows faster: while time passes, ten times a second.
    pub glance: RwSignal<Rc<Snapshot>, LocalStorage>,
    /// The parameters as they are set, also those that a replay under way is to show.
    pub settings: RwSignal<Rc<[Setting]>, LocalStorage>,
    /// What the session is doing.
    pub status: RwSignal<Status>,
    /// The story that is told.
    pub caption: RwSignal<Caption>,
    /// Whether what only the laboratory knows is shown.
    pub truth: RwSignal<bool>,
    /// The last thing that was not allowed, for the page to say.
    pub problem: RwSignal<Option<String>>,
    /// The tab was hidden just now, and the run stood still meanwhile.
    pub was_hidden: RwSignal<bool>,
    /// Those who wait for a replay to arrive.
    waiting: StoredValue<Vec<Box<dyn FnOnce()>>, LocalStorage>,
    told: StoredValue<Told, LocalStorage>,
    /// What the board that is mounted says, and where.
    pub labels: StoredValue<Option<Labels>, LocalStorage>,
}

/// What was told of the session.
struct Told {
    /// Which scenario is open, and with which seed.
    address: Address,
    /// Whether the first answer of the first run has come.
    answered: bool,
    /// Whether another scenario's page is about to take the place of this one, which hears nothing of it.
    turns: bool,
    /// Whether another program is about to take this one's place, with what was asked for.
    leaves: bool,
    /// When there was something new at a glance; what a person does is seen at once.
    glanced_ms: f64,
}

impl Lab {
    /// A session that plays the scenario of the page's address, or the opening one.
    pub fn open() -> Self {
        let (address, unknown, problem) = match address::read() {
            Ok((address, unknown)) => (address, unknown, None),
            Err(invalid) => (Address::opening(), Vec::new(), Some(invalid)),
        };
        let (session, problem) = match Session::open(address.scenario(), opening_speed(&address.preset)) {
            Ok(session) => (Ok(session), problem),
            Err(invalid) => {
                if address.is_elsewhere() {
                    // Meanwhile there is something to look at.
                    host::elsewhere(&address.preset, None);
                }
                let opening = Address::opening();
                (Session::open(opening.scenario(), opening_speed(&opening.preset)), Some(invalid))
            }
        };
        let mut session = match session {
            Ok(session) => session,
            Err(invalid) => panic!("the opening scenario is not valid: {invalid}"),
        };
        session.show_truth(address.truth);
        let mut problem = problem.map(|invalid| invalid.to_string());
        if problem.is_none() {
            go_there(&mut session, &then(&address));
            problem = address.is_costly().then(|| COSTLY.to_owned());
            problem = problem.or_else(|| {
                (!unknown.is_empty())
                    .then(|| format!("The address has keys that nobody knows: {}", unknown.join(", ")))
            });
        }
        Lab::of(session, problem)
    }

    /// The page's handle to a session.
    pub fn of(session: Session, problem: Option<String>) -> Self {
        let told = Told {
            address: session.address().clone(),
            answered: false,
            turns: false,
            leaves: false,
            glanced_ms: f64::NEG_INFINITY,
        };
        Lab {
            snapshot: RwSignal::new_local(Rc::clone(session.snapshot())),
            glance: RwSignal::new_local(Rc::clone(session.snapshot())),
            settings: RwSignal::new_local(Rc::clone(session.settings())),
            status: RwSignal::new(session.status()),
            caption: RwSignal::new(session.caption().clone()),
            truth: RwSignal::new(session.showing().truth),
            session: StoredValue::new_local(session),
            problem: RwSignal::new(problem),
            was_hidden: RwSignal::new(false),
            waiting: StoredValue::new_local(Vec::new()),
            told: StoredValue::new_local(told),
            labels: StoredValue::new_local(None),
        }
    }

    /// The face of the system that is shown; another system's page is another page.
    pub fn face(&self) -> &'static dyn AnyFace {
        face(self.snapshot.with_untracked(|snapshot| snapshot.system))
    }

    /// Reads something off the session.
    pub fn read<R>(&self, read: impl FnOnce(&Session) -> R) -> R {
        self.session.with_value(read)
    }

    /// Reads something off the run, unless it is on its way to another moment than the one that is shown.
    pub fn read_run<R>(&self, read: impl FnOnce(&Run) -> R) -> Option<R> {
        self.read(|session| {
            let is_shown = session.status().state != PlayerState::Replaying;
            is_shown.then(|| read(session.run()))
        })
    }

    /// Does what a person asks for, and shows what came of it. What is not allowed is said on the page.
    pub fn send(&self, command: Command) -> Result<Outcome, Invalid> {
        // Undo and redo may lead to another system, where one has been in several.
        let may_leave = cfg!(feature = "workbench") || command.is_for_larger();
        if may_leave && workbench::leave(*self, &command, &[], None) {
            return Ok(Outcome::SetOut);
        }
        let sets = matches!(command, Command::Set { .. });
        let outcome = self.update(|session| session.apply(command));
        let refused = outcome.as_ref().err().map(Invalid::to_string);
        let refused = refused.or_else(|| self.left_out().filter(|_| sets));
        self.problem.set(refused.or_else(|| self.read(|session| session.run().stopped())));
        self.show();
        outcome
    }

    /// Which faults of the scenario these settings have no room for.
    fn left_out(&self) -> Option<String> {
        self.read(|session| {
            let left_out: Vec<String> =
                session.run().left_out().iter().map(|(fault, _)| fault.to_string()).collect();
            // Who hides the truth does not hear of the schedule.
            let is_told = !left_out.is_empty() && session.showing().truth;
            is_told.then(|| format!("Not in this run, which has no such node: {}", left_out.join(", ")))
        })
    }

    /// The same, where nobody waits for what came of it: what is not allowed is said on the page.
    pub fn act(&self, command: Command) {
        let _ = self.send(command);
    }

    /// Gives a number of the sentence back to the shipped scenario, if it is another one.
    pub fn give_back(&self, key: &str) {
        if self.read(|session| session.run().scenario().set.contains_key(key)) {
            self.act(Command::Set { key: key.to_owned(), value: Value::Null });
        }
    }

    /// Opens what an address says: here, or in the program that has its system.
    pub fn go(&self, to: &Address) {
        let _ = self.open_at(to.open(), &then(to), to.is_costly());
    }

    /// Opens a scenario, here or in the program that has its system, and does what leads to a moment of it.
    pub fn open_at(&self, open: Command, then: &[Command], is_costly: bool) -> Result<(), Invalid> {
        let problem = is_costly.then(|| COSTLY.to_owned());
        if workbench::leave(*self, &open, then, problem.as_deref()) {
            return Ok(());
        }
        let opened = self.update(|session| session.apply(open));
        if let Err(invalid) = opened {
            self.problem.set(Some(invalid.to_string()));
            return Err(invalid);
        }
        self.update(|session| go_there(session, then));
        self.problem.set(problem);
        self.show();
        Ok(())
    }

    /// Plays one animation frame; draws only if something moved.
    pub fn frame(&self, elapsed_ms: f64, has_time: impl FnMut() -> bool) {
        let (is_new, notice, away) = self.update(|session| {
            let is_new = session.frame(elapsed_ms, has_time);
            (is_new, session.take_notice(), session.take_away())
        });
        if let (Some(command), true) = (away, cfg!(feature = "workbench")) {
            workbench::leave(*self, &command, &[], None);
        }
        if notice.is_some() {
            self.problem.set(notice);
        }
        if is_new {
            self.show_moment();
        }
        if !self.leaves() && self.read(|session| session.status().state != PlayerState::Replaying) {
            self.arrived();
        }
    }

    /// Tells those who wait for it that what was asked for is there.
    pub fn arrived(&self) {
        let mut arrived = Vec::new();
        self.waiting.update_value(|waiting| arrived = std::mem::take(waiting));
        arrived.into_iter().for_each(|hear| hear());
    }

    /// Whether it is to be had in another program, which is about to take this one's place.
    pub fn leaves(&self) -> bool {
        self.told.with_value(|told| told.leaves)
    }

    /// Says that another program is about to take this one's place, or will not.
    #[cfg(feature = "workbench")]
    pub fn set_leaves(&self, leaves: bool) {
        self.told.update_value(|told| told.leaves = leaves);
    }

    /// Plays the same scenario with a seed that nobody has seen: the one place where true randomness comes in.
    pub fn another_seed(&self) {
        let mut bytes = [0; 4];
        // A browser without a source of randomness still has other seeds than the opening one.
        let seed = getrandom::fill(&mut bytes).map_or(1, |()| u32::from_le_bytes(bytes) % SEEDS_PROPOSED);
        self.act(Command::Seed { seed: u64::from(seed) });
    }

    /// Lets the run slow down where there is too little time to read, or not.
    pub fn set_slows(&self, slows: bool) {
        self.update(|session| session.set_slows(slows));
    }

    /// Shows what only the laboratory knows, or hides it.
    pub fn show_truth(&self, truth: bool) {
        self.update(|session| session.show_truth(truth));
        self.truth.set(truth);
        self.show();
    }

    /// The same from its start.
    pub fn play_another_seed(&self) {
        self.act(Command::Play);
        self.another_seed();
    }

    /// What the run amounts to, unless it is on its way to another moment than the one that is shown.
    pub fn ending(&self) -> Option<Caption> {
        let truth = self.truth.get();
        self.read_run(|run| self.face().ending(run, truth))
    }

    /// Calls `hear` when the session has arrived where it is on its way to: at the next frame, if it is on no way.
    pub fn when_arrived(&self, hear: Box<dyn FnOnce()>) {
        self.waiting.update_value(|waiting| waiting.push(hear));
    }

    /// Whether time passes, or a replay is under way: what a press of the button ends.
    pub fn is_running(&self) -> bool {
        self.status.get().state != PlayerState::Paused
    }

    /// What a press of the button does now.
    pub fn play_label(&self) -> &'static str {
        match self.status.get() {
            status if status.state != PlayerState::Paused => "Pause",
            status if status.ended => "Replay",
            _ => "Play",
        }
    }

    /// Plays or pauses.
    pub fn toggle_play(&self) {
        let is_paused = self.read(|session| session.status().state == PlayerState::Paused);
        self.act(if is_paused { Command::Play } else { Command::Pause });
    }

    /// Which scenario is open, and with which seed.
    pub fn address(&self) -> Address {
        self.read(|session| session.address().clone())
    }

    /// A link to the moment that is shown.
    pub fn link(&self) -> String {
        address::link(&address::to_hand_on(*self, self.truth.get_untracked()))
    }

    /// What is to be seen of the present moment by one who is to see the truth, or not.
    #[cfg(feature = "workbench")]
    pub fn moment_as(&self, truth: bool) -> Rc<Snapshot> {
        self.update(|session| session.moment_as(truth))
    }

    /// What the board says, and where on the page.
    pub fn labels_shown(&self) -> Vec<LabelBox> {
        self.labels.with_value(|labels| labels.as_ref().map(|labels| labels())).unwrap_or_default()
    }

    /// The moment that is shown.
    pub fn snapshot_now(&self) -> Rc<Snapshot> {
        self.read(|session| Rc::clone(session.snapshot()))
    }

    fn update<R>(&self, update: impl FnOnce(&mut Session) -> R) -> R {
        let mut outcome = None;
        self.session.update_value(|session| outcome = Some(update(session)));
        match outcome {
            Some(outcome) => outcome,
            None => unreachable!("the session lives as long as the page"),
        }
    }

    /// Shows what came of what a person did, all of it at once.
    fn show(&self) {
        self.told.update_value(|told| told.glanced_ms = f64::NEG_INFINITY);
        self.show_moment();
    }

    /// Shows this moment, and why no other follows if none does.
    fn show_moment(&self) {
        let stopped = self.read(|session| session.run().stopped());
        if stopped.is_some() && self.problem.with_untracked(|problem| *problem != stopped) {
            self.problem.set(stopped);
        }
        let (is_known, is_preset) = self.told.with_value(|told| {
            self.read(|session| {
                let address = session.address();
                (told.address == *address, told.address.preset == address.preset)
            })
        });
        if !is_known {
            let address = self.address();
            address::follow(*self, &address);
            self.told.update_value(|told| told.address = address);
        }
        // Who comes back to another system's run is shown the old one until the replay has arrived.
        let is_system = !cfg!(feature = "workbench")
            || self.read(|session| session.snapshot().system)
                == self.snapshot.with_untracked(|now| now.system);
        if !(self.turns() || is_preset && is_system) {
            self.told.update_value(|told| told.turns = true);
            super::mount_again(*self);
        }
        if !self.turns() {
            self.tell();
        }
        self.note_first_answer();
    }

    /// Holds on to nothing of a session that has gone to another program.
    pub fn forget(&self) {
        let anew = self.read(|session| Session::open(Scenario::preset(&session.address().preset, 0), 1.0));
        if let Ok(anew) = anew {
            self.session.set_value(anew);
        }
    }

    fn turns(&self) -> bool {
        self.told.with_value(|told| told.turns)
    }

    /// Tells the page that is about to be mounted what it is to show.
    pub fn turn(&self) {
        self.told.update_value(|told| told.turns = false);
        self.tell();
    }

    /// Tells the components what is new.
    fn tell(&self) {
        let (snapshot, settings, status) = self
            .read(|session| (Rc::clone(session.snapshot()), Rc::clone(session.settings()), session.status()));
        let is_told = |caption: &Caption| self.read(|session| session.caption() == caption);
        if !self.caption.with_untracked(is_told) {
            self.caption.set(self.read(|session| session.caption().clone()));
        }
        if !Rc::ptr_eq(&self.settings.get_untracked(), &settings) {
            self.settings.set(settings);
        }
        let (now_ms, runs) = (wall_ms(), status.state == PlayerState::Running);
        let waits = self.told.with_value(|told| runs && now_ms - told.glanced_ms < GLANCE_EVERY_MS);
        if !waits {
            self.told.update_value(|told| told.glanced_ms = now_ms);
            if !Rc::ptr_eq(&self.glance.get_untracked(), &snapshot) {
                self.glance.set(Rc::clone(&snapshot));
            }
        }
        if !Rc::ptr_eq(&self.snapshot.get_untracked(), &snapshot) {
            self.snapshot.set(snapshot);
        }
        // Which speed is reached changes with each frame that comes late, and words for it would make the next one later.
        let before = self.status.get_untracked();
        let now = if waits { Status { reached: before.reached, ..status } } else { status };
        if now != before {
            self.status.set(now);
        }
    }

    /// The first load ends with the first answer: from then on there is time to fetch what may be wanted next.
    fn note_first_answer(&self) {
        let is_first = |session: &Session| session.run().system().progress().1 > 0;
        if !self.told.with_value(|told| told.answered) && self.read(is_first) {
            self.told.update_value(|told| told.answered = true);
            host::answered();
        }
    }
}

/// What leads to the moment that an address names, at its speed, and stands still there if it says so; at the start, if it
/// asks for too much to be played unasked.
fn then(address: &Address) -> Vec<Command> {
    let is_costly = address.is_costly();
    let speed = address.page("speed").and_then(decimal::read).map(|speed| Command::Speed { speed });
    let pause = (address.stands || is_costly).then_some(Command::Pause);
    let seek = address.go_to().filter(|_| !is_costly);
    [speed, pause, seek].into_iter().flatten().collect()
}

/// Does what leads to a moment. A speed that is none is left out; the others are allowed at any moment, and one beyond the
/// end leads there.
pub fn go_there(session: &mut Session, then: &[Command]) {
    for command in then {
        let _ = session.apply(command.clone());
    }
}
