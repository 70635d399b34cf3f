//! The Math Wizard's face.
//!
//! In reading order: `observe` (what a snapshot has of a Math Wizard), `words` (sentence, outcomes, table, help), `caption`
//! (what just happened), `experiment` (what one may guess and try), `board` (containers, queue, jobs), `charts`.

mod board;
mod caption;
mod charts;
mod experiment;
#[cfg(feature = "workbench")]
mod log;
pub mod observe;
mod words;

#[cfg(feature = "workbench")]
use crate::app::account::{Level, Printed, Work};
use crate::app::canvas::{Picture, View};
use crate::app::caption::Caption;
use crate::app::experiment::Experiment;
use crate::app::face::{Face, Moment, Observed, Show, Words, key_of};
use crate::app::outcomes::Figure;
use crate::app::plot::Charts;
use crate::app::snapshot::NodeView;
#[cfg(feature = "workbench")]
use crate::kernel::Record;
use crate::lab::Run;
use observe::WizardView;

/// A moment of a Math Wizard.
type Now<'a> = Moment<'a, WizardView>;

/// A Math Wizard's face.
pub struct Wizard;

/// The Math Wizard's face.
pub static FACE: Wizard = Wizard;

impl Face for Wizard {
    type View = WizardView;

    fn words(&self) -> &'static Words {
        &words::WORDS
    }

    fn observe(&self, run: &Run, _: Option<&WizardView>, _: Show) -> Option<Observed<WizardView>> {
        observe::observe(run)
    }

    fn outcomes(&self, now: Now) -> Vec<Figure> {
        words::outcomes(now)
    }

    fn caption(&self, now: Now) -> Caption {
        caption::caption(now)
    }

    fn experiment(&self, now: Now, question: &str) -> Option<Experiment> {
        experiment::experiment(now, question)
    }

    fn measure(&self, run: &Run, experiment: &Experiment) -> Option<Vec<f64>> {
        experiment::measure(run, experiment)
    }

    fn ending(&self, run: &Run, _: bool) -> Caption {
        caption::ending(run)
    }

    fn picture(&self, now: Now, view: &View) -> Picture {
        board::picture(now, view)
    }

    /// What changes the lists, and what changes a job.
    fn picture_key(&self, now: Now) -> u64 {
        let counts = now.view.counts;
        key_of(&now, &(now.view.lists, counts.acknowledged, counts.done, counts.lost))
    }

    /// Of the newest job that was lost, or else of the newest that was done.
    fn receipt(&self, now: Now, _: &str) -> Option<String> {
        let done = || now.view.latest.iter().find(|job| job.handled_by.is_some());
        now.view.lost.first().or_else(done).map(|job| job.id.clone())
    }

    fn cells(&self, now: Now, _: &NodeView, index: usize) -> Vec<String> {
        words::cells(now, index)
    }

    #[cfg(feature = "workbench")]
    fn works(&self) -> &'static [Work] {
        &log::WORKS
    }

    #[cfg(feature = "workbench")]
    fn prints(&self, run: &Run, record: &Record, line: Option<&mut Printed>) -> Option<Level> {
        log::prints(run, record, line)
    }

    fn charts(&self) -> Box<dyn Charts> {
        Box::new(charts::WizardCharts::default())
    }
}
