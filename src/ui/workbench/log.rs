//! The log's tab: the lines that a query leaves, as a list of which only what is in view is in the document; chips that
//! write the query; the tail, which is followed until somebody scrolls; and what can be taken along as a file.

use super::files;
use crate::app::log::query::{has_term, toggled};
use crate::app::log::{Log, Row};
use crate::lab::trace_file::{self, Format};
use crate::ui::panel::Tab;
use crate::ui::{Lab, View, click, keydown, text};
use leptos::html::Div;
use leptos::prelude::*;

/// Lines above and below those in view, so that scrolling shows no gap.
const SPARE: usize = 8;
/// The least wall time between two drawings while time runs.
const REDRAW_MS: f64 = 120.0;
/// What the chips narrow the log to, besides the selected node and the request that is told.
const CHIPS: [(&str, &str); 6] = [
    ("Sent", "kind:sent"),
    ("Received", "kind:received"),
    ("Late", "kind:late"),
    ("Failed", "kind:failed"),
    ("Lost", "kind:lost"),
    ("Refused", "kind:refused"),
];

/// A line in view.
#[derive(Clone, PartialEq)]
struct Shown {
    /// Its place among those that are left.
    place: usize,
    row: Row,
}

/// What the parts of the tab share.
#[derive(Clone, Copy)]
struct Desk {
    lab: Lab,
    view: View,
    log: StoredValue<Log, LocalStorage>,
    query: RwSignal<String>,
    /// Whether the lines are those that the programs would print.
    prints: RwSignal<bool>,
    /// Whether the newest line stays in view.
    follows: RwSignal<bool>,
    /// The record of the line that is marked.
    marked: RwSignal<Option<u64>>,
    problem: RwSignal<Option<String>>,
    count: RwSignal<usize>,
    shown: RwSignal<Vec<Shown>, LocalStorage>,
    list: NodeRef<Div>,
    /// Where the list was scrolled to by this program, which is no person's doing.
    scrolled: StoredValue<i32>,
    drawn_at: StoredValue<f64>,
}

/// The tab. It reads the run only while it is shown.
#[component]
pub fn LogTab(lab: Lab, view: View) -> impl IntoView {
    let desk = Desk {
        lab,
        view,
        log: StoredValue::new_local(Log::default()),
        query: RwSignal::new(String::new()),
        prints: RwSignal::new(false),
        follows: RwSignal::new(true),
        marked: view.desk.record,
        problem: RwSignal::new(None),
        count: RwSignal::new(0),
        shown: RwSignal::new_local(Vec::new()),
        list: NodeRef::new(),
        scrolled: StoredValue::new(0),
        drawn_at: StoredValue::new(0.0),
    };
    // What is asked for: at once. What happens: some times a second.
    Effect::new(move |_| {
        if view.desk.shows(Tab::Log) {
            desk.ask(&desk.query.get(), desk.prints.get(), lab.truth.get());
            // A panel that was hidden has its height with the next frame.
            request_animation_frame(move || desk.draw());
        } else {
            // What is hidden says nothing: it may be of another moment, or of the truth.
            desk.shown.set(Vec::new());
            desk.count.set(0);
        }
    });
    Effect::new(move |_| {
        lab.snapshot.track();
        let stands = !lab.is_running();
        let since = (js_sys::Date::now() - desk.drawn_at.get_value()).abs();
        if view.desk.shows(Tab::Log) && (stands || since >= REDRAW_MS) {
            desk.follow_run();
        }
    });
    view! {
        <div class="log">
            {bar(desk)}
            <p class="log-problem" role="status" data-testid="log-problem">
                {text(move || desk.problem.get().unwrap_or_default())}
            </p>
            {list(desk)} {foot(desk)}
        </div>
    }
}

