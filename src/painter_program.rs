//! What the worker has that paints crowded boards, so that the page's own thread has time for what happens on them.
//! `web/painter.js` sends it pictures, `web/painter-worker.js` is what it does.

use crate::app::canvas::wire;
use crate::painter::{Crowd, Ink, Painter};
use wasm_bindgen::prelude::*;
use web_sys::OffscreenCanvasRenderingContext2d;

/// A painter on the worker's canvas.
#[wasm_bindgen]
pub struct Easel(Crowd);

#[wasm_bindgen]
impl Easel {
    /// With the colours and faces of the page.
    #[wasm_bindgen(constructor)]
    pub fn new(pen: OffscreenCanvasRenderingContext2d, ink: &str) -> Self {
        // Its pen is called otherwise than that of a page's canvas, and has all that is used of it.
        Easel(Crowd::new(Painter::new(pen.unchecked_into(), Ink::read(ink))))
    }

    /// Paints marks on a sheet in CSS pixels, `scale` device pixels to each.
    pub fn paint(&mut self, width: f64, height: f64, scale: f64, words: &str, numbers: &[f64]) {
        self.0.paint((width, height), scale, &wire::read(numbers, words));
    }
}
