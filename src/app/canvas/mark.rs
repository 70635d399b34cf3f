//! Marks: what a board consists of, as plain data. A painter needs to know nothing else.

use super::paint::{Paint, Tint};
use super::scale;

/// A rectangle in CSS pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rect {
    /// Its left edge.
    pub x: f64,
    /// Its upper edge.
    pub y: f64,
    /// Its width.
    pub w: f64,
    /// Its height.
    pub h: f64,
}

impl Rect {
    /// A rectangle.
    pub const fn new(x: f64, y: f64, w: f64, h: f64) -> Self {
        Rect { x, y, w, h }
    }

    /// Its right edge.
    pub fn right(&self) -> f64 {
        self.x + self.w
    }

    /// Its lower edge.
    pub fn bottom(&self) -> f64 {
        self.y + self.h
    }

    /// Its middle.
    pub fn center(&self) -> (f64, f64) {
        (self.x + self.w / 2.0, self.y + self.h / 2.0)
    }

    /// Whether both share more than an edge.
    pub fn overlaps(&self, other: &Rect) -> bool {
        self.x < other.right() && other.x < self.right() && self.y < other.bottom() && other.y < self.bottom()
    }
}

/// How a line is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dash {
    /// It is not.
    Solid,
    /// Points: the truth.
    Dotted,
    /// Short strokes: a rail that leads nowhere.
    Short,
    /// Long strokes: an answer that was not given.
    Long,
}

impl Dash {
    /// Strokes and gaps in pixels.
    pub const fn pattern(self) -> &'static [f64] {
        match self {
            Dash::Solid => &[],
            Dash::Dotted => &[2.0, 4.0],
            Dash::Short => &[4.0, 4.0],
            Dash::Long => &[7.0, 4.0],
        }
    }
}

/// How an area is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// Evenly.
    Solid,
    /// Not at all: its outline only.
    Outline,
    /// A broken outline.
    DashedOutline,
    /// Rising lines on a pale ground: late.
    Hatch,
}

/// The outlines of marks. Each state has its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A disc with a tick.
    InTime,
    /// A square with the hands of a clock.
    Late,
    /// A cross.
    Failed,
    /// A diamond with "not equal".
    Lying,
    /// A dashed ring.
    Down,
    /// A ring, filled around as far as the time is used up.
    Working,
    /// A ring around a dot: asked, not yet at work.
    Asked,
    /// A thin ring: has no part in this.
    Idle,
    /// A plain disc: a question on its way.
    Dot,
    /// A small open disc: the news that nobody waits any more.
    Hollow,
    /// A gap with a stroke through it: nothing passes here.
    Gap,
    /// Points beyond the right edge.
    Beyond,
    /// Points beyond the left edge.
    Before,
}

impl Shape {
    /// All of them; each one's place is its number.
    pub const ALL: [Shape; 13] = [
        Shape::InTime,
        Shape::Late,
        Shape::Failed,
        Shape::Lying,
        Shape::Down,
        Shape::Working,
        Shape::Asked,
        Shape::Idle,
        Shape::Dot,
        Shape::Hollow,
        Shape::Gap,
        Shape::Beyond,
        Shape::Before,
    ];

    /// The colour of what it stands for.
    pub const fn paint(self) -> Paint {
        match self {
            Shape::InTime => Paint::InTime,
            Shape::Late => Paint::Late,
            Shape::Failed => Paint::Failed,
            Shape::Lying => Paint::Lying,
            Shape::Down => Paint::Down,
            Shape::Working | Shape::Asked | Shape::Dot => Paint::Task,
            Shape::Idle | Shape::Hollow => Paint::Control,
            Shape::Gap | Shape::Beyond | Shape::Before => Paint::Ink,
        }
    }
}

/// A type face.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Font {
    /// For words.
    Sans,
    /// For words where there is little room.
    Condensed,
    /// For names and figures.
    Mono,
}

