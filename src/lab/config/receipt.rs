//! The receipt of a version (`v7`): who wanted it, and when everybody had it. Of what a node has of one (`w-03@v7`): how it came there,
//! from the controller through the agent's polls and the worker's reading, how late, and for how long it was stale. And of a
//! change (`req-00003`): what its author tried, and which version it became.

use super::ledger::VersionEntry;
use super::{ConfigRun, of};
use crate::kernel::{Instant, Record};
use crate::lab::invalid::Invalid;
use crate::lab::kept::Heard;
use crate::lab::receipt::{Line, Numbers, Receipt, Section, Seen, Verbatim, seconds};
use crate::net::NodeId;
use crate::substrate::http;
use crate::systems::config::{ChangeEnd, Fact, TryEnd};
use crate::systems::facts::Fact as _;
use std::rc::Rc;

/// The receipt of `v7`, `w-03@v7` or `req-00003`; `None` if the run is of another system.
pub(in crate::lab) fn explain(seen: &Seen<'_>, id: &str) -> Option<Result<Receipt, Invalid>> {
    let run = of(seen.system)?;
    let change = id.strip_prefix("req-").and_then(|digits| digits.parse().ok());
    if let Some(receipt) = change.and_then(|change| of_change(seen, run, id, change)) {
        return Some(Ok(receipt));
    }
    let (node, version) = match id.split_once('@') {
        Some((node, version)) => (Some(node), version),
        None => (None, id),
    };
    let nodes = || run.config().agents().iter().chain(run.config().workers()).copied();
    let found = node.map(|name| nodes().find(|&node| *seen.net.name(node) == *name));
    let number = version.strip_prefix('v').and_then(|digits| digits.parse().ok());
    let story = number.and_then(|number| Story::of(seen, run, number));
    Some(match (story, found) {
        (Some(story), None) => Ok(story.of_version()),
        (Some(story), Some(Some(node))) => Ok(story.of_hold(id, node)),
        _ => Err(Invalid::new("id", id, &allowed(seen, run))),
    })
}

fn allowed(seen: &Seen<'_>, run: &ConfigRun) -> String {
    let ledger = run.ledger();
    let (first, last) = (ledger.versions().front(), ledger.versions().back());
    let Some((first, last)) = first.zip(last) else {
        return "a version that is kept, and there is none".to_owned();
    };
    let range = |nodes: &[NodeId]| {
        let name = |node: Option<&NodeId>| node.map_or_else(|| Rc::from(""), |&node| seen.net.name(node));
        format!("{} to {}", name(nodes.first()), name(nodes.last()))
    };
    let (agents, workers) = (range(run.config().agents()), range(run.config().workers()));
    let (first, last) = (first.number, last.number);
    format!(
        "a version from v{first} to v{last}, what a node has of one, such as w-01@v{first}, or a change, such as req-00001; nodes are {agents} and {workers}"
    )
}

/// The receipt of a change: what was tried, and what became of it.
fn of_change(seen: &Seen<'_>, run: &ConfigRun, id: &str, change: u64) -> Option<Receipt> {
    let folds = run.folds.borrow();
    let own = || folds.kept.facts().filter(|heard| heard.req == change);
    let intended = own().find(|heard| heard.fact == Fact::ChangeIntended)?;
    let ended = own().find_map(|heard| match heard.fact {
        Fact::ChangeEnded { end } => Some((end, heard.at)),
        _ => None,
    });
    let made_it = |entry: &&VersionEntry| entry.made_by.as_ref().is_some_and(|(by, _)| *by == change);
    let version = folds.ledger.versions().iter().find(made_it).map(|entry| entry.number);
    let is_tried = |heard: &&Heard<Fact>| {
        let is_try = matches!(heard.fact, Fact::TryEnded { .. } | Fact::ChangeEnded { .. });
        is_try || matches!(heard.fact, Fact::ChangeIntended | Fact::WriteBegun { .. })
    };
    let line = |heard: &Heard<Fact>| seen.fact(heard, heard.fact.kind(), words(&heard.fact));
    let tried: Vec<Line> = own().filter(is_tried).map(line).collect();
    let became = version.into_iter().flat_map(|version| {
        folds.kept.facts().filter(move |heard| {
            matches!(
                heard.fact,
                Fact::VersionServable { version: other, .. }
                | Fact::VersionStored { version: other }
                | Fact::TriggerSent { version: other } if other == version
            )
        })
    });
    let mut numbers = Numbers::from([
        ("tries", own().filter(|heard| matches!(heard.fact, Fact::TryEnded { .. })).count() as f64),
        ("intended_s", intended.at.as_nanos() as f64 / 1e9),
    ]);
    numbers.extend(version.map(|version| ("version", version as f64)));
    numbers.extend(ended.map(|(_, at)| ("ended_s", at.as_nanos() as f64 / 1e9)));
    let (end, ending) = match ended.map(|(end, _)| end) {
        Some(ChangeEnd::Made) => ("made", "its author knows that it is made"),
        Some(ChangeEnd::Refused) => ("refused", "the controller does not want it"),
        Some(ChangeEnd::GivenUp) => ("given_up", "its author gave up, and does not know what became of it"),
        None => ("pending", "it is being tried still"),
    };
    let made =
        version.map_or_else(|| "no version came of it".to_owned(), |version| format!("it is v{version}"));
    Some(Receipt {
        id: id.to_owned(),
        of: "change",
        end,
        title: format!("{made}; {ending}"),
        numbers,
        sections: vec![
            Section::new("tried", "What its author tried", tried),
            Section::new("became", "What became of it", became.map(line).collect()),
        ],
        raw: None,
    })
}

