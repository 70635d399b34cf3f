//! A face of whichever system: what the page asks, which does not know which one it shows. The only place where a view gets
//! its type back.

use super::{Face, HAS_PANELS, Moment, Observed, Remedy, Row, Show, Words};
#[cfg(feature = "workbench")]
use crate::app::account::{Level, Printed, Work};
use crate::app::canvas::{self, Picture};
use crate::app::caption::Caption;
use crate::app::experiment::Experiment;
use crate::app::outcomes::Figure;
use crate::app::plot::Charts;
#[cfg(feature = "workbench")]
use crate::app::snapshot::Sign;
use crate::app::snapshot::{Snapshot, SystemView};
#[cfg(feature = "workbench")]
use crate::kernel::{Instant, Kind, Record};
use crate::lab::Run;
use std::rc::Rc;

/// A face of whichever system: what the page asks. A snapshot of another system gets nothing.
pub trait AnyFace: Sync {
    /// See [`Face::words`].
    fn words(&self) -> &'static Words;
    /// See [`Face::observe`] and [`Face::lay_beside`].
    fn observe(
        &self,
        run: &Run,
        left: Option<&Run>,
        before: Option<&Snapshot>,
        show: Show,
    ) -> Option<Observed<Rc<dyn SystemView>>>;
    /// See [`Face::outcomes`].
    fn outcomes(&self, snapshot: &Snapshot) -> Vec<Figure>;
    /// See [`Face::caption`].
    fn caption(&self, snapshot: &Snapshot) -> Caption;
    /// See [`Face::picture`].
    fn picture(&self, snapshot: &Snapshot, view: &canvas::View) -> Picture;
    /// See [`Face::picture_key`].
    fn picture_key(&self, snapshot: &Snapshot) -> u64;
    /// The row of the table at `index`.
    fn row(&self, snapshot: &Snapshot, index: usize) -> Option<Row>;
    /// See [`Face::said`].
    fn said(&self, snapshot: &Snapshot) -> String;
    /// See [`Face::can_try`].
    fn can_try(&self, snapshot: &Snapshot, question: &str) -> bool;
    /// See [`Face::experiment`].
    fn experiment(&self, snapshot: &Snapshot, question: &str) -> Option<Experiment>;
    /// See [`Face::receipt`].
    fn receipt(&self, snapshot: &Snapshot, selected: &str) -> Option<String>;
    /// See [`Face::measure`].
    fn measure(&self, run: &Run, experiment: &Experiment) -> Option<Vec<f64>>;
    /// See [`Face::aside`].
    fn aside(&self, snapshot: &Snapshot) -> String;
    /// See [`Face::ending`].
    fn ending(&self, run: &Run, truth: bool) -> Caption;
    /// See [`Face::remedy`].
    fn remedy(&self, snapshot: &Snapshot) -> Option<Remedy>;
    /// See [`Face::knows`].
    #[cfg(feature = "workbench")]
    fn knows(&self, run: &Run, record: &Record) -> bool;
    /// See [`Face::works`].
    #[cfg(feature = "workbench")]
    fn works(&self) -> &'static [Work];
    /// See [`Face::sign`].
    #[cfg(feature = "workbench")]
    fn sign(&self, run: &Run, record: &Record) -> Option<Sign>;
    /// See [`Face::timeouts`].
    #[cfg(feature = "workbench")]
    fn timeouts(&self, run: &Run, shown: [Instant; 2]) -> Vec<Instant>;
    /// See [`Face::is_late`].
    #[cfg(feature = "workbench")]
    fn is_late(&self, kind: Kind) -> bool;
    /// See [`Face::prints`].
    #[cfg(feature = "workbench")]
    fn prints(&self, run: &Run, record: &Record, line: Option<&mut Printed>) -> Option<Level>;
    /// See [`Face::charts`].
    fn charts(&self) -> Box<dyn Charts>;
}

