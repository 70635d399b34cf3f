//! Publish and subscribe: nothing is stored, and who is away misses it.

use super::glob;
use super::reply::{Bytes, Reply};
use super::store::{ConnId, Store};

/// What a client has subscribed to, in that order.
#[derive(Default)]
pub(super) struct Subscriptions {
    channels: Vec<Bytes>,
    patterns: Vec<Bytes>,
}

impl Subscriptions {
    pub(super) fn is_empty(&self) -> bool {
        self.count() == 0
    }

    fn count(&self) -> usize {
        self.channels.len() + self.patterns.len()
    }

    fn of(&mut self, patterns: bool) -> &mut Vec<Bytes> {
        if patterns { &mut self.patterns } else { &mut self.channels }
    }
}

impl Store {
    /// One reply for each channel.
    pub(super) fn subscribe(&mut self, id: ConnId, names: &[Bytes], patterns: bool) -> Vec<Reply> {
        let word = if patterns { "psubscribe" } else { "subscribe" };
        let mut replies = Vec::new();
        for name in names {
            let Some(client) = self.clients.get_mut(&id) else { break };
            let mine = client.subscriptions.of(patterns);
            let new = !mine.contains(name);
            if new {
                mine.push(name.clone());
            }
            let count = client.subscriptions.count();
            if new {
                self.subscribers_of(name, patterns).push(id);
            }
            replies.push(confirmation(word, Reply::Bulk(name.clone()), count));
        }
        replies
    }

    /// The same; without names, of everything, and at least one reply.
    pub(super) fn unsubscribe(&mut self, id: ConnId, names: &[Bytes], patterns: bool) -> Vec<Reply> {
        let word = if patterns { "punsubscribe" } else { "unsubscribe" };
        let Some(client) = self.clients.get_mut(&id) else { return Vec::new() };
        let all = client.subscriptions.of(patterns).clone();
        if names.is_empty() && all.is_empty() {
            return vec![confirmation(word, Reply::NilBulk, client.subscriptions.count())];
        }
        let names = if names.is_empty() { &all[..] } else { names };
        let mut replies = Vec::new();
        for name in names {
            let count = self.drop_subscription(id, name, patterns);
            replies.push(confirmation(word, Reply::Bulk(name.clone()), count));
        }
        replies
    }

    pub(super) fn unsubscribe_all(&mut self, id: ConnId) {
        self.unsubscribe(id, &[], false);
        self.unsubscribe(id, &[], true);
    }

    /// How many subscriptions the client has left.
    fn drop_subscription(&mut self, id: ConnId, name: &Bytes, patterns: bool) -> usize {
        if let Some(client) = self.clients.get_mut(&id) {
            client.subscriptions.of(patterns).retain(|other| other != name);
        }
        if patterns {
            for (pattern, ids) in &mut self.patterns {
                if pattern == name {
                    ids.retain(|&other| other != id);
                }
            }
            self.patterns.retain(|(_, ids)| !ids.is_empty());
        } else if let Some(ids) = self.channels.get_mut(name) {
            ids.retain(|&other| other != id);
            if ids.is_empty() {
                self.channels.remove(name);
            }
        }
        self.clients.get(&id).map_or(0, |client| client.subscriptions.count())
    }

    fn subscribers_of(&mut self, name: &Bytes, patterns: bool) -> &mut Vec<ConnId> {
        if !patterns {
            return self.channels.entry(name.clone()).or_default();
        }
        let place = self.patterns.iter().position(|(pattern, _)| pattern == name);
        let place = place.unwrap_or_else(|| {
            self.patterns.push((name.clone(), Vec::new()));
            self.patterns.len() - 1
        });
        &mut self.patterns[place].1
    }

    /// Sends a message to everybody who listens: by channel first, then by pattern. How many deliveries that were.
    pub(super) fn publish(&mut self, channel: &Bytes, message: &Bytes) -> Reply {
        let mut deliveries: Vec<(ConnId, Reply)> = Vec::new();
        for &id in self.channels.get(channel).into_iter().flatten() {
            let parts = [b"message"[..].into(), channel.clone(), message.clone()];
            deliveries.push((id, Reply::bulks(parts)));
        }
        for (pattern, ids) in self.patterns.iter().filter(|(pattern, _)| glob::matches(pattern, channel)) {
            for &id in ids {
                let parts = [b"pmessage"[..].into(), pattern.clone(), channel.clone(), message.clone()];
                deliveries.push((id, Reply::bulks(parts)));
            }
        }
        let count = deliveries.len();
        for (id, reply) in deliveries {
            self.send(id, reply);
        }
        Reply::count(count)
    }

    /// PUBSUB CHANNELS
    pub(super) fn active_channels(&self, pattern: Option<&Bytes>) -> Reply {
        let asked = |name: &&Bytes| pattern.is_none_or(|pattern| glob::matches(pattern, name));
        Reply::bulks(self.channels.keys().filter(asked).cloned())
    }

    /// PUBSUB NUMSUB
    pub(super) fn subscriber_counts(&self, names: &[Bytes]) -> Reply {
        let count = |name| self.channels.get(name).map_or(0, Vec::len);
        Reply::Array(
            names.iter().flat_map(|name| [Reply::Bulk(name.clone()), Reply::count(count(name))]).collect(),
        )
    }
}

fn confirmation(word: &str, name: Reply, count: usize) -> Reply {
    Reply::Array(vec![Reply::bulk(word), name, Reply::count(count)])
}
