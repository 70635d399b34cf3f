//! The workloads on asim. A tick is a microsecond, its unit of time.
//!
//! asim cannot cancel a task or a timer. In W3 the workers are tasks whose futures are `abortable`, and dead timers
//! stay queued until they fire. In W2 the receiver sleeps until a message's arrival, as with tokio.

use crate::workloads::{LIMIT, Lcg, PROCESSES, Size, Tally, WORKERS, Workload, base};
use asim::sync::mpsc::channel;
use asim::time::{Duration, START_TIME, Time};
use asim::{TaskRunner, Timer};
use futures::future::{AbortHandle, abortable};
use std::cell::Cell;
use std::rc::Rc;

/// What the tasks share; asim has no handle of its own.
struct World {
    runner: TaskRunner,
    timer: Timer,
    total: Cell<u64>,
    /// Processes that have not ended: asim's clock panics when there is nothing left to wait for.
    running: Cell<u32>,
}

impl World {
    fn now(&self) -> Time {
        self.timer.now()
    }

    async fn sleep(&self, ticks: u64) {
        self.timer.sleep_for(Duration::from_micros(ticks)).await;
    }

    async fn sleep_until(&self, at: Time) {
        let now = self.now();
        if at > now {
            self.timer.sleep_for(at - now).await;
        }
    }

    /// Starts a task that can be cancelled.
    fn spawn(&self, work: impl Future<Output = ()> + 'static) -> AbortHandle {
        let (work, handle) = abortable(work);
        self.runner.spawn(async move {
            let _ = work.await;
        });
        handle
    }

    fn end(&self, result: u64) {
        self.total.set(self.total.get() + result);
        self.running.set(self.running.get() - 1);
    }
}

fn ticks(at: Time) -> u64 {
    (at - START_TIME).as_micros()
}

/// Runs a workload and returns its checksum.
pub fn run(workload: Workload, size: Size) -> Option<u64> {
    let world = Rc::new(World {
        runner: TaskRunner::default(),
        timer: Timer::new(),
        total: Cell::new(0),
        running: Cell::new(0),
    });
    let repeats = workload.repeats(size);
    match workload {
        Workload::W1 => timers(&world, repeats),
        Workload::W2 => ping_pong(&world, repeats),
        Workload::W3 => oracle(&world, repeats),
        Workload::W1Traced => return None,
    }
    loop {
        while world.runner.execute_tasks() {}
        if world.running.get() == 0 {
            return Some(world.total.get());
        }
        world.timer.advance();
    }
}

fn timers(world: &Rc<World>, repeats: u64) {
    world.running.set(PROCESSES);
    for i in 0..PROCESSES {
        let w = Rc::clone(world);
        world.runner.spawn(async move {
            let mut random = Lcg::of(i);
            for _ in 0..repeats {
                w.sleep(random.nap()).await;
            }
            w.end(ticks(w.now()));
        });
    }
}

fn ping_pong(world: &Rc<World>, repeats: u64) {
    world.running.set(PROCESSES);
    for j in 0..PROCESSES {
        let (to_a, at_a) = channel();
        let (to_b, at_b) = channel();
        let w = Rc::clone(world);
        world.runner.spawn(async move {
            let mut random = Lcg::of(2 * j);
            let mut p = u64::from(j);
            for _ in 0..repeats {
                to_b.send((w.now() + Duration::from_micros(random.hop()), p));
                let (arrival, answer) = at_a.recv().await[0];
                w.sleep_until(arrival).await;
                p = answer;
            }
            w.end(p + ticks(w.now()));
        });
        let w = Rc::clone(world);
        world.runner.spawn(async move {
            let mut random = Lcg::of(2 * j + 1);
            for _ in 0..repeats {
                let (arrival, p) = at_b.recv().await[0];
                w.sleep_until(arrival).await;
                to_a.send((w.now() + Duration::from_micros(random.hop()), p + 1));
            }
        });
    }
}

fn oracle(world: &Rc<World>, repeats: u64) {
    world.running.set(1);
    let w = Rc::clone(world);
    world.runner.spawn(async move {
        let mut workers: Vec<Lcg> = (0..WORKERS).map(Lcg::of).collect();
        let mut tally = Tally::default();
        for r in 0..repeats {
            coordinate(&w, base(r), &mut workers, &mut tally).await;
        }
        w.end(tally.checksum());
    });
}

/// The limit is a task that sends `None`. A sleep must not be raced against the inbox: asim's queues another timer
/// each time it is polled, and every one of them wakes the coordinator, for good.
async fn coordinate(w: &Rc<World>, base: u64, workers: &mut [Lcg], tally: &mut Tally) {
    let (answers, inbox) = channel();
    let answers = Rc::new(answers);
    let mut handles = Vec::with_capacity(workers.len() + 1);
    for worker in workers {
        let (task, answers, job) = (Rc::clone(w), Rc::clone(&answers), worker.job(base));
        handles.push(w.spawn(async move {
            task.sleep(job.delay).await;
            answers.send(Some(job.answer));
        }));
    }
    let limit = Rc::clone(w);
    handles.push(w.spawn(async move {
        limit.sleep(LIMIT).await;
        answers.send(None);
    }));
    let mut heard = 0;
    'wait: while heard < WORKERS {
        for message in inbox.recv().await {
            let Some(answer) = message else { break 'wait };
            tally.add(answer);
            heard += 1;
        }
    }
    handles.iter().for_each(AbortHandle::abort);
    tally.close(heard);
}
