//! One goal's chart: from where to where its axis goes, and what is said beside it.

use super::{Frame, Panel};
use crate::app::plot::geometry::{Scale, shortest};
use crate::app::study::words::Unit;

impl Panel {
    /// How high what is drawn stands over a stretch: the dots or the line between them, and the goal.
    pub(super) fn heights(&self, frame: &Frame, y: Scale, (from, to): (f64, f64), is_line: bool) -> Vec<f64> {
        let known: Vec<(f64, f64)> = frame
            .x
            .iter()
            .zip(&self.dots)
            .filter_map(|(x, dot)| Some((*x, y.px_within(dot.as_ref()?.value))))
            .collect();
        let mut heights = vec![y.px_within(self.limit)];
        heights.extend(known.iter().filter(|(x, _)| (from..=to).contains(x)).map(|(_, y)| *y));
        if is_line {
            for pair in known.windows(2) {
                let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
                let at = [from, to, (from + to) / 2.0].into_iter().filter(|x| x0 <= *x && *x <= x1);
                heights.extend(at.map(|x| y0 + (x - x0) / (x1 - x0) * (y1 - y0)));
            }
        }
        heights
    }

    /// What contains all that is drawn: from zero, unless all of it is far from there.
    pub(super) fn range(&self) -> (f64, f64) {
        let of_dots = self
            .dots
            .iter()
            .flatten()
            .flat_map(|dot| [Some(dot.value), dot.low, dot.high].into_iter().flatten());
        let most = of_dots.clone().fold(f64::NEG_INFINITY, f64::max);
        // A goal far away is not worth it that all else is a line.
        let near = most <= 0.0 || !most.is_finite() || self.limit < 4.0 * most;
        let all: Vec<f64> = of_dots.chain(near.then_some(self.limit)).collect();
        let (low, high) =
            all.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(*x), high.max(*x)));
        if low > 0.6 * high && low > 0.0 {
            let room = ((high - low) * 0.3).max(high * 0.02);
            return (low - room, high + room);
        }
        let (low, high) = (low.min(0.0), if high > 0.0 { high } else { 1.0 });
        (low * 1.1, high * 1.1)
    }
}

/// A value with no more digits than it needs: `0.5 %`, `1.2 s`.
pub(super) fn brief(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Share => format!("{} %", shortest(value * 100.0)),
        Unit::Ms if value.abs() >= 1000.0 => format!("{} s", shortest(value / 1000.0)),
        Unit::Ms => format!("{} ms", shortest(value)),
        Unit::Plain => shortest(value),
    }
}

/// `error_mean` is `error`, `latency_p99` is `p99`.
pub(super) fn short(metric: &str) -> &str {
    let (stem, end) = metric.split_once('_').unwrap_or((metric, metric));
    if end.starts_with('p') { end } else { stem }
}
