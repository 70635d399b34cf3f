//! A queue with one server, random arrivals and random service (M/M/1), held against theory.
//!
//!     cargo run --release --example mm1

use glasshive_kernel::{Ctx, Duration, Instant, Receiver, Sender, Sim, Sink, channel};
use std::cell::Cell;
use std::rc::Rc;

const MEAN_SERVICE: f64 = 1.0;
const LOAD: f64 = 0.8;
const DAY: Instant = Instant::from_millis(24 * 3_600_000);

/// How many customers waited, and how long altogether.
#[derive(Clone, Default)]
struct Waits(Rc<Cell<(u64, f64)>>);

async fn arrivals(ctx: Ctx, queue: Sender<(u64, Instant)>) {
    let gaps = ctx.stream("customers", "gap");
    for number in 0.. {
        let gap = gaps.at(number).exponential(MEAN_SERVICE / LOAD);
        ctx.sleep(Duration::from_secs_f64(gap)).await;
        queue.send((number, ctx.now())).expect("the queue has room for a million");
    }
}

async fn server(ctx: Ctx, mut queue: Receiver<(u64, Instant)>, waits: Waits) {
    // Addressed by the customer's number: a faster server would find the same work.
    let services = ctx.stream("server", "service");
    while let Some((number, came)) = queue.recv().await {
        let (count, sum) = waits.0.get();
        waits.0.set((count + 1, sum + ctx.now().since(came).as_secs_f64()));
        let service = services.at(number).exponential(MEAN_SERVICE);
        ctx.sleep(Duration::from_secs_f64(service)).await;
    }
}

fn main() {
    let mut sim = Sim::new(1, Sink::None);
    let (ctx, waits) = (sim.ctx(), Waits::default());
    let (queue, at_server) = channel(&ctx, 1_000_000);
    ctx.spawn(arrivals(ctx.clone(), queue));
    ctx.spawn(server(ctx.clone(), at_server, waits.clone()));
    sim.run_until(DAY);

    let (count, sum) = waits.0.get();
    let theory = MEAN_SERVICE * LOAD / (1.0 - LOAD);
    println!(
        "{count} customers in a day waited {:.3} s on average; theory says {theory:.3} s",
        sum / count as f64
    );
}
