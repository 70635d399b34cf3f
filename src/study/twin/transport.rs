//! Below the boards: both runs over one time axis with their difference between them, and the clock of both.

use super::Panel;
use crate::app::study::lanes::{lanes_svg, nearest};
use crate::lab::experiment::{PairSoFar, UNANSWERED};
use crate::study::text;
use leptos::ev::{KeyboardEvent, PointerEvent};
use leptos::html::Div;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::ResizeObserver;

const SPEEDS: [f64; 6] = [0.1, 0.5, 1.0, 2.0, 10.0, 100.0];

/// One axis for both runs.
pub(super) fn lanes(panel: Panel) -> impl IntoView {
    let place: NodeRef<Div> = NodeRef::new();
    let size = RwSignal::new((0.0, 0.0));
    Effect::new(move || {
        let Some(element) = place.get() else { return };
        let measured = element.clone();
        let measure = Closure::<dyn FnMut()>::new(move || {
            let now = (f64::from(measured.client_width()), f64::from(measured.client_height()));
            if size.get_untracked() != now {
                size.set(now);
            }
        });
        if let Ok(observer) = ResizeObserver::new(measure.as_ref().unchecked_ref()) {
            observer.observe(&element);
            let kept = StoredValue::new_local((observer, measure));
            on_cleanup(move || kept.with_value(|(observer, _)| observer.disconnect()));
        }
    });
    let svg = move || {
        let ((width, height), now, pinned) = (size.get(), panel.now.get(), panel.pinned.get());
        if width < 100.0 || height < 60.0 || panel.hides() {
            return String::new();
        }
        panel.read(|pair, metric| lanes_svg(pair, metric, now, pinned, width, height)).unwrap_or_default()
    };
    let at = move |event: &PointerEvent| {
        let (width, _) = size.get_untracked();
        let left = place.get_untracked().map_or(0.0, |place| place.get_bounding_client_rect().left());
        untrack(|| {
            panel.read(|pair, metric| nearest(pair, metric, f64::from(event.client_x()) - left, width))
        })
        .flatten()
    };
    let press = move |event: PointerEvent| {
        if let Some(known) = at(&event) {
            panel.pin(&known);
        }
    };
    let step = move |event: KeyboardEvent| {
        let by: isize = match event.key().as_str() {
            "ArrowLeft" => -1,
            "ArrowRight" => 1,
            _ => return,
        };
        event.prevent_default();
        event.stop_propagation();
        let now = panel.now.get_untracked();
        let found = untrack(|| {
            panel.read(|_, metric| {
                let here =
                    metric.pairs.iter().position(|pair| pair.at_ms >= now).unwrap_or(metric.pairs.len());
                let is_at = metric.pairs.get(here).is_some_and(|pair| pair.at_ms == now);
                let to = if by < 0 { here.checked_sub(1) } else { Some(here + usize::from(is_at)) };
                to.and_then(|to| metric.pairs.get(to)).cloned()
            })
        });
        if let Some(known) = found.flatten() {
            panel.pin(&known);
        }
    };
    let side = move |side: usize| {
        let name = ["A", "B"][side];
        let said = text(move || {
            panel.twin.with(|twin| twin.as_ref().map(|twin| twin.said[side].clone()).unwrap_or_default())
        });
        let mean = text(move || {
            let now = panel.now.get();
            if panel.hides() {
                return String::new();
            }
            let mean =
                panel.read(|_, metric| metric.mean(side, now).map(|mean| (mean, metric.known(now).len())));
            mean.flatten().map_or_else(|| "—".to_owned(), |(mean, _)| mean)
        });
        view! {
            <div class=format!("twin-label lane-{}", [0, 2][side])>
                <p><b class=format!("twin-mark side-{side}")>{name}</b> {said}</p>
                <p><output data-testid=format!("twin-mean-{}", ["a", "b"][side])>{mean}</output> <small>{text(move || of(panel))}</small></p>
            </div>
        }
    };
    let less = text(move || {
        let now = panel.now.get();
        let less = panel.read(|pair, metric| {
            metric
                .known(now)
                .last()
                .map(|last| format!("{} of {} {}", last.b_less, metric.known(now).len(), pair.unit))
        });
        less.flatten().unwrap_or_default()
    });
    view! {
        <section class="twin-lanes-card" aria-label="Both runs over one axis">
            <div class="twin-labels">
                {side(0)}
                <div class="twin-label lane-1">
                    <p>"A − B"</p>
                    <p><small>"B has less: "</small> <output data-testid="twin-less">{less}</output></p>
                </div>
                {side(1)}
            </div>
            <div
                class="twin-axis-place"
                node_ref=place
                tabindex="0"
                role="slider"
                aria-label="Pinned on both boards"
                aria-valuetext=text(move || pinned(panel))
                aria-valuenow=text(move || panel.pinned.get().unwrap_or_default().to_string())
                data-testid="twin-lanes"
                on:pointerdown=press
                on:keydown=step
                inner_html=svg
            ></div>
            <p class="twin-pinned" data-testid="twin-pinned">{text(move || pinned(panel))}</p>
        </section>
    }
}

