//! The receipt of a job: who took it, who had it in hand, and why it is done, done twice, dead or lost. And of a submission: what came
//! of a user's wish, and who refused it.

use super::entry::{End, Entry};
use super::job::{Job, Loss, Outcome, Submission, wait_of};
use super::{Folds, of};
use crate::lab::invalid::Invalid;
use crate::lab::kept::Heard;
use crate::lab::receipt::{Line, Numbers, Receipt, Section, Seen, amount, count, seconds};
use crate::substrate::http;
use crate::systems::facts::Fact as _;
use crate::systems::wizard::fact::Fact;
use crate::systems::wizard::{container_name, worker_name};

/// The receipt of a job by its id, or of a submission by its number, `req-00007`; `None` if the run is of another system.
pub(in crate::lab) fn explain(seen: &Seen<'_>, id: &str) -> Option<Result<Receipt, Invalid>> {
    let folds = of(seen.system)?.folds.borrow();
    let number = id.strip_prefix("req-").and_then(|digits| digits.parse().ok());
    let has_facts = folds.kept.facts().next().is_some();
    let submission = number.and_then(|number| folds.ledger.submission(number)).filter(|_| has_facts);
    let story = Story { seen, folds: &folds };
    if let Some(submission) = submission {
        return Some(Ok(story.of_submission(submission)));
    }
    Some(folds.ledger.job(id).filter(|_| has_facts).map(|job| story.of_job(job)).ok_or_else(|| {
        let mut numbers = folds.ledger.submissions().map(|submission| submission.number);
        let allowed = match (numbers.next(), numbers.next_back()) {
            (Some(first), last) => {
                format!(
                    "a job's id, as `run --json` has it, or a submission from req-{first:05} to req-{:05}",
                    last.unwrap_or(first)
                )
            }
            _ => "a job's id or a submission that is kept, and there is none".to_owned(),
        };
        Invalid::new("id", id, &allowed)
    }))
}

struct Story<'a> {
    seen: &'a Seen<'a>,
    folds: &'a Folds,
}

