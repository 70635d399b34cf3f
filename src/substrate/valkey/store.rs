//! The server without a network: connections, and the way of a command from its words to its effects.
//!
//! As in the real server everything happens on one thread, in rounds of an event loop: [`Store::execute`] is what one
//! read from one connection brings, [`Store::tick`] the server's own clock (ten times a second). After a command,
//! or a whole transaction or script, the clients that waited for what it pushed are served. At the end of a round
//! the blocking calls whose time is up are answered: so an idle server notices them up to 100 ms late.

use super::Version;
use super::blocking::{Blocked, Waiting};
use super::command::Command;
use super::config::{Config, Persistence};
use super::disk::{Base, Disk};
use super::keyspace::{KeyRef, Keyspace};
use super::parse::is;
use super::pubsub::Subscriptions;
use super::reply::{Bytes, ErrorText, OUT_OF_MEMORY, Replies, Reply, error};
use super::script::ReadScript;
use super::table::{self, Spec};
use super::transactions::Transaction;
use crate::kernel::{Duration, Instant, SortedMap};
use std::collections::VecDeque;
use std::rc::Rc;

/// The words of a command as a client sends them. Cheap to clone.
pub type Words = Rc<[Bytes]>;

/// A connection, and the id that CLIENT ID answers. Counted from 1 since the server started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConnId(pub u64);

/// What the store wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Send a reply, or a message that was published.
    Send(ConnId, Reply),
    /// Close a connection, once everything before has been sent.
    Close(ConnId),
    /// Nothing: a snapshot has been made.
    Saved,
    /// End the process.
    Shutdown,
}

/// Unix time at virtual zero in milliseconds: 2025-01-01T00:00:00Z.
const EPOCH_MS: u64 = 1_735_689_600_000;
const MS: u64 = 1_000_000;
/// The server's own clock: `hz 10`.
const TICK_MS: u64 = 100;

/// Milliseconds of Unix time.
fn unix_ms(now: Instant) -> u64 {
    EPOCH_MS + now.as_nanos() / MS
}

#[derive(Default)]
pub(super) struct Client {
    pub(super) db: usize,
    pub(super) name: Bytes,
    pub(super) transaction: Transaction,
    pub(super) subscriptions: Subscriptions,
    pub(super) blocked: Option<Blocked>,
    /// What it sent while it was blocked.
    backlog: VecDeque<Words>,
    /// Since when its output has been beyond the soft limit.
    over_limit_since: Option<u64>,
}

/// A server's whole state.
pub struct Store {
    pub(super) config: Config,
    pub(super) keyspace: Keyspace,
    pub(super) clients: SortedMap<ConnId, Client>,
    pub(super) waiting: Waiting,
    /// Keys that came into being while somebody waited for them.
    pub(super) ready: VecDeque<KeyRef>,
    /// Who was blocked until now, in the order in which that ended.
    pub(super) unblocked: VecDeque<ConnId>,
    pub(super) watching: SortedMap<KeyRef, Vec<ConnId>>,
    pub(super) channels: SortedMap<Bytes, Vec<ConnId>>,
    /// In the order in which they were first subscribed to.
    pub(super) patterns: Vec<(Bytes, Vec<ConnId>)>,
    pub(super) effects: Vec<Effect>,
    /// The scripts that were read, by their texts.
    pub(super) scripts: SortedMap<Bytes, ReadScript>,
    /// Their texts by their digests.
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) digests: SortedMap<Bytes, Bytes>,
    pub(super) disk: Disk,
    /// What the disk holds, while few enough keys differ from it.
    pub(super) base: Option<Base>,
    started: u64,
    loading_until: u64,
    pub(super) saved_at: u64,
    connected: u64,
    pub(super) commands: u64,
}

