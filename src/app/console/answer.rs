//! What came of the calls: the one that is looked at, and all of them in numbers. Read off the run, so that undoing a call, or
//! going to a moment before it, takes its answer away, and going on brings it back.

use super::samples::is_call;
use super::write::to_curl;
use crate::kernel::Instant;
use crate::lab::{Action, Run};
use crate::net::NodeId;
use crate::substrate::http::{HttpError, REQUEST_SENT, Request, Response};
use serde::de::IgnoredAny;

/// The node that calls.
const CONSOLE: &str = "console";
/// No more of a body is shown, in bytes.
const BODY_MAX: usize = 100_000;
/// What fits into a line of the answer is not broken up.
const LINE_MAX: usize = 72;

/// Which calls there are by now: when it changes there is something new to show.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// Their places in the log of actions.
    pub calls: Vec<usize>,
    /// How many are answered.
    pub answered: usize,
    /// The newest, which another one may have taken the place of.
    newest: Option<Action>,
}

/// A call, and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// `200 OK`, or why there is no answer.
    pub status: String,
    /// Whether it is what one asks for: an answer below 400.
    pub is_good: bool,
    /// How long it took in virtual time, or since when it is awaited.
    pub after: String,
    /// The answer's headers.
    pub headers: Vec<(String, String)>,
    /// The answer's body.
    pub body: String,
    /// The call that asks whether the answer has changed, if it has a tag for that.
    pub again: Option<String>,
    /// The moment to look at: that of the answer, or of the call while there is none.
    pub at_ms: f64,
    /// Who was called, as far as the trace still has it.
    pub node: Option<String>,
    /// Of several calls, how they were answered: `30 calls: 10 × 200, 20 × 429`.
    pub tally: String,
}

/// The calls that were made by now.
pub fn seen(run: &Run) -> Seen {
    let (now, actions) = (run.now(), &run.scenario().actions);
    let calls: Vec<usize> = (0..actions.len()).filter(|&index| is_call(&actions[index], now)).collect();
    let answered = calls.iter().filter(|&&index| run.is_answered(index)).count();
    let newest = calls.last().map(|&index| actions[index].clone());
    Seen { calls, answered, newest }
}

/// The call at a place in the log of actions.
pub fn answer(run: &Run, seen: &Seen, index: usize) -> Option<Answer> {
    let action = run.scenario().actions.get(index)?;
    let Action::Call { url, .. } = action else { return None };
    let (at, answered) = (action.at(), run.answer(index));
    let answered_at = answered.as_ref().map_or(at, |(answered_at, _)| *answered_at);
    let after = match &answered {
        Some(_) => format!("after {} ms virtual", grouped(answered_at.since(at).as_millis_f64())),
        None if run.now() >= run.horizon() => "the run ended before".to_owned(),
        None => format!("since {:.3} s", at.as_millis_f64() / 1000.0),
    };
    let mut answer = Answer {
        status: "No answer yet".to_owned(),
        is_good: false,
        after,
        headers: Vec::new(),
        body: String::new(),
        again: None,
        at_ms: answered_at.as_millis_f64(),
        node: called(run, at),
        tally: tally(run, seen),
    };
    match answered.map(|(_, answered)| answered) {
        Some(Ok(response)) => answer.fill(url, &response),
        Some(Err(error)) => answer.status = error.to_string(),
        None => {}
    }
    Some(answer)
}

impl Answer {
    fn fill(&mut self, url: &str, response: &Response) {
        self.status = status(response);
        self.is_good = response.status < 400;
        let line = |(name, value): &(_, _)| (format!("{name}"), format!("{value}"));
        self.headers = response.headers.iter().map(line).collect();
        let tag = response.header("ETag").map(str::to_owned);
        let ask = |tag: String| Some(Request::get(url.parse().ok()?).with_header("If-None-Match", tag));
        self.again = tag.and_then(ask).map(|request| to_curl(&request));
        let body = response.body.bytes();
        let text = String::from_utf8_lossy(&body[..body.len().min(BODY_MAX)]);
        self.body = if body.len() > BODY_MAX {
            format!("{text}\n… and {} bytes more", body.len() - BODY_MAX)
        } else if serde_json::from_str::<IgnoredAny>(&text).is_ok() {
            indented(text.trim())
        } else {
            text.into_owned()
        };
    }
}

