//! A command, parsed: what it is to do and with what. `table.rs` reads it from its arguments.

use super::reply::{Bytes, ErrorText};
#[cfg(not(target_arch = "wasm32"))]
use super::{
    keyspace::Keyspace,
    more::Reading,
    reply::{Answer, Reply},
    store::{ConnId, Store},
};

/// An end of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The head.
    Left,
    /// The tail.
    Right,
}

/// When a key is to expire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// So many milliseconds from now.
    In(i64),
    /// At this instant, in milliseconds of Unix time.
    At(i64),
}

/// What SET and GETEX do to the expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetExpiry {
    /// Nothing was said: SET clears it, GETEX leaves it alone.
    Unsaid,
    /// KEEPTTL
    Keep,
    /// PERSIST
    Clear,
    /// EX, PX, EXAT, PXAT
    To(Expiry),
}

/// The condition of SET, MSETNX and the like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Only {
    /// NX: only when the key is not there.
    New,
    /// XX: only when it is.
    Old,
}

/// The conditions of EXPIRE and its kin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExpireIf {
    /// NX: the key has no expiry.
    pub none: bool,
    /// XX: it has one.
    pub some: bool,
    /// GT: the new one is later. No expiry is later than any.
    pub later: bool,
    /// LT: the new one is sooner.
    pub sooner: bool,
}

/// What a command of `more/` does with its arguments.
#[cfg(not(target_arch = "wasm32"))]
pub(super) type Handler = fn(&mut Keyspace, &[Bytes]) -> Answer;

/// A blocking command of `more/`: what it does as soon as there is something, with which keys.
#[cfg(not(target_arch = "wasm32"))]
#[derive(Clone, Debug)]
pub struct Attempt {
    /// `None` for: nothing yet.
    pub(super) run: fn(&mut Keyspace, &mut Attempt) -> Result<Option<Reply>, ErrorText>,
    pub(super) keys: Vec<Bytes>,
    /// The type of key that it waits for.
    pub(super) kind: &'static str,
    pub(super) wait: Option<u64>,
    /// What a reader of streams is after.
    pub(super) reading: Option<Reading>,
}