impl Store {
    /// A server that starts and loads what the disk holds.
    pub fn new(config: Config, disk: Disk, now: Instant) -> Self {
        let loaded = match config.persistence {
            Persistence::None => None,
            Persistence::Snapshots(_) | Persistence::AppendOnly => disk.read(),
        };
        let (databases, base) = loaded.unzip();
        let mut keyspace = databases.map_or_else(Keyspace::new, Keyspace::of);
        let megabytes = keyspace.size() as f64 / 1e6;
        let started = unix_ms(now);
        keyspace.now = started;
        keyspace.drop_expired();
        keyspace.changes = 0;
        let loading = config.load_time_per_mb.scale(megabytes).as_nanos() / MS;
        let mut store = Store {
            config,
            keyspace,
            clients: SortedMap::default(),
            waiting: Waiting::default(),
            ready: VecDeque::new(),
            unblocked: VecDeque::new(),
            watching: SortedMap::default(),
            channels: SortedMap::default(),
            patterns: Vec::new(),
            effects: Vec::new(),
            scripts: SortedMap::default(),
            #[cfg(not(target_arch = "wasm32"))]
            digests: SortedMap::default(),
            disk,
            base,
            started,
            loading_until: started + loading,
            saved_at: started,
            connected: 0,
            commands: 0,
        };
        // What had expired meanwhile concerns no client yet, but the disk.
        store.absorb_changes();
        store
    }

    /// Which server it behaves as.
    pub fn version(&self) -> Version {
        self.config.version
    }

    /// A client connects. One too many gets an error and is closed.
    pub fn connect(&mut self, now: Instant) -> (ConnId, Vec<Effect>) {
        self.connected += 1;
        let id = ConnId(self.connected);
        if self.clients.len() >= self.config.max_clients {
            let refusal = Reply::Error(error("ERR max number of clients reached"));
            self.effects.extend([Effect::Send(id, refusal), Effect::Close(id)]);
        } else {
            self.clients.insert(id, Client::default());
        }
        (id, self.end_round(now))
    }

    /// A connection is gone: its client waits for nothing any more, and hears nothing.
    pub fn disconnect(&mut self, id: ConnId, now: Instant) -> Vec<Effect> {
        self.forget(id);
        self.end_round(now)
    }

    /// Runs the commands that one read from a connection brought: one, or several that were pipelined.
    pub fn execute(
        &mut self,
        id: ConnId,
        batch: impl IntoIterator<Item = Words>,
        now: Instant,
    ) -> Vec<Effect> {
        self.keyspace.now = unix_ms(now);
        for words in batch {
            self.receive(id, words);
        }
        self.end_round(now)
    }

    /// Takes a list of effects back that has been carried out, for the next command's.
    pub(super) fn reuse(&mut self, mut effects: Vec<Effect>) {
        effects.clear();
        if self.effects.is_empty() {
            self.effects = effects;
        }
    }

    /// The server's own clock: keys expire, and snapshots are made when they are due.
    pub fn tick(&mut self, now: Instant) -> Vec<Effect> {
        self.keyspace.now = unix_ms(now);
        self.keyspace.drop_expired();
        self.absorb_changes();
        if self.snapshot_due().is_some_and(|at| at <= self.keyspace.now) {
            self.save();
        }
        self.end_round(now)
    }

    /// The next instant at which [`tick`](Self::tick) would find anything to do.
    pub fn next_tick(&self, now: Instant) -> Option<Instant> {
        let due = [self.next_timeout(), self.keyspace.next_expiry(), self.snapshot_due()];
        // A day ahead is far enough: what is due later is looked for again then.
        let due = due.into_iter().flatten().min()?.min(unix_ms(now) + 86_400_000);
        // Both must be exceeded, and ticks come at their own pace.
        let after = (due + 1).max(unix_ms(now) + 1) - self.started;
        let at = self.started + after.div_ceil(TICK_MS) * TICK_MS;
        Some(Instant::ZERO + Duration::from_millis(at - EPOCH_MS))
    }

    /// A graceful end: a snapshot, if there are any to be made.
    pub fn shut_down(&mut self, now: Instant) -> Vec<Effect> {
        self.keyspace.now = unix_ms(now);
        if matches!(&self.config.persistence, Persistence::Snapshots(points) if !points.is_empty()) {
            self.save();
        }
        std::mem::take(&mut self.effects)
    }

