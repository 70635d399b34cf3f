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
