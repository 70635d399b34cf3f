//! What came of it at a glance: the chart of one metric, and the answer in a sentence.

use super::Panel;
use crate::app::study::answer::{answer, points};
use crate::app::study::chart::Chart;
use crate::app::study::played::Played;
use crate::app::study::rows::{Row, along, chart, place_of};
use crate::app::study::words::thousands;
use crate::lab::experiment::{Plan, Verdict};
use crate::study::chart::ChartView;
use crate::study::{chosen, text};
use leptos::prelude::*;

/// How tall the chart is, where there is room; and what stands above and below it.
const CHART_PX: f64 = 400.0;
const AROUND_PX: f64 = 420.0;

pub fn outcome(panel: Panel) -> AnyView {
    let drawn = Signal::derive(move || {
        let metric = panel.metric.get();
        panel.played.with(|played| {
            let Some(played) = played else { return asked(panel) };
            panel.said.with_value(|said| {
                let mut drawn = chart(said, &played.plan, &played.rows, &metric);
                let found = answer(said, played).filter(|found| found.verdict == Verdict::Meets);
                let place = found
                    .map(|found| place_of(&played.plan, along(&played.plan), played.rows[found.row].point));
                (drawn.marked_line, drawn.marked) = place.unzip();
                drawn
            })
        })
    });
    let said = Memo::new(move |_| {
        panel.played.with(|played| {
            let played = played.as_ref()?;
            panel.said.with_value(|said| answer(said, played))
        })
    });
    let mark = move || match said.get().map(|answer| answer.verdict) {
        Some(Verdict::Meets) => "✓",
        Some(Verdict::Misses) => "✕",
        Some(Verdict::Undecided) => "?",
        None => "",
    };
    let is_open = move || {
        let is_over = panel.running.with(Option::is_none);
        let row_is_open = |row: &Row| row.verdict() == Some(Verdict::Undecided);
        // A search has played its open points on by itself.
        let has_open = |played: &Played| played.found.is_none() && played.rows.iter().any(row_is_open);
        is_over && panel.played.with(|played| played.as_ref().is_some_and(has_open))
    };
    // The answer below it is to be seen, too.
    let room = window().inner_height().ok().and_then(|height| height.as_f64()).unwrap_or(CHART_PX);
    let height = (room - AROUND_PX).clamp(CHART_PX * 0.7, CHART_PX);
    let sharpen = move |_| {
        panel.draft.update(|draft| draft.adaptive = true);
        panel.play(false);
    };
    view! {
        <section class="study-card" aria-label="What came of it">
            <div class="study-head">
                <h2>{metric(panel)} <span class="study-over">{text(move || drawn.with(over))}</span></h2>
            </div>
            <p class="study-method" data-testid="experiment-method">{text(move || method(panel))}</p>
            <ChartView chart=drawn height />
            <div class="study-answer" data-testid="experiment-answer" role="status" class:there=move || said.with(Option::is_some)>
                <span class="study-mark" aria-hidden="true">{mark}</span>
                <p>
                    <b>{text(move || said.get().map_or(String::new(), |answer| answer.what))}</b> " "
                    {text(move || said.get().map_or(String::new(), |answer| answer.rest))}
                </p>
                <Show when=is_open>
                    <button type="button" class="study-button" data-testid="experiment-sharpen" on:click=sharpen>"Add seeds"</button>
                </Show>
            </div>
            <p class="study-wrong">{text(move || panel.played.with(|played| played.as_ref().map_or(String::new(), |played| played.faults.join(" "))))}</p>
        </section>
    }
    .into_any()
}

/// Before anything is played: where the points will be.
fn asked(panel: Panel) -> Chart {
    let plan = panel.draft.with(|draft| draft.plan());
    plan.map(|plan| panel.said.with_value(|said| chart(said, &plan, &[], ""))).unwrap_or_default()
}

fn over(chart: &Chart) -> String {
    if chart.across.is_empty() { String::new() } else { format!("over {}", chart.across) }
}

/// Which metric the chart shows.
fn metric(panel: Panel) -> AnyView {
    let all = panel.said.with_value(|said| {
        said.metrics.iter().map(|metric| (metric.name.clone(), metric.title.clone())).collect::<Vec<_>>()
    });
    let more = move || {
        let goals =
            panel.draft.with(|draft| draft.goals.iter().map(|goal| goal.metric.clone()).collect::<Vec<_>>());
        let mut all = all.clone();
        for name in goals {
            if all.iter().all(|(known, _)| *known != name) {
                all.push((name.clone(), name));
            }
        }
        let now = panel.metric.get();
        all.into_iter()
            .map(|(name, title)| view! { <option value=name.clone() selected=name == now>{title}</option> })
            .collect_view()
    };
    view! {
        <select
            class="study-field"
            data-testid="experiment-metric"
            aria-label="What the chart shows"
            prop:value=move || panel.metric.get()
            on:change:target=chosen(move |name| panel.metric.set(name))
        >
            {more}
        </select>
    }
    .into_any()
}

/// How sure it is, and how one knows.
fn method(panel: Panel) -> String {
    let metric = panel.metric.get();
    panel.played.with(|played| {
        let Some(played) = played else {
            let plan = panel.draft.with(|draft| draft.plan());
            return plan.map(|plan| said_before(&plan)).unwrap_or_default();
        };
        let seeds = played.plan.seeds.count;
        let how = match played.methods.get(&metric).and_then(|name| name.as_str()) {
            Some("t") => format!(" (Student's t over {seeds} runs, {} degrees of freedom or more)", seeds.saturating_sub(1)),
            Some("wilson") => " (Wilson's score)".to_owned(),
            Some("order") => " (order statistics of all samples)".to_owned(),
            Some("bootstrap") => " (bootstrap over runs)".to_owned(),
            _ => String::new(),
        };
        let theory = played.rows.iter().any(|row| row.point(&metric).is_some_and(|point| point.theory.is_some()));
        let theory = if theory { " Short strokes: what theory says." } else { "" };
        format!("Bands: 95 % confidence interval{how}. {} without an answer are counted in the table, and in no mean.{theory}", capital(&panel.said.with_value(|said| said.unit.clone())))
    })
}

/// What "Run" will do.
fn said_before(plan: &Plan) -> String {
    let (points, seeds) = (points(plan) as u64, plan.seeds.count);
    let runs = thousands(points * seeds);
    format!(
        "Run plays {points} points with {seeds} seeds each: {runs} runs. What has no answer is counted beside, and in no mean."
    )
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}