impl Font {
    /// The custom property that holds it.
    pub const fn token(self) -> &'static str {
        match self {
            Font::Sans => "--sans",
            Font::Condensed => "--cond",
            Font::Mono => "--mono",
        }
    }
}

/// Which point of a text its place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Its left end.
    Left,
    /// Its middle.
    Center,
    /// Its right end.
    Right,
}

/// A line of text; `y` is the middle of its small letters.
#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    /// What it says.
    pub text: String,
    /// Where.
    pub x: f64,
    /// Where.
    pub y: f64,
    /// In which face.
    pub font: Font,
    /// Its size.
    pub px: f64,
    /// Its weight: 400, 500 or 600.
    pub weight: u16,
    /// Which point of it stands there.
    pub align: Align,
    /// Turned to read upwards.
    pub upright: bool,
    /// Its colour.
    pub paint: Paint,
}

impl Text {
    /// Words in 12 px that begin at a place.
    pub fn new(text: impl Into<String>, x: f64, y: f64) -> Self {
        Text {
            text: text.into(),
            x,
            y,
            font: Font::Sans,
            px: 12.0,
            weight: 400,
            align: Align::Left,
            upright: false,
            paint: Paint::Ink2,
        }
    }

    /// In another face.
    pub fn font(self, font: Font) -> Self {
        Text { font, ..self }
    }

    /// In another size.
    pub fn px(self, px: f64) -> Self {
        Text { px, ..self }
    }

    /// In another weight.
    pub fn weight(self, weight: u16) -> Self {
        Text { weight, ..self }
    }

    /// On another point.
    pub fn align(self, align: Align) -> Self {
        Text { align, ..self }
    }

    /// In another colour.
    pub fn paint(self, paint: Paint) -> Self {
        Text { paint, ..self }
    }

    /// How wide it will be, about.
    pub fn width(&self) -> f64 {
        scale::text_width(&self.text, self.font, self.px, self.weight)
    }

    /// What it covers, about.
    pub fn bounds(&self) -> Rect {
        let (w, h) = (self.width(), self.px);
        let before = match self.align {
            Align::Left => 0.0,
            Align::Center => w / 2.0,
            Align::Right => w,
        };
        if self.upright {
            Rect::new(self.x - h / 2.0, self.y - (w - before), h, w)
        } else {
            Rect::new(self.x - before, self.y - h / 2.0, w, h)
        }
    }
}

/// One mark.
#[derive(Clone, Debug, PartialEq)]
pub enum Mark {
    /// A straight line.
    Line {
        /// Its ends: x, y, x, y.
        ends: [f64; 4],
        /// How thick it is.
        width: f64,
        /// How it is broken.
        dash: Dash,
        /// Its colour.
        tint: Tint,
    },
    /// A rectangle.
    Area {
        /// Which.
        rect: Rect,
        /// The radius of its corners.
        radius: f64,
        /// How it is filled.
        fill: Fill,
        /// Its colour.
        tint: Tint,
    },
    /// A state, a message, or a sign.
    Glyph {
        /// Which.
        shape: Shape,
        /// Its middle.
        x: f64,
        /// Its middle.
        y: f64,
        /// Its radius.
        r: f64,
        /// How far around a [`Shape::Working`] is filled, 0 … 1.
        part: f64,
        /// Its colour.
        paint: Paint,
    },
    /// Words or figures.
    Text(Text),
}

impl Mark {
    /// What an upright line in full ink covers: a gate, an answer, now.
    pub fn decides(&self) -> Option<Rect> {
        match *self {
            Mark::Line { ends: [x0, y0, x1, y1], width, dash: Dash::Solid, tint }
                if x0 == x1 && width >= 2.5 && tint == Paint::Ink.into() =>
            {
                Some(Rect::new(x0 - width / 2.0, y0, width, y1 - y0))
            }
            _ => None,
        }
    }
}

