//! The board on a canvas: draws the newest snapshot, and lets a pointer choose a node. What it keeps of its box and of the theme
//! serves other canvases, too.

use super::panel::Panel;
use super::{AtEnd, Lab, beside, board_controls, click, keep, workbench};
use crate::app::canvas::{self, Label, Pace, Picture, Strip, Strips, View};
use crate::app::catalogue::face;
use crate::app::{PlayerState, Snapshot};
use crate::painter::{Ink, Painter};
use crate::substrate::decimal::plain;
use gloo_timers::callback::Timeout;
use leptos::html::{Canvas, Div};
use leptos::prelude::*;
use serde::Serialize;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{CanvasRenderingContext2d, MouseEvent, PointerEvent};

/// With single messages too fast to be seen, the picture changes at most this often: not even three times a second.
const FLOW_EVERY_MS: f64 = 340.0;
/// With reduced motion it changes when there is something new to see, and at most this often.
const CALM_EVERY_MS: f64 = 1000.0;

/// A finger that rests for so long opens the menu.
const LONG_PRESS_MS: u32 = 500;

/// The board's box: what changes the picture besides the snapshot and what a person does.
#[derive(Clone, Copy, Default, PartialEq)]
pub struct Place {
    pub width: f64,
    pub height: f64,
    /// Device pixels to a pixel of the board.
    pub scale: f64,
    /// Pixels of the page to one of the board: on a large screen everything is larger.
    pub zoom: f64,
    /// The whole page's width.
    page: f64,
}

/// All that a picture is made of, besides the snapshot.
#[derive(Clone, PartialEq)]
struct Asked {
    place: Place,
    strips: Strips,
    theme: u32,
    selected: String,
    hovered: Option<String>,
}

/// What lives as long as the component.
#[derive(Default)]
struct Easel {
    painter: Option<Painter>,
    /// Another one paints what is shown.
    beside: bool,
    /// The theme that the painter has its colours from.
    theme: u32,
    board: Option<Picture>,
    asked: Option<Asked>,
    /// What is shown, which with a calm picture may be older than the newest.
    shown: Option<Rc<Snapshot>>,
    shown_at: f64,
    pace: Pace,
}

/// What the parts of the component share.
#[derive(Clone, Copy)]
struct Stand {
    lab: Lab,
    selected: RwSignal<String>,
    holder: NodeRef<Div>,
    canvas: NodeRef<Canvas>,
    switch: NodeRef<Div>,
    shows_when: RwSignal<bool>,
    place: StoredValue<Place>,
    hovered: StoredValue<Option<String>>,
    /// Counts what cannot be watched otherwise: sizes, and where the pointer is.
    changes: RwSignal<u32>,
    /// Counts changes of the theme, and type faces that came.
    theme: RwSignal<u32>,
    easel: StoredValue<Easel, LocalStorage>,
}

/// A label on the page, in CSS pixels of the window, for scripts.
#[derive(Serialize)]
pub struct LabelBox {
    name: String,
    x: f64,
    y: f64,
    w: f64,
    h: f64,
    /// As in CSS, the face as the name of its token.
    font: String,
}