impl Story<'_> {
    fn facts(&self) -> impl DoubleEndedIterator<Item = &Heard<Fact>> {
        self.folds.kept.facts()
    }

    fn line(&self, heard: &Heard<Fact>) -> Line {
        let mut line = self.seen.fact(heard, heard.fact.kind(), words(&heard.fact));
        if let Fact::Dropped { .. } = heard.fact {
            line.causes.extend(self.seen.down_since(heard.node, heard.n).map(|record| record.n));
        }
        line.numbers = figures(&heard.fact);
        line
    }

    fn user(&self, submission: u64) -> Section {
        let own = |heard: &&Heard<Fact>| heard.req == submission && is_of_user(&heard.fact);
        let lines = self.facts().filter(own).map(|heard| self.line(heard)).collect();
        Section::new("user", "What the user saw", lines)
    }

    // --- a job ------------------------------------------------------------------------------------------------------

    fn of_job(&self, job: &Job) -> Receipt {
        let loss = job.lost.and_then(|(_, cause)| self.loss(job, cause));
        let created =
            self.facts().find(|heard| id_of(&heard.fact) == Some(&job.id)).map_or(0, |heard| heard.n);
        let belongs = |heard: &&Heard<Fact>| match &heard.fact {
            Fact::StoreStarted { queue, processing, dead } => {
                let listed = [queue, processing, dead].into_iter().any(|list| list.contains(&job.id));
                heard.n > created && (listed || Some(heard.n) == loss)
            }
            Fact::LineClosed { .. } => Some(heard.n) == loss,
            Fact::Accepted { .. } | Fact::Checked { .. } => false,
            fact => id_of(fact) == Some(&job.id),
        };
        let course = self.facts().filter(belongs).map(|heard| self.line(heard)).collect();
        let polls =
            self.facts().filter(|heard| matches!(&heard.fact, Fact::Checked { id, .. } if *id == job.id));
        let entry = Entry::of_job(job, self.folds.ledger.submission(job.submission));
        let mut numbers = Numbers::from([
            ("submission", job.submission as f64),
            ("claims", job.claims.len() as f64),
            ("completions", f64::from(job.completions)),
            ("reaped", f64::from(job.reaped)),
            ("restored", f64::from(job.restored)),
            ("polls", polls.count() as f64),
        ]);
        numbers.extend(wait_of(job).map(|wait| ("wait_s", wait.as_secs_f64())));
        let done = job.queued_at.zip(job.done_at).map(|(queued, done)| done.since(queued));
        numbers.extend(done.map(|took| ("job_s", took.as_secs_f64())));
        Receipt {
            id: job.id.to_string(),
            of: "job",
            end: end_of(&entry),
            title: title(job, &entry),
            numbers,
            sections: vec![
                self.user(job.submission),
                Section::new("course", "What became of it", course),
                Section::new("ends", "Why it ended so", self.ends(job, loss)),
            ],
            raw: None,
        }
    }

    /// The facts that ended it: results, and the one by which nobody had it any more.
    fn ends(&self, job: &Job, loss: Option<u64>) -> Vec<Line> {
        let (mut lines, mut known) = (Vec::new(), Vec::new());
        for heard in self.facts() {
            match &heard.fact {
                Fact::Completed { id, container, attempt } if *id == job.id => {
                    let by = container.map_or_else(|| "somebody".to_owned(), container_name);
                    let (key, again) = match () {
                        () if known.is_empty() => ("done", "".to_owned()),
                        () if known.contains(&(container, attempt)) => {
                            ("done_repeated", ", which it had said before".to_owned())
                        }
                        () => ("done_again", format!(", although it was done {} before", times(known.len()))),
                    };
                    known.push((container, attempt));
                    let text = format!("{by} had the result, at attempt {attempt}{again}");
                    lines.push(Line { key, text, ..self.line(heard) });
                }
                Fact::Buried { id } if *id == job.id => {
                    let text = "it had failed too often".to_owned();
                    lines.push(Line { key: "dead", text, ..self.line(heard) });
                }
                _ if Some(heard.n) == loss => {
                    let why = job.lost.map_or("", |(_, cause)| cause.words());
                    lines.push(Line { key: "lost", text: why.to_owned(), ..self.line(heard) });
                }
                Fact::Unsure { id, under_way } if *id == job.id && job.place.is_none() => {
                    let on_way = if *under_way { "; it may be on its way" } else { "" };
                    let text = format!("its API process never heard that it is in the queue{on_way}");
                    lines.push(Line { key: "unsure", text, ..self.line(heard) });
                }
                _ => {}
            }
        }
        lines
    }

    /// The number of the fact by which nobody had a job any more.
    fn loss(&self, job: &Job, cause: Loss) -> Option<u64> {
        let at = job.lost?.0;
        let taken = self.facts().rev().find_map(|heard| match &heard.fact {
            Fact::Taken { id, line, .. } if *id == job.id => Some(*line),
            _ => None,
        });
        let by = |heard: &&Heard<Fact>| {
            let own = id_of(&heard.fact) == Some(&job.id);
            heard.at == at
                && match (&heard.fact, cause) {
                    (Fact::Dropped { .. }, Loss::ContainerDied | Loss::WorkerDied) => own,
                    (Fact::Taken { .. }, Loss::DeadConnection) => own,
                    (Fact::Released { .. }, Loss::StoreForgot) => own,
                    (Fact::LineClosed { line }, Loss::OnTheWay) => Some(*line) == taken,
                    (Fact::StoreStarted { .. }, Loss::StoreForgot) => true,
                    _ => false,
                }
        };
        self.facts().find(by).map(|heard| heard.n)
    }

    // --- a submission -----------------------------------------------------------------------------------------------

    fn of_submission(&self, submission: &Submission) -> Receipt {
        let jobs = self.folds.ledger.jobs().filter(|job| job.submission == submission.number);
        let jobs = jobs.map(|job| {
            let entry = Entry::of_job(job, Some(submission));
            let begun =
                |heard: &&Heard<Fact>| matches!(&heard.fact, Fact::Created { id, .. } if *id == job.id);
            let line = self.facts().find(begun).map(|heard| self.line(heard)).unwrap_or_default();
            Line { key: end_of(&entry), text: format!("{}: {}", job.id, title(job, &entry)), ..line }
        });
        let jobs: Vec<Line> = jobs.collect();
        let (end, status) = match submission.outcome {
            Outcome::Waiting => ("waiting", None),
            Outcome::Accepted => ("accepted", Some(202)),
            Outcome::Refused(0) => ("unanswered", None),
            Outcome::Refused(status) => ("refused", Some(status)),
        };
        let said = status.map_or(String::new(), |status| format!(" with {status}"));
        let mut numbers = Numbers::from([("jobs", jobs.len() as f64)]);
        numbers.extend(status.map(|status| ("status", f64::from(status))));
        let refused = self
            .facts()
            .find(|heard| heard.req == submission.number && matches!(heard.fact, Fact::Refused { .. }));
        Receipt {
            id: format!("req-{:05}", submission.number),
            of: "submission",
            end,
            title: format!("{end}{said}; {} came of it", count(jobs.len(), "job")),
            numbers,
            sections: vec![
                self.user(submission.number),
                Section::new(
                    "refusal",
                    "Who said no",
                    refused.map(|heard| self.refusal(heard)).unwrap_or_default(),
                ),
                Section::new("jobs", "The jobs", jobs),
            ],
            raw: None,
        }
    }

    /// Who first had the answer that a user got; without one, how it is known that there will be none.
    fn refusal(&self, refused: &Heard<Fact>) -> Vec<Line> {
        let Fact::Refused { status, queue_full } = refused.fact else { return Vec::new() };
        let said = |record: &&crate::kernel::Record| {
            record.kind == http::RESPONSE_SENT && record.value == u64::from(status)
        };
        let answers: Vec<_> = self.seen.chain(refused.n).filter(said).collect();
        let (key, record) = match answers.last() {
            Some(first) => ("refused_by", Some(*first)),
            None => ("unanswered", self.seen.chain(refused.n).nth(1)),
        };
        let Some(record) = record else { return Vec::new() };
        let text = match (key, queue_full) {
            ("refused_by", true) => format!("said {status}: the queue is too long"),
            ("refused_by", false) => format!("said {status}"),
            _ => record.kind.name().replace('_', " "),
        };
        vec![self.seen.line(key, record.n, record.node, text)]
    }
}

