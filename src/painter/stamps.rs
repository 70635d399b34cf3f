//! Thousands of signs at once: the browser paints one of each kind, and from then on it is stamped.
//!
//! A path of circles is rasterised anew in every frame, where there is no GPU by the thread that paints, at several
//! microseconds a circle. A stamp is a hundred pixels that are copied. It has been painted by the same pen, once for each
//! fourth of a pixel in either direction, so nobody can tell the two apart.

use super::{NEW_PEN, Painter, canvas, resize};
use crate::app::canvas::wire::{CROWD, SMALL};
use crate::app::canvas::{Mark, Paint, Shape};
use js_sys::{Uint8ClampedArray, Uint32Array};
use web_sys::{CanvasRenderingContext2d, ImageData};

/// Places of a sign within a pixel, in either direction.
const STEPS: usize = 4;
/// A ring that is filled is stamped in so many lengths.
const PARTS: f64 = 16.0;
/// More kinds than that are those of other sizes of the board.
const KINDS_MAX: usize = 96;
/// The sheet grows by so many pixels at once.
const GROWS_BY: usize = 64;

/// What two signs have in common that look the same.
#[derive(Clone, Copy, PartialEq)]
struct Kind {
    shape: Shape,
    r: f64,
    part: u8,
    paint: Paint,
}

/// A sign at each place within a pixel. Pixels have their colours multiplied by their opacity.
struct Stamp {
    kind: Kind,
    /// Pixels in a row, and in a column.
    size: (usize, usize),
    /// The pixel that the sign's middle is in.
    middle: (usize, usize),
    pixels: Vec<u32>,
}

/// The stamps of one theme at one scale, and what they are stamped on.
struct Stamps {
    scale: f64,
    known: Vec<Stamp>,
    /// Paints a new stamp.
    painter: Painter,
    sheet: Sheet,
}

/// Pixels, and the canvas by which they come onto the board.
struct Sheet {
    context: CanvasRenderingContext2d,
    width: usize,
    height: usize,
    pixels: Vec<u32>,
    /// By row: whether something is on it.
    is_used: Vec<bool>,
    /// What the browser sees of them.
    bytes: Uint32Array,
    image: ImageData,
}

/// Paints marks with thousands of signs among them.
pub struct Crowd {
    painter: Painter,
    stamps: Option<Stamps>,
}

impl Crowd {
    /// With a painter for what is not stamped.
    pub fn new(painter: Painter) -> Self {
        Crowd { painter, stamps: None }
    }

    /// Paints marks on a sheet in CSS pixels, `scale` device pixels to each.
    pub fn paint(&mut self, (width, height): (f64, f64), scale: f64, marks: &[Mark]) {
        self.painter.begin(width, height, scale);
        let mut rest = marks;
        while let Some(first) = rest.first() {
            let is_sign = first.is_small_sign();
            let alike = rest.iter().take_while(|mark| mark.is_small_sign() == is_sign).count();
            let (marks, others) = rest.split_at(alike);
            rest = others;
            if !(is_sign && alike >= CROWD && self.stamp((width, height), marks).is_some()) {
                self.painter.marks(marks);
            }
        }
    }

    /// Stamps signs; `None` if the browser has no canvas for it.
    fn stamp(&mut self, size: (f64, f64), signs: &[Mark]) -> Option<()> {
        let Painter { scale, ref context, .. } = self.painter;
        let context = context.clone();
        if self.stamps.as_ref().is_none_or(|stamps| stamps.scale != scale) {
            self.stamps = Some(Stamps::new(&self.painter, scale)?);
        }
        self.painter.alpha(1.0);
        self.stamps.as_mut()?.lay(&context, signs, size)
    }
}

impl Stamps {
    fn new(painter: &Painter, scale: f64) -> Option<Self> {
        Some(Stamps {
            scale,
            known: Vec::new(),
            painter: painter.on(canvas()?),
            sheet: Sheet::new(canvas()?, 0, 0)?,
        })
    }