/// The board. It fills the element that it stands in.
#[component]
pub fn Board(lab: Lab, view: super::View) -> impl IntoView {
    let super::View { selected, shows_when, menu, .. } = view;
    let words = lab.face().words();
    let stand = Stand {
        lab,
        selected,
        holder: NodeRef::new(),
        canvas: NodeRef::new(),
        switch: NodeRef::new(),
        shows_when,
        place: StoredValue::new(Place::default()),
        hovered: StoredValue::new(None),
        changes: RwSignal::new(0),
        theme: RwSignal::new(0),
        easel: StoredValue::new_local(Easel::default()),
    };
    let Stand { holder, canvas, switch, .. } = stand;
    Effect::new(move |_| {
        if let Some(holder) = holder.get() {
            observe_size(holder.into(), stand.place, stand.changes);
        }
    });
    observe_theme(stand.theme);
    lab.labels.set_value(Some(Box::new(move || stand.labels())));
    let motion = media("(prefers-reduced-motion: reduce)");
    Effect::new(move |_| stand.draw(motion.as_ref().is_some_and(web_sys::MediaQueryList::matches)));

    let choose = move |event: MouseEvent| {
        if let Some(node) = stand.node_at(&event) {
            selected.set(node);
        }
    };
    // A finger does not hover, and a lens that stayed where it was lifted would be in the way.
    let follow = move |event: PointerEvent| {
        stand.hover(stand.node_at(&event).filter(|_| event.pointer_type() == "mouse"));
    };
    let open_menu = move |event: &MouseEvent| {
        let Some(node) = stand.node_at(event) else { return };
        selected.set(node);
        let Place { width, height, .. } = stand.place.get_value();
        let (x, y) = board_controls::menu_place(stand.point(event), (width, height));
        workbench::open(lab, view, Panel::Menu(x, y));
    };
    // Not every browser makes a long press a right click.
    let press = StoredValue::new_local(None::<Timeout>);
    let is_long = StoredValue::new(false);
    let press_begins = move |event: PointerEvent| {
        if event.pointer_type() == "touch" {
            menu.set(None);
            is_long.set_value(false);
            let open = move || {
                is_long.set_value(true);
                open_menu(&event);
            };
            press.set_value(Some(Timeout::new(LONG_PRESS_MS, open)));
        }
    };
    let press_ends = move |_: PointerEvent| press.set_value(None);
    // The finger that opened the menu would click what now lies under it when it is lifted.
    let finger_lifted = move |event: leptos::ev::TouchEvent| {
        if is_long.get_value() {
            event.prevent_default();
        }
    };
    let button = move |is_when: bool, name: &'static str| {
        view! {
            <button
                type="button"
                aria-pressed=move || if shows_when.get() == is_when { "true" } else { "false" }
                on:click=click(move |_| shows_when.set(is_when))
            >
                {name}
            </button>
        }
    };
    view! {
        <div class="board" tabindex="-1" node_ref=holder>
            <canvas
                data-testid="board"
                role="img"
                aria-label=words.board
                node_ref=canvas
                on:click=click(choose)
                on:pointermove=follow
                on:pointerleave=move |_| stand.hover(None)
                on:pointerdown=press_begins
                on:pointerup=press_ends
                on:pointercancel=press_ends
                on:touchend=finger_lifted
                on:contextrestored=move |_: web_sys::Event| stand.context_came_back()
                on:contextmenu=move |event| {
                    event.prevent_default();
                    open_menu(&event);
                }
            ></canvas>
            {words.truth.map(|title| view! { <board_controls::Truth lab title /> })}
            <div class="strip-switch" role="group" aria-label="Strip" node_ref=switch>
                {button(true, "When")}
                {button(false, "What")}
            </div>
            {workbench::menu(lab, view)}
            <board_controls::WayOut lab />
        </div>
    }
}

impl Stand {
    /// Draws, and is called again when anything that it reads has changed.
    fn draw(self, calm: bool) {
        self.changes.track();
        let (newest, status) = (self.lab.snapshot.get(), self.lab.status.get());
        let strip = if self.shows_when.get() { Strip::When } else { Strip::What };
        let place = self.place.get_value();
        let is_embed = document().document_element().is_some_and(|root| root.has_attribute("data-embed"));
        let strips = Strips::of(place.page, is_embed, strip);
        let asked = Asked {
            place,
            strips,
            theme: self.theme.get(),
            selected: self.selected.get(),
            hovered: self.hovered.get_value(),
        };
        let (Some(canvas), Some(switch), Some(holder)) =
            (self.canvas.get_untracked(), self.switch.get_untracked(), self.holder.get_untracked())
        else {
            return;
        };
        let speed = if status.state == PlayerState::Running { status.readable } else { 0.0 };
        self.easel.update_value(|easel| {
            if easel.asked.as_ref().is_none_or(|before| !before.has_room_of(&asked)) {
                set_up(&holder, &switch, &asked);
            }
            easel.draw(&canvas, newest, asked, speed, calm);
        });
    }

    /// A browser that had to take the canvas's memory has given it new: nothing of the picture is left, nor of the pens.
    fn context_came_back(self) {
        self.easel.update_value(|easel| (easel.painter, easel.asked) = (None, None));
        self.changes.update(|count| *count += 1);
    }

