//! Space–time's tab: the canvas, what moves it (buttons, keys, a drag), and in words what is meant by a pointer or by the keys.

use super::receipt;
use crate::app::space::{
    Activity, Asked, Axis, Scene, chain, chain_of_unit, draw, is_message, next_message, words,
};
use crate::lab::Run;
use crate::painter::Painter;
use crate::ui::board::{Place, observe_size, observe_theme, painter};
use crate::ui::panel::Tab;
use crate::ui::{Lab, View, beside, click, keydown, text};
use leptos::ev::KeyboardEvent;
use leptos::html::{Canvas, Div};
use leptos::prelude::*;
use web_sys::{MouseEvent, PointerEvent};

/// Pixels to a millisecond: at the opening, at least, at most.
const SCALE: (f64, f64, f64) = (0.6, 0.002, 30.0);
/// How much a step of the zoom is, and which part of the picture a step aside.
const ZOOM: f64 = 1.5;
const ASIDE: f64 = 0.25;
/// The least wall time between two drawings while time runs.
const REDRAW_MS: f64 = 80.0;
/// A pointer that moved less has clicked.
const STILL: f64 = 4.0;

/// What the parts of the tab share.
#[derive(Clone, Copy)]
struct Desk {
    lab: Lab,
    view: View,
    scale: RwSignal<f64>,
    /// The instant at the right edge, in milliseconds; `None` follows the run.
    right: RwSignal<Option<f64>>,
    marked: RwSignal<Option<u64>>,
    /// What is said of the mark under the pointer, or of the one that is marked.
    said: RwSignal<String>,
    holder: NodeRef<Div>,
    canvas: NodeRef<Canvas>,
    /// How high all rows are together.
    content: RwSignal<f64>,
    place: StoredValue<Place>,
    /// Counts what cannot be watched otherwise.
    changes: RwSignal<u32>,
    theme: RwSignal<u32>,
    easel: StoredValue<Easel, LocalStorage>,
}

/// What lives as long as the tab.
#[derive(Default)]
struct Easel {
    activity: Activity,
    painter: Option<Painter>,
    /// Another one paints what is shown.
    beside: bool,
    theme: u32,
    scene: Option<Scene>,
    drawn_at: f64,
    /// Where a pointer went down, and the instant at the right edge then.
    drag: Option<(f64, f64)>,
    /// The marked record that has been brought into view.
    brought: Option<u64>,
}

/// The tab. It reads the run only while it is shown.
#[component]
pub fn SpaceTab(lab: Lab, view: View) -> impl IntoView {
    let desk = Desk {
        lab,
        view,
        scale: RwSignal::new(SCALE.0),
        right: RwSignal::new(None),
        marked: view.desk.record,
        said: RwSignal::new(String::new()),
        holder: NodeRef::new(),
        canvas: NodeRef::new(),
        content: RwSignal::new(0.0),
        place: StoredValue::new(Place::default()),
        changes: RwSignal::new(0),
        theme: RwSignal::new(0),
        easel: StoredValue::new_local(Easel::default()),
    };
    Effect::new(move |_| {
        if let Some(holder) = desk.holder.get() {
            observe_size(holder.into(), desk.place, desk.changes);
        }
    });
    observe_theme(desk.theme);
    Effect::new(move |_| desk.draw());
    view! {
        <div class="space">
            {bar(desk)}
            {picture(desk)}
            <p class="space-words" role="status">
                <span data-testid="space-words">{text(move || desk.said.get())}</span>
                {why(desk)}
            </p>
        </div>
    }
}

