//! Time in pixels, with quiet times folded to a narrow strip each.

/// How wide a quiet time is that was folded.
pub const FOLDED: f64 = 76.0;
/// It is folded if it would be so many times as wide.
const WORTH: f64 = 2.0;

/// A stretch of the axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Piece {
    /// From when, in milliseconds.
    pub from: f64,
    /// Until when.
    pub to: f64,
    /// Where it begins, in pixels from the axis' beginning.
    pub x: f64,
    /// How wide it is.
    pub width: f64,
    /// Whether it is a quiet time that was folded.
    pub folded: bool,
}

/// The axis: before its first piece and after its last one, time goes on evenly.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// Pixels to a millisecond.
    pub scale: f64,
    /// In order, without gaps.
    pub pieces: Vec<Piece>,
}

impl Axis {
    /// The axis over stretches in which something happened, until `now`.
    pub fn new(busy: &[(u64, u64)], now_ms: f64, scale: f64) -> Self {
        let mut axis = Axis { scale, pieces: Vec::new() };
        let mut at = 0.0;
        let stretches = busy.iter().map(|&(from, to)| (from as f64 / 1e6, to as f64 / 1e6));
        for (from, to) in stretches.chain([(now_ms, now_ms)]) {
            if (from - at) * scale > FOLDED * WORTH {
                axis.push(at, from, FOLDED, true);
                at = from;
            }
            if to > at {
                axis.push(at, to, (to - at) * scale, false);
                at = to;
            }
        }
        axis
    }

    /// Two stretches between which nothing is folded are one.
    fn push(&mut self, from: f64, to: f64, width: f64, folded: bool) {
        let x = self.pieces.last().map_or(0.0, |last| last.x + last.width);
        match self.pieces.last_mut().filter(|last| !last.folded && !folded) {
            Some(last) => (last.to, last.width) = (to, last.width + width),
            None => self.pieces.push(Piece { from, to, x, width, folded }),
        }
    }

    /// Where an instant stands, in pixels from the axis' beginning.
    pub fn x(&self, ms: f64) -> f64 {
        let place = self.pieces.partition_point(|piece| piece.to < ms);
        match (self.pieces.get(place), self.pieces.last()) {
            (Some(piece), _) => piece.x + (ms - piece.from) * piece.width / (piece.to - piece.from),
            (None, Some(last)) => last.x + last.width + (ms - last.to) * self.scale,
            (None, None) => ms * self.scale,
        }
    }

    /// The instant that stands there.
    pub fn at(&self, x: f64) -> f64 {
        let place = self.pieces.partition_point(|piece| piece.x + piece.width < x);
        match (self.pieces.get(place), self.pieces.last()) {
            (Some(piece), _) => piece.from + (x - piece.x) * (piece.to - piece.from) / piece.width,
            (None, Some(last)) => last.to + (x - last.x - last.width) / self.scale,
            (None, None) => x / self.scale,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUSY: [(u64, u64); 3] =
        [(0, 1_000_000_000), (1_050_000_000, 1_500_000_000), (5_000_000_000, 6_000_000_000)];

    #[test]
    fn what_is_quiet_for_long_is_folded_and_what_is_not_stays() {
        let axis = Axis::new(&BUSY, 6_000.0, 1.0);
        let told: Vec<(f64, f64, bool)> = axis.pieces.iter().map(|p| (p.from, p.width, p.folded)).collect();
        assert_eq!(told, [(0.0, 1500.0, false), (1500.0, FOLDED, true), (5000.0, 1000.0, false)]);
        // From far away nothing has to be folded.
        assert!(Axis::new(&BUSY, 6_000.0, 0.01).pieces.iter().all(|piece| !piece.folded));
    }

    #[test]
    fn instants_and_places_are_two_names_of_one_thing() {
        for scale in [0.01, 0.3, 1.0, 20.0] {
            let axis = Axis::new(&BUSY, 9_000.0, scale);
            let mut before = -1.0;
            for ms in (0..10_000).step_by(37).map(f64::from) {
                let x = axis.x(ms);
                assert!(x > before, "time goes rightward");
                assert!((axis.at(x) - ms).abs() < 1e-6, "{ms} at {scale}");
                before = x;
            }
        }
    }
}
