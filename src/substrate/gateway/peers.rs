//! Which server the next attempt goes to: smooth weighted round robin, or the fewest connections, among those that have not
//! failed too often lately.
//!
//! Time counts in whole seconds of the clock, and a pause must be exceeded: a server that failed at 0.95 s with
//! `fail_timeout` 2 s is tried again at 3 s.

use crate::substrate::text::Text;

/// A server of the group, as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// `name:port`; a name may stand for several addresses, each of which joins the rotation.
    pub name: String,
    /// Its share of the requests.
    pub weight: i64,
    /// So many failures within `fail_timeout` take it out; 0 never does.
    pub max_fails: u32,
    /// Seconds.
    pub fail_timeout: u64,
    /// So many requests at once; 0 for any number.
    pub max_conns: u32,
    /// Used only when no other is left.
    pub backup: bool,
    /// Never used.
    pub down: bool,
}

impl Server {
    /// A server with nginx's defaults: weight 1, out for 10 s after one failure.
    pub fn new(name: &str) -> Self {
        Server {
            name: name.to_owned(),
            weight: 1,
            max_fails: 1,
            fail_timeout: 10,
            max_conns: 0,
            backup: false,
            down: false,
        }
    }
}

/// How the group chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Balance {
    /// In turn, by weight.
    RoundRobin,
    /// Whoever has the fewest requests in hand for its weight; in turn among equals.
    LeastConnections,
}

struct Peer {
    address: Text,
    server: Server,
    current_weight: i64,
    effective_weight: i64,
    fails: u32,
    /// Whole seconds: when it last failed, and since when that has been held against it.
    accessed: u64,
    checked: u64,
    conns: u32,
}

/// The group's state.
pub(super) struct Peers {
    peers: Vec<Peer>,
    balance: Balance,
}

impl Peers {
    /// `addresses`: each with the server that it belongs to.
    pub(super) fn new(balance: Balance, addresses: Vec<(Text, Server)>) -> Self {
        let peer = |(address, server): (Text, Server)| Peer {
            address,
            current_weight: 0,
            effective_weight: server.weight,
            server,
            fails: 0,
            accessed: 0,
            checked: 0,
            conns: 0,
        };
        Peers { peers: addresses.into_iter().map(peer).collect(), balance }
    }

    pub(super) fn address(&self, peer: usize) -> &Text {
        &self.peers[peer].address
    }

    /// How many attempts a request has at most.
    pub(super) fn tries(&self) -> usize {
        self.peers.iter().filter(|peer| !peer.server.down).count()
    }

    /// The server for the next attempt, `tried` ones left out; `None` when no live one is left.
    pub(super) fn choose(&mut self, tried: &[usize], now: u64) -> Option<usize> {
        let chosen = [false, true].iter().find_map(|&backup| self.choose_among(backup, tried, now))?;
        self.peers[chosen].conns += 1;
        Some(chosen)
    }

    fn choose_among(&mut self, backup: bool, tried: &[usize], now: u64) -> Option<usize> {
        let single = self.count(backup) == 1;
        let usable = |peers: &[Peer], i: usize| {
            peers[i].server.backup == backup && !tried.contains(&i) && peers[i].is_usable(single, now)
        };
        let least = self.least_loaded(usable);
        let mut total = 0;
        let mut best: Option<usize> = None;
        for i in 0..self.peers.len() {
            let as_little = least.is_none_or(|least| self.load(i, least) == self.load(least, i));
            if !as_little || !usable(&self.peers, i) {
                continue;
            }
            let peer = &mut self.peers[i];
            peer.current_weight += peer.effective_weight;
            total += peer.effective_weight;
            if peer.effective_weight < peer.server.weight {
                peer.effective_weight += 1;
            }
            let weight = peer.current_weight;
            if best.is_none_or(|best| weight > self.peers[best].current_weight) {
                best = Some(i);
            }
        }
        let peer = &mut self.peers[best?];
        peer.current_weight -= total;
        if now - peer.checked > peer.server.fail_timeout {
            peer.checked = now;
        }
        best
    }

    /// How many servers are, or are not, kept for when no other is left.
    fn count(&self, backup: bool) -> usize {
        self.peers.iter().filter(|peer| peer.server.backup == backup).count()
    }

    /// Who has the fewest requests in hand, where that is what the group chooses by.
    fn least_loaded(&self, usable: impl Fn(&[Peer], usize) -> bool) -> Option<usize> {
        if self.balance != Balance::LeastConnections {
            return None;
        }
        let all = (0..self.peers.len()).filter(|&i| usable(&self.peers, i));
        all.reduce(|a, b| if self.load(b, a) < self.load(a, b) { b } else { a })
    }

    /// Requests in hand by weight, to be compared with the other's as fractions are.
    fn load(&self, i: usize, by: usize) -> i64 {
        i64::from(self.peers[i].conns) * self.peers[by].server.weight
    }

    /// An attempt is over.
    pub(super) fn release(&mut self, peer: usize, failed: bool, now: u64) {
        let single = self.count(self.peers[peer].server.backup) == 1;
        let peer = &mut self.peers[peer];
        debug_assert!(peer.conns > 0, "an attempt at {} is given back that was not begun", peer.address);
        peer.conns = peer.conns.saturating_sub(1);
        if single {
            return;
        }
        if failed {
            peer.fails += 1;
            (peer.accessed, peer.checked) = (now, now);
            if peer.server.max_fails > 0 {
                let penalty = peer.server.weight / i64::from(peer.server.max_fails);
                peer.effective_weight = (peer.effective_weight - penalty).max(0);
            }
        } else if peer.accessed < peer.checked {
            // The probe after its pause has succeeded.
            peer.fails = 0;
        }
    }
}

impl Peer {
    /// A server that is alone is never taken out.
    fn is_usable(&self, single: bool, now: u64) -> bool {
        let Server { down, max_conns, max_fails, fail_timeout, .. } = self.server;
        let out = !single && max_fails > 0 && self.fails >= max_fails && now - self.checked <= fail_timeout;
        !down && (max_conns == 0 || self.conns < max_conns) && !out
    }
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "an attempt at c-01:5000 is given back that was not begun")]
    fn no_attempt_ends_twice() {
        let address = Text::from("c-01:5000".to_owned());
        let mut peers = Peers::new(Balance::RoundRobin, vec![(address, Server::new("c-01"))]);
        let chosen = peers.choose(&[], 0).expect("it is up");
        peers.release(chosen, false, 0);
        peers.release(chosen, false, 0);
    }
}