fn end_of(entry: &Entry<'_>) -> &'static str {
    match entry.end {
        None => "open",
        Some(End::Done) => "done",
        Some(End::Dead) => "dead",
        Some(End::Lost) => "lost",
        Some(End::NeverQueued) => "never_queued",
        Some(End::Refused) => "refused",
    }
}

fn title(job: &Job, entry: &Entry<'_>) -> String {
    let tries = match job.claims.len() {
        0 | 1 => String::new(),
        claims => format!("; a worker had it in hand {}", times(claims)),
    };
    let by = entry.handled_by.as_deref().unwrap_or("somebody");
    match (entry.end, job.lost) {
        (Some(End::Done), _) if job.completions > 1 => {
            format!("done {}, first by {by}{tries}", times(job.completions as usize))
        }
        (Some(End::Done), _) => format!("done by {by}{tries}"),
        (Some(End::Dead), _) => format!("given up: it failed too often{tries}"),
        (_, Some((at, cause))) => format!("lost at {}: {}{tries}", seconds(at.as_nanos()), cause.words()),
        (Some(End::NeverQueued), _) => "it never reached the store".to_owned(),
        _ => format!("not over yet{tries}"),
    }
}

fn times(count: usize) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        count => format!("{count} times"),
    }
}

fn is_of_user(fact: &Fact) -> bool {
    use Fact::{Accepted, GaveUp, Intended, Left, Refused, Seen};
    matches!(fact, Intended | Accepted { .. } | Refused { .. } | Seen | GaveUp { .. } | Left)
}

