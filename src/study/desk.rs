//! What `web/study.js` does for the panels: it asks workers, and leads to other panels.

use crate::app::study::draft::Described;
use js_sys::{Function, JSON, Object, Promise, Reflect};
use std::cell::RefCell;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen]
extern "C" {
    /// The page's side.
    #[derive(Clone)]
    pub type Desk;

    /// Asks a question of `src/lab_program/`.
    #[wasm_bindgen(method)]
    fn ask(this: &Desk, question: &str, argument: &str) -> Promise;

    #[wasm_bindgen(method)]
    fn sweep(this: &Desk, plan: &str, options: &Object) -> Promise;

    #[wasm_bindgen(method)]
    fn foresight(this: &Desk, question: &str, options: &Object) -> Promise;

    #[wasm_bindgen(method)]
    fn set(this: &Desk, key: &str, value: &JsValue);

    #[wasm_bindgen(method)]
    fn scenario(this: &Desk) -> String;

    #[wasm_bindgen(method)]
    fn truth(this: &Desk) -> bool;

    #[wasm_bindgen(method, js_name = showTruth)]
    fn show_truth(this: &Desk);

    #[wasm_bindgen(method)]
    fn size(this: &Desk, question: &str, options: &Object) -> Promise;

    #[wasm_bindgen(method)]
    fn open(this: &Desk, mode: &str, detail: &JsValue);

    #[wasm_bindgen(method)]
    fn search(this: &Desk) -> String;

    #[wasm_bindgen(method)]
    fn left(this: &Desk) -> Option<String>;

    /// What twin boards need of the page: `web/twin.js`.
    #[wasm_bindgen(method)]
    fn twin(this: &Desk) -> Promise;

    /// Opens a scenario on the page, as `glasshive.apply` does.
    #[wasm_bindgen(method)]
    fn live(this: &Desk, command: &JsValue);

    #[wasm_bindgen(method)]
    fn save(this: &Desk, name: &str, kind: &str, text: &str);

    #[wasm_bindgen(method)]
    fn picture(this: &Desk, title: &str, below: &str);

    #[wasm_bindgen(method)]
    fn url(this: &Desk) -> String;

    #[wasm_bindgen(method)]
    fn delays(this: &Desk, times: &JsValue) -> Promise;

    /// What calls something off.
    #[derive(Clone)]
    pub type AbortController;

    #[wasm_bindgen(constructor)]
    pub fn new() -> AbortController;

    #[wasm_bindgen(method)]
    pub fn abort(this: &AbortController);

    #[wasm_bindgen(method, getter)]
    fn signal(this: &AbortController) -> JsValue;
}

thread_local! {
    static DESK: RefCell<Option<Desk>> = const { RefCell::new(None) };
}

/// Takes the page's side.
pub fn meet(desk: Desk) {
    DESK.set(Some(desk));
}

fn desk() -> Result<Desk, String> {
    DESK.with_borrow(Clone::clone).ok_or_else(|| "the page is not there yet".to_owned())
}

/// What is known of a scenario, by its query; without one of that which is on the page.
pub async fn describe(search: Option<String>) -> Result<Described, String> {
    let search = search.map_or_else(|| desk().map(|desk| desk.search()), Ok)?;
    let said = ask("describe", &search).await?;
    serde_json::from_str(&said).map_err(|error| error.to_string())
}

/// A worker's answer to a question, as JSON.
pub async fn ask(question: &str, argument: &str) -> Result<String, String> {
    let said = JsFuture::from(desk()?.ask(question, argument)).await.map_err(wrong)?;
    Ok(said.as_string().unwrap_or_default())
}

/// The query of the run that is under the panels.
pub fn search() -> String {
    desk().map(|desk| desk.search()).unwrap_or_default()
}

/// The query of the run that an act in the past has left.
pub fn left() -> Option<String> {
    desk().ok()?.left()
}

/// What twin boards need of the page, once it is fetched.
pub async fn twin() -> Result<JsValue, String> {
    JsFuture::from(desk()?.twin()).await.map_err(wrong)
}

/// How far a sweep is: runs that have come back, and how many there will be as far as one can say.
pub type OnProgress = Box<dyn FnMut(f64, f64)>;
/// A row as JSON.
pub type OnRow = Box<dyn FnMut(String)>;

/// Plays a plan. Returns what came of it as JSON, whole or as far as it came.
pub async fn sweep(
    plan: &str,
    call_off: &AbortController,
    on_row: OnRow,
    on_progress: OnProgress,
) -> Result<String, String> {
    play(|desk, options| desk.sweep(plan, options), call_off, on_row, on_progress).await
}

