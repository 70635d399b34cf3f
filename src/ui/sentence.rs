//! The sentence: the parameters, where one would say them; and beside it what came out.

use super::spin::{Spin, SpinButton};
use super::{Lab, text};
use crate::app::snapshot::{Settings, Snapshot};
use crate::kernel::Duration;
use crate::systems::oracle::aggregator::Strategy;
use leptos::prelude::*;
use serde_json::Value;
use std::rc::Rc;

/// Steps of one up to 24 workers, then coarser, as the board does.
fn step_workers(from: f64, steps: f64) -> f64 {
    let size = match from {
        n if n < 24.0 => 1.0,
        n if n < 100.0 => 4.0,
        n if n < 400.0 => 20.0,
        _ => 100.0,
    };
    from + size * steps
}

const WORKERS: Spin = Spin {
    key: "workers",
    label: "Workers",
    range: (1.0, 2000.0),
    step: step_workers,
    text: |n| format!("{} worker{}", thousands(n as u64), if n == 1.0 { "" } else { "s" }),
    parse: |text| number_of(text).map(f64::round),
};

const TIMEOUT: Spin = Spin {
    key: "timeout",
    label: "Timeout in milliseconds",
    range: (10.0, 60_000.0),
    step: |ms, steps| {
        if ms < 100.0 || (ms == 100.0 && steps < 0.0) { ms + 10.0 * steps } else { ms + 100.0 * steps }
    },
    text: |ms| format!("{} s", ms / 1000.0),
    // With a unit as it says; without one, seconds, as the sentence has it.
    parse: |text| {
        let compact: String = text.split_whitespace().collect();
        compact
            .parse::<Duration>()
            .ok()
            .map(|d| d.as_millis_f64())
            .or_else(|| number_of(text).map(|s| s * 1000.0))
    },
};

const FAIL: Spin = Spin { key: "fail", label: "Tasks that fail, in per cent", ..PERCENT };
const LIE: Spin = Spin { key: "lie", label: "Workers that lie, in per cent", ..PERCENT };
const PERCENT: Spin = Spin {
    key: "",
    label: "",
    range: (0.0, 100.0),
    step: |percent, steps| (percent + steps).round(),
    text: |percent| format!("{percent} %"),
    parse: number_of,
};

/// The number at the start of a text such as `12 workers` or `1,000`.
fn number_of(text: &str) -> Option<f64> {
    let digits: String = text
        .chars()
        .take_while(|c| c.is_ascii_digit() || matches!(c, '.' | ','))
        .filter(|c| *c != ',')
        .collect();
    digits.parse().ok()
}

fn thousands(n: u64) -> String {
    if n < 1000 { n.to_string() } else { format!("{},{:03}", n / 1000, n % 1000) }
}

/// The section.
#[component]
pub fn Sentence(lab: Lab) -> impl IntoView {
    let settings = Memo::new(move |_| lab.snapshot.with(|snapshot| snapshot.settings.clone()));
    let set = move |key: &'static str, value: Value| lab.jump(|player| player.set(key, value));
    let field = move |read: fn(&Settings) -> f64| Signal::derive(move || settings.with(read));
    let percent = |share: f64| (share * 1e4).round() / 100.0;
    let choose = move |event: leptos::ev::Targeted<leptos::ev::Event, web_sys::HtmlSelectElement>| {
        set("strategy", event.target().value().into());
    };
    view! {
        <section class="sentence" aria-label="Configuration">
            <p>
                <SpinButton
                    spin=WORKERS
                    value=field(|s| f64::from(s.workers))
                    set=Callback::new(move |n: f64| set("workers", (n as u64).into()))
                />
                " get every request. The coordinator waits "
                <SpinButton
                    spin=TIMEOUT
                    value=field(|s| s.timeout_ms)
                    set=Callback::new(move |ms: f64| set("timeout", format!("{ms}ms").into()))
                />
                " and takes the "
                <select
                    class="spin"
                    data-testid="sentence-strategy"
                    aria-label="Aggregation strategy"
                    prop:value=text(move || settings.with(|s| s.strategy.clone()))
                    on:change:target=choose
                >
                    {Strategy::ALL.map(|s| view! { <option value=s.name()>{s.name()}</option> }).into_iter().collect_view()}
                </select>
                ". "
                <SpinButton
                    spin=FAIL
                    value=Signal::derive(move || percent(settings.with(|s| s.fail)))
                    set=Callback::new(move |p: f64| set("fail", (p / 100.0).into()))
                />
                " fail, "
                <SpinButton
                    spin=LIE
                    value=Signal::derive(move || percent(settings.with(|s| s.lie)))
                    set=Callback::new(move |p: f64| set("lie", (p / 100.0).into()))
                />
                " lie."
            </p>
            <Outcomes lab />
            <p class="problem" role="alert">{text(move || lab.problem.get().unwrap_or_default())}</p>
        </section>
    }
}

/// The figures beside the sentence.
#[derive(Clone, Debug, PartialEq)]
struct Figures {
    error: String,
    error_width: String,
    over: String,
    p99: String,
    answered: usize,
    ended: usize,
}

fn figures(snapshot: &Rc<Snapshot>) -> Figures {
    let summary = &snapshot.summary;
    let error = summary.error_mean;
    Figures {
        error: error.map_or_else(|| "—".to_owned(), |e| format!("{:.2}", e.mean * 100.0)),
        error_width: error
            .filter(|e| e.n > 1)
            .map_or_else(String::new, |e| format!(" ±{:.2}", e.half_width * 100.0)),
        over: format!("mean error, {} answered", summary.answered),
        p99: summary.latency_ms.map_or_else(|| "—".to_owned(), |l| format!("{:.3}", l.p99 / 1000.0)),
        answered: summary.answered,
        ended: summary.answered + summary.unanswered,
    }
}

#[component]
fn Outcomes(lab: Lab) -> impl IntoView {
    let figures = Memo::new(move |_| lab.snapshot.with(figures));
    let part = move |read: fn(&Figures) -> String| text(move || figures.with(read));
    view! {
        <dl class="outcomes" id="results" tabindex="-1">
            <div data-testid="outcome-error" title="Mean of |answer − truth| / truth, with its 95 % interval by Student's t">
                <dd>{part(|f| f.error.clone())} <i>{part(|f| f.error_width.clone())} " %"</i></dd>
                <dt>{part(|f| f.over.clone())}</dt>
            </div>
            <div data-testid="outcome-p99" title="99th percentile, from the intended send time, over the raw samples">
                <dd>{part(|f| f.p99.clone())} <i>" s"</i></dd>
                <dt>"p99 request time"</dt>
            </div>
            <div data-testid="outcome-answered">
                <dd>{part(|f| f.answered.to_string())} <i>{part(|f| format!("/{}", f.ended))}</i></dd>
                <dt>"requests answered"</dt>
            </div>
        </dl>
    }
}