/// The buttons.
fn bar(desk: Desk) -> AnyView {
    let button = move |key: &'static str, testid: &'static str, label: &'static str, sign: &'static str| {
        view! {
            <button
                type="button"
                class="icon"
                data-testid=testid
                aria-label=label
                title=label
                on:click=click(move |_| {
                    desk.act(key);
                })
            >
                {sign}
            </button>
        }
    };
    view! {
        <div class="space-bar" role="group" aria-label="Move through space–time">
            {button("w", "space-in", "Zoom in (W)", "+")}
            {button("s", "space-out", "Zoom out (S)", "−")}
            {button("a", "space-left", "Earlier (A)", "◂")}
            {button("d", "space-right", "Later (D)", "▸")}
            {button("End", "space-now", "Now (End)", "⇥")}
            {button("ArrowLeft", "space-before", "The message before (←)", "‹")}
            {button("ArrowRight", "space-next", "The next message (→)", "›")}
        </div>
    }
    .into_any()
}

/// Where the message is that is marked: its receipt.
fn why(desk: Desk) -> AnyView {
    let Desk { lab, view, .. } = desk;
    let message = Memo::new(move |_| {
        let n = desk.marked.get().filter(|_| lab.truth.get())?;
        let is_one = |run: &Run| run.trace().record(n).is_some_and(|record| is_message(&run.trace(), record));
        lab.read_run(is_one)?.then_some(n)
    });
    let button = move || {
        let n = message.get()?;
        let open = move |_| receipt::show(lab, view, format!("#{n}"));
        Some(
            view! { <button type="button" class="why" data-testid="space-why" on:click=click(open)>"Why?"</button> },
        )
    };
    view! { {button} }.into_any()
}

fn picture(desk: Desk) -> AnyView {
    let key = move |event: KeyboardEvent| {
        let has_other = event.ctrl_key() || event.meta_key() || event.alt_key();
        if !has_other && desk.act(&event.key()) {
            event.prevent_default();
            event.stop_propagation();
        }
    };
    let down = move |event: PointerEvent| {
        let right = desk.shown().1;
        desk.easel.update_value(|easel| easel.drag = Some((f64::from(event.client_x()), right)));
    };
    let moved = move |event: PointerEvent| match desk
        .easel
        .with_value(|easel| easel.drag)
        .filter(|_| event.buttons() > 0)
    {
        Some((x, right)) => desk.drag((f64::from(event.client_x()) - x) / desk.zoom(), right),
        None => desk.hover(&event),
    };
    let up = move |event: PointerEvent| {
        let drag = desk.easel.try_update_value(|easel| easel.drag.take()).flatten();
        if drag.is_some_and(|(x, _)| (f64::from(event.client_x()) - x).abs() < STILL) {
            desk.mark(desk.under(&event));
        }
    };
    let wheel = move |event: leptos::ev::WheelEvent| {
        if event.ctrl_key() {
            event.prevent_default();
            desk.act(if event.delta_y() < 0.0 { "w" } else { "s" });
        }
    };
    view! {
        <div
            class="space-view"
            role="application"
            tabindex="0"
            data-testid="space-view"
            aria-label="Space–time: messages between the rows, time from left to right. W and S zoom, A and D pan, arrows go from message to message"
            aria-keyshortcuts="W S A D ArrowLeft ArrowRight End"
            node_ref=desk.holder
            on:keydown=keydown(key)
            on:scroll=move |_| desk.changes.update(|count| *count += 1)
            on:wheel=wheel
        >
            <div style:height=text(move || format!("{}px", desk.content.get()))>
                <canvas
                    data-testid="space"
                    role="img"
                    aria-label="Messages over time"
                    node_ref=desk.canvas
                    on:pointerdown=down
                    on:pointermove=moved
                    on:pointerup=up
                    on:pointerleave=move |_| desk.say()
                ></canvas>
            </div>
        </div>
    }
    .into_any()
}

impl Desk {
    // --- drawing --------------------------------------------------------------------------------------------------

