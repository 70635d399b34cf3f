//! The receipt of a request: who was asked, which answers were used, which were not and why (`absence.rs`), and how one value came of them
//! (`arithmetic.rs`).
//!
//! Of a request that the coordinator took up twice it follows the handling whose word the client got.

use super::absence::{Absence, Handling};
use super::arithmetic::Arithmetic;
use super::request::RequestEntry;
use super::{OracleRun, of};
use crate::kernel::Instant;
use crate::lab::invalid::Invalid;
use crate::lab::kept::Heard;
use crate::lab::receipt::{Line, Numbers, Receipt, Section, Seen, Verbatim, amount, count, percent, seconds};
use crate::systems::facts::Fact as _;
use crate::systems::oracle::aggregator::{Answers, Strategy};
use crate::systems::oracle::fact::{Closing, Fact};

/// The receipt of `req-00007`; `None` if the run is of another system.
pub(in crate::lab) fn explain(seen: &Seen<'_>, id: &str) -> Option<Result<Receipt, Invalid>> {
    let run = of(seen.system)?;
    let number = id.strip_prefix("req-").and_then(|digits| digits.parse().ok());
    let receipt = number.and_then(|number| Story::of(seen, run, number)).map(|story| story.receipt());
    Some(receipt.ok_or_else(|| {
        let folds = run.folds.borrow();
        let mut wanted =
            folds.kept.facts().filter(|heard| matches!(heard.fact, Fact::RequestIntended { .. }));
        let allowed = match (wanted.next(), wanted.next_back()) {
            (Some(first), last) => {
                let last = last.map_or(first.req, |last| last.req);
                format!("a request from req-{:05} to req-{last:05}", first.req)
            }
            _ => "a request that is kept, and there is none".to_owned(),
        };
        Invalid::new("id", id, &allowed)
    }))
}

/// What is known of a request.
struct Story<'a> {
    seen: &'a Seen<'a>,
    run: &'a OracleRun,
    facts: Vec<Heard<Fact>>,
    /// The numbers of the facts that are lies, in order.
    lies: Vec<u64>,
    entry: RequestEntry,
    /// The coordinator's last word, if it got to one.
    concluded: Option<usize>,
    handling: Option<Handling>,
}

impl<'a> Story<'a> {
    fn of(seen: &'a Seen<'a>, run: &'a OracleRun, number: u64) -> Option<Self> {
        let folds = run.folds.borrow();
        let entry = folds.ledger.request(number)?.clone();
        let facts: Vec<_> = folds.kept.facts().filter(|heard| heard.req == number).cloned().collect();
        facts.first()?;
        let concluded = concluded(seen, &facts, entry.handling);
        let closing = concluded.and_then(|place| closing_of(&facts[place].fact));
        // Of one that was sent again the last attempt's.
        let is_opening = |heard: &&Heard<Fact>| matches!(heard.fact, Fact::RequestOpened { .. });
        let opened = facts.iter().filter(is_opening).find(|heard| heard.n == entry.handling);
        let lost = folds.kept.facts().filter(|heard| heard.fact == Fact::MessagesLost);
        let losses = lost.map(|heard| heard.n).collect();
        let number = closing.map(|closing| closing.handling).or(opened.map(|opened| opened.n));
        let handling = number.map(|number| {
            let closed = concluded.map_or(u64::MAX, |place| facts[place].n);
            Handling::of(seen, &facts, number, closed, losses)
        });
        let lied = |heard: &&Heard<Fact>| matches!(heard.fact, Fact::TaskDone { lie: true, .. });
        let lies = facts.iter().filter(lied).map(|heard| heard.n).collect();
        Some(Story { seen, run, entry, concluded, handling, facts, lies })
    }

    fn closing(&self) -> Option<&Closing> {
        closing_of(&self.facts[self.concluded?].fact)
    }

    fn receipt(&self) -> Receipt {
        let mut receipt = Receipt {
            id: format!("req-{:05}", self.entry.number),
            of: "request",
            end: "pending",
            title: String::new(),
            numbers: Numbers::new(),
            sections: vec![Section::new("course", "What happened", self.course())],
            raw: None,
        };
        let (mut used, mut left_out) = (Vec::new(), Vec::new());
        if let (Some(closing), Some(handling)) = (self.closing(), &self.handling) {
            self.sort_answers(closing, handling, &mut receipt, &mut used, &mut left_out);
        }
        if let Some(handling) = &self.handling {
            left_out.extend(self.unknown(handling));
        }
        let (n_used, n_left_out) = (used.len(), left_out.len());
        receipt.numbers.extend([
            ("asked", (n_used + n_left_out) as f64),
            ("used", n_used as f64),
            ("left_out", n_left_out as f64),
        ]);
        receipt.sections.insert(1, Section::new("used", "Used, sorted", used));
        receipt.sections.insert(2, Section::new("left_out", "Not used, and why", left_out));
        self.conclude(&mut receipt);
        receipt
    }