/// What is known of a version.
struct Story<'a> {
    seen: &'a Seen<'a>,
    run: &'a ConfigRun,
    entry: VersionEntry,
    facts: Vec<Heard<Fact>>,
}

/// Somebody's first application of a version or a newer one.
type Applied<'a> = Option<(&'a Heard<Fact>, u64)>;

impl<'a> Story<'a> {
    fn of(seen: &'a Seen<'a>, run: &'a ConfigRun, number: u64) -> Option<Self> {
        let folds = run.folds.borrow();
        let entry = folds.ledger.version(number)?.clone();
        folds.kept.facts().next()?;
        let ticks = |heard: &&Heard<Fact>| {
            !matches!(heard.fact, Fact::TickDone { .. } | Fact::TickFailed { .. } | Fact::ControllerAsked)
        };
        Some(Story { seen, run, entry, facts: folds.kept.facts().filter(ticks).cloned().collect() })
    }

    fn line(&self, heard: &Heard<Fact>) -> Line {
        Line { numbers: figures(&heard.fact), ..self.seen.fact(heard, heard.fact.kind(), words(&heard.fact)) }
    }

    fn lines(&self, wanted: impl Fn(&Heard<Fact>) -> bool) -> Vec<Line> {
        self.facts.iter().filter(|heard| wanted(heard)).map(|heard| self.line(heard)).collect()
    }

    // --- a version --------------------------------------------------------------------------------------------------

    fn of_version(&self) -> Receipt {
        let VersionEntry { number, stored_at, acknowledged_at, everywhere_at, .. } = self.entry;
        let seconds_of = |at: Instant| at.as_nanos() as f64 / 1e9;
        let mut numbers = Numbers::from([
            ("version", number as f64),
            ("stored_s", seconds_of(stored_at)),
            ("ticks_done", self.entry.ticks_done as f64),
            ("ticks_failed", self.entry.ticks_failed as f64),
        ]);
        numbers.extend(acknowledged_at.map(|at| ("acknowledged_s", seconds_of(at))));
        numbers.extend(everywhere_at.map(|at| ("everywhere_s", seconds_of(at))));
        numbers.extend(self.entry.convergence_ms().map(|ms| ("convergence_s", ms / 1000.0)));
        let agents = self.first_applications(self.run.config().agents());
        let workers = self.first_applications(self.run.config().workers());
        let missing = workers.iter().filter(|line| line.key == "missing").count();
        let (end, title) = match (everywhere_at, acknowledged_at) {
            (Some(at), _) => {
                let took = acknowledged_at.map_or(String::new(), |from| {
                    format!(", {} after it was acknowledged", seconds(at.since(from.min(at)).as_nanos()))
                });
                (
                    "everywhere",
                    format!("every worker has had it or a newer one since {}{took}", seconds(at.as_nanos())),
                )
            }
            (None, Some(_)) => ("spreading", format!("{missing} of {} workers never had it", workers.len())),
            (None, None) => {
                let title = "it was committed when the controller died, so its journal rolled nothing back; its author never heard";
                ("not_acknowledged", title.to_owned())
            }
        };
        let raw = serde_json::json!({"version": number, "settings": self.entry.settings});
        Receipt {
            id: format!("v{number}"),
            of: "version",
            end,
            title,
            numbers,
            sections: vec![
                Section::new("made", "How it was made", self.made()),
                Section::new("agents", "When each agent had it", agents),
                Section::new("workers", "When each worker ran it", workers),
            ],
            raw: Some(Verbatim::of(raw)),
        }
    }