    /// Draws, and is called again when anything that it reads has changed.
    fn draw(self) {
        let (snapshot, theme) = (self.lab.snapshot.get(), self.theme.get());
        let (scale, right) = (self.scale.get(), self.right.get());
        let marked = self.marked.get();
        let selected = self.view.selected.get();
        let receipt = self.view.desk.receipt_of();
        self.changes.track();
        let (Some(canvas), Some(holder)) = (self.canvas.get_untracked(), self.holder.get_untracked()) else {
            return;
        };
        let place = self.place.get_value();
        let is_shown = self.view.desk.shows(Tab::Space);
        if !is_shown {
            // What is hidden says nothing: it may be of another moment, or of the truth.
            self.said.set(String::new());
        }
        if !is_shown || place.width < 1.0 || place.height < 1.0 {
            return;
        }
        let runs = self.lab.status.with_untracked(|status| status.state == crate::app::PlayerState::Running);
        let (now, scrolled) = (js_sys::Date::now(), f64::from(holder.scroll_top()));
        let is_early = self.easel.with_value(|easel| runs && (now - easel.drawn_at).abs() < REDRAW_MS);
        if is_early {
            return;
        }
        self.easel.update_value(|easel| {
            easel.drawn_at = now;
            let scene = self.lab.read_run(|run| {
                easel.activity.update(run, snapshot.truth);
                let lit = match (marked, receipt) {
                    (Some(n), _) => chain(&run.trace(), n),
                    (None, Some(unit)) => chain_of_unit(&run.trace(), unit),
                    (None, None) => Vec::new(),
                };
                let (width, height) = (place.width, place.height);
                let selected = &selected;
                let asked =
                    Asked { width, height, scale, right_ms: right, scrolled, selected, marked, chain: &lit };
                draw(run, &snapshot, &easel.activity, &asked)
            });
            // On the way to another moment the picture stays.
            let Some(scene) = scene else { return };
            easel.paint(&canvas, &scene, place.scale, theme);
            self.content.set(scene.content);
            easel.scene = Some(scene);
        });
        self.bring(marked);
        self.say();
    }

    /// Brings what is marked into view, once.
    fn bring(self, marked: Option<u64>) {
        let is_new = self.easel.with_value(|easel| easel.brought != marked);
        if !is_new {
            return;
        }
        self.easel.update_value(|easel| easel.brought = marked);
        let record = marked.and_then(|n| self.lab.read_run(|run| run.trace().record(n).copied()).flatten());
        let Some(at) = record.map(|record| record.at.as_millis_f64()) else { return };
        let (left, right) = self.shown();
        if at < left || at > right {
            let axis = self.axis();
            self.right.set(Some(axis.at(axis.x(at) + self.width() * 0.4)));
        }
    }

    fn axis(self) -> Axis {
        let now = self.lab.snapshot.with_untracked(|now| now.vtime_ms);
        let scale = self.scale.get_untracked();
        self.easel.with_value(|easel| Axis::new(&easel.activity.busy, now, scale))
    }

    fn width(self) -> f64 {
        (self.place.get_value().width - crate::app::space::NAMES).max(1.0)
    }

    fn zoom(self) -> f64 {
        self.place.with_value(|place| place.zoom.max(0.1))
    }

    /// The instants at the edges, in milliseconds.
    fn shown(self) -> (f64, f64) {
        self.easel.with_value(|easel| easel.scene.as_ref().map_or((0.0, 0.0), |scene| scene.shown_ms))
    }

    // --- moving ---------------------------------------------------------------------------------------------------

    /// What a key does; false if it means nothing here.
    fn act(self, key: &str) -> bool {
        match key {
            "w" | "W" => self.zoom_by(ZOOM),
            "s" | "S" => self.zoom_by(1.0 / ZOOM),
            "a" | "A" => self.drag(self.width() * ASIDE, self.shown().1),
            "d" | "D" => self.drag(-self.width() * ASIDE, self.shown().1),
            "End" => self.right.set(None),
            "ArrowLeft" | "ArrowRight" => {
                let (from, truth) = (self.marked.get_untracked(), self.lab.truth.get_untracked());
                let forward = key == "ArrowRight";
                let next = self.lab.read_run(|run| next_message(run, from, forward, truth)).flatten();
                if next.is_some() {
                    self.mark(next);
                }
            }
            "Escape" if self.marked.with_untracked(Option::is_some) => self.mark(None),
            _ => return false,
        }
        true
    }