    // --- what happened ----------------------------------------------------------------------------------------------

    fn course(&self) -> Vec<Line> {
        let tell = |heard: &Heard<Fact>| {
            let text = match &heard.fact {
                Fact::RequestIntended { query, .. } => format!("wants {query}"),
                Fact::RequestOpened { .. } => "takes it up and asks".to_owned(),
                Fact::RequestAggregated { value, closing } => {
                    let values = closing.responses.iter().filter(|response| response.err.is_none()).count();
                    format!("makes {} of {}", amount(*value), count(values, "answer"))
                }
                Fact::RequestFailed { status, code, .. } => format!("has no answer to give: {status} {code}"),
                Fact::RequestBackedOff { after } => format!("sends it again after {after}"),
                #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
                Fact::RequestRetried { failure, after } => {
                    format!("fails: {}; sends it again after {after}", failure.message)
                }
                Fact::ReportPublished { value, .. } => format!("publishes {} as its report", amount(*value)),
                Fact::RequestAnswered { .. } => "has its answer".to_owned(),
                Fact::RequestUnanswered { failure } => format!("gets none: {}", failure.message),
                _ => return None,
            };
            Some(self.seen.fact(heard, heard.fact.kind(), text))
        };
        self.facts.iter().filter_map(tell).collect()
    }

    // --- used and not -----------------------------------------------------------------------------------------------

    /// Every entry of the coordinator's result, as used or as left out.
    fn sort_answers(
        &self,
        closing: &Closing,
        handling: &Handling,
        receipt: &mut Receipt,
        used: &mut Vec<Line>,
        left_out: &mut Vec<Line>,
    ) {
        let params = self.run.params();
        let of_value = closing.responses.iter().zip(0..).filter(|(response, _)| response.err.is_none());
        let places: Vec<u32> = of_value.map(|(_, place)| place).collect();
        let values: Vec<f64> = places.iter().map(|&place| closing.responses[place as usize].value).collect();
        let weights: Vec<f64> = places.iter().map(|&place| closing.weights[place as usize]).collect();
        let result = match self.concluded.map(|place| &self.facts[place].fact) {
            Some(Fact::RequestAggregated { value, .. }) => Some(*value),
            _ => None,
        };
        let arithmetic =
            result.map(|result| Arithmetic::of(params.strategy, &values, &weights, &params.knobs(), result));
        let line = |i: usize| {
            let (share, dropped) = arithmetic
                .as_ref()
                .map_or((None, true), |arithmetic| (arithmetic.shares[i], arithmetic.left_out[i]));
            self.answer(handling, places[i], (values[i], weights[i]), share, dropped)
        };
        let is_used = |i: &usize| arithmetic.as_ref().is_some_and(|arithmetic| !arithmetic.left_out[*i]);
        let (mut sorted, dropped): (Vec<usize>, Vec<usize>) = (0..places.len()).partition(is_used);
        sorted.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
        used.extend(sorted.into_iter().map(line));
        left_out.extend(dropped.into_iter().map(line));
        for (response, place) in closing.responses.iter().zip(0..) {
            if response.err.is_some() {
                let absence = Absence::of(handling, place, response);
                left_out.push(absence.line(self.seen, params));
            }
        }
        if let (Some(result), Some(arithmetic)) = (result, arithmetic) {
            receipt.sections.push(Section::new("arithmetic", "The arithmetic", arithmetic.steps));
            let others = self.others(&values, &weights, result);
            receipt.sections.push(Section::new("others", "What others would have said", others));
            receipt.numbers.insert("result", result);
        }
    }

    /// An answer with a value.
    fn answer(
        &self,
        handling: &Handling,
        place: u32,
        (value, weight): (f64, f64),
        share: Option<f64>,
        dropped: bool,
    ) -> Line {
        let off = (value - self.entry.truth) / self.entry.truth;
        let taken = handling.taken(place);
        let n = taken.map_or(0, |taken| taken.n);
        let lies = self.seen.chain(n).any(|record| self.lies.binary_search(&record.n).is_ok());
        let mut text = format!("{}  {}", amount(value), percent(off));
        if lies {
            text += "  a lie";
        }
        let key = match (dropped, self.run.params().strategy) {
            (false, _) => "used",
            (true, Strategy::TrimmedMean) => "trimmed",
            (true, Strategy::Mad) => "outlier",
            (true, _) => "not_a_quote",
        };
        match key {
            "trimmed" => text += "  among the lowest or highest, which are dropped",
            "outlier" => text += "  too far from the median",
            "not_a_quote" => text += "  not valid to this strategy",
            _ => {}
        }
        let mut line = self.seen.line(key, n, handling.node_of(place, taken), text);
        line.numbers.extend([
            ("value", value),
            ("off", off),
            ("weight", weight),
            ("lie", f64::from(u8::from(lies))),
        ]);
        line.numbers.extend(share.map(|share| ("share", share)));
        line
    }

