//! Marks as numbers and words: what a painter gets that is not in the page's own thread.

use super::{Align, Dash, Fill, Font, Mark, Paint, Rect, Shape, Text, Tint};

/// So many small signs make a crowd: to paint them one by one takes longer than all the rest.
pub const CROWD: usize = 200;

/// A larger sign has a sign within it, and there is no room for many.
pub const SMALL: f64 = 6.0;

/// How many numbers a mark is.
const NUMBERS: usize = 8;

const DASHES: [Dash; 4] = [Dash::Solid, Dash::Dotted, Dash::Short, Dash::Long];
const FILLS: [Fill; 4] = [Fill::Solid, Fill::Outline, Fill::DashedOutline, Fill::Hatch];
const FONTS: [Font; 3] = [Font::Sans, Font::Condensed, Font::Mono];
const ALIGNS: [Align; 3] = [Align::Left, Align::Center, Align::Right];

impl Mark {
    /// Whether it is a sign without one within it.
    pub fn is_small_sign(&self) -> bool {
        matches!(self, Mark::Glyph { r, .. } if *r <= SMALL)
    }
}

/// Whether many signs are among the marks.
pub fn is_crowded(marks: &[Mark]) -> bool {
    marks.iter().filter(|mark| mark.is_small_sign()).count() >= CROWD
}

/// Marks as numbers, and all their words in a row.
pub fn write(marks: &[Mark]) -> (Vec<f64>, String) {
    let (mut numbers, mut words) = (Vec::with_capacity(marks.len() * NUMBERS), String::new());
    for mark in marks {
        numbers.extend_from_slice(&match *mark {
            Mark::Line { ends: [x0, y0, x1, y1], width, dash, tint: Tint { paint, alpha } } => {
                [kind(0, dash as usize), x0, y0, x1, y1, width, number(paint), f64::from(alpha)]
            }
            Mark::Area { rect, radius, fill, tint: Tint { paint, alpha } } => {
                let Rect { x, y, w, h } = rect;
                [kind(1, fill as usize), x, y, w, h, radius, number(paint), f64::from(alpha)]
            }
            Mark::Glyph { shape, x, y, r, part, paint } => {
                [kind(2, shape as usize), x, y, r, part, number(paint), 0.0, 0.0]
            }
            Mark::Text(Text { ref text, x, y, font, px, weight, align, upright, paint }) => {
                words.push_str(text);
                let looks = usize::from(upright) + 2 * (align as usize + ALIGNS.len() * font as usize);
                [kind(3, looks), x, y, px, f64::from(weight), number(paint), text.len() as f64, 0.0]
            }
        });
    }
    (numbers, words)
}

/// A kind of mark, and which of that kind, as one number.
const fn kind(kind: usize, which: usize) -> f64 {
    (kind + 4 * which) as f64
}

fn number(paint: Paint) -> f64 {
    f64::from(paint as u8)
}

/// The marks that were written; what cannot be one is left out.
pub fn read(numbers: &[f64], mut words: &str) -> Vec<Mark> {
    let (all, _) = numbers.as_chunks::<NUMBERS>();
    all.iter().filter_map(|numbers| one(numbers, &mut words)).collect()
}

