//! The panels that few people open: help, gallery, menu, receipt, share, the question that is tried, and the tabs of the
//! dock besides the charts. The program that the page opens with has none of them (`elsewhere.rs`); it hands its run to one that has, which takes it here.

mod chips;
mod console;
mod crosshair;
mod fetch;
mod files;
mod gallery;
mod help;
mod log;
mod menu;
mod predict;
mod receipt;
mod runs;
mod share;
mod space;
mod table;

use super::host::{self, Host};
use super::lab::go_there;
use super::metrics::Drawn;
use super::panel::{Asked, Errand, Kept, Panel, Tab};
use super::{CHARTS_HINT, LEFT, Lab, PAGE, View, address, frames, start_page, text};
use crate::app::canvas::scale;
use crate::app::session::Command;
use crate::app::snapshot::FaultView;
use crate::app::{PlayerState, Session, Snapshot};
pub use fetch::fetch;
use leptos::prelude::*;
use predict::Stage;
use std::cell::RefCell;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// A style sheet of the program's own.
    type CSSStyleSheet;

    #[wasm_bindgen(constructor)]
    fn new() -> CSSStyleSheet;

    #[wasm_bindgen(method, js_name = replaceSync)]
    fn replace_sync(this: &CSSStyleSheet, text: &str);
}

/// The least wall time between two counts.
const COUNT_MS: f64 = 250.0;

thread_local! {
    /// The session that another program has sent, and what is to be said of it.
    static EXPECTED: RefCell<Option<(Session, Option<String>)>> = const { RefCell::new(None) };
    /// The session that is on its way to what another program hands over, and that.
    static COMING: RefCell<Option<(Session, Kept)>> = const { RefCell::new(None) };
}

/// What is open.
#[derive(Clone, Copy)]
pub struct Desk {
    help: RwSignal<bool>,
    /// With the focus on which scenario.
    gallery: RwSignal<Option<String>>,
    /// Whether the run was playing when the gallery was opened, and goes on when one comes back to it.
    resumes: RwSignal<bool>,
    predict: RwSignal<Option<Stage>>,
    receipt: RwSignal<Option<receipt::Opened>, LocalStorage>,
    share: RwSignal<bool>,
    /// What the dock shows.
    tab: RwSignal<Tab>,
    /// Which faults are being edited.
    chips: RwSignal<Option<chips::Open>>,
    /// The fault that was moved last, as it is written.
    moved: StoredValue<String>,
    /// The record that log and space–time mark.
    record: RwSignal<Option<u64>>,
    /// What stands in the API console's editor.
    call: RwSignal<String>,
    /// What came of keeping a run, said for a moment.
    said: RwSignal<String>,
}

impl Desk {
    /// Nothing is open, and the dock shows what the page's address says.
    pub fn new(view: Option<&str>) -> Self {
        let tab = Tab::ALL.into_iter().find(|tab| Some(tab.key()) == view);
        Desk {
            help: RwSignal::new(false),
            gallery: RwSignal::new(None),
            resumes: RwSignal::new(false),
            predict: RwSignal::new(None),
            receipt: RwSignal::new_local(None),
            share: RwSignal::new(false),
            tab: RwSignal::new(tab.unwrap_or(Tab::Metrics)),
            chips: RwSignal::new(None),
            moved: StoredValue::new(String::new()),
            record: RwSignal::new(None),
            call: RwSignal::new(String::new()),
            said: RwSignal::new(String::new()),
        }
    }

    /// Whether a dialog is open, which has the keys.
    pub fn is_covered(self) -> bool {
        self.help.get_untracked()
            || self.share.get_untracked()
            || self.gallery.with_untracked(Option::is_some)
    }

    /// Whether the gallery is open.
    pub fn has_gallery(self) -> bool {
        self.gallery.with(Option::is_some)
    }

    /// Whether a question stands in the caption's place.
    pub fn asks(self) -> bool {
        self.predict.with(|stage| matches!(stage, Some(Stage::Asked(_) | Stage::Known(..))))
    }

    /// Whether the dock shows a tab.
    pub fn shows(self, tab: Tab) -> bool {
        self.tab.get() == tab
    }

    /// Shows a record in space–time.
    fn show_record(self, n: Option<u64>) {
        self.record.set(n);
        self.tab.set(Tab::Space);
    }

    /// The number of the request, job or change whose receipt is open, where that is its id.
    fn receipt_of(self) -> Option<u64> {
        self.receipt.with(|opened| opened.as_ref()?.unit())
    }