    /// Those whom the coordinator has no entry for: over NATS only the laboratory knows that they were asked.
    fn unknown(&self, handling: &Handling) -> Vec<Line> {
        let known = |node: u32| self.closing().is_some() && handling.has_entry(node);
        let tasks = self.entry.tasks.iter().filter(|task| !known(task.node));
        let absent = tasks.map(|task| Absence::unheard(handling, task.node, &task.worker));
        absent.map(|absence| absence.line(self.seen, self.run.params())).collect()
    }

    // --- the result -------------------------------------------------------------------------------------------------

    fn others(&self, values: &[f64], weights: &[f64], result: f64) -> Vec<Line> {
        let (params, truth) = (self.run.params(), self.entry.truth);
        let answers = Answers::weighted(values, weights);
        let say = |strategy: Strategy| {
            let value = match strategy == params.strategy {
                true => result,
                false => strategy.of(&answers, &params.knobs())?.value,
            };
            let off = (value - truth) / truth;
            let text = format!("{:<15} {:>14}  {}", strategy.name(), amount(value), percent(off));
            Some(Line::of(strategy.name(), text, [("value", value), ("off", off)]))
        };
        let mut others: Vec<Line> = Strategy::ALL.into_iter().filter_map(say).collect();
        others.sort_by(|a, b| a.numbers["off"].abs().total_cmp(&b.numbers["off"].abs()));
        others
    }

    fn conclude(&self, receipt: &mut Receipt) {
        let asked_at = self.entry.requested_at.since(Instant::ZERO).as_nanos();
        let truth = self.entry.truth;
        receipt.numbers.insert("asked_at_s", asked_at as f64 / 1e9);
        // It may move until somebody takes the request up.
        receipt.numbers.extend(self.entry.opened_at.map(|_| ("truth", truth)));
        let ended = self.facts.iter().rev().find_map(|heard| match &heard.fact {
            Fact::RequestAnswered { result } => Some((heard, Ok(result))),
            Fact::RequestUnanswered { failure } => Some((heard, Err(failure))),
            _ => None,
        });
        let Some((heard, outcome)) = ended else {
            receipt.title = {
                let now = self.seen.now.since(Instant::ZERO).as_nanos();
                format!("asked at {}, not answered by {}", seconds(asked_at), seconds(now))
            };
            return;
        };
        let latency = heard.at.since(self.entry.requested_at).as_nanos();
        receipt.numbers.insert("latency_s", latency as f64 / 1e9);
        match outcome {
            Ok(result) => {
                let off = (result.final_value - truth) / truth;
                receipt.end = "answered";
                receipt.numbers.extend([("value", result.final_value), ("off", off)]);
                receipt.title = format!(
                    "{}, {} off the truth of {}; {} used of {} asked, in {}",
                    amount(result.final_value),
                    percent(off),
                    amount(truth),
                    receipt.numbers["used"],
                    receipt.numbers["asked"],
                    seconds(latency),
                );
                receipt.raw = Some(Verbatim::of(result.clone()));
            }
            Err(failure) => {
                receipt.end = "unanswered";
                receipt.numbers.insert("status", f64::from(failure.status));
                receipt.title =
                    format!("no answer after {}: {} {}", seconds(latency), failure.code, failure.message);
            }
        }
    }
}

/// Where the coordinator's word stands that the client got; if it got none, where the first one does since it took the request
/// up by the fact of number `opened`.
fn concluded(seen: &Seen<'_>, facts: &[Heard<Fact>], opened: u64) -> Option<usize> {
    let is_word = |heard: &Heard<Fact>| {
        matches!(heard.fact, Fact::RequestAggregated { .. } | Fact::RequestFailed { .. })
    };
    let words: Vec<usize> =
        facts.iter().zip(0..).filter(|(heard, _)| is_word(heard)).map(|(_, place)| place).collect();
    let is_end = |heard: &&Heard<Fact>| {
        matches!(heard.fact, Fact::RequestAnswered { .. } | Fact::RequestUnanswered { .. })
    };
    let end = facts.iter().rev().find(is_end);
    let told = end.and_then(|end| {
        let mut chain = seen.chain(end.n);
        chain.find_map(|record| words.iter().copied().find(|&place| facts[place].n == record.n))
    });
    told.or_else(|| words.into_iter().find(|&place| facts[place].n > opened))
}

fn closing_of(fact: &Fact) -> Option<&Closing> {
    match fact {
        Fact::RequestAggregated { closing, .. } => Some(closing),
        Fact::RequestFailed { closing, .. } => closing.as_ref(),
        _ => None,
    }
}
