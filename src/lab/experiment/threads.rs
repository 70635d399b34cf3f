//! Runs on all cores: threads play, and one place gathers. A run lives and dies in one thread.

use super::metric::Metric;
use super::outcome::{Outcome, play};
use super::sweep::{Next, Task, Work};
use crate::lab::invalid::Invalid;
use std::sync::{Mutex, mpsc};
use std::thread;

/// How many cores there are.
pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

type Back = (Box<Task>, Result<Outcome, Invalid>);

/// Plays what some work needs on so many threads. After each run that came back `each` is asked whether to go on.
pub fn drive<W: Work, E: From<Invalid>>(
    work: &mut W,
    metrics: &[Metric],
    jobs: usize,
    mut each: impl FnMut(&mut W) -> Result<(), E>,
) -> Result<(), E> {
    let (to_play, tasks) = mpsc::channel::<Box<Task>>();
    let (to_gather, back) = mpsc::channel::<Back>();
    let tasks = Mutex::new(tasks);
    thread::scope(|scope| {
        // Dropped at the end, so that the threads end.
        let to_play = to_play;
        for _ in 0..jobs {
            let (tasks, to_gather) = (&tasks, to_gather.clone());
            scope.spawn(move || {
                loop {
                    let next = tasks.lock().ok().and_then(|tasks| tasks.recv().ok());
                    let Some(task) = next else { return };
                    let outcome = play(&task.scenario, task.window, metrics);
                    if to_gather.send((task, outcome)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(to_gather);
        let mut under_way = 0;
        loop {
            // One more than there are threads, so that none waits for the next.
            while under_way < 2 * jobs
                && let Next::Task(task) = work.next()
            {
                under_way += 1;
                let _ = to_play.send(task);
            }
            if under_way == 0 {
                return Ok(());
            }
            // Only a thread that panicked sends nothing more.
            let Ok((task, outcome)) = back.recv() else { return Ok(()) };
            under_way -= 1;
            work.take(&task, outcome?)?;
            each(work)?;
        }
    })
}