/// Query, chips, the switch between events and lines.
fn bar(desk: Desk) -> AnyView {
    let chip = move |label: Signal<String>, term: Signal<String>| {
        let has = move || has_term(&desk.query.get(), &term.get());
        view! {
            <button
                type="button"
                class="small"
                hidden=Signal::derive(move || term.with(String::is_empty))
                aria-pressed=text(move || has().to_string())
                on:click=click(move |_| desk.query.update(|query| *query = toggled(query, &term.get_untracked())))
            >
                {label}
            </button>
        }
        .into_any()
    };
    let node = Signal::derive(move || desk.view.selected.get());
    let told = Signal::derive(move || {
        let receipt = desk.lab.snapshot.with(|now| desk.lab.face().receipt(now, &node.get()));
        receipt.filter(|id| id.starts_with("req-")).unwrap_or_default()
    });
    let term = |key: &'static str, value: Signal<String>| {
        text(move || {
            value.with(|value| if value.is_empty() { String::new() } else { format!("{key}:{value}") })
        })
    };
    let fixed = |text: &'static str| Signal::derive(move || text.to_owned());
    view! {
        <div class="log-bar">
            <input
                type="text"
                data-testid="log-filter"
                aria-label="Filter of the log"
                placeholder="node:w-09 kind:late req:15"
                spellcheck="false"
                prop:value=move || desk.query.get()
                on:input=move |event| desk.query.set(event_target_value(&event))
            />
            <span class="chips" role="group" aria-label="Narrow the log to">
                {chip(node, term("node", node))}
                {chip(told, term("req", told))}
                {CHIPS.map(|(label, term)| chip(fixed(label), fixed(term))).collect_view()}
            </span>
            <button
                type="button"
                class="small"
                data-testid="log-prints"
                aria-pressed=text(move || desk.prints.get().to_string())
                title="The lines that the real programs would print"
                on:click=click(move |_| desk.prints.update(|prints| *prints = !*prints))
            >
                "Programs' own log"
            </button>
            <button
                type="button"
                class="small"
                data-testid="log-follow"
                aria-pressed=text(move || desk.follows.get().to_string())
                title="Keep the newest line in view"
                on:click=click(move |_| {
                    desk.follows.update(|follows| *follows = !*follows);
                    desk.draw();
                })
            >
                "Follow"
            </button>
        </div>
    }
    .into_any()
}

/// The lines.
fn list(desk: Desk) -> AnyView {
    let scrolled = move |_| {
        let Some(list) = desk.list.get_untracked() else { return };
        if list.scroll_top() != desk.scrolled.get_value() {
            desk.follows.set(false);
            desk.draw();
        }
    };
    let key = move |event: leptos::ev::KeyboardEvent| {
        let page = desk.room().saturating_sub(1) as isize;
        let by = match event.key().as_str() {
            "ArrowUp" => -1,
            "ArrowDown" => 1,
            "PageUp" => -page,
            "PageDown" => page,
            "Home" => isize::MIN / 2,
            "End" => isize::MAX / 2,
            "Enter" => return desk.show_in_space(&event),
            _ => return,
        };
        event.prevent_default();
        event.stop_propagation();
        desk.step(by);
    };
    let place = move || desk.shown.with(|shown| shown.first().map_or(0, |first| first.place));
    view! {
        <div
            class="log-list"
            role="listbox"
            tabindex="0"
            data-testid="log-list"
            aria-label=text(move || format!("Log, {} lines", desk.count.get()))
            aria-activedescendant=move || desk.marked_place().map(|place| format!("log-{place}"))
            node_ref=desk.list
            on:scroll=scrolled
            on:keydown=keydown(key)
        >
            <div role="presentation" style:height=text(move || format!("{}px", desk.count.get() * row_height()))>
                <div role="presentation" style:padding-top=text(move || format!("{}px", place() * row_height()))>
                    {move || desk.shown.get().into_iter().map(|shown| line(desk, shown)).collect_view()}
                </div>
            </div>
        </div>
    }
    .into_any()
}

