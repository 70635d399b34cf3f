//! What the boot module (`web/boot.js`) does for a program: it fetches the other one, and says what went wrong.

use std::cell::OnceCell;
use std::panic;
use wasm_bindgen::prelude::*;
use web_sys::HtmlCanvasElement;

#[wasm_bindgen]
extern "C" {
    /// The boot module's side.
    pub type Host;

    /// Lets the program take this one's place that has a shipped scenario, with what is sent there; without it that program
    /// shows the page's address.
    #[wasm_bindgen(method)]
    fn elsewhere(this: &Host, preset: &str, sent: Option<&str>);

    /// Hands the run to the program that has what was asked for.
    #[wasm_bindgen(method, js_name = handOver)]
    pub fn hand_over(this: &Host);

    /// Lets the program that can do it call the API for a script.
    #[cfg(not(feature = "workbench"))]
    #[wasm_bindgen(method)]
    fn fetch(this: &Host, path: &str, init: &JsValue) -> JsValue;

    /// Has marks painted by the worker for it, if that is there. Without any it forgets the canvas.
    #[wasm_bindgen(method)]
    pub fn paint(
        this: &Host,
        canvas: &HtmlCanvasElement,
        width: f64,
        height: f64,
        scale: f64,
        ink: &str,
        words: &str,
        numbers: &[f64],
    ) -> bool;

    /// The first answer has come.
    #[wasm_bindgen(method)]
    fn answered(this: &Host);

    /// Puts the pictures of the scenarios into the page.
    #[wasm_bindgen(method)]
    pub fn thumbnails(this: &Host);

    /// Opens a panel on many runs over the page; `live` closes it.
    #[wasm_bindgen(method)]
    pub fn study(this: &Host, mode: &str);

    /// The program is broken, and says why.
    #[wasm_bindgen(method)]
    fn failed(this: &Host, cause: &str);
}

thread_local! {
    /// Known from the moment at which the program is mounted.
    static HOST: OnceCell<Host> = const { OnceCell::new() };
}

/// Takes the boot module's side, and lets it hear of a panic.
pub fn meet(host: Host) {
    HOST.with(|met| {
        // A program is mounted once.
        let _ = met.set(host);
    });
    panic::set_hook(Box::new(|info| {
        console_error_panic_hook::hook(info);
        tell(|host| host.failed(&info.to_string()));
    }));
}

/// A shipped scenario is for the program that has its system.
pub fn elsewhere(preset: &str, sent: Option<&str>) {
    tell(|host| host.elsewhere(preset, sent));
}

/// The first answer has come.
pub fn answered() {
    tell(Host::answered);
}

/// A script's call, for the program that can make it.
#[cfg(not(feature = "workbench"))]
pub fn fetch(path: &str, init: &JsValue) -> JsValue {
    ask(|host| host.fetch(path, init))
}

/// Tells it something.
pub fn tell(tell: impl FnOnce(&Host)) {
    ask(tell);
}

/// Asks it for something.
pub fn ask<T: Default>(ask: impl FnOnce(&Host) -> T) -> T {
    HOST.with(|host| host.get().map(ask)).unwrap_or_default()
}
