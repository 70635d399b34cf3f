//! A node in a snapshot: what it does in its system, how it is, what is broken about it.

use crate::lab::fault::FaultKind;
use crate::substrate::decimal::{fixed, signed};
use serde::{Serialize, Serializer};

/// What a node does in its system, in a word of that system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Role(pub &'static str);

impl Role {
    /// Where a person's own calls come from.
    pub const CONSOLE: Role = Role("console");
    /// Makes the load.
    pub const CLIENT: Role = Role("client");
}

/// How a node is: a sign of the page's, and what it means in this system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// The sign.
    pub sign: Sign,
    /// What it means here.
    pub words: &'static str,
}

impl State {
    /// The node does not run: the same in all systems.
    pub const DOWN: State = State::new(Sign::Down, "down");
    /// There is nothing to be said of it.
    pub const IDLE: State = State::new(Sign::Idle, "idle");

    /// A state.
    pub const fn new(sign: Sign, words: &'static str) -> Self {
        State { sign, words }
    }
}

/// In JSON a state is its sign.
impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.sign.serialize(serializer)
    }
}

/// The signs that the page has for states, each with a shape and a colour of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// All is as it should be.
    InTime,
    /// Later than it should be.
    Late,
    /// It failed.
    Failed,
    /// It says what is not so.
    Lying,
    /// It does not run.
    Down,
    /// It is at work.
    Working,
    /// It has something to do, and is not at work yet.
    Asked,
    /// It has nothing to do.
    #[default]
    Idle,
}

impl Sign {
    /// All of them: what needs a judgement first, then what is still open.
    pub const ALL: [Sign; 8] = [
        Sign::InTime,
        Sign::Late,
        Sign::Failed,
        Sign::Lying,
        Sign::Down,
        Sign::Working,
        Sign::Asked,
        Sign::Idle,
    ];

    /// Its name in `data-state`.
    pub const fn name(self) -> &'static str {
        match self {
            Sign::InTime => "in-time",
            Sign::Late => "late",
            Sign::Failed => "failed",
            Sign::Lying => "lying",
            Sign::Down => "down",
            Sign::Working => "working",
            Sign::Asked => "asked",
            Sign::Idle => "idle",
        }
    }
}

/// A node now.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeView {
    /// Its number in the trace and in messages.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// What it does.
    pub role: Role,
    /// Whether it runs.
    pub up: bool,
    /// Since when it has been down.
    pub down_since_ms: Option<f64>,
    /// What its mark says.
    pub state: State,
    /// By how much it lies.
    pub lie: Option<f64>,
    /// How many times as long its work takes.
    pub slow: f64,
    /// Whether some rule cuts it off from another node, in either direction.
    pub cut: bool,
    /// Whether some rule loses messages of it.
    pub drops: bool,
}

impl NodeView {
    /// The node as whoever only talks to it can know it: it is in some state, and why is not to be seen, but for the ways in
    /// which that person has broken it.
    pub fn as_seen_by(self, state: State, broken: &[FaultKind]) -> Self {
        let knows = |kind| broken.contains(&kind);
        let of_life =
            [FaultKind::Crash, FaultKind::Stop, FaultKind::Restart, FaultKind::Start].into_iter().any(knows);
        NodeView {
            up: self.up || !of_life,
            down_since_ms: self.down_since_ms.filter(|_| of_life),
            state: if of_life && !self.up { self.state } else { state },
            lie: self.lie.filter(|_| knows(FaultKind::Lie)),
            slow: if knows(FaultKind::Slow) { self.slow } else { 1.0 },
            cut: self.cut && knows(FaultKind::Cut),
            drops: self.drops && knows(FaultKind::Drop),
            ..self
        }
    }

    /// What is to be said of it besides its state: since when it is down, how it lies, what is broken about it.
    pub fn remarks(&self) -> String {
        let mut remarks = String::new();
        if let Some(since) = self.down_since_ms {
            remarks += &format!(" since {} s", fixed(since / 1000.0, 1));
        }
        if let Some(bias) = self.lie {
            remarks += &format!(", lies by {} %", signed(bias * 100.0, 0));
        }
        if self.slow != 1.0 {
            remarks += &format!(", ×{} slow", self.slow);
        }
        for (holds, remark) in [(self.cut, ", cut off"), (self.drops, ", loses messages")] {
            if holds {
                remarks += remark;
            }
        }
        remarks
    }
}