/// The id of the job that a fact is about.
fn id_of(fact: &Fact) -> Option<&std::rc::Rc<str>> {
    match fact {
        Fact::Accepted { id }
        | Fact::Created { id, .. }
        | Fact::Acknowledged { id, .. }
        | Fact::Unsure { id, .. }
        | Fact::Checked { id, .. }
        | Fact::Claimed { id, .. }
        | Fact::Started { id, .. }
        | Fact::Computed { id, .. }
        | Fact::Failed { id, .. }
        | Fact::Condemned { id }
        | Fact::Released { id, .. }
        | Fact::Dropped { id, .. }
        | Fact::Reaped { id }
        | Fact::Queued { id }
        | Fact::Returned { id }
        | Fact::Taken { id, .. }
        | Fact::Buried { id }
        | Fact::Completed { id, .. } => Some(id),
        _ => None,
    }
}

fn words(fact: &Fact) -> String {
    let worker = |container: u32, worker: u32| worker_name(container, worker);
    match fact {
        Fact::Intended => "wants a sum".to_owned(),
        Fact::Accepted { id } => format!("has a 202: {id}"),
        Fact::Refused { status: 0, .. } => "got no answer".to_owned(),
        Fact::Refused { status, .. } => format!("got {status}"),
        Fact::Seen => "heard that it is over".to_owned(),
        Fact::GaveUp { polls } => format!("gave up after {}", count(*polls as usize, "poll")),
        Fact::Left => "asks no more".to_owned(),
        Fact::Created { .. } => "sends it to the store".to_owned(),
        Fact::Acknowledged { waiting, .. } => format!("hears that it is in the queue, {waiting} with it"),
        Fact::Unsure { .. } => "does not know whether it is in the queue".to_owned(),
        Fact::Claimed { container, worker: k, .. } => format!("{} has it in hand", worker(*container, *k)),
        Fact::Started { attempt, work_ns, .. } => {
            format!("begins, attempt {attempt}: {} of work", seconds(*work_ns))
        }
        Fact::Computed { sum, .. } => format!("has the sum, {}", amount(*sum)),
        Fact::Failed { attempt, .. } => format!("fails at attempt {attempt}"),
        Fact::Condemned { .. } => "gives it up".to_owned(),
        Fact::Released { failed: true, .. } => "has told the store that it failed".to_owned(),
        Fact::Released { .. } => "has told the store the result".to_owned(),
        Fact::Dropped { with_container: true, .. } => "dies with its container, the job in hand".to_owned(),
        Fact::Dropped { .. } => "dies with the job in hand".to_owned(),
        Fact::Reaped { .. } => "hears that it is in the queue again".to_owned(),
        Fact::StoreStarted { .. } => "starts again".to_owned(),
        Fact::Queued { .. } => "has it at the back of the queue".to_owned(),
        Fact::Returned { .. } => "has it at the front of the queue again".to_owned(),
        Fact::Taken { listed: true, .. } => {
            "gives it to a worker, and keeps it in the processing list".to_owned()
        }
        Fact::Taken { .. } => "gives it to a worker, for good".to_owned(),
        Fact::Buried { .. } => "has it among the dead letters".to_owned(),
        Fact::Completed { attempt, .. } => format!("has the result of attempt {attempt}"),
        Fact::LineClosed { line } => format!("line {line} to the store is gone"),
        _ => String::new(),
    }
}

fn figures(fact: &Fact) -> Numbers {
    match fact {
        Fact::Acknowledged { waiting, .. } => Numbers::from([("waiting", *waiting as f64)]),
        Fact::Started { attempt, work_ns, .. } => {
            Numbers::from([("attempt", *attempt as f64), ("work_s", *work_ns as f64 / 1e9)])
        }
        Fact::Failed { attempt, .. } | Fact::Completed { attempt, .. } => {
            Numbers::from([("attempt", *attempt as f64)])
        }
        Fact::Computed { sum, .. } => Numbers::from([("sum", *sum)]),
        Fact::Refused { status, .. } => Numbers::from([("status", f64::from(*status))]),
        Fact::GaveUp { polls } => Numbers::from([("polls", f64::from(*polls))]),
        _ => Numbers::new(),
    }
}