/// What the mean is of.
fn of(panel: Panel) -> String {
    let now = panel.now.get();
    let of = panel.read(|pair, metric| match metric.known(now).len() {
        0 => metric.title.clone(),
        n if metric.name == UNANSWERED => format!("{}, of {n}", metric.title),
        1 => format!("mean {} of 1", metric.title),
        n => format!("mean {} of {n} {}", metric.title, pair.unit),
    });
    of.unwrap_or_default()
}

/// The unit of work that is pinned, in words.
fn pinned(panel: Panel) -> String {
    let Some(n) = panel.pinned.get() else { return "Press the axis to pin one on both boards".to_owned() };
    let found = panel.read(|pair, metric| {
        let PairSoFar { values: [a, b], .. } = metric.pairs.iter().find(|pair| pair.n == n)?;
        let one = pair.unit.trim_end_matches('s');
        Some(format!("{one} {n}: A {}, B {}", metric.shown().show(*a), metric.shown().show(*b)))
    });
    found.flatten().unwrap_or_default()
}

/// The clock's buttons.
pub(super) fn bar(panel: Panel) -> impl IntoView {
    let plays = Memo::new(move |_| panel.state.with(|state| state == "running"));
    let ends = Memo::new(move |_| {
        panel.pair.with(|pair| pair.as_ref().map_or((0.0, 1.0), |pair| (pair.from_ms, pair.to_ms)))
    });
    let toggle =
        move || panel.tell(|boards| if plays.get_untracked() { boards.pause() } else { boards.play() });
    let speed = move |speed: f64| {
        panel.speed.set(speed);
        panel.tell(|boards| boards.set_speed(speed));
    };
    let options = SPEEDS.map(|speed| view! { <option value=speed.to_string() selected=speed == 1.0>{format!("×{speed}")}</option> }).into_iter().collect_view();
    view! {
        <section class="twin-transport" aria-label="The clock of both">
            <button type="button" class="twin-play" data-testid="twin-play" aria-label=text(move || if plays.get() { "Pause" } else { "Play" }.to_owned()) on:click=move |_| toggle()>
                <svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true"><path fill="currentColor" d=text(move || if plays.get() { "M5 3h4v14H5zM11 3h4v14h-4z" } else { "M6 3l11 7-11 7z" }.to_owned()) /></svg>
            </button>
            <output class="twin-clock" data-testid="twin-clock">{text(move || clock(panel.now.get()))}</output>
            <input
                type="range"
                data-testid="twin-scrub"
                aria-label="Virtual time of both"
                min=text(move || ends.get().0.to_string())
                max=text(move || ends.get().1.to_string())
                step="1"
                aria-valuetext=text(move || clock(panel.now.get()))
                prop:value=text(move || panel.now.get().to_string())
                on:input:target=move |event| {
                    if let Ok(ms) = event.target().value().parse::<f64>() {
                        panel.pinned.set(None);
                        panel.tell(|boards| boards.seek(ms));
                    }
                }
            />
            <span class="twin-end">{text(move || clock(ends.get().1))}</span>
            <label class="twin-speed"><span>"Speed "</span><select data-testid="twin-speed" on:change:target=move |event| {
                if let Ok(x) = event.target().value().parse() { speed(x) }
            }>{options}</select></label>
            <label class="twin-seed"><span>"Seed "</span><input type="text" inputmode="numeric" size="7" data-testid="twin-seed" prop:value=text(move || panel.twin.with(|twin| twin.as_ref().map(|twin| twin.seed.to_string()).unwrap_or_default())) on:change:target=move |event| {
                if let Ok(seed) = event.target().value().trim().parse::<f64>() { panel.tell(|boards| boards.seed(seed)) }
            } /></label>
        </section>
    }
}

/// `01:02.300`
fn clock(ms: f64) -> String {
    let tenths = ms / 1000.0;
    let minutes = (tenths / 60.0).floor();
    format!("{minutes:02}:{:06.3}", tenths - minutes * 60.0)
}
