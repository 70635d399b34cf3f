//! The receipt of a message, by the number of a record that sent it, received it or lost it (`#508`): where it is, what led to it, and
//! what came of it. It follows from the trace alone, in every system.

use super::invalid::Invalid;
use super::receipt::{Line, Numbers, Receipt, Section, Seen, seconds};
use crate::kernel::{Kind, Record};
use crate::net::MESSAGE_LOST;
use crate::substrate::{http, stream};

/// What sends a message.
const SENT: [Kind; 3] = [http::REQUEST_SENT, http::RESPONSE_SENT, stream::SEGMENT_SENT];
/// So many steps back, and so many lines of what came of it, are told.
const BEFORE: usize = 12;
const AFTER: usize = 40;

/// The receipt of `#508`; `None` if the id is no record's number.
pub(super) fn explain(seen: &Seen<'_>, id: &str) -> Option<Result<Receipt, Invalid>> {
    let n: u64 = id.strip_prefix('#').unwrap_or(id).parse().ok()?;
    Some(Message::of(seen, n).map(|message| message.receipt(id)).ok_or_else(|| {
        let allowed = "the number of a record that is kept, and that sends a message or is the end of one";
        Invalid::new("id", id, allowed)
    }))
}

/// A message: the record that sent it, if that is kept, and the one that ended its way.
struct Message<'a> {
    seen: &'a Seen<'a>,
    sent: Option<&'a Record>,
    end: Option<&'a Record>,
}

fn is_end(record: &Record, sent: &Record) -> bool {
    let is_far = record.node != sent.node && record.node != 0 && sent.node != 0;
    record.cause == sent.n && (is_far || matches!(record.kind, MESSAGE_LOST | http::REFUSED))
}

impl<'a> Message<'a> {
    fn of(seen: &'a Seen<'a>, n: u64) -> Option<Self> {
        let record = seen.trace.record(n)?;
        let cause = seen.trace.record(record.cause);
        if let Some(sent) = cause.filter(|sent| is_end(record, sent)) {
            return Some(Message { seen, sent: Some(sent), end: Some(record) });
        }
        if matches!(record.kind, MESSAGE_LOST | http::REFUSED) {
            return Some(Message { seen, sent: None, end: Some(record) });
        }
        let oldest = seen.trace.records().next()?.n;
        let later = || seen.trace.records().skip((n + 1 - oldest) as usize);
        let end = later().find(|later| is_end(later, record));
        (end.is_some() || SENT.contains(&record.kind)).then_some(Message { seen, sent: Some(record), end })
    }

    fn receipt(&self, id: &str) -> Receipt {
        let Message { seen, sent, end } = *self;
        let begin = sent.or(end);
        let from = begin.map_or(0, |record| record.node);
        let to = match end {
            Some(end) if end.node != from => end.node,
            _ => begin.map_or(0, |record| record.peer),
        };
        let name = |node: u32| seen.name(node).unwrap_or_else(|| "somebody".into());
        let took = sent.zip(end).map(|(sent, end)| end.at.since(sent.at).as_nanos());
        let (word, what) = match end.map(|end| end.kind) {
            Some(MESSAGE_LOST) => ("lost", "lost on the way".to_owned()),
            Some(http::REFUSED) => ("refused", "refused: nobody listens there".to_owned()),
            Some(_) => ("arrived", format!("there after {}", seconds(took.unwrap_or_default()))),
            None => ("on_the_way", "on its way still".to_owned()),
        };
        let before = self.before();
        let after = end.map_or_else(Vec::new, |end| seen.following(end.n));
        let mut numbers = Numbers::from([("after", after.len() as f64)]);
        numbers.extend(sent.map(|sent| ("sent_s", sent.at.as_nanos() as f64 / 1e9)));
        numbers.extend(end.map(|end| ("ended_s", end.at.as_nanos() as f64 / 1e9)));
        numbers.extend(took.map(|took| ("took_s", took as f64 / 1e9)));
        let lines = |records: &[&Record]| records.iter().map(|record| self.line(record)).collect();
        let way: Vec<&Record> = sent.into_iter().chain(end).collect();
        Receipt {
            id: id.to_owned(),
            of: "message",
            end: word,
            title: format!("a message from {} to {}, {what}", name(from), name(to)),
            numbers,
            sections: vec![
                Section::new("way", "Its way", lines(&way)),
                Section::new("before", "What led to it", lines(&before)),
                Section::new("after", "What came of it", lines(&after[..after.len().min(AFTER)])),
            ],
            raw: None,
        }
    }

    /// What led to it within what it belongs to, oldest first.
    fn before(&self) -> Vec<&'a Record> {
        let Some(sent) = self.sent else { return Vec::new() };
        let chain = self.seen.chain(sent.n).skip(1).take_while(|record| record.tag == sent.tag);
        let mut before: Vec<&Record> = chain.take(BEFORE).collect();
        before.reverse();
        before
    }

    fn line(&self, record: &Record) -> Line {
        let kind = record.kind.name();
        let peer = self.seen.name(record.peer).map_or_else(String::new, |peer| format!(", {peer}"));
        self.seen.line(kind, record.n, record.node, kind.replace('_', " ") + &peer)
    }
}
