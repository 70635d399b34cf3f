//! A random program on the kernel: many tasks that sleep, send, wait, spawn, abort and select. However it is played,
//! it is the same run.

use super::support::{STEP, at, for_seeds, ms};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt, select_biased};
use glasshive_kernel::{
    Ctx, Duration, Instant, JoinSet, Kind, Receiver, Rng, Scope, Sender, Sim, Sink, Span, TaskId, channel,
};
use std::cell::RefCell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;

const DROPPED: Kind = Kind::new("test_dropped");
const END: Instant = Instant::from_millis(400);
const TASKS_MAX: usize = 300;
const ROOTS: usize = 24;
const SCOPES: u64 = 6;

#[derive(Clone)]
struct Program {
    ctx: Ctx,
    shared: Rc<RefCell<Shared>>,
}

#[derive(Default)]
struct Shared {
    tasks: Vec<TaskId>,
    mailboxes: Vec<Sender<u64>>,
}

/// Records the end of its task, whichever way it comes.
struct Ending(Ctx, Scope, u64);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.record_in(self.1, Span::default(), DROPPED, 0, self.2);
    }
}

impl Program {
    fn spawn(&self) {
        let id = self.shared.borrow().tasks.len() as u64;
        if id as usize >= TASKS_MAX {
            return;
        }
        let scope = Scope(1 + (id % SCOPES) as u32);
        let (mailbox, inbox) = channel(&self.ctx, 4);
        self.shared.borrow_mut().mailboxes.push(mailbox);
        let program = self.clone();
        let ending = Ending(self.ctx.clone(), scope, id);
        let task = self.ctx.spawn_in(scope, async move {
            let _ending = ending;
            program.live(id, inbox).await;
        });
        self.shared.borrow_mut().tasks.push(task);
    }

    /// Boxed, since a task starts others of its own kind.
    fn live(&self, id: u64, mut inbox: Receiver<u64>) -> Pin<Box<dyn Future<Output = ()> + '_>> {
        Box::pin(async move {
            let mut rng = self.ctx.stream(&format!("task-{id}"), "program").at(0);
            for step in 0..40 {
                let choice = rng.below(20);
                self.ctx.record(STEP, id as u32, step << 8 | choice);
                self.act(choice, &mut rng, &mut inbox).await;
            }
        })
    }

    async fn act(&self, choice: u64, rng: &mut Rng, inbox: &mut Receiver<u64>) {
        let ctx = &self.ctx;
        match choice {
            // Whole milliseconds, so that many timers fall on one instant.
            0..=5 => ctx.sleep(ms(rng.below(12))).await,
            6 => ctx.sleep(Duration::from_nanos(rng.below(30_000_000))).await,
            7..=9 => {
                let mailboxes = self.shared.borrow().mailboxes.clone();
                let to = &mailboxes[rng.below(mailboxes.len() as u64) as usize];
                let sent = to.send_at(ctx.now() + ms(rng.below(9)), rng.next_u64());
                ctx.record(STEP, 0, u64::from(sent.is_ok()));
            }
            10..=12 => {
                let got = ctx.timeout(ms(rng.below(15)), inbox.recv()).await;
                ctx.record(STEP, 0, got.ok().flatten().unwrap_or(1));
            }
            13 => self.spawn(),
            14 => {
                let victim = rng.below(self.shared.borrow().tasks.len() as u64) as usize;
                let victim = self.shared.borrow().tasks[victim];
                ctx.abort(victim);
            }
            15 => {
                let mut set = JoinSet::new(ctx);
                for _ in 0..3 {
                    let (ctx2, delay) = (ctx.clone(), rng.below(10));
                    set.spawn(async move {
                        ctx2.sleep(ms(delay)).await;
                        ctx2.record(STEP, 1, delay);
                        delay
                    });
                }
                while let Ok(Some(delay)) = ctx.timeout(ms(5), set.join_next()).await {
                    ctx.record(STEP, 2, delay);
                }
            }
            16 | 17 => {
                let mut set: FuturesUnordered<_> = (0..4)
                    .map(|i| {
                        let sleep = ctx.sleep(ms(rng.below(8)));
                        async move {
                            sleep.await;
                            i
                        }
                    })
                    .collect();
                let first = set.next().await;
                ctx.record(STEP, 3, first.unwrap_or(9));
            }
            18 => {
                let mut tick = pin!(ctx.sleep(ms(rng.below(10))).fuse());
                let mut message = pin!(inbox.recv().fuse());
                let seen = select_biased! {
                    message = message => message.unwrap_or(2),
                    () = tick => 3,
                };
                ctx.record(STEP, 4, seen);
            }
            _ if rng.chance(0.05) => ctx.abort_scope(Scope(1 + rng.below(SCOPES) as u32)),
            _ => {}
        }
    }
}

