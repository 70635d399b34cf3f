//! The parts that systems are made of. Each answers as the real server does, and sees delay, loss or a crash of the
//! network below, never "a fault".

pub mod body;
pub mod decimal;
pub mod gateway;
pub mod http;
pub mod merge;
pub mod nats;
pub mod rate_limit;
pub mod store;
pub mod stream;
pub mod text;
pub mod valkey;

use crate::kernel::{Kind, Record};

/// What is called late, wherever it happens: nobody waits for it any more, or it has to come again.
pub const LATE: [Kind; 3] = [http::ABANDONED, http::CANCELLED, nats::REDELIVERED];

/// The other node that a record is about; of a gateway's failed attempt it has the server's place in its table instead.
pub fn peer_of(record: &Record) -> u32 {
    if record.kind == gateway::UPSTREAM_FAILED { 0 } else { record.peer }
}