/// Seeks the least point of a question that meets all goals. Returns what was found as JSON, or what was played until then.
pub async fn size(
    question: &str,
    call_off: &AbortController,
    on_row: OnRow,
    on_progress: OnProgress,
) -> Result<String, String> {
    play(|desk, options| desk.size(question, options), call_off, on_row, on_progress).await
}

/// Asks for what has rows, which come one by one. They keep the plan's order in a sweep only.
async fn play(
    ask: impl FnOnce(&Desk, &Object) -> Promise,
    call_off: &AbortController,
    mut on_row: OnRow,
    on_progress: OnProgress,
) -> Result<String, String> {
    let on_row = Closure::<dyn FnMut(JsValue)>::new(move |row: JsValue| on_row(json(&row)));
    let on_progress = hear(on_progress);
    let options = options([
        ("onRow", on_row.as_ref().unchecked_ref::<Function>().into()),
        ("onProgress", on_progress.as_ref().unchecked_ref::<Function>().into()),
        ("signal", call_off.signal()),
    ]);
    let said = JsFuture::from(ask(&desk()?, &options)).await.map_err(wrong)?;
    Ok(json(&said))
}

/// What hears how far something is.
fn hear(mut on_progress: OnProgress) -> Closure<dyn FnMut(JsValue)> {
    Closure::new(move |progress: JsValue| {
        let of =
            |key: &str| Reflect::get(&progress, &key.into()).ok().and_then(|n| n.as_f64()).unwrap_or(0.0);
        on_progress(of("done"), of("total"));
    })
}

/// All that is known of a question, as JSON, where it is more than before; how many runs have come back, and of how many.
pub type OnChange = Box<dyn FnMut(Option<String>, f64, f64)>;

/// Has the values of a question played; what is known of them comes again and again.
pub async fn foresight(
    question: &str,
    call_off: &AbortController,
    on_change: OnChange,
) -> Result<(), String> {
    let on_change = Closure::<dyn FnMut(Option<String>, f64, f64)>::wrap(on_change);
    let options = options([
        ("onChange", on_change.as_ref().unchecked_ref::<Function>().into()),
        ("signal", call_off.signal()),
    ]);
    JsFuture::from(desk()?.foresight(question, &options)).await.map_err(wrong)?;
    Ok(())
}

/// Sets a parameter of the run that is on the page, to a value as JSON.
pub fn set(key: &str, value: &str) {
    if let (Ok(desk), Ok(value)) = (desk(), JSON::parse(value)) {
        desk.set(key, &value);
    }
}

/// What the run on the page is a run of: the same text until something else is set.
pub fn scenario() -> String {
    desk().map(|desk| desk.scenario()).unwrap_or_default()
}

/// Whether the truth is shown on the page.
pub fn truth() -> bool {
    desk().is_ok_and(|desk| desk.truth())
}

/// Shows it.
pub fn show_truth() {
    if let Ok(desk) = desk() {
        desk.show_truth();
    }
}

/// Opens another panel, or `live`; with JSON that it begins with.
pub fn open(mode: &str, detail: &str) {
    if let Ok(desk) = desk() {
        desk.open(mode, &JSON::parse(detail).unwrap_or(JsValue::UNDEFINED));
    }
}

/// Opens a scenario on the page: a command as JSON.
pub fn live(command: &str) {
    if let (Ok(desk), Ok(command)) = (desk(), JSON::parse(command)) {
        desk.live(&command);
    }
}

/// Lets the browser save a file.
pub fn save(name: &str, kind: &str, text: &str) {
    if let Ok(desk) = desk() {
        desk.save(name, kind, text);
    }
}

/// Lets the browser save the chart that is shown as a picture, with words above and below.
pub fn picture(title: &str, below: &str) {
    if let Ok(desk) = desk() {
        desk.picture(title, below);
    }
}

/// What measured times become as a setting: those of a file, or of a text.
pub async fn delays(times: &JsValue) -> Result<String, String> {
    let said = JsFuture::from(desk()?.delays(times)).await.map_err(wrong)?;
    Ok(said.as_string().unwrap_or_default())
}

/// A link to the run that is under the panels.
pub fn url() -> String {
    desk().map(|desk| desk.url()).unwrap_or_default()
}

/// An object of a few fields.
fn options<const N: usize>(fields: [(&str, JsValue); N]) -> Object {
    let object = Object::new();
    for (key, value) in fields {
        // An object takes any property.
        let _ = Reflect::set(&object, &key.into(), &value);
    }
    object
}

fn json(value: &JsValue) -> String {
    JSON::stringify(value).map(String::from).unwrap_or_default()
}

/// What an error says.
pub fn wrong(error: JsValue) -> String {
    let message = Reflect::get(&error, &"message".into()).ok().and_then(|message| message.as_string());
    message.unwrap_or_else(|| format!("{error:?}"))
}
