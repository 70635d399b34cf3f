//! A picture of the moment, to be kept: title, board, caption and link, as whoever it is for is to see them. It is drawn anew
//! from what is to be seen, so that nothing hidden can be in it.

use crate::app::canvas::{Font, Strips, View, scale};
use crate::app::catalogue::face;
use crate::lab::presets;
use crate::painter::{Ink, Painter};
use crate::ui::{Lab, header, transport};
use leptos::prelude::{document, window};
use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d, CssStyleDeclaration, HtmlCanvasElement, HtmlElement};

/// Its size in CSS pixels, and how many of its own there are to each.
const SIZE: (f64, f64) = (760.0, 480.0);
const SCALE: f64 = 2.0;
/// What stays free around it, and the height of the board and of what is above it.
const EDGE: f64 = 12.0;
const TOP: f64 = 40.0;
const BOARD: f64 = 340.0;

/// Words on the picture.
struct Line<'a> {
    words: &'a str,
    at: (f64, f64),
    px: f64,
    weight: u16,
    colour: &'a str,
}

/// Draws the picture and lets the browser save it.
pub fn save(lab: Lab, truth: bool, link: &str) {
    if let Some(url) = draw(lab, truth, link).and_then(|canvas| canvas.to_data_url().ok()) {
        offer(&url);
    }
}

fn offer(url: &str) {
    let Some(anchor) = document().create_element("a").ok().and_then(|a| a.dyn_into::<HtmlElement>().ok())
    else {
        return;
    };
    // The names are valid. That of the file says nothing that may be hidden.
    let _ = anchor.set_attribute("href", url);
    let _ = anchor.set_attribute("download", "glasshive.png");
    anchor.click();
}

fn canvas(width: f64, height: f64) -> Option<(HtmlCanvasElement, CanvasRenderingContext2d)> {
    let canvas = document().create_element("canvas").ok()?.dyn_into::<HtmlCanvasElement>().ok()?;
    canvas.set_width((width * SCALE) as u32);
    canvas.set_height((height * SCALE) as u32);
    let context = canvas.get_context("2d").ok()??.dyn_into::<CanvasRenderingContext2d>().ok()?;
    Some((canvas, context))
}

fn draw(lab: Lab, truth: bool, link: &str) -> Option<HtmlCanvasElement> {
    let style = window().get_computed_style(&document().document_element()?).ok()??;
    let colour = |token: &str| style.get_property_value(token).unwrap_or_default();
    let snapshot = lab.moment_as(truth);
    let (width, height) = (SIZE.0 - 2.0 * EDGE, BOARD);
    let (board, pen) = canvas(width, height)?;
    let view = View {
        width,
        height,
        strips: Strips::Three,
        selected: "",
        hovered: None,
        flow: false,
        reduced_motion: false,
    };
    Painter::new(pen, Ink::of(&style)).paint(&face(snapshot.system).picture(&snapshot, &view), SCALE);

    let (all, pen) = canvas(SIZE.0, SIZE.1)?;
    let _ = pen.scale(SCALE, SCALE);
    let fill = |colour: &str, x: f64, y: f64, w: f64, h: f64| {
        pen.set_fill_style_str(colour);
        pen.fill_rect(x, y, w, h);
    };
    fill(&colour("--bg"), 0.0, 0.0, SIZE.0, SIZE.1);
    fill(&colour("--line"), EDGE - 1.0, TOP - 1.0, width + 2.0, height + 2.0);
    fill(&colour("--surface"), EDGE, TOP, width, height);
    let _ = pen.draw_image_with_html_canvas_element_and_dw_and_dh(&board, EDGE, TOP, width, height);

    let (ink, ink2) = (colour("--ink"), colour("--ink2"));
    let preset = presets::find(&lab.address().preset).filter(|_| truth);
    let title = preset.map_or(header::HIDDEN, |preset| preset.title);
    write(&pen, &style, &Line { words: title, at: (EDGE, 25.0), px: 17.0, weight: 600, colour: &ink });
    let when = format!("{} · seed {} · Glasshive", transport::clock(snapshot.vtime_ms), snapshot.seed);
    let right = SIZE.0 - EDGE - scale::text_width(&when, Font::Sans, 13.0, 400);
    write(&pen, &style, &Line { words: &when, at: (right, 25.0), px: 13.0, weight: 400, colour: &ink2 });

    let caption = face(snapshot.system).caption(&snapshot);
    let mut y = TOP + BOARD + 24.0;
    for (words, weight) in [(caption.headline.as_str(), 600), (caption.detail.as_str(), 400)] {
        for words in lines(words, width, weight).iter().take(2) {
            write(&pen, &style, &Line { words, at: (EDGE, y), px: 14.0, weight, colour: &ink });
            y += 19.0;
        }
    }
    let most = (width / scale::text_width("x", Font::Mono, 11.0, 400)) as usize;
    let short: String = link.chars().take(most).collect();
    let colour = colour("--link");
    let link =
        if short.len() < link.len() { format!("{}…", &short[..most.saturating_sub(1)]) } else { short };
    write(
        &pen,
        &style,
        &Line { words: &link, at: (EDGE, SIZE.1 - 10.0), px: 11.0, weight: 400, colour: &colour },
    );
    Some(all)
}

fn write(pen: &CanvasRenderingContext2d, style: &CssStyleDeclaration, line: &Line) {
    let token = if line.px < 12.0 { Font::Mono } else { Font::Sans }.token();
    let face = style.get_property_value(token).unwrap_or_default();
    pen.set_font(&format!("{} {}px {face}", line.weight, line.px));
    pen.set_fill_style_str(line.colour);
    // Fails for a canvas of no size only.
    let _ = pen.fill_text(line.words, line.at.0, line.at.1);
}

/// Words in lines of a width.
fn lines(words: &str, width: f64, weight: u16) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in words.split_whitespace() {
        let now = lines.last().cloned().unwrap_or_default();
        let longer = if now.is_empty() { word.to_owned() } else { format!("{now} {word}") };
        if scale::text_width(&longer, Font::Sans, 14.0, weight) <= width || now.is_empty() {
            lines.pop();
            lines.push(longer);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}