    /// What stands in the middle stays there.
    fn zoom_by(self, factor: f64) {
        let (before, half) = (self.axis(), self.width() / 2.0);
        let middle = before.at(before.x(self.shown().1) - half);
        self.scale.update(|scale| *scale = (*scale * factor).clamp(SCALE.1, SCALE.2));
        if self.right.with_untracked(Option::is_some) {
            let axis = self.axis();
            self.right.set(Some(axis.at(axis.x(middle) + half)));
        }
    }

    /// Moves what stood at the right edge so many pixels to the right.
    fn drag(self, by: f64, right: f64) {
        if by.abs() < STILL {
            return;
        }
        let (axis, width) = (self.axis(), self.width());
        let now = self.lab.snapshot.with_untracked(|now| now.vtime_ms);
        // Neither all of the past nor all of the future goes out of sight.
        let x = (axis.x(right) - by).clamp(width * 0.1, axis.x(now) + width * 0.9);
        self.right.set(Some(axis.at(x)));
    }

    // --- what is meant --------------------------------------------------------------------------------------------

    fn under(self, event: &MouseEvent) -> Option<u64> {
        let (x, y) = (f64::from(event.offset_x()) / self.zoom(), f64::from(event.offset_y()) / self.zoom());
        self.easel.with_value(|easel| easel.scene.as_ref()?.at(x, y))
    }

    fn hover(self, event: &PointerEvent) {
        match self.under(event) {
            Some(n) => self.say_of(n),
            None => self.say(),
        }
    }

    /// Marks a record: its chain is lit, and its node is selected on the board.
    fn mark(self, n: Option<u64>) {
        self.marked.set(n);
        let node = n
            .and_then(|n| self.lab.read_run(|run| run.trace().record(n).map(|record| record.node)).flatten());
        let snapshot = self.lab.snapshot_now();
        if let Some(node) = snapshot.nodes.iter().find(|other| Some(other.id) == node) {
            self.view.selected.set(node.name.clone());
        }
    }

    /// Says what is marked, or how to read the picture.
    fn say(self) {
        match self.marked.get_untracked() {
            Some(n) => self.say_of(n),
            None => self.tell(String::new()),
        }
    }

    fn say_of(self, n: u64) {
        let truth = self.lab.truth.get_untracked();
        let said = self.lab.read_run(|run| words(run, n, truth)).flatten();
        self.tell(said.unwrap_or_default());
    }

    fn tell(self, said: String) {
        if self.said.with_untracked(|now| *now != said) {
            self.said.set(said);
        }
    }
}

impl Easel {
    fn paint(&mut self, canvas: &web_sys::HtmlCanvasElement, scene: &Scene, scale: f64, theme: u32) {
        let picture = &scene.picture;
        let (width, height) =
            ((picture.width * scale).round() as u32, (picture.height * scale).round() as u32);
        if (canvas.width(), canvas.height()) != (width, height) {
            canvas.set_width(width);
            canvas.set_height(height);
            // Names and values are valid.
            let _ =
                web_sys::HtmlElement::style(canvas).set_property("width", &format!("{}px", picture.width));
            let _ =
                web_sys::HtmlElement::style(canvas).set_property("height", &format!("{}px", picture.height));
        }
        if self.painter.is_none() || self.theme != theme {
            self.theme = theme;
            self.painter = painter(canvas);
        }
        if let Some(painter) = &mut self.painter
            && !beside::paint(&mut self.beside, canvas, picture, scale, painter)
        {
            painter.paint(picture, scale);
        }
    }
}