    /// How what the dock shows is to be read.
    pub fn hint(self) -> &'static str {
        match self.tab.get() {
            Tab::Metrics => CHARTS_HINT,
            Tab::Space => "Same rows as the board. Select a message to light its cause and effect.",
            Tab::Api => "Simulated. Nothing leaves this page.",
            Tab::Log | Tab::Workers => "",
        }
    }

    /// Leaves the faults that are edited, the question that is being tried, or the receipt, if there is one.
    pub fn leave(self) -> bool {
        if self.chips.with_untracked(Option::is_some) {
            self.chips.set(None);
            return true;
        }
        let is_tried = self.predict.with_untracked(Option::is_some);
        if is_tried {
            self.predict.set(None);
        }
        let has_receipt = self.receipt.with_untracked(Option::is_some);
        if has_receipt && !is_tried {
            self.receipt.set(None);
        }
        is_tried || has_receipt
    }
}

/// Opens a panel.
pub fn open(lab: Lab, view: View, panel: Panel) {
    match panel {
        Panel::Help => view.desk.help.set(true),
        Panel::Gallery(system) => gallery::open(lab, view, system),
        Panel::Predict => predict::ask(lab, view),
        Panel::Menu(x, y) => view.menu.set(Some((x, y))),
        Panel::Tab(tab) => view.desk.tab.set(tab),
        Panel::Receipt => receipt::open(lab, view),
        Panel::Save => runs::save(lab, view),
        Panel::Script => {}
        Panel::Scenario(opens, then, is_costly) => {
            // What is not allowed is said on the page.
            let _ = lab.open_at(opens, &then, is_costly);
        }
        Panel::Share => {
            lab.act(Command::Pause);
            view.desk.share.set(true);
        }
        Panel::Chip(id, key) => chips::act(lab, view, &id, &key),
    }
}

/// Sends the session to another program, if a command leads to a scenario that only that one can play.
pub fn leave(lab: Lab, command: &Command, then: &[Command], problem: Option<&str>) -> bool {
    let to = lab.read(|session| {
        let preset = session.leads_away(command)?.to_owned();
        let session = session.send_away(command.clone());
        let errand = Errand { session, then: then.to_vec(), problem: problem.map(str::to_owned) };
        // Plain data cannot fail to be JSON.
        Some((preset, serde_json::to_string(&errand).ok()?))
    });
    to.map(|(preset, sent)| {
        lab.set_leaves(true);
        host::elsewhere(&preset, Some(&sent));
    })
    .is_some()
}

/// What the dock shows, unless it is the charts.
pub fn tab(view: View) -> Option<&'static str> {
    Some(view.desk.tab.get_untracked().key()).filter(|&key| key != Tab::Metrics.key())
}

/// The faults that are switched off, for those who may see all faults.
pub fn off_faults(lab: Lab, snapshot: &Snapshot) -> Vec<FaultView> {
    let all = lab.read(|session| if snapshot.truth { session.run().off_faults() } else { Vec::new() });
    all.iter().map(|fault| FaultView::of(fault, true)).collect()
}

/// What was changed of the past, for as long as it is said.
pub fn changed(lab: Lab, _: f64) -> AnyView {
    let changed = Memo::new(move |_| {
        lab.snapshot.track();
        lab.read(Session::changed)
    });
    let words = text(move || changed.get().map(|what| format!("{what}. ")).unwrap_or_default());
    view! { <span>{words}</span> }.into_any()
}

/// The query of the run that an act in the past has left, from its start.
pub fn left(lab: Lab) -> Option<String> {
    lab.read(|session| session.left_address().map(|address| address.search()))
}

/// Listens as long as the page is mounted.
pub fn listen(lab: Lab, view: View) {
    bring_style();
    predict::follow(lab, view);
    crosshair::follow(lab);
}

/// How the panels look comes with them: nobody fetches it before.
fn bring_style() {
    let sheet = CSSStyleSheet::new();
    sheet.replace_sync(concat!(
        include_str!("../../style/workbench.css"),
        include_str!("../../style/gallery.css"),
        include_str!("../../style/acts.css"),
        include_str!("../../style/console.css")
    ));
    let sheets = js_sys::Array::of1(&sheet);
    // A document that takes no sheets shows the panels plain.
    let _ = js_sys::Reflect::set(&document(), &"adoptedStyleSheets".into(), &sheets);
}

/// The question that is tried, where the caption is otherwise.
pub fn in_place_of_caption(lab: Lab, view: View) -> AnyView {
    predict::panel(lab, view)
}

/// The menu of the node that is selected.
pub fn menu(lab: Lab, view: View) -> AnyView {
    view! { <menu::Menu lab view /> }.into_any()
}

/// What there is to press where a chart has nothing to show.
pub fn beside_chart(lab: Lab, key: &'static str, all: Drawn, i: usize) -> AnyView {
    console::beside_chart(lab, key, all, i)
}

/// How much there is under a tab: the log's lines, counted now and then. Without the truth that would tell of faults.
pub fn beside_tab(lab: Lab, tab: Tab) -> AnyView {
    if tab != Tab::Log {
        return ().into_any();
    }
    let count = Memo::new(move |before: Option<&(f64, u64)>| {
        let (now, events) = (js_sys::Date::now(), lab.snapshot.with(|now| now.events));
        let plays = lab.read(|session| session.status().state == PlayerState::Running);
        before.filter(|(at, _)| plays && (now - at).abs() < COUNT_MS).copied().unwrap_or((now, events))
    });
    let words = text(move || {
        let count = scale::count(count.get().1 as usize);
        if lab.truth.get() { count } else { String::new() }
    });
    view! { " " <small>{words}</small> }.into_any()
}

