//! What the ribbon looks like: the charts on the left; goals, answer and what one can do with it on the right.

use super::{Panel, close};
use crate::app::study::draft::Described;
use crate::app::study::foresight::{REQUESTS, parts};
use crate::app::study::ribbon::Ribbon;
use crate::app::study::words::{thousands, time};
use crate::study::chart::drawn;
use crate::study::{desk, text, typed};
use leptos::ev;
use leptos::prelude::*;

/// How tall the charts are together, for one goal and for several.
const HEIGHT_PX: [f64; 2] = [230.0, 300.0];
/// The same on a phone, which is so wide at most.
const SMALL_PX: [f64; 2] = [180.0, 236.0];
const PHONE_PX: f64 = 640.0;

/// The ribbon.
pub(super) fn view(panel: Panel) -> AnyView {
    listen_for_escape();
    let ribbon = Signal::derive(move || {
        panel.judged.with(|judged| judged.as_ref().map(|judged| judged.ribbon.clone()).unwrap_or_default())
    });
    let wide = window().inner_width().ok().and_then(|width| width.as_f64()).unwrap_or(PHONE_PX);
    let heights = if wide > PHONE_PX { HEIGHT_PX } else { SMALL_PX };
    let height = heights[usize::from(panel.goals.with_untracked(|goals| goals.len() > 1))];
    let label = panel.key.with_value(|key| format!("What other values of {key} would give"));
    view! {
        <section class="foresight" data-testid="foresight" aria-label=label>
            {caret(panel)}
            <div class="foresight-charts" style:min-height=format!("{height}px")>
                {panel.part(4, move || {
                    drawn(move |width, height| ribbon.with(|ribbon: &Ribbon| ribbon.svg(width, height)), height)
                })}
            </div>
            <div class="foresight-says">
                <div class="foresight-goals">
                    {panel.part(1, move || view! { <p>"Goals: " {goals(panel)}</p> }.into_any())}
                    {close_button()}
                </div>
                {panel.part(2, move || (answer(panel), faults(panel)).into_any())}
                <p class="study-wrong" role="alert">{text(move || panel.wrong.get())}</p>
                <div class="foresight-end">
                    {panel.part(3, move || (progress(panel), buttons(panel)).into_any())}
                </div>
            </div>
        </section>
    }
    .into_any()
}

/// What leads from the ribbon to the number that it is about.
fn caret(panel: Panel) -> impl IntoView {
    let of = panel.key.with_value(|key| format!("[data-testid=sentence-{key}]"));
    let found =
        document().query_selector(&of).ok().flatten().map(|element| element.get_bounding_client_rect());
    found.map(|at| {
        let left = format!("{}px", at.left() + (at.width() - 14.0) / 2.0 - 16.0);
        view! { <i class="foresight-caret" style:left=left></i> }
    })
}

/// In its place while the truth is hidden: what would happen says who fails and who lies.
pub(super) fn needs_the_truth() -> AnyView {
    listen_for_escape();
    let show = move |_: ev::MouseEvent| {
        desk::show_truth();
        close();
    };
    view! {
        <section class="foresight hidden" data-testid="foresight" aria-label="What other values would give">
            <p>"Needs the truth. Show it?"</p>
            <button type="button" class="study-button" data-testid="foresight-truth" on:click=show>
                "Show the truth"
            </button>
            {close_button()}
        </section>
    }
    .into_any()
}

fn listen_for_escape() {
    let listening = window_event_listener(ev::keydown, |event| {
        if event.key() == "Escape" {
            close();
        }
    });
    on_cleanup(move || listening.remove());
}

fn close_button() -> impl IntoView {
    view! {
        <button type="button" class="foresight-close" data-testid="foresight-close" aria-label="Close" on:click=move |_| close()>
            "✕"
        </button>
    }
}

/// Each goal with its limit as a field.
fn goals(panel: Panel) -> Vec<AnyView> {
    let count = panel.goals.with_untracked(Vec::len);
    let goal = |place: usize| {
        let of = move || {
            let goal = panel.goals.with(|goals| goals.get(place).cloned());
            goal.map(|goal| panel.said.with(|said: &Described| parts(said, &goal))).unwrap_or_default()
        };
        let (title, sign, limit) = untrack(of);
        let between = match place {
            0 => "",
            _ if place + 1 == count => " and ",
            _ => ", ",
        };
        view! {
            {between}
            <span class="foresight-goal">
                {title.clone()} {format!(" {sign} ")}
                <input
                    class="study-field short"
                    type="text"
                    autocomplete="off"
                    data-testid=format!("foresight-goal-{place}")
                    aria-label=format!("Goal: {title} {sign}")
                    value=limit
                    on:change:target=typed(move |limit| panel.limit(place, &limit))
                />
            </span>
        }
        .into_any()
    };
    (0..count).map(goal).collect()
}