/// `404 Not Found`
fn status(response: &Response) -> String {
    format!("{} {}", response.status, response.reason()).trim_end().to_owned()
}

/// Whom the console called at an instant.
fn called(run: &Run, at: Instant) -> Option<String> {
    let console = run.net().find(CONSOLE)?;
    let trace = run.trace();
    let mut since = trace.records().rev().take_while(|record| record.at >= at);
    let sent =
        since.find(|record| record.at == at && record.kind == REQUEST_SENT && record.node == console.0)?;
    Some(run.net().name(NodeId(sent.peer)).to_string())
}

fn tally(run: &Run, seen: &Seen) -> String {
    let mut counts: Vec<(String, usize)> = Vec::new();
    for (_, answered) in seen.calls.iter().filter_map(|&index| run.answer(index)) {
        let what = match answered {
            Ok(response) => response.status.to_string(),
            Err(HttpError::TimedOut(_)) => "no answer".to_owned(),
            Err(error) => error.to_string(),
        };
        match counts.iter_mut().find(|(known, _)| *known == what) {
            Some((_, count)) => *count += 1,
            None => counts.push((what, 1)),
        }
    }
    let open = seen.calls.len() - seen.answered;
    if open > 0 {
        counts.push(("open".to_owned(), open));
    }
    counts.sort_unstable();
    let counts: Vec<String> = counts.into_iter().map(|(what, count)| format!("{count} × {what}")).collect();
    format!("{} calls: {}", seen.calls.len(), counts.join(", "))
}

/// `1,200.25`: thousands apart, to the microsecond.
fn grouped(ms: f64) -> String {
    let us = (ms * 1000.0).round() as u64;
    let (whole, part) = (us / 1000, us % 1000);
    let digits = whole.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if part > 0 {
        text.push_str(format!(".{part:03}").trim_end_matches('0'));
    }
    text
}

/// JSON in lines; its numbers, texts and the order of its fields stay as they are.
fn indented(json: &str) -> String {
    let (mut text, mut depth, mut rest) = (String::new(), 0, json);
    let new_line = |text: &mut String, depth: usize| {
        text.push('\n');
        text.extend(std::iter::repeat_n("  ", depth));
    };
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '"' => quoted(rest),
            '{' | '[' => short(rest).unwrap_or(1),
            _ => c.len_utf8(),
        };
        let (token, tail) = rest.split_at(length);
        rest = tail.trim_start();
        match c {
            '{' | '[' if length == 1 => {
                depth += 1;
                text.push(c);
                new_line(&mut text, depth);
            }
            '}' | ']' => {
                depth -= 1;
                new_line(&mut text, depth);
                text.push(c);
            }
            ',' => {
                text.push(c);
                new_line(&mut text, depth);
            }
            ':' => text.push_str(": "),
            _ => text.push_str(&spaced(token)),
        }
    }
    text
}

/// The length of the text in quotes at the start.
fn quoted(json: &str) -> usize {
    let mut escaped = false;
    for (i, c) in json.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return i + 1,
            _ => {}
        }
    }
    json.len()
}

/// The length of the object or array at the start, if it fits into a line and has no other in it.
fn short(json: &str) -> Option<usize> {
    let mut at = 1;
    while at <= LINE_MAX {
        let rest = &json[at..];
        match rest.chars().next()? {
            '"' => at += quoted(rest),
            '}' | ']' => return Some(at + 1),
            '{' | '[' => return None,
            c => at += c.len_utf8(),
        }
    }
    None
}

/// A line's worth of JSON with room to breathe; only what stands outside of quotes is moved.
fn spaced(json: &str) -> String {
    let (mut text, mut rest) = (String::new(), json);
    while let Some(c) = rest.chars().next() {
        let length = if c == '"' { quoted(rest) } else { c.len_utf8() };
        let (token, tail) = rest.split_at(length);
        rest = tail;
        text.push_str(token);
        if matches!(c, ',' | ':') && !rest.starts_with(' ') {
            text.push(' ');
        }
    }
    text
}