    /// Says how many bytes of a client's replies it has not read yet. True when it is cut off for that.
    pub fn exceeds_output_limit(&mut self, id: ConnId, pending: usize, now: Instant) -> bool {
        if self.channels.is_empty() && self.patterns.is_empty() {
            // Nobody has subscribed to anything.
            return false;
        }
        let limit = self.config.pubsub_limit;
        let Some(client) = self.clients.get_mut(&id).filter(|c| !c.subscriptions.is_empty()) else {
            return false;
        };
        let now = unix_ms(now);
        let soft = limit.soft > 0 && pending > limit.soft;
        client.over_limit_since = if soft { client.over_limit_since.or(Some(now)) } else { None };
        let soft = client
            .over_limit_since
            .is_some_and(|since| now - since > limit.soft_seconds.saturating_mul(1000));
        limit.hard > 0 && pending > limit.hard || soft
    }

    /// How many clients wait for a key.
    pub fn waits_for(&self, db: usize, key: &[u8]) -> usize {
        self.waiting.count(&(db, key.into()))
    }

    // --- a round ------------------------------------------------------------------------------------------------

    fn end_round(&mut self, now: Instant) -> Vec<Effect> {
        self.keyspace.now = unix_ms(now);
        self.end_timeouts();
        // Who is no longer blocked goes on with what it sent meanwhile.
        while let Some(id) = self.unblocked.pop_front() {
            while let Some(words) = self.next_of_backlog(id) {
                self.process(id, words);
            }
        }
        std::mem::take(&mut self.effects)
    }

    fn next_of_backlog(&mut self, id: ConnId) -> Option<Words> {
        let client = self.clients.get_mut(&id).filter(|client| client.blocked.is_none())?;
        client.backlog.pop_front()
    }