/// What words that hide the lines under them stand on.
fn ground_of(words: Rect) -> Rect {
    Rect::new(words.x - 3.0, words.y - 1.0, words.w + 6.0, words.h + 2.0)
}

/// Signs that come in any order and are painted kind by kind, since each kind has a pen of its own: thousands that took turns
/// would each be a path. Answers lie over questions, and those over what the picture is not about.
#[derive(Debug, Default)]
pub struct Signs([Vec<Mark>; Shape::ALL.len()]);

impl Signs {
    /// Another one, in its kind's colour.
    pub fn glyph(&mut self, shape: Shape, x: f64, y: f64, r: f64) {
        self.0[shape as usize].push(Mark::Glyph { shape, x, y, r, part: 0.0, paint: shape.paint() });
    }
}

/// A list of marks that grows in painting order.
#[derive(Debug, Default)]
pub struct Sheet {
    /// The marks so far.
    pub marks: Vec<Mark>,
}

impl Sheet {
    /// A straight line.
    pub fn line(&mut self, ends: [f64; 4], width: f64, dash: Dash, tint: impl Into<Tint>) {
        self.marks.push(Mark::Line { ends, width, dash, tint: tint.into() });
    }

    /// A level line.
    pub fn level(&mut self, y: f64, x0: f64, x1: f64, width: f64, tint: impl Into<Tint>) {
        self.line([x0, y, x1, y], width, Dash::Solid, tint);
    }

    /// A rectangle.
    pub fn area(&mut self, rect: Rect, radius: f64, fill: Fill, tint: impl Into<Tint>) {
        self.marks.push(Mark::Area { rect, radius, fill, tint: tint.into() });
    }

    /// A rectangle that is filled evenly.
    pub fn solid(&mut self, rect: Rect, tint: impl Into<Tint>) {
        self.area(rect, 0.0, Fill::Solid, tint);
    }

    /// A sign in its own colour.
    pub fn glyph(&mut self, shape: Shape, x: f64, y: f64, r: f64) {
        self.marks.push(Mark::Glyph { shape, x, y, r, part: 0.0, paint: shape.paint() });
    }

    /// A sign in another colour than its own.
    pub fn sign(&mut self, shape: Shape, (x, y): (f64, f64), r: f64, paint: Paint) {
        self.marks.push(Mark::Glyph { shape, x, y, r, part: 0.0, paint });
    }

    /// Signs, kind by kind.
    pub fn signs(&mut self, signs: Signs) {
        self.marks.extend(signs.0.into_iter().rev().flatten());
    }

    /// Words on a ground that hides the lines they lie on.
    pub fn text_on(&mut self, text: Text, ground: Option<Paint>) {
        if let Some(ground) = ground {
            self.solid(ground_of(text.bounds()), ground);
        }
        self.text(text);
    }

    /// Words.
    pub fn text(&mut self, text: Text) {
        self.marks.push(Mark::Text(text));
    }

    /// The marks, without the words that there is no room for: those that would lie on others, on a line that decides
    /// something, or over the edge. Of two, those that were written first stay.
    pub fn legible(self, width: f64, height: f64) -> Vec<Mark> {
        let mut taken: Vec<Rect> = self.marks.iter().filter_map(Mark::decides).collect();
        let mut marks: Vec<Mark> = Vec::with_capacity(self.marks.len());
        for mark in self.marks {
            let Mark::Text(text) = &mark else {
                marks.push(mark);
                continue;
            };
            let bounds = text.bounds();
            let inside =
                bounds.x >= 0.0 && bounds.y >= 0.0 && bounds.right() <= width && bounds.bottom() <= height;
            if inside && !taken.iter().any(|other| other.overlaps(&bounds)) {
                taken.push(bounds);
                marks.push(mark);
            } else {
                // With the ground that it would have stood on.
                marks.pop_if(|mark| matches!(mark, Mark::Area { rect, .. } if *rect == ground_of(bounds)));
            }
        }
        marks
    }
}