    /// From the wish to the announcement.
    fn made(&self) -> Vec<Line> {
        let version = self.entry.number;
        let change = self.entry.made_by.as_ref().map(|(change, _)| *change);
        let first = |wanted: fn(&Fact) -> Option<u64>| {
            self.facts.iter().find(|heard| wanted(&heard.fact) == Some(version)).map(|heard| heard.n)
        };
        let servable = first(|fact| match fact {
            Fact::VersionServable { version, .. } => Some(*version),
            _ => None,
        });
        self.lines(|heard| match heard.fact {
            Fact::ChangeIntended | Fact::TryEnded { .. } | Fact::ChangeEnded { .. } => {
                Some(heard.req) == change
            }
            Fact::VersionServable { .. } => Some(heard.n) == servable,
            Fact::WriteBegun { version: other, .. } => other == version && Some(heard.req) == change,
            Fact::VersionShipped { version: other, .. }
            | Fact::VersionStored { version: other }
            | Fact::TriggerSent { version: other }
            | Fact::TriggerReceived { version: other } => other == version,
            _ => false,
        })
    }

    /// Since when each of these nodes has had the version, or a newer one.
    fn first_applications(&self, nodes: &[NodeId]) -> Vec<Line> {
        let line = |node: &NodeId| match self.first_applied(*node, self.entry.number) {
            Some((heard, version)) => {
                let key = if version == self.entry.number { "applied" } else { "skipped" };
                let behind = self.behind(heard.at);
                let newer =
                    if version == self.entry.number { String::new() } else { format!(", with v{version}") };
                let text = format!("{} after it was acknowledged{newer}", seconds(behind));
                let mut line = Line { key, text, ..self.line(heard) };
                line.numbers.insert("behind_s", behind as f64 / 1e9);
                line
            }
            None => {
                let text = "has not had it".to_owned();
                Line { node: Some(self.seen.net.name(*node)), ..Line::of("missing", text, []) }
            }
        };
        nodes.iter().map(line).collect()
    }

    fn first_applied(&self, node: NodeId, at_least: u64) -> Applied<'_> {
        self.facts.iter().find_map(|heard| match heard.fact {
            Fact::AgentApplied { version, .. } | Fact::WorkerApplied { version, .. }
                if heard.node == node.0 && version >= at_least =>
            {
                Some((heard, version))
            }
            _ => None,
        })
    }

    /// Nanoseconds from the version's acknowledgement.
    fn behind(&self, at: Instant) -> u64 {
        let since = self.entry.acknowledged_at.unwrap_or(at).min(at);
        at.since(since).as_nanos()
    }

    // --- what a node has of it --------------------------------------------------------------------------------------

    fn of_hold(&self, id: &str, node: NodeId) -> Receipt {
        let version = self.entry.number;
        let is_agent = self.run.config().agents().contains(&node);
        let applied = self.first_applied(node, version);
        let newer = self.first_applied(node, version + 1);
        let agent = if is_agent { Some(node.0) } else { self.agent_of(node, applied) };
        let mut sections = vec![Section::new("made", "How it was made", self.made())];
        if let Some(agent) = agent {
            let until = applied.filter(|_| is_agent).or_else(|| self.first_applied(NodeId(agent), version));
            let polls = self.polls(agent, until.map_or(u64::MAX, |(heard, _)| heard.n));
            sections.push(Section::new("agent", "How its agent came to it", polls));
        }
        if let Some((heard, _)) = applied.filter(|_| !is_agent) {
            sections.push(Section::new("worker", "How it came to the worker", self.reading(heard)));
        }
        let mut numbers = Numbers::from([("version", version as f64)]);
        numbers.extend(applied.map(|(heard, _)| ("applied_s", heard.at.as_nanos() as f64 / 1e9)));
        numbers.extend(applied.map(|(heard, _)| ("behind_s", self.behind(heard.at) as f64 / 1e9)));
        let stale = self.stale(newer, &mut numbers);
        sections.push(Section::new("stale", "Since when there was a newer one", stale));
        let (end, title) = match (applied, newer) {
            (None, _) => ("missing", "it has not had it".to_owned()),
            (Some((_, other)), _) if other != version => {
                ("skipped", format!("it never ran it: v{other} came first"))
            }
            (Some((heard, _)), None) => ("runs", format!("since {}", seconds(heard.at.as_nanos()))),
            (Some((heard, _)), Some((next, _))) => {
                ("ran", format!("from {} to {}", seconds(heard.at.as_nanos()), seconds(next.at.as_nanos())))
            }
        };
        Receipt { id: id.to_owned(), of: "hold", end, title, numbers, sections, raw: None }
    }

    /// The agent that a worker had the version from, or that it asked last.
    fn agent_of(&self, worker: NodeId, applied: Applied<'_>) -> Option<u32> {
        let gave = applied.and_then(|(heard, _)| {
            self.seen
                .chain(heard.n)
                .find(|record| record.kind == http::RESPONSE_SENT)
                .map(|record| record.node)
        });
        let asks = |record: &&Record| record.node == worker.0 && record.kind == http::REQUEST_SENT;
        gave.or_else(|| self.seen.trace.records().rev().find(asks).map(|record| record.peer))
    }

    /// An agent's polls from when the version could be served, up to what gave it to the agent.
    fn polls(&self, agent: u32, until: u64) -> Vec<Line> {
        self.lines(|heard| {
            let in_time = heard.at >= self.entry.stored_at && heard.n <= until;
            let is_of_polls = matches!(
                heard.fact,
                Fact::PollEnded { .. }
                    | Fact::AgentBackedOff { .. }
                    | Fact::AgentApplied { .. }
                    | Fact::TriggerReceived { .. }
            );
            heard.node == agent && in_time && is_of_polls
        })
    }

    /// The exchange by which a worker had it, and the end of that.
    fn reading(&self, applied: &Heard<Fact>) -> Vec<Line> {
        let exchange =
            [http::REQUEST_SENT, http::REQUEST_RECEIVED, http::RESPONSE_SENT, http::RESPONSE_RECEIVED];
        let chain = self.seen.chain(applied.n).skip(1).take_while(|record| exchange.contains(&record.kind));
        let mut records: Vec<&Record> = chain.take(exchange.len()).collect();
        records.reverse();
        let line = |record: &Record| {
            let peer = self.seen.name(record.peer);
            let text =
                format!("{}, {}", record.kind.name().replace('_', " "), peer.as_deref().unwrap_or_default());
            self.seen.line(record.kind.name(), record.n, record.node, text)
        };
        let mut lines: Vec<Line> = records.into_iter().map(line).collect();
        lines.push(self.line(applied));
        lines
    }

    /// The first newer version that was acknowledged, and for how long the node was behind it.
    fn stale(&self, newer: Applied<'_>, numbers: &mut Numbers) -> Vec<Line> {
        let next = self.facts.iter().find(
            |heard| matches!(heard.fact, Fact::VersionStored { version } if version > self.entry.number),
        );
        let Some(next) = next else { return Vec::new() };
        let until = newer.map_or(self.seen.now, |(heard, _)| heard.at);
        let stale = until.since(next.at.min(until)).as_nanos();
        numbers.extend([("stale_from_s", next.at.as_nanos() as f64 / 1e9), ("stale_s", stale as f64 / 1e9)]);
        let still = if newer.is_none() { ", and still is" } else { "" };
        let text = format!("{}; it was behind for {}{still}", words(&next.fact), seconds(stale));
        let mut lines = vec![Line { text, ..self.line(next) }];
        lines.extend(newer.map(|(heard, _)| self.line(heard)));
        lines
    }
}

