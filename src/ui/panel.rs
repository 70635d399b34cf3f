//! What few people open: the list of it, and what a program that lacks it hands to the one that has it, as plain data.
//! `workbench.rs` has the panels and takes a run over; `elsewhere.rs`, in its place, hands it over.

use super::Lab;
#[cfg(feature = "workbench")]
use crate::app::session::Sent;
use crate::app::session::{Command, Handed};
use serde::{Deserialize, Serialize};

/// Something that few people open.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Panel {
    /// The help.
    Help,
    /// The gallery: at the first scenario of a system, or at the one that is open.
    Gallery(Option<String>),
    /// The question that the caption asks, to be guessed and tried.
    Predict,
    /// The menu of the node that is selected, at a point of the board.
    Menu(f64, f64),
    /// A tab of the dock.
    Tab(Tab),
    /// Why what is told is as it is.
    Receipt,
    /// A link to this moment.
    Share,
    /// What a key does to the chip of a fault, by the chip's id; all faults, if it is no fault's.
    Chip(String, String),
    /// The run, to be kept.
    Save,
    /// Nothing to be seen: a script calls the API.
    Script,
    /// A scenario that another program has, with what leads to a moment of it; and whether it asks for very much.
    Scenario(Command, Vec<Command>, bool),
}

/// What the dock shows. All but the charts are panels that few people open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tab {
    /// The charts.
    Metrics,
    /// Messages between the rows, over time.
    Space,
    /// What happened, line by line.
    Log,
    /// Calls of the simulated API.
    Api,
    /// The board in words.
    Workers,
}

impl Tab {
    /// All of them, in their order.
    pub const ALL: [Tab; 5] = [Tab::Metrics, Tab::Space, Tab::Log, Tab::Api, Tab::Workers];

    /// Its name in ids.
    pub const fn key(self) -> &'static str {
        ["metrics", "space", "log", "api", "workers"][self as usize]
    }

    /// Its name.
    pub fn title(self, lab: Lab) -> String {
        match self {
            Tab::Workers => format!("{} table", lab.face().words().rows),
            _ => ["Metrics", "Space–time", "Log", "API console"][self as usize].to_owned(),
        }
    }
}

/// A panel that was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// Which.
    pub panel: Panel,
    /// Whether the run stands still for it, and goes on afterwards.
    pub resumes: bool,
}

/// What is to be done in another program.
#[cfg(feature = "workbench")]
#[derive(Serialize, Deserialize)]
pub struct Errand {
    /// The session, with what leads to the other program's scenario.
    pub session: Sent,
    /// What is done then; what is not allowed there is left out.
    pub then: Vec<Command>,
    /// What is said of it.
    pub problem: Option<String>,
}

/// All that a page has, as plain data.
#[derive(Clone, Serialize, Deserialize)]
pub struct Kept {
    /// The session.
    pub session: Handed,
    /// What was not allowed last.
    pub problem: Option<String>,
    /// The panel that is to be opened.
    pub asked: Asked,
    /// The node that is selected.
    pub selected: String,
    /// Whether the dock is open.
    pub dock_open: bool,
    /// Which strip of the board is shown.
    pub shows_when: bool,
}