fn one(&[kind, a, b, c, d, e, f, g]: &[f64; NUMBERS], words: &mut &str) -> Option<Mark> {
    let paint = |number: f64| Paint::ALL.get(number as usize).copied();
    let tint = |number, alpha: f64| Some(Tint { paint: paint(number)?, alpha: alpha as f32 });
    let which = kind as usize / 4;
    Some(match kind as usize % 4 {
        0 => Mark::Line { ends: [a, b, c, d], width: e, dash: *DASHES.get(which)?, tint: tint(f, g)? },
        1 => {
            Mark::Area { rect: Rect::new(a, b, c, d), radius: e, fill: *FILLS.get(which)?, tint: tint(f, g)? }
        }
        2 => Mark::Glyph { shape: *Shape::ALL.get(which)?, x: a, y: b, r: c, part: d, paint: paint(e)? },
        _ => {
            let (text, rest) = words.split_at_checked(f as usize)?;
            *words = rest;
            Mark::Text(Text {
                text: text.to_owned(),
                x: a,
                y: b,
                font: *FONTS.get(which / 2 / ALIGNS.len())?,
                px: c,
                weight: d as u16,
                align: ALIGNS[which / 2 % ALIGNS.len()],
                upright: which % 2 == 1,
                paint: paint(e)?,
            })
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every kind of mark with every look that it has, and numbers that no two fields share.
    fn all() -> Vec<Mark> {
        let mut marks = Vec::new();
        for (i, paint) in Paint::ALL.into_iter().enumerate() {
            let (n, tint) = (i as f64, paint.alpha(0.1 + i as f32 / 50.0));
            for dash in DASHES {
                marks.push(Mark::Line { ends: [n, 0.1, -7.25, 1e4], width: 1.5 + n, dash, tint });
            }
            for fill in FILLS {
                marks.push(Mark::Area { rect: Rect::new(n, 0.3, 2e3, 1e-3), radius: 6.5 + n, fill, tint });
            }
            for shape in Shape::ALL {
                marks.push(Mark::Glyph { shape, x: 0.7, y: n, r: 5.5, part: 1.0 / 3.0, paint });
            }
            for (font, align) in FONTS.into_iter().flat_map(|font| ALIGNS.map(|align| (font, align))) {
                for (upright, text) in [(false, "w-01"), (true, "≥ 1 µs …"), (false, "")] {
                    let (text, weight) = (text.to_owned(), 400 + 100 * (i as u16 % 3));
                    let (x, y, px) = (0.9, -n, 11.5);
                    marks.push(Mark::Text(Text { text, x, y, font, px, weight, align, upright, paint }));
                }
            }
        }
        marks
    }

    #[test]
    fn what_is_written_is_read() {
        let marks = all();
        let (numbers, words) = write(&marks);
        assert_eq!(numbers.len(), NUMBERS * marks.len());
        assert_eq!(read(&numbers, &words), marks);
    }

    #[test]
    fn each_look_is_in_its_place() {
        assert!(DASHES.iter().enumerate().all(|(i, dash)| *dash as usize == i));
        assert!(FILLS.iter().enumerate().all(|(i, fill)| *fill as usize == i));
        assert!(FONTS.iter().enumerate().all(|(i, font)| *font as usize == i));
        assert!(ALIGNS.iter().enumerate().all(|(i, align)| *align as usize == i));
        assert!(Shape::ALL.iter().enumerate().all(|(i, shape)| *shape as usize == i));
    }

    #[test]
    fn what_cannot_be_a_mark_is_left_out() {
        let (numbers, words) = write(&all()[..1]);
        for (at, wrong) in [(0, 1e9), (0, f64::NAN), (6, 16.0)] {
            let mut broken = numbers.clone();
            broken[at] = wrong;
            broken.extend_from_slice(&numbers);
            let read = read(&broken, &words);
            assert!(read.ends_with(&all()[..1]) && read.len() <= 2, "{read:?}");
        }
        assert_eq!(read(&[kind(3, 0), 0.0, 0.0, 12.0, 400.0, 0.0, 3.0, 0.0], "µ"), []);
        assert_eq!(read(&numbers[1..], &words), []);
    }

    #[test]
    fn only_small_signs_make_a_crowd() {
        let sign = |r| Mark::Glyph { shape: Shape::Dot, x: 0.0, y: 0.0, r, part: 0.0, paint: Paint::Task };
        let line = Mark::Line { ends: [0.0; 4], width: 1.0, dash: Dash::Solid, tint: Paint::Ink.into() };
        let marks = |small, large| {
            let signs = [vec![sign(SMALL); small], vec![sign(SMALL + 0.5); large]].concat();
            signs.into_iter().flat_map(|sign| [sign, line.clone()]).collect::<Vec<_>>()
        };
        assert!(is_crowded(&marks(CROWD, 0)));
        assert!(!is_crowded(&marks(CROWD - 1, CROWD)));
    }
}
