//! The workloads on our kernel, written as a user of the kernel writes them. A tick is a nanosecond.

use glasshive_kernel::{Ctx, Duration, Instant, JoinSet, Kind, Sim, Sink, channel};
use crate::workloads::{LIMIT, Lcg, PROCESSES, Size, Tally, WORKERS, Workload, base};
use std::cell::Cell;
use std::rc::Rc;

const WOKE: Kind = Kind::new("bench-woke");

/// Runs a workload and returns its checksum.
pub fn run(workload: Workload, size: Size) -> u64 {
    let repeats = workload.repeats(size);
    let mut sim = Sim::new(1, Sink::None);
    let total = Rc::new(Cell::new(0));
    match workload {
        Workload::W1 => timers::<false>(&sim.ctx(), repeats, &total),
        Workload::W1Traced => timers::<true>(&sim.ctx(), repeats, &total),
        Workload::W2 => ping_pong(&sim.ctx(), repeats, &total),
        Workload::W3 => oracle(&sim.ctx(), repeats, &total),
    }
    sim.run_until(Instant::MAX);
    total.get()
}

fn timers<const TRACED: bool>(ctx: &Ctx, repeats: u64, total: &Rc<Cell<u64>>) {
    for i in 0..PROCESSES {
        let (task, total) = (ctx.clone(), Rc::clone(total));
        ctx.spawn(async move {
            let mut random = Lcg::of(i);
            for _ in 0..repeats {
                let nap = random.nap();
                task.sleep(Duration::from_nanos(nap)).await;
                if TRACED {
                    task.record(WOKE, 0, nap);
                }
            }
            total.set(total.get() + task.now().as_nanos());
        });
    }
}

fn ping_pong(ctx: &Ctx, repeats: u64, total: &Rc<Cell<u64>>) {
    for j in 0..PROCESSES {
        let (to_a, mut at_a) = channel(ctx, 1);
        let (to_b, mut at_b) = channel(ctx, 1);
        let (a, total) = (ctx.clone(), Rc::clone(total));
        ctx.spawn(async move {
            let mut random = Lcg::of(2 * j);
            let mut p = u64::from(j);
            for _ in 0..repeats {
                let arrival = a.now() + Duration::from_nanos(random.hop());
                to_b.send_at(arrival, p).expect("the mailbox of B is empty and open");
                p = at_a.recv().await.expect("B lives as long as A");
            }
            total.set(total.get() + p + a.now().as_nanos());
        });
        let b = ctx.clone();
        ctx.spawn(async move {
            let mut random = Lcg::of(2 * j + 1);
            for _ in 0..repeats {
                let p = at_b.recv().await.expect("A lives until its last answer");
                let arrival = b.now() + Duration::from_nanos(random.hop());
                to_a.send_at(arrival, p + 1).expect("the mailbox of A is empty and open");
            }
        });
    }
}

fn oracle(ctx: &Ctx, repeats: u64, total: &Rc<Cell<u64>>) {
    let (client, total) = (ctx.clone(), Rc::clone(total));
    ctx.spawn(async move {
        let mut workers: Vec<Lcg> = (0..WORKERS).map(Lcg::of).collect();
        let mut tally = Tally::default();
        for r in 0..repeats {
            coordinate(&client, base(r), &mut workers, &mut tally).await;
        }
        total.set(tally.checksum());
    });
}

/// One request. The workers that are late are cancelled with the set.
async fn coordinate(ctx: &Ctx, base: u64, workers: &mut [Lcg], tally: &mut Tally) {
    let mut set = JoinSet::new(ctx);
    for worker in workers {
        let (task, job) = (ctx.clone(), worker.job(base));
        set.spawn(async move {
            task.sleep(Duration::from_nanos(job.delay)).await;
            job.answer
        });
    }
    let mut heard = 0;
    let collect = async {
        while let Some(answer) = set.join_next().await {
            tally.add(answer);
            heard += 1;
        }
    };
    // A late worker is no error: what the others found counts.
    let _ = ctx.timeout(Duration::from_nanos(LIMIT), collect).await;
    tally.close(heard);
}