impl<F: Face> AnyFace for F {
    fn words(&self) -> &'static Words {
        Face::words(self)
    }

    fn observe(
        &self,
        run: &Run,
        left: Option<&Run>,
        before: Option<&Snapshot>,
        show: Show,
    ) -> Option<Observed<Rc<dyn SystemView>>> {
        let before = before.and_then(|snapshot| snapshot.view.of_type());
        let Observed { nodes, rows_from, messages, mut view } = Face::observe(self, run, before, show)?;
        if let Some(left) = left {
            self.lay_beside(&mut view, left);
        }
        Some(Observed { nodes, rows_from, messages, view: Rc::new(view) })
    }

    fn outcomes(&self, snapshot: &Snapshot) -> Vec<Figure> {
        Moment::of(snapshot).map_or_else(Vec::new, |now| Face::outcomes(self, now))
    }

    fn caption(&self, snapshot: &Snapshot) -> Caption {
        Moment::of(snapshot).map_or_else(Caption::default, |now| Face::caption(self, now))
    }

    fn picture(&self, snapshot: &Snapshot, view: &canvas::View) -> Picture {
        let blank = || Picture::blank(view);
        Moment::of(snapshot).map_or_else(blank, |now| Face::picture(self, now, view))
    }

    fn picture_key(&self, snapshot: &Snapshot) -> u64 {
        Moment::of(snapshot).map_or(0, |now| Face::picture_key(self, now))
    }

    fn row(&self, snapshot: &Snapshot, index: usize) -> Option<Row> {
        let now = Moment::of(snapshot).filter(|_| HAS_PANELS)?;
        let node = snapshot.rows().get(index)?;
        Some(Row {
            name: node.name.clone(),
            sign: node.state.sign,
            words: format!("{}{}", node.state.words, Face::remarks(self, now, node, index)),
            cells: Face::cells(self, now, node, index),
        })
    }

    fn said(&self, snapshot: &Snapshot) -> String {
        Moment::of(snapshot).map_or_else(String::new, |now| Face::said(self, now))
    }

    fn can_try(&self, snapshot: &Snapshot, question: &str) -> bool {
        Moment::of(snapshot).is_some_and(|now| Face::can_try(self, now, question))
    }

    fn experiment(&self, snapshot: &Snapshot, question: &str) -> Option<Experiment> {
        if !HAS_PANELS {
            return None;
        }
        Moment::of(snapshot).and_then(|now| Face::experiment(self, now, question))
    }

    fn receipt(&self, snapshot: &Snapshot, selected: &str) -> Option<String> {
        Moment::of(snapshot).and_then(|now| Face::receipt(self, now, selected))
    }

    fn measure(&self, run: &Run, experiment: &Experiment) -> Option<Vec<f64>> {
        if HAS_PANELS { Face::measure(self, run, experiment) } else { None }
    }

    fn aside(&self, snapshot: &Snapshot) -> String {
        Moment::of(snapshot).map_or_else(String::new, |now| Face::aside(self, now))
    }

    fn ending(&self, run: &Run, truth: bool) -> Caption {
        Face::ending(self, run, truth)
    }

    fn remedy(&self, snapshot: &Snapshot) -> Option<Remedy> {
        Moment::of(snapshot).and_then(|now| Face::remedy(self, now))
    }

    #[cfg(feature = "workbench")]
    fn knows(&self, run: &Run, record: &Record) -> bool {
        Face::knows(self, run, record)
    }

    #[cfg(feature = "workbench")]
    fn works(&self) -> &'static [Work] {
        Face::works(self)
    }

    #[cfg(feature = "workbench")]
    fn sign(&self, run: &Run, record: &Record) -> Option<Sign> {
        Face::sign(self, run, record)
    }

    #[cfg(feature = "workbench")]
    fn timeouts(&self, run: &Run, shown: [Instant; 2]) -> Vec<Instant> {
        Face::timeouts(self, run, shown)
    }

    #[cfg(feature = "workbench")]
    fn is_late(&self, kind: Kind) -> bool {
        Face::is_late(self, kind)
    }

    #[cfg(feature = "workbench")]
    fn prints(&self, run: &Run, record: &Record, line: Option<&mut Printed>) -> Option<Level> {
        Face::prints(self, run, record, line)
    }

    fn charts(&self) -> Box<dyn Charts> {
        Face::charts(self)
    }
}
