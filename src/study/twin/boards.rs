//! What `web/twin.js` does: two boards held to one clock, and the word of the page's sentence that differs.

use crate::study::desk;
use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Element, HtmlElement};

#[wasm_bindgen]
extern "C" {
    /// The module, once it is fetched.
    #[derive(Clone)]
    pub type Module;

    /// Puts an element in the place of the word that differs.
    #[wasm_bindgen(method)]
    pub fn place(this: &Module, key: &str, element: &Element);

    /// Puts an element beside the sentence.
    #[wasm_bindgen(method)]
    pub fn beside(this: &Module, element: &Element);

    /// Takes it out again.
    #[wasm_bindgen(method)]
    pub fn displace(this: &Module, element: &Element);

    /// Says in the page's address what differs.
    #[wasm_bindgen(method)]
    pub fn say(this: &Module, twin: &str);

    /// What the page's address says of it.
    #[wasm_bindgen(method)]
    pub fn said(this: &Module) -> String;

    /// Whether what was done in the past has left another future.
    #[wasm_bindgen(method)]
    pub fn forked(this: &Module) -> bool;

    /// Whether the truth is hidden.
    #[wasm_bindgen(method)]
    pub fn hides(this: &Module) -> bool;

    /// Shows it.
    #[wasm_bindgen(method)]
    pub fn reveal(this: &Module);

    #[wasm_bindgen(method)]
    fn boards(this: &Module, a: &HtmlElement, b: &HtmlElement, tell: &JsValue, changed: &JsValue) -> Boards;

    /// Two boards, and their clock.
    #[derive(Clone)]
    pub type Boards;

    #[wasm_bindgen(method)]
    fn open(this: &Boards, sides: &str, from: f64, to: f64) -> Promise;

    /// Lets both play.
    #[wasm_bindgen(method)]
    pub fn play(this: &Boards);

    /// Lets both stand still.
    #[wasm_bindgen(method)]
    pub fn pause(this: &Boards);

    /// Takes both to an instant.
    #[wasm_bindgen(method)]
    pub fn seek(this: &Boards, ms: f64);

    /// How fast both play.
    #[wasm_bindgen(method, setter)]
    pub fn set_speed(this: &Boards, speed: f64);

    /// Plays both with another seed.
    #[wasm_bindgen(method)]
    pub fn seed(this: &Boards, seed: f64);

    #[wasm_bindgen(method)]
    fn under(this: &Boards, command: &JsValue) -> Promise;

    #[wasm_bindgen(method)]
    fn end(this: &Boards);
}

/// Fetches the module.
pub async fn module() -> Result<Module, String> {
    desk::twin().await.map(JsCast::unchecked_into)
}

/// Both boards with those who hear of them; they end with the panel.
pub struct Held {
    /// The boards.
    pub boards: Boards,
    _tell: Closure<dyn FnMut(f64, String)>,
    _changed: Closure<dyn FnMut(String, Option<String>)>,
}

impl Held {
    /// Holds two frames to one clock. `tell` hears of each moment and of its state, `changed` of another run under the boards, with what
    /// was broken by hand if that is why.
    pub fn new(
        module: &Module,
        frames: [&HtmlElement; 2],
        tell: impl FnMut(f64, String) + 'static,
        changed: impl FnMut(String, Option<String>) + 'static,
    ) -> Self {
        let (tell, changed) = (Closure::new(tell), Closure::new(changed));
        let boards = module.boards(frames[0], frames[1], tell.as_ref(), changed.as_ref());
        Held { boards, _tell: tell, _changed: changed }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.boards.end();
    }
}

/// Shows two runs, each as JSON that opens it.
pub async fn open(boards: &Boards, sides: &str, from: f64, to: f64) -> Result<(), String> {
    JsFuture::from(boards.open(sides, from, to)).await.map(drop).map_err(desk::wrong)
}

/// Opens another run under both boards: a command as JSON.
pub async fn under(boards: &Boards, command: &str) -> Result<(), String> {
    let command = js_sys::JSON::parse(command).map_err(desk::wrong)?;
    JsFuture::from(boards.under(&command)).await.map(drop).map_err(desk::wrong)
}
