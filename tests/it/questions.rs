//! The questions that can be tried, in every system: the caption asks them, what they do is done, and the run says.

use glasshive::app::experiment::{self, Experiment};
use glasshive::app::session::{Command, opening_speed};
use glasshive::app::{PlayerState, Session, catalogue};
use glasshive::lab::{Run, Scenario};

/// A player that waits longer than that waits in vain.
const FRAMES_MAX: u32 = 100_000;

fn play_until(session: &mut Session, what: &str, done: impl Fn(&Session) -> bool) {
    for _ in 0..FRAMES_MAX {
        if done(session) {
            return;
        }
        session.frame(16.0, || true);
        if session.status().ended {
            session.apply(Command::Extend).unwrap();
            session.apply(Command::Play).unwrap();
        }
    }
    panic!("{what}: nothing at {} ms", session.snapshot().vtime_ms);
}

fn offered(session: &Session, question: &str) -> Option<Experiment> {
    catalogue::face(session.run().system().kind()).experiment(session.snapshot(), question)
}

fn measured(run: &Run, experiment: &Experiment) -> Option<Vec<f64>> {
    catalogue::face(run.system().kind()).measure(run, experiment)
}

/// Tries a question once the caption asks it: what was asked, the figures, and their mean without what was done.
fn tried(preset: &str, question: &str) -> (Experiment, Vec<f64>, f64) {
    let mut session = Session::open(Scenario::preset(preset, 31), opening_speed(preset)).unwrap();
    play_until(&mut session, question, |session| {
        session.caption().question == question && offered(session, question).is_some()
    });
    let experiment = offered(&session, question).unwrap();
    let is_rerun = experiment.acts.iter().any(|act| matches!(act, Command::Set { .. }));
    assert!(is_rerun || measured(session.run(), &experiment).is_none(), "{question}: it has not been tried");
    let before = session.run().scenario().clone();
    for act in &experiment.acts {
        session.apply(act.clone()).unwrap();
    }
    session.apply(Command::Play).unwrap();
    play_until(&mut session, question, |session| {
        session.status().state != PlayerState::Replaying && measured(session.run(), &experiment).is_some()
    });
    let figures = measured(session.run(), &experiment).unwrap();
    assert!((1..=experiment.results.1 as usize).contains(&figures.len()), "{question}: {figures:?}");
    let (low, high) = experiment.scale;
    assert!(
        low < high && experiment.before.is_none_or(|before| (low..=high).contains(&before)),
        "{experiment:?}"
    );
    let without = experiment::without(&before, |run| measured(run, &experiment)).unwrap();
    (experiment, figures, without)
}

fn mean(figures: &[f64]) -> f64 {
    experiment::mean(figures).unwrap()
}

#[test]
fn three_more_liars_lie_over_http_and_over_nats() {
    let (_, figures, without) = tried("oracle-http", "What if three more lie?");
    assert!(mean(&figures) > without + 1.0, "{figures:?}, {without} without");
    let (_, figures, without) = tried("oracle-nats", "What if one of them lies?");
    assert_ne!(mean(&figures), without, "{figures:?}");
}

#[test]
fn a_container_that_dies_takes_its_job_along_or_not() {
    let (asked, figures, without) = tried("math-wizard", "What if one dies with a job in hand?");
    assert_eq!((&figures[..], without), (&[100.0, 0.0, 0.0, 0.0, 0.0][..], 0.0), "{}", asked.detail);
    let (asked, figures, without) = tried("lmove-cure", "What if one dies with a job in hand?");
    assert_eq!((mean(&figures), without), (0.0, 0.0), "{}", asked.detail);
}

#[test]
fn lmove_would_have_saved_the_lost_job() {
    let (asked, figures, without) = tried("lost-job", "What would have saved the lost one?");
    assert_eq!((mean(&figures), without), (0.0, 20.0), "{}", asked.detail);
}

#[test]
fn a_third_container_shortens_the_wait() {
    let (_, figures, without) = tried("mmc", "What would a third container do?");
    assert!(mean(&figures) < without, "{} against {without} s", mean(&figures));
}

#[test]
fn the_first_change_only_has_to_be_waited_for() {
    let (asked, figures, without) = tried("config", "What happens at the first change?");
    assert!(asked.acts.is_empty());
    assert_eq!((asked.results, mean(&figures)), ((1, 1), without));
}

#[test]
fn a_trigger_spares_the_wait_for_the_poll_and_a_lost_one_costs_it() {
    let (_, with, polled) = tried("config", "What would a trigger change?");
    assert!(mean(&with) < polled, "{with:?} against {polled} s");
    let (_, lost, announced) = tried("poll-vs-push", "What if a trigger is lost?");
    assert!(mean(&lost) > announced, "{lost:?} against {announced} s");
}
