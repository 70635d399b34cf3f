//! A system's face: everything on the page that differs from system to system.
//!
//! # Adding a system: its face
//!
//! A face is a type that implements [`Face`], in a room of its own (`app/<system>`, or one file), and a line in
//! `app/catalogue.rs`. Two of its methods have to be written:
//!
//! - [`Face::words`]: what is the same at every moment, a table over [`Words::DEFAULT`]. It says at least which node is
//!   selected when the page opens; the sentence says the parameters in words.
//! - [`Face::observe`]: what a snapshot has of a run. [`Observed::of`] has every node of the network, with a row each; the
//!   system's own view ([`Face::View`], `()` for none) is whatever the other methods need to know, read off the
//!   run's folds here and nowhere else.
//!
//! Everything else has a default that does for any system:
//!
//! | method | by default | to be written when |
//! |---|---|---|
//! | [`Face::picture`] | [`canvas::simple`]: nodes in rows, messages on their way, a legend by state | the system has a shape of its own |
//! | [`Face::picture_key`] | changes with the nodes' states, and with each unit of work that is wanted | more than that is worth a new picture to those who want few |
//! | [`Face::caption`], [`Face::outcomes`] | nothing | there is a story to tell |
//! | [`Face::cells`], [`Face::remarks`] | no figures; what is broken about a node | the table has columns |
//! | [`Face::charts`] | none | something is worth seeing over time |
//! | [`Face::lay_beside`] | nothing | the board shows what was before one changed the past |
//! | [`Face::said`], [`Face::remedy`] | nothing | |
//! | [`Face::ending`] | that the run has ended | it amounts to something |
//! | [`Face::receipt`] | nothing to explain | the system writes receipts |
//! | [`Face::experiment`], [`Face::measure`], [`Face::can_try`] | the question is words only | it can be tried |
//! | `Face::prints`, `Face::works` | no log of the programs' own; no bars in space–time | the log is to be that of the real programs; nodes work for a time |
//! | `Face::knows` | everything | there is a truth to hide, in log and space–time, too |
//! | [`Face::aside`] | nothing | the sentence alone would be wrong at some moments |
//!
//! What a face says of a node goes into its [`State`]: one of the page's signs, and what that
//! means in this system. The legend, the table and scripts take it from there.
//!
//! The page does not know which system it shows: it asks an [`AnyFace`], which each [`Face`] is. That is also the only
//! place where a view gets its type back.

mod any;

pub use any::AnyFace;

#[cfg(feature = "workbench")]
use super::account::{Level, Printed, Work};
use super::canvas::{self, Picture};
use super::caption::Caption;
use super::experiment::Experiment;
use super::outcomes::Figure;
use super::plot::{Chart, Charts};
use super::sentence::Part;
pub use super::snapshot::Show;
use super::snapshot::{MessageView, NodeView, Role, Sign, Snapshot, State, SystemView, Watch};
#[cfg(feature = "workbench")]
use crate::kernel::{Instant, Kind, Record};
use crate::lab::Run;
use crate::net::WordHasher;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

/// What only panels ask for that few people open, a program without them lacks: behind a table of methods nothing else says so.
const HAS_PANELS: bool = cfg!(feature = "workbench");

