//! The sweep: which run is played next, and what has come of those that were. It plays nothing itself: threads do, or the page's
//! workers, as many as there are, and bring what came of each in any order. The rows come out in the plan's order, and are the same however
//! many played.

use super::fold::Fold;
use super::interval::Interval;
use super::metric::Verdict;
use super::outcome::Outcome;
use super::plan::Checked;
use crate::lab::invalid::Invalid;
use crate::lab::recorder::Window;
use crate::lab::scenario::Scenario;
use std::collections::{BTreeMap, VecDeque};

/// So many points are under way at most: runs that were finished early wait for those before them.
const OPEN_MAX: usize = 16;

/// A run to be played.
#[derive(Clone, Debug)]
pub struct Task {
    /// The point, or whatever else it is for.
    pub point: usize,
    /// Which of that point's runs, counted from 0.
    pub run: u64,
    /// What is played.
    pub scenario: Scenario,
    /// Which units of work count.
    pub window: Window,
}

/// What comes next.
#[derive(Debug)]
pub enum Next {
    /// A run.
    Task(Box<Task>),
    /// Nothing before a run that is under way has come back.
    Wait,
    /// Nothing any more.
    Done,
}

/// Something that needs runs.
pub trait Work {
    /// Which is next.
    fn next(&mut self) -> Next;
    /// One has come back.
    fn take(&mut self, task: &Task, outcome: Outcome) -> Result<(), Invalid>;
    /// How many runs have come back, and how many there will be as far as one can say.
    fn progress(&self) -> (u64, u64);
}

/// What a point amounts to.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Which.
    pub point: usize,
    /// How many units of work counted, over all runs.
    pub requests: u64,
    /// How many of them ended well.
    pub answered: u64,
    /// By metric.
    pub figures: Vec<Option<Interval>>,
    /// Whether it meets all goals; without goals there is none.
    pub verdict: Option<Verdict>,
}

impl Row {
    /// What has been folded so far at a point.
    pub(super) fn of(plan: &Checked, point: usize, fold: &Fold) -> Self {
        let figures: Vec<Option<Interval>> =
            (0..plan.metrics.len()).map(|place| fold.figure(&plan.metrics, place)).collect();
        let verdict = Verdict::of(&plan.goals, &figures);
        Row { point, requests: fold.requests(), answered: fold.answered(), figures, verdict }
    }

    /// Those that failed, or had not ended when their run did.
    pub fn unanswered(&self) -> u64 {
        self.requests - self.answered
    }
}

/// Keeps what went wrong with a run itself, the first few times.
pub(super) fn note(faults: &mut Vec<String>, task: &Task, outcome: &Outcome) {
    if let Some(fault) = outcome.fault.as_ref().filter(|_| faults.len() < 10) {
        faults.push(format!("seed {} of point {}: {fault}", task.scenario.seed, task.point + 1));
    }
}

/// A point under way.
#[derive(Debug)]
struct Open {
    place: usize,
    first_seed: u64,
    /// Runs that are to be played as far as one knows, that were handed out, and that were folded.
    planned: u64,
    handed: u64,
    folded: u64,
    waiting: BTreeMap<u64, Outcome>,
    fold: Fold,
    row: Option<Row>,
}

/// Points that are played.
#[derive(Debug)]
pub struct Sweep {
    plan: Checked,
    /// What is still to be begun: the point, and its first seed.
    coming: VecDeque<(usize, u64)>,
    open: VecDeque<Open>,
    rows: VecDeque<Row>,
    runs_back: u64,
    faults: Vec<String>,
}

impl Sweep {
    /// One of nothing yet.
    pub fn new(plan: Checked) -> Self {
        Sweep {
            plan,
            coming: VecDeque::new(),
            open: VecDeque::new(),
            rows: VecDeque::new(),
            runs_back: 0,
            faults: Vec::new(),
        }
    }

    /// These points are to be played, with the plan's own seeds.
    pub fn add(&mut self, points: impl IntoIterator<Item = usize>) {
        let first = self.plan.plan.seeds.first;
        self.coming.extend(points.into_iter().map(|point| (point, first)));
    }

    /// This one is to be played with seeds from here on.
    pub fn add_with_seeds(&mut self, point: usize, first: u64) {
        self.coming.push_back((point, first));
    }

    /// What is played.
    pub fn plan(&self) -> &Checked {
        &self.plan
    }

    /// The next row in the order in which points were added.
    pub fn pop(&mut self) -> Option<Row> {
        self.rows.pop_front()
    }

    /// What went wrong with runs themselves, the first few.
    pub fn faults(&self) -> &[String] {
        &self.faults
    }

    fn begin(&mut self, point: usize, first_seed: u64) -> usize {
        let Checked { measures, metrics, independent, .. } = &self.plan;
        let fold = Fold::new(measures.len(), metrics.len(), *independent);
        self.open.push_back(Open {
            place: point,
            first_seed,
            planned: self.plan.plan.seeds.count,
            handed: 0,
            folded: 0,
            waiting: BTreeMap::new(),
            fold,
            row: None,
        });
        self.open.len() - 1
    }

    fn hand_out(&mut self, i: usize) -> Task {
        let open = &mut self.open[i];
        let run = open.handed;
        open.handed += 1;
        let (point, seed) = (open.place, open.first_seed + run);
        Task { point, run, scenario: self.plan.scenario(point, seed), window: self.plan.window() }
    }

    /// The row of a point, if it is decided or cannot be played more often.
    fn conclude(plan: &Checked, open: &mut Open) {
        let row = Row::of(plan, open.place, &open.fold);
        let stop = plan.plan.stop;
        let runs_max = stop.budget_requests / plan.plan.requests;
        if stop.adaptive && row.verdict == Some(Verdict::Undecided) && open.planned < runs_max {
            open.planned = (2 * open.planned).min(runs_max);
            return;
        }
        open.row = Some(row);
    }
}

impl Work for Sweep {
    fn next(&mut self) -> Next {
        let ready = self.open.iter().position(|open| open.handed < open.planned);
        if let Some(i) = ready {
            return Next::Task(Box::new(self.hand_out(i)));
        }
        if self.open.len() < OPEN_MAX
            && let Some((point, first)) = self.coming.pop_front()
        {
            let i = self.begin(point, first);
            return Next::Task(Box::new(self.hand_out(i)));
        }
        if self.open.is_empty() { Next::Done } else { Next::Wait }
    }

    fn take(&mut self, task: &Task, outcome: Outcome) -> Result<(), Invalid> {
        self.runs_back += 1;
        note(&mut self.faults, task, &outcome);
        let Sweep { plan, open, .. } = self;
        let first = task.scenario.seed - task.run;
        let mine = |open: &&mut Open| (open.place, open.first_seed) == (task.point, first);
        let Some(open) = open.iter_mut().find(mine) else { return Ok(()) };
        open.waiting.insert(task.run, outcome);
        while let Some(outcome) = open.waiting.remove(&open.folded) {
            open.fold.add(plan.plan.requests, &outcome, &plan.metrics);
            open.folded += 1;
            if open.folded == open.planned {
                Self::conclude(plan, open);
            }
        }
        while let Some(row) = self.open.front_mut().and_then(|open| open.row.take()) {
            self.open.pop_front();
            self.rows.push_back(row);
        }
        Ok(())
    }

    fn progress(&self) -> (u64, u64) {
        let open: u64 =
            self.open.iter().map(|open| open.planned - open.folded - open.waiting.len() as u64).sum();
        let coming = self.coming.len() as u64 * self.plan.plan.seeds.count;
        (self.runs_back, self.runs_back + open + coming)
    }
}
