//! The oracle's face, over HTTP and over NATS.
//!
//! In reading order: `view` (what a snapshot has of an oracle), `observe` (how it is read off a run), `words` (sentence,
//! outcomes, table, help), `caption` (what just happened), `board` (the race), `charts`. What only a broker brings stands in
//! a file of its own beside each: `caption/broker`, `board/broker`.

mod board;
mod caption;
mod charts;
mod experiment;
#[cfg(feature = "workbench")]
mod log;
mod observe;
pub mod view;
mod words;

#[cfg(feature = "workbench")]
use crate::app::account::{Level, Printed, Work};
use crate::app::canvas::{Picture, View};
use crate::app::caption::Caption;
use crate::app::experiment::Experiment;
use crate::app::face::{Face, Moment, Observed, Remedy, Show, Words, key_of};
use crate::app::outcomes::Figure;
use crate::app::plot::Charts;
use crate::app::snapshot::{NodeView, Sign};
#[cfg(feature = "workbench")]
use crate::kernel::{Instant, Kind, Record};
use crate::lab::Run;
#[cfg(feature = "workbench")]
use crate::systems::oracle::fact::RESULT_DROPPED;
use view::{Known, OracleView};

/// Who has not registered until then has no coordinator, or has been dropped by it.
const REGISTERED_BY_MS: f64 = 1000.0;

/// A moment of an oracle.
type Now<'a> = Moment<'a, OracleView>;

/// An oracle's face.
pub struct Oracle {
    words: &'static Words,
    outcomes: fn(Now) -> Vec<Figure>,
}

/// The oracle's face over HTTP.
pub static HTTP: Oracle = Oracle { words: &words::HTTP, outcomes: words::outcomes };
/// The oracle's face over NATS.
pub static NATS: Oracle = Oracle { words: &words::NATS, outcomes: words::nats_outcomes };

impl Face for Oracle {
    type View = OracleView;

    fn words(&self) -> &'static Words {
        self.words
    }

    fn observe(&self, run: &Run, before: Option<&OracleView>, show: Show) -> Option<Observed<OracleView>> {
        observe::observe(run, before, show)
    }

    fn lay_beside(&self, view: &mut OracleView, left: &Run) {
        observe::lay_beside(view, left);
    }

    fn outcomes(&self, now: Now) -> Vec<Figure> {
        (self.outcomes)(now)
    }

    fn caption(&self, now: Now) -> Caption {
        caption::caption(now)
    }

    fn picture(&self, now: Now, view: &View) -> Picture {
        board::race(now, view)
    }

    /// Which request is kept in view, and what became of the newest.
    fn picture_key(&self, now: Now) -> u64 {
        let kept = now.view.request.as_ref().map(|request| request.number);
        let live: Vec<Sign> = now.view.known.iter().map(|known| known.live).collect();
        key_of(&now, &(kept, live))
    }

    fn cells(&self, now: Now, node: &NodeView, index: usize) -> Vec<String> {
        words::cells(now, node, index)
    }

    fn remarks(&self, now: Now, node: &NodeView, index: usize) -> String {
        node.remarks() + if now.known(index).registered { "" } else { ", not registered" }
    }

    fn said(&self, now: Now) -> String {
        let Some(request) = &now.view.request else {
            return String::new();
        };
        format!(", request {}, {} late", request.number, request.counts.late)
    }

    fn can_try(&self, now: Now, question: &str) -> bool {
        experiment::can_try(now, question)
    }

    fn experiment(&self, now: Now, question: &str) -> Option<Experiment> {
        experiment::experiment(now, question)
    }

    /// Of the request that is kept in view.
    fn receipt(&self, now: Now, _: &str) -> Option<String> {
        now.view.request.as_ref().map(|request| format!("req-{:05}", request.number))
    }

    fn measure(&self, run: &Run, experiment: &Experiment) -> Option<Vec<f64>> {
        experiment::measure(run, experiment)
    }

    fn aside(&self, now: Now) -> String {
        words::aside(now)
    }

    fn ending(&self, run: &Run, truth: bool) -> Caption {
        caption::ending(run, truth)
    }

    fn remedy(&self, now: Now) -> Option<Remedy> {
        // Before that they are on their way.
        let nobody = now.vtime_ms > REGISTERED_BY_MS
            && (0..now.rows().len()).all(|index| !now.known(index).registered);
        nobody.then(|| Remedy {
            label: "Restart all workers",
            title: "No workers registered. Requests get 503.",
            fault: format!("restart:{}?", now.view.settings.workers),
        })
    }

    #[cfg(feature = "workbench")]
    fn knows(&self, run: &Run, record: &Record) -> bool {
        log::knows(run, record)
    }

    #[cfg(feature = "workbench")]
    fn timeouts(&self, run: &Run, shown: [Instant; 2]) -> Vec<Instant> {
        log::timeouts(run, shown)
    }

    #[cfg(feature = "workbench")]
    fn is_late(&self, kind: Kind) -> bool {
        kind == RESULT_DROPPED
    }

    #[cfg(feature = "workbench")]
    fn works(&self) -> &'static [Work] {
        &log::WORKS
    }

    #[cfg(feature = "workbench")]
    fn sign(&self, run: &Run, record: &Record) -> Option<Sign> {
        log::sign(run, record)
    }

    #[cfg(feature = "workbench")]
    fn prints(&self, run: &Run, record: &Record, line: Option<&mut Printed>) -> Option<Level> {
        log::prints(run, record, line)
    }

    fn charts(&self) -> Box<dyn Charts> {
        Box::new(charts::History::default())
    }
}

/// What an aggregate is compared with.
fn other_strategy(strategy: &str) -> &'static str {
    if strategy == "average" { "median" } else { "average" }
}

impl Now<'_> {
    /// What the coordinator knows of the worker in a row.
    fn known(&self, row: usize) -> Known {
        self.view.known.get(self.rows_from + row).copied().unwrap_or_default()
    }
}
