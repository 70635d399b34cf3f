//! A question that is tried: guess on an axis, run, compare. It takes the caption's place while it lasts.

use crate::app::PlayerState;
use crate::app::experiment::{self, Experiment, Finding};
use crate::app::session::Command;
use crate::lab::Scenario;
use crate::ui::{Lab, View, click, keydown, keys, text};
use leptos::ev::{Event, KeyboardEvent, Targeted};
use leptos::prelude::*;
use web_sys::HtmlInputElement;

/// The finest guess.
const STEP: f64 = 0.1;
/// With more workers than this nobody waits for the run without.
const COMPARED: usize = 200;

/// How far it has come.
#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    /// One may guess.
    Asked(Experiment),
    /// It runs; with the guess, and the scenario as it was before.
    Runs(Experiment, Option<f64>, Box<Scenario>),
    /// The run has said.
    Known(Experiment, Option<f64>, Finding),
}

/// Asks, if there is something to ask: the run stands still for it.
pub fn ask(lab: Lab, view: View) {
    let question = lab.caption.with_untracked(|story| story.question.clone());
    if let Some(experiment) = lab.snapshot.with_untracked(|now| lab.face().experiment(now, &question)) {
        lab.act(Command::Pause);
        view.desk.predict.set(Some(Stage::Asked(experiment)));
    }
}

/// Does what was asked about, and lets the run play.
fn try_it(lab: Lab, view: View, experiment: &Experiment, guess: Option<f64>) {
    let before = lab.read(|session| session.run().scenario().clone());
    for act in &experiment.acts {
        if lab.send(act.clone()).is_err() {
            return view.desk.predict.set(None);
        }
    }
    view.desk.predict.set(Some(Stage::Runs(experiment.clone(), guess, Box::new(before))));
    lab.act(Command::Play);
}

/// Waits for the last result that was asked for, and pauses then; a run that is too short is made longer.
pub fn follow(lab: Lab, view: View) {
    Effect::new(move |_| {
        lab.snapshot.track();
        let status = lab.status.get();
        let Some(Stage::Runs(experiment, guess, before)) = view.desk.predict.get_untracked() else {
            return;
        };
        if status.state == PlayerState::Replaying {
            return;
        }
        let measure = |run: &_| lab.face().measure(run, &experiment);
        if let Some(singles) = lab.read_run(measure).flatten() {
            lab.act(Command::Pause);
            let is_small = lab.snapshot.with_untracked(|now| now.rows().len() <= COMPARED);
            let is_compared = is_small && !experiment.acts.is_empty();
            let without = is_compared.then(|| experiment::without(&before, measure)).flatten();
            view.desk.predict.set(Some(Stage::Known(experiment, guess, Finding { singles, without })));
        } else if status.ended && !status.over {
            lab.act(Command::Extend);
        } else if status.state == PlayerState::Paused && status.over {
            view.desk.predict.set(None);
        }
    });
}

/// What stands in the caption's place; nothing while nothing is asked.
pub fn panel(lab: Lab, view: View) -> AnyView {
    match view.desk.predict.get() {
        None | Some(Stage::Runs(..)) => ().into_any(),
        Some(Stage::Asked(experiment)) => asked(lab, view, experiment),
        Some(Stage::Known(experiment, guess, finding)) => known(view, &experiment, guess, &finding),
    }
}

