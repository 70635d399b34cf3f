//! Pictures of twin boards: where the mean difference lies, and both runs over one axis with their difference between them. They are
//! text, drawn in the style sheet's colours.

use super::svg::put;
use super::twin::number;
use super::words::Unit;
use crate::app::plot::geometry::{Scale, nice_step, time_ticks};
use crate::lab::experiment::{Pair, PairSoFar, PairedMetric};

/// Where the mean difference lies, over a scale that has zero.
pub fn interval_svg(metric: &PairedMetric, now_ms: f64, width: f64) -> String {
    let Some(PairSoFar { difference, interval: Some((low, high)), .. }) = metric.known(now_ms).last() else {
        return String::new();
    };
    // The whole run's, once the interval is worth drawing: a scale that moves at every pair cannot be read.
    let settled = metric.pairs.iter().skip(3).filter_map(|pair| pair.interval);
    let now = [*low, *high];
    let reach = settled.flat_map(|(low, high)| [low, high]).chain(now);
    let (least, most) = reach.fold((0.0_f64, 0.0_f64), |(a, b), x| (a.min(x), b.max(x)));
    let (least, most) = if most > least { (least, most) } else { (-1.0, 1.0) };
    let room = (most - least) * 0.06;
    let x = Scale { values: (least - room, most + room), pixels: (14.0, width - 14.0) };
    let mut svg = format!(
        r#"<svg class="twin-interval" width="{width}" height="54" viewBox="0 0 {width} 54" aria-hidden="true">"#
    );
    put(&mut svg, format_args!(r#"<path class="twin-axis" d="M14 32H{:.1}"/>"#, width - 14.0));
    let (from, to) = x.values;
    let factor = scaled(metric);
    let step = nice_step((to - from) * factor, 4.0);
    let mut i = libm::ceil(from * factor / step) as i32;
    while f64::from(i) * step <= to * factor {
        let at = x.px(f64::from(i) * step / factor);
        put(&mut svg, format_args!(r#"<path class="twin-axis" d="M{at:.1} 32v4"/>"#));
        put(
            &mut svg,
            format_args!(r#"<text class="mid" x="{at:.1}" y="49">{}</text>"#, number(f64::from(i) * step)),
        );
        i += 1;
    }
    let (zero, a, b, at) = (x.px(0.0), x.px_within(*low), x.px_within(*high), x.px(*difference));
    put(&mut svg, format_args!(r#"<path class="twin-zero" d="M{zero:.1} 6V32"/>"#));
    put(
        &mut svg,
        format_args!(r#"<path class="twin-bar" d="M{a:.1} 13v10M{b:.1} 13v10M{a:.1} 18H{b:.1}"/>"#),
    );
    put(&mut svg, format_args!(r#"<circle class="twin-dot" cx="{at:.1}" cy="18" r="5"/></svg>"#));
    svg
}

/// How far the lanes' plot is from the left and the right.
pub const PLOT: (f64, f64) = (46.0, 14.0);
/// A lane's height, and what is between lanes.
const GAP: f64 = 10.0;
/// Below the lanes.
const FOOT: f64 = 20.0;

/// Both runs over one axis, and their difference between them, as far as an instant.
pub fn lanes_svg(
    pair: &Pair,
    metric: &PairedMetric,
    now_ms: f64,
    pinned: Option<u64>,
    width: f64,
    height: f64,
) -> String {
    let lane = (height - FOOT - 2.0 * GAP) / 3.0;
    let x = across(pair, width);
    let values = || metric.sides.iter().flatten().map(|known| known.2);
    let most = values().fold(0.0, f64::max);
    let most = if most > 0.0 { most * 1.1 } else { 1.0 };
    let mut svg = format!(
        r#"<svg class="twin-lanes" width="{width}" height="{height}" viewBox="0 0 {width} {height}" aria-hidden="true">"#
    );
    let known = metric.known(now_ms);
    for (side, top) in [(0, 0.0), (1, 2.0 * (lane + GAP))] {
        let y = Scale { values: (0.0, most), pixels: (top + lane - 3.0, top + 3.0) };
        ground(&mut svg, x, y, top, lane, metric);
        for (n, at, value) in metric.sides[side].iter().take_while(|known| known.1 <= now_ms) {
            let (cx, cy, foot) = (x.px(*at), y.px(*value), y.px(0.0));
            let is_pinned = if pinned == Some(*n) { " pinned" } else { "" };
            put(&mut svg, format_args!(r#"<path class="twin-stem" d="M{cx:.1} {foot:.1}V{cy:.1}"/>"#));
            put(
                &mut svg,
                format_args!(
                    r#"<circle class="twin-{}{is_pinned}" cx="{cx:.1}" cy="{cy:.1}" r="3.5"/>"#,
                    ["a", "b"][side]
                ),
            );
        }
    }
    // What both had, one less the other; the band may reach further than any of them, at the beginning.
    let top = lane + GAP;
    let apart = metric.pairs.iter().map(|pair| (pair.values[0] - pair.values[1]).abs()).fold(0.0, f64::max);
    let apart = if apart > 0.0 { apart * 1.15 } else { most / 2.0 };
    let y = Scale { values: (-apart, apart), pixels: (top + lane, top) };
    ground(&mut svg, x, y, top, lane, metric);
    let zero = y.px(0.0);
    let bar = ((x.pixels.1 - x.pixels.0) / (metric.pairs.len().max(1) as f64) * 0.4).clamp(1.0, 8.0);
    for PairSoFar { at_ms, values: [a, b], .. } in known {
        let (at, end) = (x.px(*at_ms), y.px(a - b));
        let class = if a > b { "twin-plus" } else { "twin-minus" };
        let (from, tall) = (zero.min(end), (zero - end).abs());
        put(
            &mut svg,
            format_args!(
                r#"<rect class="{class}" x="{:.1}" y="{from:.1}" width="{bar:.1}" height="{tall:.1}"/>"#,
                at - bar / 2.0
            ),
        );
    }
    let banded: Vec<(f64, f64, f64, f64)> = known
        .iter()
        .filter_map(|pair| {
            let (low, high) = pair.interval?;
            Some((x.px(pair.at_ms), y.px_within(low), y.px_within(high), y.px_within(pair.difference)))
        })
        .collect();
    if banded.len() > 1 {
        let upper: String = banded.iter().map(|(at, _, high, _)| format!("L{at:.1} {high:.1}")).collect();
        let lower: String = banded.iter().rev().map(|(at, low, ..)| format!("L{at:.1} {low:.1}")).collect();
        let line: String = banded.iter().map(|(at, .., mean)| format!("L{at:.1} {mean:.1}")).collect();
        put(&mut svg, format_args!(r#"<path class="twin-band" d="M{}{lower}Z"/>"#, &upper[1..]));
        put(&mut svg, format_args!(r#"<path class="twin-mean" d="M{}"/>"#, &line[1..]));
    }
    put(
        &mut svg,
        format_args!(r#"<path class="twin-zero" d="M{:.1} {zero:.1}H{:.1}"/>"#, x.pixels.0, x.pixels.1),
    );
    let foot = height - FOOT;
    for (s, label) in time_ticks((pair.from_ms / 1000.0, pair.to_ms / 1000.0), (width / 90.0).max(2.0)) {
        put(
            &mut svg,
            format_args!(
                r#"<text class="mid" x="{:.1}" y="{:.1}">{label}</text>"#,
                x.px(s * 1000.0),
                foot + 15.0
            ),
        );
    }
    let at = x.px_within(now_ms);
    put(&mut svg, format_args!(r#"<path class="twin-now" d="M{at:.1} 0V{foot:.1}"/></svg>"#));
    svg
}

/// Time across the lanes.
fn across(pair: &Pair, width: f64) -> Scale {
    Scale { values: (pair.from_ms, pair.to_ms.max(pair.from_ms + 1.0)), pixels: (PLOT.0, width - PLOT.1) }
}

/// A lane's ground with what its heights mean.
fn ground(svg: &mut String, x: Scale, y: Scale, top: f64, lane: f64, metric: &PairedMetric) {
    let (left, right) = x.pixels;
    put(
        svg,
        format_args!(
            r#"<rect class="twin-ground" x="{left}" y="{top:.1}" width="{:.1}" height="{lane:.1}"/>"#,
            right - left
        ),
    );
    let (low, high) = y.values;
    let factor = scaled(metric);
    let step = nice_step((high - low) * factor, if lane > 54.0 { 4.0 } else { 2.0 });
    let mut i = libm::ceil(low * factor / step) as i32;
    while f64::from(i) * step <= high * factor {
        let value = f64::from(i) * step;
        let at = y.px(value / factor);
        i += 1;
        // What would stand in the next lane is left out.
        if low < 0.0 && (at < top + 4.0 || at > top + lane - 2.0) {
            continue;
        }
        put(svg, format_args!(r#"<path class="twin-grid" d="M{left} {at:.1}H{right:.1}"/>"#));
        put(
            svg,
            format_args!(
                r#"<text class="end" x="{:.1}" y="{:.1}">{}</text>"#,
                left - 6.0,
                // All of it within the picture.
                (at + 4.0).max(10.0),
                number(value)
            ),
        );
    }
}

/// What values are multiplied by to be read.
fn scaled(metric: &PairedMetric) -> f64 {
    match metric.shown() {
        Unit::Share => 100.0,
        Unit::Ms if metric.reach() >= 2000.0 => 0.001,
        Unit::Ms | Unit::Plain => 1.0,
    }
}

/// The pair that is known nearest to a place across the lanes.
pub fn nearest(pair: &Pair, metric: &PairedMetric, px: f64, width: f64) -> Option<PairSoFar> {
    let x = across(pair, width);
    let apart = |known: &&PairSoFar| (x.px(known.at_ms) - px).abs();
    metric.pairs.iter().min_by(|a, b| apart(a).total_cmp(&apart(b))).cloned()
}

#[cfg(test)]
mod tests {
    use super::super::twin::tests::pair;
    use super::*;

    #[test]
    fn the_picture_reaches_as_far_as_the_clock() {
        let (pair, _) = pair("oracle-http");
        let errors = pair.metrics.iter().find(|metric| metric.name == "error_mean").unwrap();
        let dots = |now| lanes_svg(&pair, errors, now, None, 800.0, 240.0).matches("<circle").count();
        assert_eq!(dots(0.0), 0);
        let known = |now: f64| errors.sides.iter().flatten().filter(|known| known.1 <= now).count();
        for now in [10_000.0, 33_333.0, 60_000.0] {
            assert_eq!(dots(now), known(now));
        }
        assert!(interval_svg(errors, 60_000.0, 200.0).contains("twin-bar"));
        assert_eq!(interval_svg(errors, 0.0, 200.0), "");
        let at = &errors.pairs[5];
        let px = across(&pair, 800.0).px(at.at_ms) + 1.0;
        assert_eq!(nearest(&pair, errors, px, 800.0).unwrap().n, at.n);
    }
}
