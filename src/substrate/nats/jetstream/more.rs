//! What tools ask of JetStream's API, and none of the systems here: lists, updates, single messages. The page's programs are
//! built without it, as nothing in them makes these calls.

use super::Js;
use super::api::{parse, stream_missing};
use super::config::{ApiError, Storage, StreamConfig};
use super::consumer::Consumer;
use super::outbox::Outbox;
use super::stream::Stream;
use crate::substrate::nats::Published;
use crate::substrate::nats::subject::{self, Pattern};
use serde::Deserialize;
use serde_json::{Value, json};
use std::rc::Rc;

/// So many names, or so many descriptions, are in an answer.
const NAMES_MAX: usize = 1024;
const LIST_MAX: usize = 256;

type Answered = (&'static str, Result<Value, ApiError>);

/// From where on a list is asked for, and of which streams.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Page {
    offset: usize,
    subject: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct MessageRequest {
    seq: u64,
    last_by_subj: String,
    next_by_subj: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PurgeRequest {
    filter: String,
    seq: u64,
    keep: u64,
}

fn bad_request() -> ApiError {
    ApiError::new(400, 10003, "bad request")
}

/// A request, if there is more in it than braces.
fn given<T: serde::de::DeserializeOwned>(payload: &[u8]) -> Result<Option<T>, ApiError> {
    match serde_json::from_slice::<Value>(payload) {
        _ if payload.is_empty() => Ok(None),
        Ok(Value::Object(fields)) if fields.is_empty() => Ok(None),
        _ => parse(payload).map(Some),
    }
}

/// A page of a list.
fn page(all: Vec<Value>, name: &str, offset: usize, limit: usize) -> Value {
    let (total, offset) = (all.len(), offset.min(all.len()));
    let shown: Vec<Value> = all.into_iter().skip(offset).take(limit).collect();
    json!({name: shown, "total": total, "limit": limit, "offset": offset})
}

impl Js {
    /// The calls that tools make; `None` for those that the server does not know either.
    pub(super) fn call_more(
        &mut self,
        parts: &[&str],
        payload: &[u8],
        outbox: &mut Outbox,
    ) -> Option<Answered> {
        Some(match *parts {
            ["STREAM", "NAMES"] => ("stream_names", self.list_streams(payload, false)),
            ["STREAM", "LIST"] => ("stream_list", self.list_streams(payload, true)),
            ["STREAM", "UPDATE", name] => ("stream_update", self.update_stream(name, payload, outbox)),
            ["STREAM", "MSG", "GET", name] => ("stream_msg_get", self.message(name, payload)),
            ["STREAM", "MSG", "DELETE", name] => ("stream_msg_delete", self.delete_message(name, payload)),
            ["CONSUMER", "NAMES", name] => {
                ("consumer_names", self.list_consumers(name, payload, false, outbox))
            }
            ["CONSUMER", "LIST", name] => ("consumer_list", self.list_consumers(name, payload, true, outbox)),
            _ => return None,
        })
    }

    fn list_streams(&self, payload: &[u8], whole: bool) -> Result<Value, ApiError> {
        let asked: Page = given(payload)?.unwrap_or_default();
        let wanted = |config: &StreamConfig| {
            asked.subject.is_empty()
                || config.subjects.iter().any(|own| subject::overlap(own, &asked.subject))
        };
        let streams = self.streams.values().filter(|stream| wanted(&stream.config));
        let row = |stream: &Stream| if whole { stream.info() } else { json!(&*stream.name) };
        Ok(page(
            streams.map(row).collect(),
            "streams",
            asked.offset,
            if whole { LIST_MAX } else { NAMES_MAX },
        ))
    }

    fn list_consumers(
        &mut self,
        name: &str,
        payload: &[u8],
        whole: bool,
        outbox: &mut Outbox,
    ) -> Result<Value, ApiError> {
        let asked: Page = given(payload)?.unwrap_or_default();
        let stream = self.stream(name)?;
        let names: Vec<_> = stream.consumers.keys().cloned().collect();
        let row = |name: &Rc<str>| match whole {
            true => stream.info_of(name, outbox),
            false => Some(json!(&**name)),
        };
        let all = names.iter().filter_map(row).collect();
        Ok(page(all, "consumers", asked.offset, if whole { LIST_MAX } else { NAMES_MAX }))
    }

    fn update_stream(&mut self, name: &str, payload: &[u8], outbox: &Outbox) -> Result<Value, ApiError> {
        let mut config: StreamConfig = parse(payload)?;
        config.check()?;
        if config.name != name {
            return Err(ApiError::new(400, 10056, "stream name in subject does not match request"));
        }
        let known = &self.streams.get(name).ok_or_else(stream_missing)?.config;
        let fixed = [
            (known.storage != config.storage, "storage type"),
            (known.retention != config.retention, "retention policy"),
        ];
        if let Some((_, what)) = fixed.into_iter().find(|(changed, _)| *changed) {
            let why = format!("stream configuration update can not change {what}");
            return Err(ApiError::new(500, 10052, &why));
        }
        let others = self.streams.values().filter(|other| other.config.name != name);
        if others.into_iter().any(|other| super::subject_overlap(&other.config, &config)) {
            return Err(ApiError::new(400, 10065, "subjects overlap with an existing stream"));
        }
        let stream = self.stream(name)?;
        stream.reconfigure(config, outbox.now());
        Ok(stream.info())
    }

    fn message(&mut self, name: &str, payload: &[u8]) -> Result<Value, ApiError> {
        let asked: MessageRequest = given(payload)?.ok_or_else(bad_request)?;
        let (by_last, by_next) = (!asked.last_by_subj.is_empty(), !asked.next_by_subj.is_empty());
        if by_last && (asked.seq > 0 || by_next) || asked.seq == 0 && !by_last && !by_next {
            return Err(bad_request());
        }
        let messages = &self.stream(name)?.messages;
        let found = if by_next {
            let pattern = Pattern::new(&asked.next_by_subj);
            messages.from(asked.seq).find(|(_, stored)| pattern.matches(&stored.subject))
        } else if by_last {
            let pattern = Pattern::new(&asked.last_by_subj);
            messages.from(0).filter(|(_, stored)| pattern.matches(&stored.subject)).last()
        } else {
            messages.get(asked.seq).map(|stored| (asked.seq, stored))
        };
        let (seq, stored) = found.ok_or_else(|| ApiError::new(404, 10037, "no message found"))?;
        let mut message = json!({"subject": &*stored.subject, "seq": seq});
        if let Some(headers) = &stored.headers {
            message["hdrs"] = base64(format!("{}\r\n\r\n", headers.0).as_bytes()).into();
        }
        if !stored.payload.is_empty() {
            message["data"] = base64(stored.payload.bytes()).into();
        }
        Ok(json!({"message": message}))
    }

    fn delete_message(&mut self, name: &str, payload: &[u8]) -> Result<Value, ApiError> {
        let asked: MessageRequest = given(payload)?.ok_or_else(bad_request)?;
        let stream = self.stream(name)?;
        if stream.remove(asked.seq) {
            return Ok(json!({"success": true}));
        }
        if stream.config.storage == Storage::File && asked.seq > stream.messages.last() {
            return Err(ApiError::new(500, 10057, "stream store EOF"));
        }
        if stream.config.storage == Storage::File && asked.seq < stream.messages.first() {
            return Err(ApiError::new(500, 10057, "no message found"));
        }
        Err(ApiError::new(400, 10043, &format!("sequence {} not found", asked.seq)))
    }

    /// Removes all messages, or those of a subject, before a number, except for so many.
    pub(super) fn purge(&mut self, name: &str, payload: &[u8]) -> Result<u64, ApiError> {
        let asked: Option<PurgeRequest> = given(payload)?;
        if asked.as_ref().is_some_and(|asked| asked.seq > 0 && asked.keep > 0) {
            return Err(bad_request());
        }
        let stream = self.stream(name)?;
        let Some(PurgeRequest { filter, seq, keep }) = asked else { return Ok(stream.purge()) };
        if filter.is_empty() || filter == ">" {
            let (len, last) = (stream.messages.len(), stream.messages.last());
            let purged = match (seq, keep) {
                (0 | 1, 0) => stream.remove_all(),
                (0 | 1, keep) if keep >= len => 0,
                // As many numbers are kept, whether or not they have messages.
                (0 | 1, keep) => stream.compact(last + 1 - keep)?,
                (seq, _) => stream.compact(seq)?,
            };
            let first = stream.messages.first();
            stream.purge_consumers(first, |consumer| consumer.is_purged_by(&filter));
            return Ok(purged);
        }
        let pattern = Pattern::new(&filter);
        let all = stream.messages.from(0).filter(|(_, stored)| pattern.matches(&stored.subject));
        let mut seqs: Vec<u64> = all.map(|(seq, _)| seq).collect();
        let kept = seqs.len().saturating_sub(keep as usize);
        let first = seqs.iter().enumerate().find(|&(place, &at)| place >= kept || seq > 1 && at >= seq);
        let first = first.map_or(stream.messages.last() + 1, |(_, &seq)| seq);
        seqs.truncate(kept);
        seqs.retain(|&at| seq <= 1 || at < seq);
        for &seq in &seqs {
            // A store in memory tells the consumers of each message, one on disk only of the purge.
            match stream.config.storage {
                Storage::Memory => drop(stream.remove(seq)),
                Storage::File => drop(stream.messages.remove(seq)),
            }
        }
        stream.purge_consumers(first, |consumer| consumer.is_purged_by(&filter));
        Ok(seqs.len() as u64)
    }

    /// Notes which consumers push to a subject of a stream, which hears that as a client would. Those that are heard from now on.
    pub(super) fn note_feeding(&mut self) -> Vec<(Rc<str>, Rc<str>)> {
        // A subject with wildcards is not noticed.
        let is_own = |stream: &Stream, target: &str| stream.config.subjects.iter().any(|own| own == target);
        let is_heard = |target: &&Rc<str>| self.streams.values().any(|stream| is_own(stream, target));
        let heard: Vec<_> = self.targets.keys().filter(is_heard).cloned().collect();
        let mut begun = Vec::new();
        for Stream { name: stream, consumers, .. } in self.streams.values_mut() {
            for consumer in consumers.values_mut() {
                let feeds = consumer.target.as_ref().is_some_and(|target| heard.contains(target));
                if feeds && !consumer.feeds {
                    begun.push((Rc::clone(stream), Rc::clone(&consumer.name)));
                }
                consumer.feeds = feeds;
            }
        }
        begun
    }

    /// After a change of streams or consumers: who is heard from now on delivers.
    pub(super) fn feed(&mut self, outbox: &mut Outbox) {
        for (stream, consumer) in self.note_feeding() {
            if let Some(stream) = self.streams.get_mut(&*stream) {
                stream.change(&consumer, outbox, |_, _| Vec::new());
            }
        }
    }

    /// Sees every delivery: a stream may have the subject that it is pushed to. It keeps the message's own.
    pub(in crate::substrate::nats) fn receive_delivery(
        &mut self,
        to: &str,
        message: &Published,
        outbox: &mut Outbox,
    ) {
        if let Some(stream) = self.streams.values_mut().find(|stream| stream.covers(to)) {
            stream.store(message, outbox);
        }
    }
}

impl Stream {
    /// Removes what is before a number, with which the next message comes at least. How many that were.
    fn compact(&mut self, seq: u64) -> Result<u64, ApiError> {
        let (before, last) = (self.messages.len(), self.messages.last());
        if self.config.storage == Storage::Memory && seq <= last && self.messages.get(seq).is_none() {
            return Err(ApiError::new(500, 10051, "no message found"));
        }
        while self.messages.len() > 0 && self.messages.first() < seq {
            self.messages.remove(self.messages.first());
        }
        self.messages.skip_to(seq);
        self.messages.purged = true;
        Ok(before - self.messages.len())
    }
}

impl Consumer {
    /// A purge that asks for something concerns a consumer with a filter if its own is one of the subjects, so none without one.
    fn is_purged_by(&self, filter: &str) -> bool {
        self.config.filter_subject.is_empty() || self.wants(filter)
    }
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits =
            group.iter().fold(0u32, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize] as char;
            text.push(if place <= group.len() { letter } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn base64_is_that_of_the_standard() {
        for (text, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")]
        {
            assert_eq!(super::base64(text.as_bytes()), coded);
        }
    }
}