/// A system's face.
pub trait Face: Sync + 'static {
    /// What a snapshot of this system has besides what all have.
    type View: SystemView;

    /// What is the same at every moment.
    fn words(&self) -> &'static Words;

    /// What a snapshot has of a run: `None` for one of another system. `before` is the view before it in the same run, of
    /// which it may take what has not changed.
    fn observe(&self, run: &Run, before: Option<&Self::View>, show: Show) -> Option<Observed<Self::View>>;

    /// Adds what the future that an act in the past has left had at the same place.
    fn lay_beside(&self, _: &mut Self::View, _left: &Run) {}

    /// The outcomes beside the sentence; always as many.
    fn outcomes(&self, _: Moment<Self::View>) -> Vec<Figure> {
        Vec::new()
    }

    /// The caption under the board.
    fn caption(&self, _: Moment<Self::View>) -> Caption {
        Caption::default()
    }

    /// The board.
    fn picture(&self, now: Moment<Self::View>, view: &canvas::View) -> Picture {
        canvas::simple::picture(now.snapshot, view)
    }

    /// A number that changes whenever something has changed that is worth a new picture, for those who want few.
    fn picture_key(&self, now: Moment<Self::View>) -> u64 {
        key_of(&now, &now.begun)
    }

    /// The figures of a row of the table, one for each of [`Words::columns`]; `index` is the row's.
    fn cells(&self, _: Moment<Self::View>, _: &NodeView, _index: usize) -> Vec<String> {
        Vec::new()
    }

    /// What the table says of a node besides its state.
    fn remarks(&self, _: Moment<Self::View>, node: &NodeView, _index: usize) -> String {
        node.remarks()
    }

    /// What follows the clock's time for those who hear the page.
    fn said(&self, _: Moment<Self::View>) -> String {
        String::new()
    }

    /// What stands after the sentence: what holds now besides what it says, such as a fault.
    fn aside(&self, _: Moment<Self::View>) -> String {
        String::new()
    }

    /// Whether the question of a caption can be tried, for those who need no more of it.
    fn can_try(&self, now: Moment<Self::View>, question: &str) -> bool {
        self.experiment(now, question).is_some()
    }

    /// The question of a caption as something that can be tried.
    fn experiment(&self, _: Moment<Self::View>, _question: &str) -> Option<Experiment> {
        None
    }

    /// The id of the receipt that says why what is told is as it is; of the selected node, where it is about nodes.
    fn receipt(&self, _: Moment<Self::View>, _selected: &str) -> Option<String> {
        None
    }

    /// The figures that an experiment asks for, one for each unit of work, when the last of them is known.
    fn measure(&self, _: &Run, _: &Experiment) -> Option<Vec<f64>> {
        None
    }

    /// What a run that has been watched to its end amounts to; without the truth, what the system itself can know of it.
    fn ending(&self, run: &Run, _truth: bool) -> Caption {
        let (begun, ended) = run.system().progress();
        let detail = format!("{begun} {} were wanted, {ended} have ended.", run.system().kind().unit);
        Caption::new("That was the run.".to_owned(), detail, "")
    }

    /// The way out of a state that the system does not leave by itself.
    fn remedy(&self, _: Moment<Self::View>) -> Option<Remedy> {
        None
    }

    /// Whether the system itself can know of a record: what is shown of the trace while the truth is hidden.
    #[cfg(feature = "workbench")]
    fn knows(&self, _: &Run, _: &Record) -> bool {
        true
    }

    /// The work that space–time shows as bars.
    #[cfg(feature = "workbench")]
    fn works(&self) -> &'static [Work] {
        &[]
    }

    /// What the end of work is, where its kind alone does not say so.
    #[cfg(feature = "workbench")]
    fn sign(&self, _: &Run, _: &Record) -> Option<Sign> {
        None
    }

    /// When patience with a unit of work ends between two instants, in order.
    #[cfg(feature = "workbench")]
    fn timeouts(&self, _: &Run, _: [Instant; 2]) -> Vec<Instant> {
        Vec::new()
    }

    /// Whether a kind of records is called late, besides those of the protocols.
    #[cfg(feature = "workbench")]
    fn is_late(&self, _: Kind) -> bool {
        false
    }

    /// The line that the real program would print where a record was made, if it prints one; how much that matters.
    #[cfg(feature = "workbench")]
    fn prints(&self, _: &Run, _: &Record, _: Option<&mut Printed>) -> Option<Level> {
        None
    }

    /// New charts, which have seen nothing yet.
    fn charts(&self) -> Box<dyn Charts> {
        Box::new(NoCharts)
    }
}