fn answer(panel: Panel) -> impl IntoView {
    let of = move |read: fn(&crate::app::study::foresight::Judged) -> Vec<String>| {
        panel.judged.with(|judged| judged.as_ref().map(read).unwrap_or_default())
    };
    let headline = text(move || {
        let said = of(|judged| judged.sentences.clone()).into_iter().next();
        said.unwrap_or_else(|| {
            if panel.running.with(Option::is_some) {
                "Playing the first runs…".to_owned()
            } else {
                String::new()
            }
        })
    });
    let notes = move || {
        let rest = of(|judged| judged.sentences.clone()).into_iter().skip(1);
        let all = rest.chain(of(|judged| judged.notes.clone()));
        all.map(|note| view! { <p>{note}</p> }).collect_view()
    };
    view! {
        <h2 data-testid="foresight-answer" role="status">{headline}</h2>
        <div class="foresight-notes">{notes}</div>
    }
}

/// With the scenario's faults or without: always said, where it has some.
fn faults(panel: Panel) -> impl IntoView {
    let count = panel
        .said
        .with_untracked(|said| said.faults.split(',').filter(|fault| !fault.trim().is_empty()).count());
    let change = move |_| {
        panel.with_faults.update(|with| *with = !*with);
        panel.ask();
    };
    let said = text(move || {
        let many = if count == 1 { "fault".to_owned() } else { format!("{count} faults") };
        let with = if panel.with_faults.get() { "with" } else { "without" };
        format!("Measured {with} the scenario’s {many}. ")
    });
    (count > 0).then(|| {
        view! {
            <p class="foresight-faults">
                {said}
                <button type="button" class="foresight-link" data-testid="foresight-faults" aria-pressed=text(move || panel.with_faults.get().to_string()) on:click=change>
                    {text(move || if panel.with_faults.get() { "Leave them out" } else { "Include them" }.to_owned())}
                </button>
            </p>
        }
    })
}

fn progress(panel: Panel) -> impl IntoView {
    let part = move || match panel.running.get() {
        Some(running) => running.done as f64 / running.total.max(1) as f64,
        None => 1.0,
    };
    let said = move || {
        let each = panel.said.with(|said| said.unit.clone());
        if let Some(running) = panel.running.get() {
            return format!("{} of {} runs", thousands(running.done), thousands(running.total));
        }
        let (runs, of) = panel
            .told
            .with(|told| told.as_ref().map(crate::app::study::foresight::Told::runs))
            .unwrap_or_default();
        if panel.stopped.get() {
            return format!("Stopped at {} of {} runs.", thousands(runs), thousands(of));
        }
        let took =
            panel.took.get().map_or_else(String::new, |ms| format!(", in the background: {}", time(ms)));
        format!("{} runs of {REQUESTS} {each}{took}", thousands(runs))
    };
    view! {
        <div class="study-progress" data-testid="foresight-progress">
            <progress max="1" prop:value=part aria-label="Runs played"></progress>
            <span>{text(said)}</span>
            {move || {
                panel.running.with(Option::is_some).then(|| view! {
                    <button type="button" class="foresight-link" data-testid="foresight-stop" on:click=move |_| panel.stop()>"Stop"</button>
                })
            }}
        </div>
    }
}

fn buttons(panel: Panel) -> impl IntoView {
    let of = move |read: fn(&crate::lab::experiment::Prospect) -> Option<usize>| {
        let point = panel.judged.with(|judged| judged.as_ref().and_then(|judged| read(&judged.prospect)))?;
        let label = panel.told.with(|told| told.as_ref().and_then(|told| told.labels.get(point).cloned()))?;
        Some((point, label))
    };
    let set = move || {
        of(|prospect| prospect.best).map(|(point, label)| {
            view! {
                <button type="button" class="study-button strong" data-testid="foresight-set" on:click=move |_| panel.set(point)>
                    {format!("Set {label}")}
                </button>
            }
        })
    };
    let sharpen = move || {
        let idle = panel.running.with(Option::is_none);
        of(|prospect| prospect.open).filter(|_| idle).map(|(point, label)| {
            view! {
                <button
                    type="button"
                    class="study-button"
                    data-testid="foresight-sharpen"
                    title="Plays it twice as often, so that its interval becomes narrower"
                    on:click=move |_| panel.sharpen(point)
                >
                    {format!("Sharpen {label}")}
                </button>
            }
        })
    };
    view! {
        <div class="foresight-buttons">
            {set}
            {sharpen}
            <button type="button" class="study-button" data-testid="foresight-experiment" on:click=move |_| panel.experiment()>
                "Experiment"
            </button>
        </div>
    }
}