/// A command with its arguments. Blocking commands carry how many milliseconds they wait, 0 for ever; `None` stands for
/// the command that does not block.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // The variants are the server's commands; their fields are its arguments.
pub enum Command {
    // lists.rs
    Push {
        key: Bytes,
        end: End,
        items: Vec<Bytes>,
        only_old: bool,
    },
    Pop {
        key: Bytes,
        end: End,
        count: Option<usize>,
    },
    PopFirst {
        keys: Vec<Bytes>,
        end: End,
        wait: u64,
    },
    PopMany {
        keys: Vec<Bytes>,
        end: End,
        count: usize,
        wait: Option<u64>,
    },
    Move {
        source: Bytes,
        target: Bytes,
        from: End,
        to: End,
        wait: Option<u64>,
    },
    ListLen {
        key: Bytes,
    },
    ListRange {
        key: Bytes,
        start: i64,
        stop: i64,
    },
    ListRemove {
        key: Bytes,
        count: i64,
        item: Bytes,
    },
    ListIndex {
        key: Bytes,
        index: Bytes,
    },
    ListInsert {
        key: Bytes,
        before: bool,
        pivot: Bytes,
        item: Bytes,
    },
    ListPosition {
        key: Bytes,
        item: Bytes,
        rank: i64,
        count: Option<usize>,
        longest: usize,
    },
    ListSet {
        key: Bytes,
        index: Bytes,
        item: Bytes,
    },
    ListTrim {
        key: Bytes,
        start: i64,
        stop: i64,
    },
    // strings.rs
    Set {
        key: Bytes,
        value: Bytes,
        expiry: SetExpiry,
        only: Option<Only>,
        get: bool,
    },
    SetNew {
        key: Bytes,
        value: Bytes,
    },
    SetFor {
        key: Bytes,
        value: Bytes,
        expiry: Expiry,
        name: &'static str,
    },
    Get {
        key: Bytes,
    },
    GetSet {
        key: Bytes,
        value: Bytes,
    },
    GetDelete {
        key: Bytes,
    },
    /// An expiry out of range matters only when there is a value.
    GetExpire {
        key: Bytes,
        expiry: Result<SetExpiry, ErrorText>,
    },
    Add {
        key: Bytes,
        delta: i64,
    },
    Append {
        key: Bytes,
        value: Bytes,
    },
    TextLen {
        key: Bytes,
    },
    GetRange {
        key: Bytes,
        start: i64,
        stop: i64,
    },
    SetRange {
        key: Bytes,
        offset: i64,
        value: Bytes,
    },
    GetMany {
        keys: Vec<Bytes>,
    },
    SetMany {
        pairs: Vec<(Bytes, Bytes)>,
        only_new: bool,
    },
    // hashes.rs
    HashSet {
        key: Bytes,
        pairs: Vec<(Bytes, Bytes)>,
        counted: bool,
    },
    HashSetNew {
        key: Bytes,
        field: Bytes,
        value: Bytes,
    },
    HashGet {
        key: Bytes,
        field: Bytes,
    },
    HashGetMany {
        key: Bytes,
        fields: Vec<Bytes>,
    },
    HashAll {
        key: Bytes,
        names: bool,
        values: bool,
    },
    HashDelete {
        key: Bytes,
        fields: Vec<Bytes>,
    },
    HashLen {
        key: Bytes,
    },
    HashExists {
        key: Bytes,
        field: Bytes,
    },
    HashTextLen {
        key: Bytes,
        field: Bytes,
    },
    HashAdd {
        key: Bytes,
        field: Bytes,
        delta: i64,
    },
    // keys.rs
    Delete {
        keys: Vec<Bytes>,
    },
    Exists {
        keys: Vec<Bytes>,
    },
    Type {
        key: Bytes,
    },
    Rename {
        from: Bytes,
        to: Bytes,
        only_new: bool,
    },
    Copy {
        from: Bytes,
        to: Bytes,
        db: Option<usize>,
        replace: bool,
    },
    MoveTo {
        key: Bytes,
        db: usize,
    },
    Keys {
        pattern: Bytes,
    },
    RandomKey,
    Expire {
        key: Bytes,
        expiry: Expiry,
        only: ExpireIf,
        name: &'static str,
    },
    Ttl {
        key: Bytes,
        seconds: bool,
        absolute: bool,
    },
    Persist {
        key: Bytes,
    },
    DbSize,
    Flush {
        every: bool,
    },
    // transactions.rs
    Multi,
    Exec,
    Discard,
    Watch {
        keys: Vec<Bytes>,
    },
    Unwatch,
    // pubsub.rs
    Subscribe {
        channels: Vec<Bytes>,
        patterns: bool,
    },
    Unsubscribe {
        channels: Vec<Bytes>,
        patterns: bool,
    },
    Publish {
        channel: Bytes,
        message: Bytes,
    },
    Channels {
        pattern: Option<Bytes>,
    },
    Subscribers {
        channels: Vec<Bytes>,
    },
    PatternCount,
    // admin.rs
    Ping {
        message: Option<Bytes>,
    },
    Echo {
        message: Bytes,
    },
    Select {
        db: usize,
    },
    Quit,
    Reset,
    Time,
    Info {
        sections: Vec<Bytes>,
    },
    ConfigGet {
        patterns: Vec<Bytes>,
    },
    ConfigSet {
        pairs: Vec<(Bytes, Bytes)>,
    },
    Save {
        background: bool,
    },
    LastSave,
    Shutdown {
        save: Option<bool>,
    },
    ClientId,
    ClientGetName,
    ClientSetName {
        name: Bytes,
    },
    ClientUnblock {
        id: i64,
        with_error: bool,
    },
    // more/
    #[cfg(not(target_arch = "wasm32"))]
    On(Handler, Vec<Bytes>),
    #[cfg(not(target_arch = "wasm32"))]
    OnStore(fn(&mut Store, ConnId, &[Bytes]) -> Answer, Vec<Bytes>),
    #[cfg(not(target_arch = "wasm32"))]
    Await(Box<Attempt>),
    // script.rs
    Eval {
        script: Bytes,
        keys: Vec<Bytes>,
        arguments: Vec<Bytes>,
    },
}

impl Command {
    /// How long it waits when it finds nothing, in milliseconds, 0 for ever; `None` when it does not block.
    pub(super) fn wait(&self) -> Option<u64> {
        match self {
            Command::PopFirst { wait, .. } => Some(*wait),
            Command::PopMany { wait, .. } | Command::Move { wait, .. } => *wait,
            #[cfg(not(target_arch = "wasm32"))]
            Command::Await(attempt) => attempt.wait,
            _ => None,
        }
    }

    /// The keys that a blocking command waits for.
    pub(super) fn waited_keys(&self) -> Vec<Bytes> {
        match self {
            Command::PopFirst { keys, .. } | Command::PopMany { keys, .. } => keys.clone(),
            Command::Move { source, .. } => vec![source.clone()],
            #[cfg(not(target_arch = "wasm32"))]
            Command::Await(attempt) => attempt.keys.clone(),
            _ => Vec::new(),
        }
    }

    /// The type of key that a blocking command waits for.
    pub(super) fn waited_kind(&self) -> &'static str {
        match self {
            #[cfg(not(target_arch = "wasm32"))]
            Command::Await(attempt) => attempt.kind,
            _ => "list",
        }
    }

    /// Whether it reads as a member of a group, which needs its stream.
    pub(super) fn is_of_group(&self) -> bool {
        match self {
            #[cfg(not(target_arch = "wasm32"))]
            Command::Await(attempt) => attempt.reading.as_ref().is_some_and(Reading::is_of_group),
            _ => false,
        }
    }

    /// The same command, looking at one of its keys only.
    pub(super) fn narrowed_to(&self, key: &Bytes) -> Command {
        let mut narrowed = self.clone();
        if let Command::PopFirst { keys, .. } | Command::PopMany { keys, .. } = &mut narrowed {
            *keys = vec![key.clone()];
        }
        #[cfg(not(target_arch = "wasm32"))]
        if let Command::Await(attempt) = &mut narrowed {
            attempt.keys = vec![key.clone()];
        }
        narrowed
    }
}