/// One line.
fn line(desk: Desk, Shown { place, row }: Shown) -> AnyView {
    let Row { t_ns, node, kind, req, text: said } = row;
    let n = desk.log.with_value(|log| log.number(place));
    let is_marked = move || desk.marked.get().is_some() && desk.marked.get() == n;
    let (name, of_node) = (node.to_string(), node.to_string());
    let of_selected = desk.view.selected.with(|selected| *selected == name);
    view! {
        <div
            role="option"
            class="log-row"
            id=format!("log-{place}")
            data-testid="log-row"
            data-kind=kind
            data-of-selected=of_selected.to_string()
            aria-selected=text(move || is_marked().to_string())
            aria-posinset=(place + 1).to_string()
            aria-setsize=text(move || desk.count.get().to_string())
            on:click=click(move |_| desk.mark(place))
        >
            <time>{stamp(t_ns)}</time>
            <b>{of_node}</b>
            <i>{kind}</i>
            <small>{req.map(|req| format!("req-{req:05}"))}</small>
            <span>{said}</span>
        </div>
    }
    .into_any()
}

/// To the microsecond, without the detour over floating-point numbers.
fn stamp(t_ns: u64) -> String {
    let us = t_ns / 1000;
    format!("{}.{:06} s", us / 1_000_000, us % 1_000_000)
}

/// What can be done with the line that is marked, and what can be taken along.
fn foot(desk: Desk) -> AnyView {
    let truth = move || desk.lab.truth.get();
    let marked = move || truth() && desk.marked.get().is_some();
    let raw = move || {
        let n = desk.marked.get().filter(|_| truth())?;
        desk.lab.read_run(|run| trace_file::line_of(run, n)).flatten()
    };
    let button = move |testid: &'static str, label: &'static str, format: Option<Format>| {
        let save = click(move |_| desk.save(format));
        view! { <button type="button" class="small" data-testid=testid on:click=save>{label}</button> }
    };
    let files = move || {
        match truth() {
        true => view! {
            <span class="chips" role="group" aria-label="Save as a file">
                {button("log-export", "Save these lines", None)}
                {button("trace-ndjson", "All: NDJSON", Some(Format::Ndjson))}
                {button("trace-shiviz", "ShiViz", Some(Format::Shiviz))}
                {button("trace-perfetto", "Perfetto", Some(Format::Perfetto))}
            </span>
        }
        .into_any(),
        false => view! {
            <span class="chips">
                "Files need the truth. "
                <button type="button" class="small" data-testid="log-truth" on:click=click(move |_| desk.lab.show_truth(true))>
                    "Show it?"
                </button>
            </span>
        }
        .into_any(),
    }
    };
    view! {
        <div class="log-foot">
            <code tabindex="0" data-testid="log-raw" aria-label="The line that is marked, as in a trace file">
                {text(move || raw().unwrap_or_default())}
            </code>
            <button
                type="button"
                class="small"
                data-testid="log-space"
                hidden=Signal::derive(move || !marked())
                on:click=click(move |_| desk.view.desk.show_record(desk.marked.get_untracked()))
            >
                "In space–time"
            </button>
            <output data-testid="log-count">{text(move || lines(desk.count.get()))}</output>
            {files}
        </div>
    }
    .into_any()
}

fn lines(count: usize) -> String {
    format!("{} {}", crate::app::canvas::scale::count(count), if count == 1 { "line" } else { "lines" })
}

/// The height that the style sheet gives a line, in pixels: on a phone, a finger's.
fn row_height() -> usize {
    let width = window().inner_width().ok().and_then(|width| width.as_f64());
    if width.is_some_and(|width| width < 700.0) { 44 } else { 22 }
}

impl Desk {
    /// Asks for something else.
    fn ask(self, query: &str, prints: bool, truth: bool) {
        self.log.update_value(|log| {
            let _ = self.lab.read_run(|run| log.ask(run, query, prints, truth));
        });
        self.draw();
    }

    /// Takes in what has happened; on the way to another moment it stays as it is.
    fn follow_run(self) {
        self.drawn_at.set_value(js_sys::Date::now());
        self.log.update_value(|log| {
            let _ = self.lab.read_run(|run| log.update(run));
        });
        self.draw();
    }

    /// How many lines fit.
    fn room(self) -> usize {
        let height = self.list.get_untracked().map_or(0, |list| list.client_height().max(0));
        height as usize / row_height() + 1
    }

