//! The colours and the type faces of the theme.

use crate::app::canvas::{Font, Paint};
use web_sys::CssStyleDeclaration;

/// What a painter paints with, as the browser's names for it: a colour for each [`Paint`], then a face for each [`Font`].
#[derive(Clone, PartialEq)]
pub struct Ink(Vec<String>);

impl Ink {
    /// The colours and faces that `style` has now.
    pub fn of(style: &CssStyleDeclaration) -> Self {
        let property = |name: &str| style.get_property_value(name).unwrap_or_default().trim().to_owned();
        let face = |font: Font| match property(font.token()) {
            face if face.is_empty() => property(Font::Sans.token()),
            face => face,
        };
        let colour = |paint: Paint| match paint {
            Paint::Strip => mix(&property("--bg"), &property("--surface"), 0.55),
            Paint::OnState => match property("--on-state") {
                colour if colour.is_empty() => property("--surface"),
                colour => colour,
            },
            paint => property(paint.token()),
        };
        let faces = [Font::Sans, Font::Condensed, Font::Mono].map(face);
        Ink(Paint::ALL.map(colour).into_iter().chain(faces).collect())
    }

    /// As text, for a painter elsewhere: no name of a colour or face has a line's end in it.
    pub fn write(&self) -> String {
        self.0.join("\n")
    }

    /// What was written.
    pub fn read(text: &str) -> Self {
        Ink(text.split('\n').map(str::to_owned).collect())
    }

    /// The browser's name of a colour.
    pub(super) fn colour(&self, paint: Paint) -> &str {
        self.at(paint as usize)
    }

    /// The browser's names of a face.
    pub(super) fn face(&self, font: Font) -> &str {
        self.at(Paint::ALL.len() + font as usize)
    }

    fn at(&self, place: usize) -> &str {
        self.0.get(place).map_or("", String::as_str)
    }
}

/// So much of `a` over `b`, both as `#rrggbb`; `b` if one of them is written otherwise.
fn mix(a: &str, b: &str, share: f64) -> String {
    let parse =
        |colour: &str| u32::from_str_radix(colour.strip_prefix('#').filter(|hex| hex.len() == 6)?, 16).ok();
    let (Some(over), Some(under)) = (parse(a), parse(b)) else {
        return b.to_owned();
    };
    let channel = |shift: u32| {
        let of = |colour: u32| f64::from(colour >> shift & 0xff);
        (of(over) * share + of(under) * (1.0 - share)).round() as u32
    };
    format!("rgb({} {} {})", channel(16), channel(8), channel(0))
}
