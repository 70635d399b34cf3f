//! What the store does, told as facts: every command that it has executed passes here, with its outcome.

use super::fact::Fact;
use super::queue::{self, COMPLETE, DEAD_LETTER, PROCESSING, QUEUE, element_of};
use super::{Site, container_number};
use crate::kernel::Span;
use crate::substrate::valkey::{Probe, Reply, Seen, Words};
use serde::Deserialize;
use std::borrow::Cow;
use std::rc::Rc;

/// Listens at the store from now on.
pub(super) fn listen(site: &Site, probe: &Probe) {
    let site = site.clone();
    probe.listen(move |store, seen| match seen {
        Seen::Started => {
            let [queue, processing, dead] = [QUEUE, PROCESSING, DEAD_LETTER].map(|key| ids(&store.list(key)));
            site.tell(Fact::StoreStarted { queue, processing, dead });
        }
        Seen::Saved => drop(site.tell(Fact::StoreSaved)),
        Seen::Executed { reply: Reply::Error(_), .. } => {}
        Seen::Executed { connection, words, reply } => executed(&site, connection, words, reply),
    });
}

/// What of a job's words in the lists says which it is.
#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    task_id: Cow<'a, str>,
    trace: u64,
}

impl Named<'_> {
    fn of(element: &str) -> Option<Named<'_>> {
        Named::of_ours(element).or_else(|| serde_json::from_str(element).ok())
    }

    /// Of a job as [`queue::write`] writes it, whose two numbers nobody asks for.
    fn of_ours(element: &str) -> Option<Named<'_>> {
        let (task_id, rest) = cut(element.strip_prefix("{\"task_id\":\"")?, b'"')?;
        let (a, rest) = cut(rest.strip_prefix(",\"a\":")?, b',')?;
        let (b, rest) = cut(rest.strip_prefix("\"b\":")?, b',')?;
        let trace = rest.strip_prefix("\"trace\":")?.strip_suffix('}')?;
        let is_number =
            |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e'));
        let is_plain = !task_id.contains('\\') && is_number(a) && is_number(b);
        let trace = trace.parse().ok().filter(|_| is_plain)?;
        Some(Named { task_id: task_id.into(), trace })
    }
}

/// What stands on either side of a byte. A search that is made for long texts costs more before it begins.
fn cut(text: &str, at: u8) -> Option<(&str, &str)> {
    let place = text.bytes().position(|byte| byte == at)?;
    Some((&text[..place], &text[place + 1..]))
}

fn ids(elements: &[String]) -> Vec<Rc<str>> {
    elements.iter().filter_map(|element| Some(Named::of(element)?.task_id.into())).collect()
}

/// A command had its effect.
fn executed(site: &Site, connection: u64, words: &Words, reply: &Reply) {
    let word = |i: usize| words.get(i).and_then(|word| std::str::from_utf8(word).ok()).unwrap_or_default();
    let is = |i: usize, text: &str| words.get(i).is_some_and(|word| **word == *text.as_bytes());
    let Some(name) = words.first() else { return };
    let (element, tell): (&str, &dyn Fn(Rc<str>) -> Fact) = match &**name {
        pop @ (b"BRPOP" | b"BLMOVE") => {
            let Some(element) = element_of(reply) else { return };
            (element, &move |id| Fact::Taken { id, line: connection, listed: pop == b"BLMOVE" })
        }
        b"LPUSH" if is(1, QUEUE) => (word(2), &|id| Fact::Queued { id }),
        b"RPUSH" if is(1, QUEUE) => (word(2), &|id| Fact::Returned { id }),
        b"LPUSH" if is(1, DEAD_LETTER) => (word(2), &|id| Fact::Buried { id }),
        b"EVAL" if is(1, COMPLETE) => {
            let first = queue::first_argument(4);
            let (container, attempt) = (container_number(word(first + 2)), word(first + 3).parse());
            let attempt = attempt.unwrap_or_default();
            (word(first), &move |id| Fact::Completed { id, container, attempt })
        }
        // Most are none of these.
        _ => return,
    };
    let Some(Named { task_id, trace }) = Named::of(element) else { return };
    let ctx = site.ctx();
    site.tell_in(ctx.scope(), Span { tag: trace, ..ctx.span() }, tell(task_id.into()));
}
