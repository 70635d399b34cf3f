//! The store: Redis 7.0 or Valkey 8, as far as queues, hashes, counters, expiry, transactions and pub/sub go.
//!
//! - [`Store`] is the server without a network: words in, effects out, at an instant that its caller tells
//! - [`serve`] is the server as a role on a node, with a [`Disk`] that outlives it
//! - [`Valkey`] is the client library
//! - [`Probe`] is the laboratory's look into a running server
//!
//! What it leaves out: cluster, replication, RESP3, bitmaps, geography, and most of Lua (`script.rs`, `more/lua.rs`). A
//! command that it does not have is answered as the real server answers one that does not exist; the page's programs do
//! not have those of `more/`.

mod admin;
mod blocking;
mod client;
mod command;
mod config;
mod disk;
mod glob;
mod hashes;
mod keys;
mod keyspace;
mod lists;
#[cfg(not(target_arch = "wasm32"))]
mod more;
mod number;
mod parse;
mod persistence;
mod probe;
mod pubsub;
mod reply;
#[cfg(not(target_arch = "wasm32"))]
mod scan;
mod script;
mod server;
mod sha1;
mod store;
mod strings;
mod table;
mod transactions;
mod value;

pub use client::{Error, Fields, Subscription, TIME_LIMIT, Valkey};
pub use config::{Config, OutputLimit, Persistence, SavePoint};
pub use disk::Disk;
pub use probe::{Probe, Seen};
pub use reply::{Bytes, Reply};
pub use server::{Call, Wire, serve, serve_probed};
pub use store::{ConnId, Effect, Store, Words};

/// Which server the store behaves as. They differ in whom a push to several keys serves, in blocking calls from scripts,
/// and in a few texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// Redis 7.0.15
    Redis7,
    /// Valkey 8.0.1
    Valkey8,
}

impl Version {
    fn name(self) -> &'static str {
        match self {
            Version::Redis7 => "Redis",
            Version::Valkey8 => "Valkey",
        }
    }

    fn number(self) -> &'static str {
        match self {
            Version::Redis7 => "7.0.15",
            // What Valkey says under this name, for the sake of old clients.
            Version::Valkey8 => "7.2.4",
        }
    }
}