    /// Puts signs onto the board.
    fn lay(
        &mut self,
        onto: &CanvasRenderingContext2d,
        marks: &[Mark],
        (width, height): (f64, f64),
    ) -> Option<()> {
        let (scale, margin) = (self.scale, size_of(SMALL, self.scale));
        let inside = |x: f64, y: f64| (0.0..=width).contains(&x) && (0.0..=height).contains(&y);
        let (mut x0, mut y0, mut x1, mut y1) = (f64::MAX, f64::MAX, 0.0_f64, 0.0_f64);
        for mark in marks {
            if let Mark::Glyph { x, y, .. } = *mark
                && inside(x, y)
            {
                (x0, y0, x1, y1) = (x0.min(x), y0.min(y), x1.max(x), y1.max(y));
            }
        }
        if x0 > x1 {
            return Some(());
        }
        // From a whole pixel on, so that it is copied as it is.
        let corner = |at: f64| (at * scale).floor() - margin as f64;
        let (left, top) = (corner(x0), corner(y0));
        let extent = |from: f64, to: f64| ((to - from) * scale).ceil() as usize + 2 * margin;
        let (width, height) = (extent(x0, x1), extent(y0, y1));
        if self.sheet.width < width || self.sheet.height < height {
            let large = |now: usize, needed: usize| now.max(needed).next_multiple_of(GROWS_BY);
            let (width, height) = (large(self.sheet.width, width), large(self.sheet.height, height));
            self.sheet = Sheet::new(self.sheet.context.clone(), width, height)?;
        }
        let mut last = 0;
        for mark in marks {
            let Mark::Glyph { shape, x, y, r, part, paint } = *mark else { continue };
            if !inside(x, y) {
                continue;
            }
            let part = if shape == Shape::Working { (part * PARTS).round().clamp(1.0, PARTS) } else { 0.0 };
            let kind = Kind { shape, r, part: part as u8, paint };
            if self.known.get(last).is_none_or(|stamp| stamp.kind != kind) {
                last = self.place_of(kind)?;
            }
            if let Some(stamp) = self.known.get(last) {
                self.sheet.stamp(stamp, x * scale - left, y * scale - top);
            }
        }
        let size = (width as f64, height as f64);
        self.sheet.show(width, height)?;
        onto.save();
        // Of the whole board nothing else is asked for here: these fail where it is not on the page.
        let _ = onto.set_transform(1.0, 0.0, 0.0, 1.0, 0.0, 0.0);
        let canvas = self.sheet.context.canvas()?;
        let _ = onto.draw_image_with_html_canvas_element_and_sw_and_sh_and_dx_and_dy_and_dw_and_dh(
            &canvas, 0.0, 0.0, size.0, size.1, left, top, size.0, size.1,
        );
        onto.restore();
        Some(())
    }

    /// Where the stamp of a kind is; it is made if there is none yet.
    fn place_of(&mut self, kind: Kind) -> Option<usize> {
        if let Some(place) = self.known.iter().position(|stamp| stamp.kind == kind) {
            return Some(place);
        }
        if self.known.len() >= KINDS_MAX {
            self.known.clear();
        }
        let stamp = self.make(kind)?;
        self.known.push(stamp);
        Some(self.known.len() - 1)
    }

    /// Has all of its places painted side by side.
    fn make(&mut self, kind: Kind) -> Option<Stamp> {
        let Kind { shape, r, part, paint } = kind;
        let (scale, size) = (self.scale, size_of(r, self.scale));
        let at = |step: usize| ((step * size + size / 2) as f64 + step as f64 / STEPS as f64) / scale;
        let part = f64::from(part) / PARTS;
        let places = (0..STEPS * STEPS).map(|place| (at(place % STEPS), at(place / STEPS)));
        let marks: Vec<Mark> = places.map(|(x, y)| Mark::Glyph { shape, x, y, r, part, paint }).collect();
        let painter = &mut self.painter;
        let side = size * STEPS;
        // This also takes the pens back.
        resize(&painter.context, side, side)?;
        painter.pen = NEW_PEN;
        painter.context.set_transform(scale, 0.0, 0.0, scale, 0.0, 0.0).ok()?;
        painter.glyphs(&marks, shape, r, paint);
        let bytes = painter.context.get_image_data(0.0, 0.0, side as f64, side as f64).ok()?.data().0;
        let (colours, _) = bytes.as_chunks::<4>();
        let pixels: Vec<u32> = colours.iter().map(|&[r, g, b, a]| multiplied([r, g, b], a)).collect();
        let row = |place: usize, y: usize| {
            let from = (place / STEPS * size + y) * side + place % STEPS * size;
            pixels.get(from..from + size).unwrap_or_default()
        };
        let rows = || (0..STEPS * STEPS).flat_map(|place| (0..size).map(move |y| (place, y)));
        // No more than what is painted at one of the places.
        let (mut left, mut top, mut right, mut bottom) = (size / 2, size / 2, size / 2, size / 2);
        for (place, y) in rows() {
            for (x, _) in row(place, y).iter().enumerate().filter(|(_, pixel)| **pixel != 0) {
                (left, top, right, bottom) = (left.min(x), top.min(y), right.max(x), bottom.max(y));
            }
        }
        // Each place's pixels stand together.
        let rows = rows().filter(|(_, y)| (top..=bottom).contains(y));
        let pixels = rows.flat_map(|(place, y)| row(place, y).get(left..=right).unwrap_or_default());
        Some(Stamp {
            kind,
            size: (right + 1 - left, bottom + 1 - top),
            middle: (size / 2 - left, size / 2 - top),
            pixels: pixels.copied().collect(),
        })
    }
}

