//! The configuration system's face.
//!
//! In reading order: `observe` (what a snapshot has of a configuration system), `words` (sentence, outcomes, table, help),
//! `caption` (what just happened), `experiment` (what one may guess and try), `board` (versions as bars, polls as ticks, staleness as age), `charts`.

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
use observe::ConfigView;

/// A moment of a configuration system.
type Now<'a> = Moment<'a, ConfigView>;

/// A configuration system's face.
pub struct Config;

/// The configuration system's face.
pub static FACE: Config = Config;

impl Face for Config {
    type View = ConfigView;

    fn words(&self) -> &'static Words {
        &words::WORDS
    }

    fn observe(&self, run: &Run, _: Option<&ConfigView>, _: Show) -> Option<Observed<ConfigView>> {
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

    /// Who has which version, and what is the newest.
    fn picture_key(&self, now: Now) -> u64 {
        let versions: Vec<u64> = now.view.holders.iter().map(|holder| holder.version).collect();
        key_of(&now, &(now.view.newest, versions))
    }

    /// Of the newest version: at the selected agent or worker, or as a whole.
    fn receipt(&self, now: Now, selected: &str) -> Option<String> {
        let version = format!("v{}", now.view.newest);
        let has_row = now.rows().iter().any(|node| node.name == selected);
        Some(if has_row { format!("{selected}@{version}") } else { version })
    }

    fn cells(&self, now: Now, node: &NodeView, index: usize) -> Vec<String> {
        words::cells(now, node, index)
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
        Box::new(charts::ConfigCharts::default())
    }
}