/// The tabs of the dock besides the charts, each in a panel of its own.
pub fn tabs(lab: Lab, view: View) -> AnyView {
    let tabs = Tab::ALL.into_iter().filter(|&tab| tab != Tab::Metrics);
    let panel = |tab: Tab| {
        view! {
            <div
                class="panel"
                id=format!("panel-{}", tab.key())
                role="tabpanel"
                aria-label=tab.title(lab)
                hidden=Signal::derive(move || !view.desk.shows(tab))
            >
                {inside(lab, view, tab)}
            </div>
        }
    };
    tabs.map(panel).collect_view().into_any()
}

fn inside(lab: Lab, view: View, tab: Tab) -> AnyView {
    match tab {
        // The board in words: it is always there, also for scripts, while something else is shown.
        Tab::Workers => view! { <table::Table lab selected=view.selected /> }.into_any(),
        Tab::Log => view! { <log::LogTab lab view /> }.into_any(),
        Tab::Space => view! { <space::SpaceTab lab view /> }.into_any(),
        Tab::Api => console::panel(lab, view),
        Tab::Metrics => ().into_any(),
    }
}

/// The dialogs.
pub fn dialogs(lab: Lab, view: View) -> AnyView {
    view! {
        <help::Help lab open=view.desk.help />
        <gallery::Gallery lab view />
        {receipt::panel(lab, view)}
        <share::Share lab view />
        {chips::panel(lab, view)}
        <p class="said" role="status" data-testid="said">{text(move || view.desk.said.get())}</p>
    }
    .into_any()
}

// --- taking a run over --------------------------------------------------------------------------------------------

/// Comes closer to what another program hands over, for some milliseconds; true when it is there.
#[wasm_bindgen]
pub fn follow(kept: &str, ms: f64) -> Result<bool, JsError> {
    let kept: Kept = serde_json::from_str(kept).map_err(|error| JsError::new(&error.to_string()))?;
    let until = frames::wall_ms() + ms;
    let (mut session, _) = match COMING.take() {
        Some(coming) => coming,
        None => (Session::follow(&kept.session).map_err(to_error)?, kept.clone()),
    };
    let is_there = session.catch_up(&kept.session, || frames::wall_ms() < until).map_err(to_error)?;
    COMING.set(Some((session, kept)));
    Ok(is_there)
}

/// Does what another program has sent here to be done, if it can be done.
#[wasm_bindgen]
pub fn expect(sent: &str) -> Result<(), JsError> {
    let Errand { session, then, problem } =
        serde_json::from_str(sent).map_err(|error| JsError::new(&error.to_string()))?;
    let mut session = Session::arrive(session).map_err(to_error)?;
    go_there(&mut session, &then);
    EXPECTED.set(Some((session, problem)));
    Ok(())
}

/// Mounts the page of what was sent.
#[wasm_bindgen]
pub fn arrive(host: Host) {
    let Some((session, problem)) = EXPECTED.take() else { return };
    host::meet(host);
    let lab = Lab::of(session, problem);
    address::follow(lab, &lab.address());
    start_page(lab);
}

/// What was sent to another program is there: says so to those who wait for it.
#[wasm_bindgen]
pub fn arrived() {
    if let Some(lab) = LEFT.take() {
        lab.arrived();
    }
}

/// Another program could not take this one's place: says so, and goes on.
#[wasm_bindgen]
pub fn stay(cause: &str) {
    if let Some((lab, _)) = PAGE.get() {
        lab.set_leaves(false);
        super::stay_with(lab, cause);
    }
}

/// Mounts the page of what was followed, as it was; what was asked for is opened once the page has its focus back.
#[wasm_bindgen(js_name = takeOver)]
pub fn take_over(host: Host) {
    let Some((session, kept)) = COMING.take() else { return };
    host::meet(host);
    start_page(Lab::of(session, kept.problem));
    let Some((lab, view)) = PAGE.get() else { return };
    view.selected.set(kept.selected);
    view.dock_open.set(kept.dock_open);
    view.shows_when.set(kept.shows_when);
    let Asked { panel, resumes } = kept.asked;
    match panel {
        Panel::Gallery(_) => view.desk.resumes.set(resumes),
        // It stood still for something that was asked for before.
        Panel::Help | Panel::Menu(..) | Panel::Tab(_) | Panel::Receipt | Panel::Chip(..) if resumes => {
            lab.act(Command::Play)
        }
        _ => {}
    }
    queue_microtask(move || open(lab, view, panel));
}

fn to_error(invalid: crate::lab::Invalid) -> JsError {
    JsError::new(&invalid.to_string())
}