fn words(fact: &Fact) -> String {
    match fact {
        Fact::VersionShipped { version, .. } => format!("is delivered with v{version}"),
        Fact::ChangeIntended => "wants a change".to_owned(),
        Fact::TryEnded { end } => format!("a try ends: {}", try_words(*end)),
        Fact::ChangeEnded { .. } => "tries no more".to_owned(),
        Fact::WriteBegun { version, author } => format!("begins to write v{version}, which {author} wants"),
        Fact::VersionServable { version, .. } => format!("can serve v{version}"),
        Fact::VersionStored { version } => format!("v{version} is committed, so durable, and acknowledged"),
        Fact::TriggerSent { version } => format!("announces v{version}"),
        Fact::TriggerReceived { version } => format!("hears of v{version}"),
        Fact::PollEnded { status: 0, .. } => "a poll got no answer".to_owned(),
        Fact::PollEnded { status, .. } => format!("a poll got {status}"),
        Fact::AgentBackedOff { failures, pause_ns, .. } => {
            format!("waits {} after failure {failures} in a row", seconds(*pause_ns))
        }
        Fact::AgentApplied { version, .. } => format!("serves v{version} from here on"),
        Fact::WorkerApplied { version, .. } => format!("runs v{version} from here on"),
        _ => String::new(),
    }
}

fn try_words(end: TryEnd) -> &'static str {
    match end {
        TryEnd::Answered => "200",
        TryEnd::Found => "an earlier one had succeeded",
        TryEnd::Conflict => "412, somebody else was quicker",
        TryEnd::Refused => "the controller does not want it",
        TryEnd::Unanswered => "no answer",
    }
}

fn figures(fact: &Fact) -> Numbers {
    match fact {
        Fact::PollEnded { status, .. } => Numbers::from([("status", f64::from(*status))]),
        Fact::AgentBackedOff { failures, pause_ns, .. } => {
            Numbers::from([("failures", f64::from(*failures)), ("pause_s", *pause_ns as f64 / 1e9)])
        }
        Fact::AgentApplied { version, .. } | Fact::WorkerApplied { version, .. } => {
            Numbers::from([("version", *version as f64)])
        }
        _ => Numbers::new(),
    }
}
