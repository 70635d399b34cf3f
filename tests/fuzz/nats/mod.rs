//! The broker's fuzzers: the scripts' servers and connections are those of the recorded rows (`tests/it/nats/`).

// What the rows use and the fuzzers do not.
#![allow(dead_code)]

#[path = "../../it/nats/bed.rs"]
mod bed;
#[path = "../../it/nats/real.rs"]
mod real;
#[path = "../../it/nats/session.rs"]
mod session;
#[path = "../../it/nats/wire.rs"]
mod wire;

mod core;
mod found;
mod input;
mod jetstream;

use session::Session;

/// How long a real server may take for what it does beside its answers.
const SETTLE_MS: u64 = 5;

/// The real server and the model, each with a session.
fn both(jetstream: bool) -> [Session; 2] {
    let setup = bed::Setup { jetstream, ..bed::Setup::default() };
    let real = Session::new(Box::new(real::Real::new("fuzz", &setup)), SETTLE_MS);
    let model = Session::new(Box::new(bed::Model::new(&setup)), SETTLE_MS);
    [real, model]
}