/// What is compared: hash, number of events, number of tasks.
fn outcome(seed: u64, sink: Sink, play: impl FnOnce(&mut Sim)) -> (u64, u64, usize) {
    let mut sim = Sim::new(seed, sink);
    let program = Program { ctx: sim.ctx(), shared: Rc::default() };
    (0..ROOTS).for_each(|_| program.spawn());
    play(&mut sim);
    let (hash, count) = (sim.trace().hash(), sim.trace().count());
    let tasks = program.shared.borrow().tasks.len();
    (hash, count, tasks)
}

/// Plays to the end in random pieces: long ones, short ones, empty ones, and single instants.
fn in_pieces(sim: &mut Sim, seed: u64) {
    let mut rng = Rng::new(seed ^ 0xc0ffee);
    while sim.now() < END {
        match rng.below(4) {
            0 => sim.run_until((sim.now() + ms(rng.below(40))).min(END)),
            1 => sim.run_until((sim.now() + Duration::from_nanos(rng.below(2_000_000))).min(END)),
            2 => sim.run_until(sim.now()),
            _ => {
                if !sim.run_instant(END) {
                    sim.run_until(END);
                }
            }
        }
    }
}

#[test]
fn a_random_program_is_the_same_run_however_it_is_played() {
    let mut all = Vec::new();
    let seen = RefCell::new(&mut all);
    for_seeds(0..60, |seed| {
        let whole = outcome(seed, Sink::None, |sim| sim.run_until(END));
        assert!(whole.1 > 500 && whole.2 > ROOTS, "{whole:?}: too little happened for a test");
        assert_eq!(outcome(seed, Sink::None, |sim| sim.run_until(END)), whole, "a second time");
        assert_eq!(outcome(seed, Sink::Ring(10), |sim| in_pieces(sim, seed)), whole, "in pieces");
        let instants = |sim: &mut Sim| {
            while sim.run_instant(END) {}
            sim.run_until(END);
        };
        assert_eq!(outcome(seed, Sink::Full, instants), whole, "by instants");
        seen.borrow_mut().push(whole.0);
    });
    let runs = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), runs, "two seeds have one hash");
}

#[test]
fn the_records_of_a_random_program_are_in_order_and_follow_from_earlier_ones() {
    for_seeds(0..20, |seed| {
        let mut sim = Sim::new(seed, Sink::Full);
        let program = Program { ctx: sim.ctx(), shared: Rc::default() };
        (0..ROOTS).for_each(|_| program.spawn());
        in_pieces(&mut sim, seed);
        let mut last = at(0);
        for (record, n) in sim.trace().records().zip(1..) {
            assert_eq!(record.n, n);
            assert!(record.at >= last && record.cause < record.n, "{record:?}");
            last = record.at;
        }
        let endings = sim.trace().records().filter(|r| r.kind == DROPPED).count();
        let over = program.shared.borrow().tasks.iter().filter(|&&id| sim.ctx().is_finished(id)).count();
        assert_eq!(endings, over, "every task that is over was dropped exactly once");
    });
}