    fn node_at(self, event: &MouseEvent) -> Option<String> {
        self.easel.with_value(|easel| {
            let (board, snapshot) = (easel.board.as_ref()?, easel.shown.as_ref()?);
            let (x, y) = self.point(event);
            board.node_at(snapshot, x, y).map(str::to_owned)
        })
    }

    /// Where on the board a pointer is.
    fn point(self, event: &MouseEvent) -> (f64, f64) {
        let zoom = self.place.with_value(|place| place.zoom);
        (f64::from(event.offset_x()) / zoom, f64::from(event.offset_y()) / zoom)
    }

    /// What the picture that is shown says, and where on the page.
    fn labels(self) -> Vec<LabelBox> {
        let (Some(canvas), zoom) = (self.canvas.get_untracked(), self.place.with_value(|place| place.zoom))
        else {
            return Vec::new();
        };
        let at = canvas.get_bounding_client_rect();
        let on_page = |Label { name, rect, font: (face, px, weight) }: Label| LabelBox {
            name,
            x: at.x() + rect.x * zoom,
            y: at.y() + rect.y * zoom,
            w: rect.w * zoom,
            h: rect.h * zoom,
            font: format!("{weight} {}px {}", plain(px * zoom), face.token()),
        };
        self.easel.with_value(|easel| {
            easel.board.as_ref().map_or_else(Vec::new, |board| board.labels().map(on_page).collect())
        })
    }

    fn hover(self, under: Option<String>) {
        if self.hovered.with_value(|now| *now != under) {
            self.hovered.set_value(under);
            self.changes.update(|count| *count += 1);
        }
    }
}

impl Asked {
    /// Whether both need the same room.
    fn has_room_of(&self, other: &Asked) -> bool {
        (self.place, self.strips) == (other.place, other.strips)
    }
}

/// Says where the first strip begins, and shows the switch between the strips where there is room for one only.
fn set_up(holder: &web_sys::HtmlElement, switch: &web_sys::HtmlElement, asked: &Asked) {
    let left = plain(canvas::strip_left(asked.place.width, asked.strips)) + "px";
    // Names and values are constant, and valid. The bar beside the board's heading has room up to there.
    if let Some(main) = holder.parent_element().and_then(|main| main.dyn_into::<web_sys::HtmlElement>().ok())
    {
        let _ = main.style().set_property("--strip", &left);
    }
    let _ = switch.style().set_property("left", &left);
    let _ = switch.style().set_property("display", if asked.strips == Strips::Three { "none" } else { "" });
}

impl Easel {
    /// Draws what was asked for, if it differs from what is there.
    fn draw(
        &mut self,
        canvas: &web_sys::HtmlCanvasElement,
        newest: Rc<Snapshot>,
        asked: Asked,
        speed: f64,
        calm: bool,
    ) {
        let flow = self.pace.update(&newest, speed);
        // While a replay is under way nothing is new but how far it has come.
        let is_new = self.shown.as_ref().is_none_or(|shown| !Rc::ptr_eq(shown, &newest));
        // What a person does is seen at once; only the passing of time may be held back.
        let must = speed == 0.0 && is_new || self.asked.as_ref() != Some(&asked);
        if must || is_new && self.is_time(&newest, flow, calm) {
            self.shown_at = now_ms();
            self.shown = Some(newest);
            self.asked = Some(asked);
            self.show(canvas, flow, calm);
        }
    }

    fn show(&mut self, canvas: &web_sys::HtmlCanvasElement, flow: bool, reduced_motion: bool) {
        let (Some(asked), Some(snapshot)) = (&self.asked, &self.shown) else {
            return;
        };
        let Asked { place, strips, theme, .. } = *asked;
        if place.width < 1.0 || place.height < 1.0 {
            return;
        }
        let view = View {
            width: place.width,
            height: place.height,
            strips,
            selected: &asked.selected,
            hovered: asked.hovered.as_deref(),
            flow,
            reduced_motion,
        };
        let board = face(snapshot.system).picture(snapshot, &view);
        self.paint(canvas, &board, place.scale, theme);
        self.board = Some(board);
    }

