//! NATS: the recorded rows, the client, and what holds under many seeds.

mod bed;
pub mod client;
mod conformance;
mod core;
mod js;
mod random;
mod real;
mod session;
mod wire;
