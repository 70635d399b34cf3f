//! Two tasks pass a number back and forth over links whose delays vary, until one of them crashes.
//!
//!     cargo run --example ping_pong

use glasshive_kernel::{Ctx, Duration, Instant, Kind, Receiver, Scope, Sender, Sim, Sink, channel};

const ALICE: Scope = Scope(1);
const BOB: Scope = Scope(2);
const RECEIVED: Kind = Kind::new("received");

/// Returns each number, increased by one, which takes 5 to 15 ms on the way. Ends when the other is gone.
async fn play(ctx: Ctx, name: &'static str, to_other: Sender<u64>, mut inbox: Receiver<u64>) {
    let delays = ctx.stream(name, "delay");
    while let Some(number) = inbox.recv().await {
        ctx.record(RECEIVED, 0, number);
        let delay = delays.at(number).duration(Duration::from_millis(5), Duration::from_millis(15));
        if to_other.send_at(ctx.now() + delay, number + 1).is_err() {
            break;
        }
    }
}

fn main() {
    let mut sim = Sim::new(7, Sink::Full);
    let ctx = sim.ctx();
    let (to_alice, at_alice) = channel(&ctx, 1);
    let (to_bob, at_bob) = channel(&ctx, 1);
    to_alice.send(1).expect("the inbox is open and empty");
    ctx.spawn_in(ALICE, play(ctx.clone(), "Alice", to_bob, at_alice));
    ctx.spawn_in(BOB, play(ctx.clone(), "Bob", to_alice, at_bob));

    sim.run_until(Instant::from_millis(100));
    // What a machine's crash is: all of its tasks are dropped, and what they held with them.
    ctx.abort_scope(BOB);
    sim.run_until(Instant::from_millis(200));

    for record in sim.trace().records() {
        let who = if record.node == ALICE.0 { "Alice" } else { "Bob" };
        println!("{:>8.3} ms  {who} has {}", record.at.as_millis_f64(), record.value);
    }
    println!("{} events, hash {:016x}: the same on every machine", sim.trace().count(), sim.trace().hash());
}
