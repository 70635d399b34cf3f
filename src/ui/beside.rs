//! Crowded pictures are painted by a worker, once it is there: a page has other things to do.

use super::host;
use crate::app::canvas::{Picture, wire};
use crate::painter::Painter;
use web_sys::HtmlCanvasElement;

/// Has a picture painted there that is crowded; false if it is to be painted here. `was` is whether the one before was.
pub fn paint(
    was: &mut bool,
    canvas: &HtmlCanvasElement,
    picture: &Picture,
    scale: f64,
    painter: &Painter,
) -> bool {
    let is_crowded = wire::is_crowded(&picture.marks);
    if is_crowded || *was {
        // Without anything on it, what is still being painted for this canvas is not shown any more.
        let (numbers, words) = if is_crowded { wire::write(&picture.marks) } else { Default::default() };
        let (width, height) = (picture.width, picture.height);
        let ink = painter.ink().write();
        *was = host::ask(|host| host.paint(canvas, width, height, scale, &ink, &words, &numbers));
    }
    *was
}
