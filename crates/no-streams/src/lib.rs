//! Stands in the place of the crate `wasm-streams`, by `[patch]` in `Cargo.toml`.
//!
//! Leptos brings server functions, whether a page has any or not, and they bring streams between page and server. Nothing of it
//! is reachable here; but what `wasm-streams` offers to JavaScript is, by name, so that no linker may leave it out: three kilobytes
//! of every visitor's first load. What server functions want of it are these four functions, which nobody calls.

use futures_util::stream::{self, Stream};
use wasm_bindgen::JsValue;

/// A stream that nobody opens.
pub struct ReadableStream(web_sys::ReadableStream);

impl ReadableStream {
    /// Takes a browser's stream.
    pub fn from_raw(raw: web_sys::ReadableStream) -> Self {
        ReadableStream(raw)
    }

    /// Nobody has anything to send.
    pub fn from_stream(_: impl Stream<Item = Result<JsValue, JsValue>> + 'static) -> Self {
        unreachable!("the page has no server functions")
    }

    /// Hands the browser's stream back.
    pub fn into_raw(self) -> web_sys::ReadableStream {
        self.0
    }

    /// Nothing comes.
    pub fn into_stream(self) -> impl Stream<Item = Result<JsValue, JsValue>> {
        stream::empty()
    }
}