fn asked(lab: Lab, view: View, experiment: Experiment) -> AnyView {
    let (low, high) = experiment.scale;
    let unit = experiment.unit;
    let guess = RwSignal::new(experiment.before.unwrap_or((low + high) / 2.0).clamp(low, high));
    let change = move |event: Targeted<Event, HtmlInputElement>| guess.set(event.target().value_as_number());
    let experiment = StoredValue::new(experiment);
    let run =
        move |guess: Option<f64>| experiment.with_value(|experiment| try_it(lab, view, experiment, guess));
    let key = move |event: KeyboardEvent| match event.key().as_str() {
        "Enter" => {
            event.prevent_default();
            run(Some(guess.get_untracked()));
        }
        "Escape" => view.desk.predict.set(None),
        _ => {}
    };
    let (question, detail, before) =
        experiment.with_value(|of| (of.question.clone(), of.detail.clone(), of.before));
    Effect::new(move |_| keys::focus("[data-testid=guess]"));
    view! {
        <div class="predict" role="group" aria-label="Your guess">
            <p><b>{question}</b> " " {detail}</p>
            <div class="axis">
                <output style:left=text(move || label_share(guess.get(), (low, high)))>
                    {text(move || format!("your guess {:.1}{unit}", guess.get()))}
                </output>
                <input
                    type="range"
                    data-testid="guess"
                    aria-label="Your guess"
                    min=low
                    max=high
                    step=STEP
                    prop:value=text(move || guess.get().to_string())
                    aria-valuetext=text(move || format!("{:.1}{unit}", guess.get()))
                    on:input:target=change
                    on:keydown=keydown(key)
                />
                <span class="ends"><i>{low}</i><i>{format!("{high}{unit}")}</i></span>
                {before.map(|mean| mark("last", "last five", mean, (low, high), unit))}
            </div>
            <div class="ways">
                <button type="button" class="primary" data-testid="predict-run" on:click=click(move |_| run(Some(guess.get_untracked())))>
                    "Run it " <kbd aria-hidden="true">"Enter"</kbd>
                </button>
                <button type="button" data-testid="predict-skip" on:click=click(move |_| run(None))>"Just show me"</button>
                <button type="button" data-testid="predict-leave" on:click=click(move |_| view.desk.predict.set(None))>"Leave"</button>
            </div>
        </div>
    }
    .into_any()
}

fn known(view: View, experiment: &Experiment, guess: Option<f64>, finding: &Finding) -> AnyView {
    let Experiment { figure, unit, results, noun, .. } = experiment;
    let mean = finding.mean();
    let furthest = finding.singles.iter().copied().fold(experiment.scale.1, f64::max);
    let scale = (experiment.scale.0, furthest.ceil());
    let mut detail = String::new();
    if let Some(without) = finding.without {
        detail += &format!("Without it: {without:.2}{unit}. ");
    }
    if let Some(guess) = guess {
        detail += &format!("You guessed {guess:.1}{unit}.");
    }
    let headline = match results.1 {
        1 => format!("{figure} {mean:.2}{unit}."),
        many => format!("{figure} {mean:.2}{unit} over these {many} {noun}."),
    };
    let singles =
        finding.singles.iter().map(|&one| view! { <span class="dot" style:left=share(one, scale)></span> });
    view! {
        <div class="predict" data-testid="predict-result">
            <p role="status"><b>{headline}</b> " " {detail}</p>
            <div class="axis known">
                {singles.collect_view()}
                {mark("result", "result", mean, scale, unit)}
                {finding.without.map(|without| mark("last", "without", without, scale, unit))}
                {guess.map(|guess| mark("guess", "guess", guess, scale, unit))}
                <span class="ends"><i>{scale.0}</i><i>{format!("{}{unit}", scale.1)}</i></span>
            </div>
            <div class="ways">
                <button type="button" class="primary" data-testid="predict-leave" on:click=click(move |_| view.desk.predict.set(None))>"Go on"</button>
            </div>
        </div>
    }
    .into_any()
}

/// A place on the axis, with its name.
fn mark(class: &'static str, name: &'static str, at: f64, scale: (f64, f64), unit: &'static str) -> AnyView {
    let words = format!("{name} {at:.1}{unit}");
    view! { <span class=format!("mark-{class}") style:left=label_share(at, scale)>{words}</span> }.into_any()
}

fn share(at: f64, (low, high): (f64, f64)) -> String {
    format!("{:.2}%", (at - low) / (high - low) * 100.0)
}

/// The same for words, which stay within the axis.
fn label_share(at: f64, (low, high): (f64, f64)) -> String {
    format!("{:.2}%", ((at - low) / (high - low) * 100.0).clamp(15.0, 85.0))
}