    fn receive(&mut self, id: ConnId, words: Words) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        if client.blocked.is_some() || !client.backlog.is_empty() {
            client.backlog.push_back(words);
        } else {
            self.process(id, words);
        }
    }

    fn process(&mut self, id: ConnId, words: Words) {
        if words.is_empty() {
            return;
        }
        self.commands += 1;
        if let Err(mut refusal) = self.dispatch(id, &words) {
            if is(&words[0], "exec") {
                refusal = self.exec_refused(id, refusal);
            }
            // The server calls a transaction off when a command cannot be queued.
            if let Some(client) = self.clients.get_mut(&id) {
                client.transaction.abort();
            }
            self.send(id, Reply::Error(refusal));
        }
        self.serve_waiting();
    }

    /// Checks what holds for every command, then runs it or puts it into the transaction.
    fn dispatch(&mut self, id: ConnId, words: &[Bytes]) -> Result<(), ErrorText> {
        let version = self.config.version;
        // Quitting is looked at before anything else.
        if words.first().is_some_and(|name| is(name, "quit")) {
            self.run_and_send(id, &Command::Quit);
            return Ok(());
        }
        let (spec, name) = table::look_up(words)?;
        let Some(client) = self.clients.get(&id) else { return Ok(()) };
        let (queueing, subscribed) = (client.transaction.is_open(), !client.subscriptions.is_empty());
        if queueing && !spec.works_in_multi(version) {
            return Err(error("ERR Command not allowed inside a transaction"));
        }
        self.check_memory(id, spec)?;
        if subscribed && !spec.works_with_subscriptions() {
            return Err(format!(
                "ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context",
                spec.name
            )
            .into());
        }
        if self.keyspace.now < self.loading_until && !spec.works_while_loading() {
            return Err(format!("LOADING {} is loading the dataset in memory", version.name()).into());
        }
        let parsed = spec.parse(&words[name..]);
        if queueing && spec.is_queued() {
            if let Some(client) = self.clients.get_mut(&id) {
                client.transaction.queue(spec, parsed);
            }
            self.send(id, Reply::Simple("QUEUED".into()));
            return Ok(());
        }
        match parsed {
            Ok(command) => self.run_and_send(id, &command),
            Err(error) => self.send(id, Reply::Error(error)),
        }
        Ok(())
    }

    /// An EXEC that is refused, whatever for, ends the transaction.
    fn exec_refused(&mut self, id: ConnId, why: ErrorText) -> ErrorText {
        let Some(client) = self.clients.get_mut(&id) else { return why };
        client.transaction.close();
        self.unwatch(id);
        let why = why.strip_prefix("ERR ").unwrap_or(&why);
        format!("EXECABORT Transaction discarded because of: {why}").into()
    }

    fn check_memory(&mut self, id: ConnId, spec: &Spec) -> Result<(), ErrorText> {
        if self.config.max_memory == 0 || self.used_memory() <= self.config.max_memory {
            return Ok(());
        }
        let Some(client) = self.clients.get_mut(&id) else { return Ok(()) };
        let transaction = &mut client.transaction;
        // Queueing takes memory, too.
        let refused = spec.grows()
            || spec.name == "exec" && transaction.grows()
            || (transaction.is_open() && spec.is_queued());
        if refused { Err(OUT_OF_MEMORY) } else { Ok(()) }
    }

    // --- one command --------------------------------------------------------------------------------------------

    fn run_and_send(&mut self, id: ConnId, command: &Command) {
        match self.run(id, command, false) {
            Replies::One(reply) => self.send(id, reply),
            Replies::Several(replies) => replies.into_iter().for_each(|reply| self.send(id, reply)),
        }
        if matches!(command, Command::Quit) {
            self.close(id);
        }
    }

    /// Runs a command; `nested` ones are part of a transaction or a script and never block.
    pub(super) fn run(&mut self, id: ConnId, command: &Command, nested: bool) -> Replies {
        self.keyspace.db = self.clients.get(&id).map_or(0, |client| client.db);
        let answer = match command {
            Command::Exec => match self.exec(id) {
                Ok(replies) => return Replies::Several(replies),
                Err(why) => Err(why),
            },
            Command::Multi | Command::Discard | Command::Watch { .. } | Command::Unwatch => {
                self.on_transaction(id, command)
            }
            Command::Subscribe { channels, patterns } => {
                return Replies::Several(self.subscribe(id, channels, *patterns));
            }
            Command::Unsubscribe { channels, patterns } => {
                return Replies::Several(self.unsubscribe(id, channels, *patterns));
            }
            Command::PopFirst { .. } | Command::PopMany { .. } | Command::Move { .. } => {
                return self.pop_or_block(id, command, nested).into();
            }
            Command::Eval { script, keys, arguments } => self.eval(id, script, keys, arguments),
            #[cfg(not(target_arch = "wasm32"))]
            Command::Await(_) => return self.pop_or_block(id, command, nested).into(),
            #[cfg(not(target_arch = "wasm32"))]
            Command::On(run, arguments) => run(&mut self.keyspace, arguments),
            #[cfg(not(target_arch = "wasm32"))]
            Command::OnStore(run, arguments) => run(self, id, arguments),
            command => self.keyspace.on_data(command).unwrap_or_else(|| self.on_server(id, command)),
        };
        self.absorb_changes();
        Replies::One(Reply::from(answer))
    }

    /// Tells watching transactions, waiting clients and the next snapshot what became of their keys.
    pub(super) fn absorb_changes(&mut self) {
        if self.keyspace.touched.is_empty() && self.keyspace.created.is_empty() {
            return;
        }
        // The lists are kept: each command needs them.
        let mut touched = std::mem::take(&mut self.keyspace.touched);
        for key in touched.drain(..) {
            self.mark_watching(&key);
            self.note_change(key);
        }
        let mut created = std::mem::take(&mut self.keyspace.created);
        for key in created.drain(..) {
            if self.waiting.has(&key) && !self.ready.contains(&key) && self.kind_is_awaited(&key) {
                self.ready.push_back(key.clone());
            }
            self.note_change(key);
        }
        (self.keyspace.touched, self.keyspace.created) = (touched, created);
        #[cfg(not(target_arch = "wasm32"))]
        self.keyspace.gone.clear();
        self.bound_changes();
    }

    // --- connections --------------------------------------------------------------------------------------------

    pub(super) fn send(&mut self, id: ConnId, reply: Reply) {
        self.effects.push(Effect::Send(id, reply));
    }

    fn close(&mut self, id: ConnId) {
        self.forget(id);
        self.effects.push(Effect::Close(id));
    }

    fn forget(&mut self, id: ConnId) {
        self.stop_waiting(id);
        self.unwatch(id);
        self.unsubscribe_all(id);
        self.clients.remove(&id);
    }

    // --- memory and time ----------------------------------------------------------------------------------------

    pub(super) fn used_memory(&self) -> u64 {
        /// About what the real server takes without any data.
        const EMPTY: u64 = 900_000;
        EMPTY + self.keyspace.size()
    }

    pub(super) fn uptime_seconds(&self) -> u64 {
        self.keyspace.now.saturating_sub(self.started) / 1000
    }
}
