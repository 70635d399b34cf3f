//! The crosshair that all charts share: where the pointer is in one of them, a line in each says the same moment, and a
//! word which.
//!
//! The line is the style sheet's (`style/workbench.css`); only its place and its word are set here, so that a pointer that
//! moves draws no chart anew.

use crate::app::plot::pen;
use crate::ui::Lab;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

/// Where the line is in each chart, in pixels.
const PLACE: &str = "--cross";
/// The moment, quoted.
const MOMENT: &str = "--cross-time";

/// Follows the pointer as long as the page is mounted.
pub fn follow(lab: Lab) {
    let moved = window_event_listener(leptos::ev::pointermove, move |event| {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let charts = document().query_selector(".charts").ok().flatten();
        let Some(style) =
            charts.and_then(|charts| charts.dyn_into::<HtmlElement>().ok()).map(|of| of.style())
        else {
            return;
        };
        match target.and_then(|target| point(lab, &target, f64::from(event.client_x()))) {
            Some((place, moment)) => {
                let _ = style.set_property(PLACE, &place);
                let _ = style.set_property(MOMENT, &moment);
            }
            None => drop(style.remove_property(PLACE)),
        }
    });
    on_cleanup(move || moved.remove());
}

/// Where the line goes, and what it says, if the pointer is in a chart's plot.
fn point(lab: Lab, target: &Element, client_x: f64) -> Option<(String, String)> {
    let figure = target.closest(".chart").ok().flatten()?;
    let plot = figure.query_selector(".plot").ok().flatten()?.get_bounding_client_rect();
    let x = client_x - plot.left();
    let axis = lab.snapshot.with_untracked(|now| now.axis_ms);
    let at_ms = pen::ms_at(plot.width(), x, axis)?;
    // Counted from within the figure's edge.
    let place = client_x - figure.get_bounding_client_rect().left() - f64::from(figure.client_left());
    Some((format!("{place:.1}px"), format!("\"{:.2} s\"", at_ms / 1000.0)))
}