/// What a face says that is the same at every moment.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// The node that is selected when the page opens: one click breaks it.
    pub selected: &'static str,
    /// The sentence over the board.
    pub sentence: &'static [Part],
    /// What has a row on the board and in the table: the table is called by it.
    pub rows: &'static str,
    /// The table's columns of figures.
    pub columns: &'static [&'static str],
    /// The board in words, for those who do not see it.
    pub board: &'static str,
    /// How the board is to be read, for the help.
    pub help: &'static str,
    /// For a system whose nodes can lie: what hiding the truth hides.
    pub truth: Option<&'static str>,
    /// The parameters that are hidden with it. Where the sentence comes to the first of them, it says so and ends.
    pub hidden: &'static [&'static str],
}

impl Words {
    /// What is said of a system that says nothing of its own.
    pub const DEFAULT: Words = Words {
        selected: "",
        sentence: &[],
        rows: "Nodes",
        columns: &[],
        board: "Board, one row for each node. The table has the same rows in words.",
        help: "Each node has a row with its state. Dots between them are messages on their way.",
        truth: None,
        hidden: &[],
    };
}

/// A button for a way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remedy {
    /// What is on it.
    pub label: &'static str,
    /// What it is for.
    pub title: &'static str,
    /// The fault that it brings, such as `restart:w-04`.
    pub fault: String,
}

/// What a face has seen of a run.
pub struct Observed<V> {
    /// The nodes; those that have a row each come last.
    pub nodes: Vec<NodeView>,
    /// Where in `nodes` those with a row begin.
    pub rows_from: usize,
    /// The messages on their way.
    pub messages: Vec<MessageView>,
    /// The system's own view.
    pub view: V,
}

impl<V> Observed<V> {
    /// Every node of the network, with a row each but for the console, and every message.
    pub fn of(run: &Run, view: V) -> Self {
        let watch = Watch::of(run);
        let console = |name: &str| name == Role::CONSOLE.0;
        let (mut nodes, rows): (Vec<NodeView>, Vec<NodeView>) = run
            .net()
            .nodes()
            .map(|id| {
                let role = if console(&run.net().name(id)) { Role::CONSOLE } else { Role("node") };
                watch.node(id, role, State::IDLE)
            })
            .partition(|node| node.role == Role::CONSOLE);
        let rows_from = nodes.len();
        nodes.extend(rows);
        Observed { nodes, rows_from, messages: messages(run), view }
    }
}

/// The messages of a run that are on their way.
pub fn messages(run: &Run) -> Vec<MessageView> {
    run.net().in_flight().iter().map(MessageView::of).collect()
}

/// A snapshot with its system's own view: what a face reads.
pub struct Moment<'a, V> {
    /// What all systems have.
    pub snapshot: &'a Snapshot,
    /// What this one has besides.
    pub view: &'a V,
}

impl<V> Clone for Moment<'_, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V> Copy for Moment<'_, V> {}

impl<V> Deref for Moment<'_, V> {
    type Target = Snapshot;

    fn deref(&self) -> &Snapshot {
        self.snapshot
    }
}

impl<'a, V: SystemView> Moment<'a, V> {
    /// A snapshot whose view is of that type.
    pub fn of(snapshot: &'a Snapshot) -> Option<Self> {
        Some(Moment { snapshot, view: snapshot.view.of_type()? })
    }
}

/// A number that changes with the state of any node, and with whatever else is given.
pub fn key_of(snapshot: &Snapshot, more: &impl Hash) -> u64 {
    let mut hasher = WordHasher::default();
    for node in &snapshot.nodes {
        (node.up, node.state.sign, node.cut, node.drops).hash(&mut hasher);
    }
    more.hash(&mut hasher);
    hasher.finish()
}

/// A row of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The node's name.
    pub name: String,
    /// Its state's sign.
    pub sign: Sign,
    /// Its state in words, with what is to be said besides.
    pub words: String,
    /// One figure for each column.
    pub cells: Vec<String>,
}

/// The charts of a system that has none.
struct NoCharts;

impl Charts for NoCharts {
    fn update(&mut self, _: &Run) {}

    fn draw(&self, _: f64, _: Show) -> Vec<Chart> {
        Vec::new()
    }
}
