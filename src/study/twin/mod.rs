//! Twin boards: the run that is on the page with one thing in two values, side by side on one clock, and the difference.
//!
//! `boards.rs` is the two frames and their clock, `sentence.rs` the word that differs, `difference.rs` what stands between the boards,
//! `transport.rs` what is below them: one time axis, and the clock's buttons.

mod boards;
mod difference;
mod sentence;
mod transport;

use super::desk;
use crate::app::study::draft::Described;
use crate::app::study::twin::{Twin, unfair};
use crate::lab::experiment::ACTS;
use crate::lab::experiment::{Pair, PairSoFar, PairedMetric};
use boards::{Boards, Held, Module};
use leptos::html::Iframe;
use leptos::prelude::*;
use serde_json::{Value, json};
use wasm_bindgen_futures::spawn_local;

/// What the panel holds.
#[derive(Clone, Copy)]
struct Panel {
    /// What is known of the page's run.
    said: StoredValue<Described>,
    module: StoredValue<Option<Module>, LocalStorage>,
    held: StoredValue<Option<Held>, LocalStorage>,
    /// Which two runs.
    twin: RwSignal<Option<Twin>>,
    /// What they amount to.
    pair: RwSignal<Option<Pair>>,
    /// Which metric is looked at.
    metric: RwSignal<String>,
    /// The clock, in milliseconds.
    now: RwSignal<f64>,
    /// `running`, `paused` or `opening`.
    state: RwSignal<String>,
    speed: RwSignal<f64>,
    /// The unit of work that is pinned on both boards.
    pinned: RwSignal<Option<u64>>,
    /// Which board a narrow page shows.
    side: RwSignal<usize>,
    /// What is wrong, or should be known.
    notice: RwSignal<String>,
    /// What was asked for last counts.
    turn: StoredValue<u32>,
    /// The query of the run that an act in the past has left: the first side, where acts are what differs.
    left: StoredValue<Option<String>>,
}

/// The panel: by a key and two values as JSON, by what the page's address says, or by what tells most.
pub fn panel(said: Described, detail: &str) -> AnyView {
    let panel = Panel {
        said: StoredValue::new(said),
        module: StoredValue::new_local(None),
        held: StoredValue::new_local(None),
        twin: RwSignal::new(None),
        pair: RwSignal::new(None),
        metric: RwSignal::new(String::new()),
        now: RwSignal::new(0.0),
        state: RwSignal::new("opening".to_owned()),
        speed: RwSignal::new(1.0),
        pinned: RwSignal::new(None),
        side: RwSignal::new(0),
        notice: RwSignal::new(String::new()),
        turn: StoredValue::new(0),
        left: StoredValue::new(desk::left()),
    };
    let frames: [NodeRef<Iframe>; 2] = [NodeRef::new(), NodeRef::new()];
    let detail: Value = serde_json::from_str(detail).unwrap_or_default();
    Effect::new(move || {
        if let [Some(a), Some(b)] = frames.map(|frame| frame.get()) {
            let detail = detail.clone();
            spawn_local(async move { panel.begin(a.into(), b.into(), detail).await });
        }
    });
    on_cleanup(move || {
        // The frames go with the panel.
        panel.held.try_update_value(Option::take);
    });
    let board = move |side: usize| {
        let name = ["A", "B"][side];
        let said = super::text(move || {
            panel.twin.with(|twin| twin.as_ref().map(|twin| twin.said[side].clone()).unwrap_or_default())
        });
        view! {
            <section class=format!("twin-board twin-side-{side}") aria-label=format!("Board {name}") data-testid=format!("twin-{}", ["a", "b"][side])>
                <h2><b class=format!("twin-mark side-{side}")>{name}</b> {said}</h2>
                <div class="twin-frame"><iframe node_ref=frames[side] title=format!("Board {name}")></iframe></div>
            </section>
        }
    };
    let switch = move |side: usize| {
        view! {
            <button
                type="button"
                data-testid=format!("twin-show-{}", ["a", "b"][side])
                aria-pressed=super::text(move || (panel.side.get() == side).to_string())
                on:click=move |_| panel.side.set(side)
            >
                {["A", "B"][side]}
            </button>
        }
    };
    view! {
        <div class="twin" data-testid="twin" data-side=super::text(move || panel.side.get().to_string()) data-state=super::text(move || panel.state.get())>
            {sentence::word(panel)}
            <div class="twin-boards">
                <div class="twin-switch" role="group" aria-label="Board">{switch(0)}{switch(1)}</div>
                {board(0)}
                {difference::card(panel)}
                {board(1)}
            </div>
            {transport::lanes(panel)}
            {transport::bar(panel)}
        </div>
    }
    .into_any()
}

impl Panel {
    async fn begin(self, a: web_sys::HtmlElement, b: web_sys::HtmlElement, detail: Value) {
        let module = match boards::module().await {
            Ok(module) => module,
            Err(wrong) => return self.notice.set(wrong),
        };
        let tell = move |now: f64, state: String| {
            // Each of its own, so that what stands still draws nothing.
            if self.now.try_get_untracked() != Some(now) {
                self.now.try_set(now);
            }
            if self.state.try_get_untracked().is_some_and(|before| before != state) {
                self.state.try_set(state);
            }
        };
        let changed = move |search: String, struck: Option<String>| {
            spawn_local(async move {
                let key =
                    self.twin.with_untracked(|twin| twin.as_ref().map(|t| (t.key.clone(), t.values.clone())));
                self.show(Some(search).filter(|search| !search.is_empty()), key, struck).await;
            });
        };
        let held = Held::new(&module, [&a, &b], tell, changed);
        let (said, forked) = (module.said(), module.forked());
        if self.module.try_set_value(Some(module)).is_some() {
            return;
        }
        self.held.try_set_value(Some(held));
        let asked = detail["key"].as_str().map(str::to_owned);
        let of_address = said.split_once(':').and_then(|(key, values)| {
            let (a, b) = values.split_once('|')?;
            Some((key.to_owned(), [Value::from(a), Value::from(b)]))
        });
        match (asked, of_address) {
            (Some(key), _) => self.choose(&key).await,
            (None, Some(known)) => self.show(None, Some(known), None).await,
            // Who has acted in the past wants to see what that has changed.
            (None, None) if forked => self.choose(ACTS).await,
            (None, None) => self.show(None, None, None).await,
        }
    }