/// How many pixels a sign of that radius is wide at most, its edges and its pen included: an even number.
fn size_of(r: f64, scale: f64) -> usize {
    2 * ((r * 1.25 + 1.5) * scale).ceil() as usize + 2
}

/// A colour times its opacity, as one word.
fn multiplied(colour: [u8; 3], alpha: u8) -> u32 {
    let times = |channel: u8| (u32::from(channel) * u32::from(alpha) + 127) / 255;
    let [r, g, b] = colour.map(times);
    r | (g << 8) | (b << 16) | (u32::from(alpha) << 24)
}

impl Sheet {
    fn new(context: CanvasRenderingContext2d, width: usize, height: usize) -> Option<Self> {
        resize(&context, width, height)?;
        let count = (width * height).max(1);
        let bytes = Uint32Array::new_with_length(count as u32);
        let clamped = Uint8ClampedArray::new(&bytes.buffer());
        let image = ImageData::new_with_js_u8_clamped_array_and_sh(
            &clamped,
            width.max(1) as u32,
            height.max(1) as u32,
        );
        Some(Sheet {
            context,
            width,
            height,
            pixels: vec![0; count],
            is_used: vec![false; height],
            bytes,
            image: image.ok()?,
        })
    }

    /// Lays a stamp over what is there, its middle at a place in pixels.
    fn stamp(&mut self, stamp: &Stamp, x: f64, y: f64) {
        let steps = |at: f64| (at * STEPS as f64 + 0.5) as usize;
        let (x, y, (width, height)) = (steps(x), steps(y), stamp.size);
        let (left, top) = ((x / STEPS).checked_sub(stamp.middle.0), (y / STEPS).checked_sub(stamp.middle.1));
        let (Some(left), Some(top)) = (left, top) else { return };
        let place = y % STEPS * STEPS + x % STEPS;
        let image = stamp.pixels.chunks_exact(width).skip(place * height).take(height);
        let rows = self.pixels.chunks_exact_mut(self.width).zip(&mut self.is_used).skip(top);
        for (from, (to, is_used)) in image.zip(rows) {
            let Some(to) = to.get_mut(left..left + width) else { return };
            *is_used = true;
            for (&new, pixel) in from.iter().zip(to) {
                let alpha = new >> 24;
                if alpha == 255 {
                    *pixel = new;
                } else if alpha > 0 {
                    *pixel = over(new, *pixel, 256 - alpha);
                }
            }
        }
    }

    /// Lets the browser see so much of it, and wipes it.
    fn show(&mut self, width: usize, height: usize) -> Option<()> {
        let rows = self.pixels.chunks_exact_mut(self.width).zip(&self.is_used);
        for (row, _) in rows.filter(|(_, is_used)| **is_used) {
            for pixel in row {
                let alpha = *pixel >> 24;
                if alpha.wrapping_sub(1) < 254 {
                    *pixel = divided(*pixel, alpha);
                }
            }
        }
        let shown = self.width * height;
        self.bytes.subarray(0, shown as u32).copy_from(self.pixels.get(..shown)?);
        let rows = self.pixels.chunks_exact_mut(self.width).zip(&mut self.is_used);
        for (row, is_used) in rows.filter(|(_, is_used)| **is_used) {
            row.fill(0);
            *is_used = false;
        }
        let put = self.context.put_image_data_with_dirty_x_and_dirty_y_and_dirty_width_and_dirty_height(
            &self.image,
            0.0,
            0.0,
            0.0,
            0.0,
            width as f64,
            height as f64,
        );
        put.ok()
    }
}

/// What is seen of a pixel under one that covers it, of which so many 256ths shine through: two channels at once.
fn over(new: u32, below: u32, through: u32) -> u32 {
    const PAIR: u32 = 0x00ff_00ff;
    let even = (((below & PAIR) * through) >> 8) & PAIR;
    let odd = (((below >> 8) & PAIR) * through) & !PAIR;
    new + (even | odd)
}

/// The colour that was multiplied by its opacity.
fn divided(pixel: u32, alpha: u32) -> u32 {
    let factor = (255 << 16) / alpha;
    let channel = |shift: u32| ((((pixel >> shift) & 0xff) * factor + 0x8000) >> 16).min(255) << shift;
    channel(0) | channel(8) | channel(16) | (alpha << 24)
}
