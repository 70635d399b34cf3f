//! The workloads on tokio's current-thread runtime with its clock paused. A tick is a millisecond, the clock's
//! granularity.
//!
//! Tasks are started with `tokio::spawn`, which is faster on this runtime than a `LocalSet`. In W2 a message carries
//! its instant of arrival and the receiver sleeps until then: with one message on its way at a time that is right,
//! and faster than a delivery task for each message.

use crate::workloads::{LIMIT, Lcg, PROCESSES, Size, Tally, WORKERS, Workload, base};
use tokio::runtime::Builder;
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::JoinSet;
use tokio::time::{Duration, Instant, sleep, sleep_until, timeout};

/// Runs a workload and returns its checksum.
pub fn run(workload: Workload, size: Size) -> Option<u64> {
    let repeats = workload.repeats(size);
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().ok()?;
    match workload {
        Workload::W1 => Some(runtime.block_on(timers(repeats))),
        Workload::W2 => Some(runtime.block_on(ping_pong(repeats))),
        Workload::W3 => {
            Some(runtime.block_on(async { tokio::spawn(oracle(repeats)).await.expect("it ends") }))
        }
        Workload::W1Traced => None,
    }
}

const fn ticks(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn elapsed(since: Instant) -> u64 {
    since.elapsed().as_millis() as u64
}

async fn timers(repeats: u64) -> u64 {
    let zero = Instant::now();
    let mut processes = JoinSet::new();
    for i in 0..PROCESSES {
        processes.spawn(async move {
            let mut random = Lcg::of(i);
            for _ in 0..repeats {
                sleep(ticks(random.nap())).await;
            }
            elapsed(zero)
        });
    }
    processes.join_all().await.into_iter().sum()
}

async fn ping_pong(repeats: u64) -> u64 {
    let zero = Instant::now();
    let mut firsts = JoinSet::new();
    for j in 0..PROCESSES {
        let (to_a, mut at_a) = unbounded_channel();
        let (to_b, mut at_b) = unbounded_channel();
        firsts.spawn(async move {
            let mut random = Lcg::of(2 * j);
            let mut p = u64::from(j);
            for _ in 0..repeats {
                to_b.send((Instant::now() + ticks(random.hop()), p)).expect("B receives");
                let (arrival, answer) = at_a.recv().await.expect("B answers");
                sleep_until(arrival).await;
                p = answer;
            }
            p + elapsed(zero)
        });
        tokio::spawn(async move {
            let mut random = Lcg::of(2 * j + 1);
            for _ in 0..repeats {
                let (arrival, p): (Instant, u64) = at_b.recv().await.expect("A sends");
                sleep_until(arrival).await;
                to_a.send((Instant::now() + ticks(random.hop()), p + 1)).expect("A receives");
            }
        });
    }
    firsts.join_all().await.into_iter().sum()
}

async fn oracle(repeats: u64) -> u64 {
    let mut workers: Vec<Lcg> = (0..WORKERS).map(Lcg::of).collect();
    let mut tally = Tally::default();
    for r in 0..repeats {
        let mut set = JoinSet::new();
        for worker in &mut workers {
            let job = worker.job(base(r));
            set.spawn(async move {
                sleep(ticks(job.delay)).await;
                job.answer
            });
        }
        let mut heard = 0;
        let collect = async {
            while let Some(answer) = set.join_next().await {
                tally.add(answer.expect("no worker panics"));
                heard += 1;
            }
        };
        let _ = timeout(ticks(LIMIT), collect).await;
        tally.close(heard);
    }
    tally.checksum()
}