    /// Lets something else differ, in the values that the laboratory proposes.
    async fn choose(self, key: &str) {
        let key = key.to_owned();
        self.ask(None, json!({"key": key}), None).await;
    }

    /// Shows a twin of the page's run, or of an address in its place.
    async fn show(self, search: Option<String>, known: Option<(String, [Value; 2])>, struck: Option<String>) {
        let which = match known {
            Some((key, values)) => json!({"key": key, "values": values}),
            None => json!({}),
        };
        self.ask(search, which, struck).await;
    }

    async fn ask(self, search: Option<String>, mut which: Value, struck: Option<String>) {
        let turn = self.turn.with_value(|turn| turn + 1);
        self.turn.set_value(turn);
        let is_own = search.is_none();
        // Shown, it is another address, of which this hears.
        if self.module.with_value(|module| module.as_ref().is_some_and(Module::hides)) {
            return self.notice.set(NEEDS_TRUTH.to_owned());
        }
        if which["key"] == ACTS {
            which["left"] = self.left.get_value().into();
        }
        which["search"] = search.unwrap_or_else(desk::search).into();
        let found = self.play(&which, is_own, struck).await;
        if self.turn.try_get_value() != Some(turn) {
            return;
        }
        if let Err(wrong) = found {
            self.notice.set(wrong);
        }
    }

    async fn play(self, which: &Value, is_own: bool, struck: Option<String>) -> Result<(), String> {
        let read = |error: serde_json::Error| error.to_string();
        let twin: Twin = serde_json::from_str(&desk::ask("twin", &which.to_string()).await?).map_err(read)?;
        let Some(boards) = self.boards() else { return Ok(()) };
        if !is_own {
            boards::under(&boards, &twin.base.to_string()).await?;
        }
        let [a, b] = [&twin.sides[0], &twin.sides[1]];
        let both = json!({"searches": [a.search, b.search], "metrics": [twin.metric]});
        let pair: Pair = serde_json::from_str(&desk::ask("pair", &both.to_string()).await?).map_err(read)?;
        let sides = json!([
            {"search": a.search, "system": a.system, "open": a.open},
            {"search": b.search, "system": b.system, "open": b.open},
        ]);
        let (from, to) = (pair.from_ms, pair.to_ms);
        let is_other =
            self.twin.with_untracked(|before| before.as_ref().is_none_or(|before| before.key != twin.key));
        if is_other
            || self.metric.with_untracked(|name| pair.metrics.iter().all(|metric| metric.name != *name))
        {
            self.metric.set(twin.metric.clone());
        }
        let missing = struck.filter(|struck| !a.search.contains(&faults_in_address(struck)));
        let notice = match (unfair(&pair.changes), missing, pair.faults.iter().flatten().next()) {
            (_, Some(struck), _) => {
                format!("A fault strikes both or none, and only one has what {struck} is about.")
            }
            (_, _, Some(fault)) => fault.clone(),
            (Some(unfair), ..) => unfair,
            _ => String::new(),
        };
        if let Some(module) = self.module.get_value() {
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            module.say(&format!("{}:{}|{}", twin.key, text(&twin.values[0]), text(&twin.values[1])));
            self.notice.set(notice);
        }
        self.pinned.set(None);
        self.twin.set(Some(twin));
        self.pair.set(Some(pair));
        boards::open(&boards, &sides.to_string(), from, to).await
    }

    fn boards(self) -> Option<Boards> {
        self.held.try_with_value(|held| held.as_ref().map(|held| held.boards.clone())).flatten()
    }

    /// Tells the boards something.
    fn tell(self, what: impl FnOnce(&Boards)) {
        if let Some(boards) = self.boards() {
            what(&boards);
        }
    }

    /// Pins a unit of work on both boards: takes them to where both know it.
    fn pin(self, known: &PairSoFar) {
        self.pinned.set(Some(known.n));
        self.tell(|boards| {
            boards.pause();
            boards.seek(known.at_ms);
        });
    }

    /// Reads something off the metric that is looked at.
    fn read<T>(self, read: impl FnOnce(&Pair, &PairedMetric) -> T) -> Option<T> {
        let name = self.metric.get();
        self.pair.with(|pair| {
            let pair = pair.as_ref()?;
            let metric = pair.metrics.iter().find(|metric| metric.name == name)?;
            Some(read(pair, metric))
        })
    }

    /// Whether the truth would have to be shown.
    fn hides(self) -> bool {
        // It is asked again whenever something is said.
        self.notice.with(|notice| notice == NEEDS_TRUTH)
    }
}

const NEEDS_TRUTH: &str = "Needs the truth. Show it?";

/// A fault as addresses have it.
fn faults_in_address(fault: &str) -> String {
    fault.replace('>', "%3E").replace('*', "%2A")
}