    /// Whether a newer snapshot may take the place of the one that is shown.
    fn is_time(&self, newest: &Snapshot, flow: bool, calm: bool) -> bool {
        let Some(shown) = &self.shown else {
            return true;
        };
        let since = now_ms() - self.shown_at;
        let face = face(newest.system);
        if calm {
            since >= CALM_EVERY_MS && face.picture_key(newest) != face.picture_key(shown)
        } else {
            !flow || since >= FLOW_EVERY_MS
        }
    }

    fn paint(&mut self, canvas: &web_sys::HtmlCanvasElement, board: &Picture, scale: f64, theme: u32) {
        if self.painter.is_none() || self.theme != theme {
            self.theme = theme;
            self.painter = painter(canvas);
        }
        let Some(painter) = &mut self.painter else { return };
        if beside::paint(&mut self.beside, canvas, board, scale, painter) {
            return;
        }
        let (width, height) = ((board.width * scale).round() as u32, (board.height * scale).round() as u32);
        if (canvas.width(), canvas.height()) != (width, height) {
            canvas.set_width(width);
            canvas.set_height(height);
        }
        painter.paint(board, scale);
    }
}

/// A painter with the colours of the theme.
pub fn painter(canvas: &web_sys::HtmlCanvasElement) -> Option<Painter> {
    let context = canvas.get_context("2d").ok()??.dyn_into::<CanvasRenderingContext2d>().ok()?;
    let style = window().get_computed_style(&document().document_element()?).ok()??;
    Some(Painter::new(context, Ink::of(&style)))
}

fn media(query: &str) -> Option<web_sys::MediaQueryList> {
    window().match_media(query).ok().flatten()
}

fn now_ms() -> f64 {
    window().performance().map_or(0.0, |performance| performance.now())
}

/// Keeps the measures of the board's box up to date.
pub fn observe_size(holder: web_sys::HtmlElement, place: StoredValue<Place>, changes: RwSignal<u32>) {
    let observed = holder.clone();
    let measure = move || {
        let width = f64::from(observed.client_width());
        // A browser that does not tell the two apart lays out in pixels of the page.
        let zoom = (observed.get_bounding_client_rect().width() / width.max(1.0)).max(0.1);
        let page = window().inner_width().ok().and_then(|width| width.as_f64()).unwrap_or_default();
        let now = Place {
            width,
            height: f64::from(observed.client_height()),
            scale: window().device_pixel_ratio() * zoom,
            zoom,
            page: page / zoom,
        };
        if place.get_value() != now {
            place.set_value(now);
            changes.update(|count| *count += 1);
        }
    };
    super::on_resize(&holder, Box::new(measure));
}

/// Counts changes of the theme: by the page, by the system; and the arrival of the type faces.
pub fn observe_theme(theme: RwSignal<u32>) {
    let bump = move || theme.update(|count| *count += 1);
    let changed = Closure::<dyn FnMut()>::new(bump);
    let callback: &js_sys::Function = changed.as_ref().unchecked_ref();
    let dark = media("(prefers-color-scheme: dark)");
    if let Some(dark) = &dark {
        // A page without this listener shows the new theme with its next snapshot's repaint.
        let _ = dark.add_event_listener_with_callback("change", callback);
    }
    if let (Ok(observer), Some(root)) =
        (web_sys::MutationObserver::new(callback), document().document_element())
    {
        let options = web_sys::MutationObserverInit::new();
        options.set_attributes(true);
        let _ = observer.observe_with_options(&root, &options);
        keep(AtEnd(move || observer.disconnect()));
    }
    // A canvas does not repaint by itself when a face that it asked for has come.
    let _ = document().fonts().add_event_listener_with_callback("loadingdone", callback);
    keep(AtEnd(move || {
        let callback: &js_sys::Function = changed.as_ref().unchecked_ref();
        if let Some(dark) = &dark {
            let _ = dark.remove_event_listener_with_callback("change", callback);
        }
        let _ = document().fonts().remove_event_listener_with_callback("loadingdone", callback);
    }));
}