    /// Shows the lines that are in view.
    fn draw(self) {
        let (count, problem) = self.log.with_value(|log| (log.len(), log.problem().map(str::to_owned)));
        let Some(list) = self.list.get_untracked() else { return };
        if self.problem.with_untracked(|now| *now != problem) {
            self.problem.set(problem);
        }
        if self.count.get_untracked() != count {
            self.count.set(count);
        }
        let height = row_height();
        let mut top = list.scroll_top().max(0) as usize;
        if self.follows.get_untracked() {
            top = (count * height).saturating_sub(list.client_height().max(0) as usize);
        }
        let first = (top / height).saturating_sub(SPARE).min(count);
        let last = (first + self.room() + 2 * SPARE).min(count);
        let rows = self.log.with_value(|log| {
            self.lab.read_run(|run| {
                let shown = |place| Some(Shown { place, row: log.row(run, place)? });
                (first..last).filter_map(shown).collect::<Vec<_>>()
            })
        });
        // On the way to another moment nothing new is shown.
        if let Some(rows) = rows.filter(|rows| self.shown.with_untracked(|now| now != rows)) {
            self.shown.set(rows);
        }
        if self.follows.get_untracked() && list.scroll_top() != top as i32 {
            list.set_scroll_top(top as i32);
        }
        // A browser may not have come as far as it was asked to.
        self.scrolled.set_value(list.scroll_top());
    }

    /// The place of the line that is marked, if it is in view.
    fn marked_place(self) -> Option<usize> {
        let n = self.marked.get()?;
        self.count.track();
        let place = self.log.with_value(|log| log.place_of(n))?;
        self.shown.with(|shown| shown.iter().any(|shown| shown.place == place)).then_some(place)
    }

    /// Marks a line, and selects its node on the board.
    fn mark(self, place: usize) {
        let Some(n) = self.log.with_value(|log| log.number(place)) else { return };
        self.marked.set(Some(n));
        let node = self.log.with_value(|log| self.lab.read_run(|run| log.row(run, place)).flatten());
        let exists = |name: &str| self.lab.snapshot.with_untracked(|now| now.node(name).is_some());
        if let Some(row) = node.filter(|row| exists(&row.node)) {
            self.view.selected.set(row.node.to_string());
        }
    }

    /// Marks the line so many further on, and brings it into view.
    fn step(self, by: isize) {
        let count = self.log.with_value(Log::len);
        let marked = self.marked.get_untracked();
        let now = marked.and_then(|n| self.log.with_value(|log| log.place_of(n)));
        let first = self.shown.with_untracked(|shown| shown.first().map_or(0, |shown| shown.place));
        let Some(last) = count.checked_sub(1) else { return };
        let to = now.map_or(first, |now| now.saturating_add_signed(by)).min(last);
        self.follows.set(false);
        if let Some(list) = self.list.get_untracked() {
            let (height, room) = (row_height() as i32, list.client_height());
            let top = to as i32 * height;
            let at = list.scroll_top();
            if top < at || top + height > at + room {
                list.set_scroll_top(if top < at { top } else { top + height - room });
            }
        }
        self.draw();
        self.mark(to);
    }

    fn show_in_space(self, event: &leptos::ev::KeyboardEvent) {
        event.stop_propagation();
        self.view.desk.show_record(self.marked.get_untracked());
    }

    /// Saves what the query leaves, or the whole trace.
    fn save(self, format: Option<Format>) {
        let written = self.lab.read_run(|run| match format {
            None => self.log.with_value(|log| trace_file::some_ndjson(run, &mut log.numbers())),
            Some(format) => trace_file::bytes(run, format),
        });
        let ending = match format {
            None | Some(Format::Ndjson) => "ndjson",
            Some(Format::Shiviz) => "shiviz.log",
            Some(Format::Perfetto) => "perfetto.json",
        };
        let address = self.lab.address();
        match written {
            Some(Ok(bytes)) => {
                files::save(&bytes, &format!("glasshive-{}-{}.{ending}", address.preset, address.seed))
            }
            Some(Err(error)) => self.lab.problem.set(Some(error.to_string())),
            None => self.lab.problem.set(Some("Wait for the replay to arrive, then save.".to_owned())),
        }
    }
}
