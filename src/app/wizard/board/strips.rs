//! The two strips: *when* has a bar for each time that a worker had a job in hand, *what* the newest jobs with the containers
//! that took, did and told of them.

use super::Stage;
use crate::app::canvas::scale::{Scale, short};
use crate::app::canvas::{Align, Dash, Fill, Font, Paint, Rect, Shape, Sheet, Text, figures_y, notice};
use crate::app::wizard::observe::{JobView, WINDOW_MS};
use crate::lab::wizard::{ClaimEnd, Place};

/// How high a line of the job list is.
const LINE: f64 = 19.0;

pub(super) fn when(stage: &Stage, sheet: &mut Sheet) {
    let layout = &stage.layout;
    let Some(pixels) = layout.when else { return };
    let now = stage.now.vtime_ms;
    let first = (now - WINDOW_MS).max(0.0);
    let axis = Scale { values: (first, first + WINDOW_MS), pixels };
    let here = axis.at(now);
    for bar in &stage.wizard.bars {
        let row = bar.container as usize;
        let Some(container) = stage.wizard.containers.get(row) else { continue };
        let lanes = container.workers.len().max(1) as f64;
        let lane = layout.rows.height(row) / lanes;
        let y = layout.rows.start(row) + lane * (f64::from(bar.worker) + 0.5);
        let thick = (lane * 0.5).clamp(1.5, 13.0);
        let (x0, x1) = (axis.at(bar.from_ms).max(pixels.0), axis.at(bar.to_ms.unwrap_or(now)));
        let rect = Rect::new(x0, y - thick / 2.0, (x1 - x0).max(1.0), thick);
        let (fill, paint) = match bar.end {
            ClaimEnd::Open => (Fill::Solid, Paint::Task),
            ClaimEnd::Done => (Fill::Solid, Paint::InTime),
            ClaimEnd::Failed => (Fill::Hatch, Paint::Late),
            ClaimEnd::Died => (Fill::Outline, Paint::Failed),
        };
        sheet.area(rect, 2.0, fill, paint);
        if bar.end == ClaimEnd::Died {
            sheet.glyph(Shape::Failed, x1, y, (thick * 0.7).clamp(4.0, 8.0));
        }
        let number = Text::new(bar.job.to_string(), (x0 + x1) / 2.0, y).font(Font::Condensed);
        if thick >= 11.0 && number.width() + 6.0 < rect.w {
            let paint = if fill == Fill::Solid { Paint::OnState } else { Paint::Ink };
            sheet.text(number.align(Align::Center).paint(paint));
        }
    }
    for (row, node) in stage.rows.iter().enumerate() {
        let down_ms =
            node.down_since_ms.filter(|_| stage.wizard.containers.get(row).is_some_and(|c| c.existed));
        if let Some(since) = down_ms {
            let y = layout.rows.center(row).round();
            let x0 = axis.at(since).max(pixels.0) + 9.0;
            if x0 < here {
                sheet.line([x0, y, here, y], 1.5, Dash::Short, Paint::Down);
            }
        }
    }
    sheet.line([here, layout.top, here, layout.bottom], 1.5, Dash::Solid, Paint::Ink);
    ticks(stage, sheet, &axis);
}

/// Every five seconds, at the run's own seconds.
fn ticks(stage: &Stage, sheet: &mut Sheet, axis: &Scale) {
    let layout = &stage.layout;
    let step = if layout.phone { 10_000.0 } else { 5_000.0 };
    let mut at = (axis.values.0 / step).ceil() * step;
    while at <= axis.values.1 {
        let x = axis.at(at).round() + 0.5;
        sheet.line([x, layout.bottom, x, layout.bottom + 4.0], 1.0, Dash::Solid, Paint::Control);
        let words = format!("{} s", short(at / 1000.0));
        let text = Text::new(words, x, figures_y(layout)).font(Font::Condensed).paint(Paint::Ink3);
        sheet.text(text.align(Align::Center));
        at += step;
    }
}

pub(super) fn what(stage: &Stage, sheet: &mut Sheet) {
    let layout = &stage.layout;
    let Some((x0, x1)) = layout.what else { return };
    let column = |part: f64| x0 + (x1 - x0) * part;
    let columns = [("job", 0.0), ("taken", 0.2), ("done", 0.42), ("told", 0.64)];
    let mut y = layout.top + 12.0;
    for (name, part) in columns {
        sheet.text(Text::new(name, column(part), y).font(Font::Condensed).paint(Paint::Ink3));
    }
    y += 6.0;
    sheet.level(y + 3.0, x0, x1, 1.0, Paint::Line);
    let lines = (((layout.bottom - y - 8.0) / LINE).max(0.0)) as usize;
    // A lost job stays in sight: it is named as long as there is room for others as well.
    let lost = stage.wizard.lost.iter().take(lines / 3);
    let listed = stage.wizard.latest.iter().filter(|job| job.place != Some(Place::Lost));
    let mut jobs: Vec<&JobView> = lost.collect();
    jobs.extend(listed.take(lines - jobs.len()));
    if jobs.is_empty() {
        let middle = (layout.top + layout.bottom) / 2.0;
        notice(sheet, (x0, x1), middle, "Nobody has sent a job yet.");
    }
    for (i, job) in jobs.iter().enumerate() {
        let y = (y + 6.0 + LINE * (i as f64 + 0.5)).round();
        let who = |container: Option<u32>| container.map_or_else(|| "—".to_owned(), |i| format!("c-{i:02}"));
        let is_lost = job.place == Some(Place::Lost);
        let cell = |text: String, part: f64| {
            let paint = if is_lost { Paint::Failed } else { Paint::Ink };
            Text::new(text, column(part), y).font(Font::Mono).paint(paint)
        };
        sheet.text(cell(job.number.to_string(), 0.0));
        sheet.text(cell(who(Some(job.initiated_by)), 0.2));
        sheet.text(cell(if is_lost { "lost".to_owned() } else { who(job.handled_by) }, 0.42));
        sheet.text(cell(who(job.checked_by), 0.64));
        let shape = match job.place {
            Some(Place::Queue) | None => Shape::Idle,
            Some(Place::Processing) => Shape::Asked,
            Some(Place::Done) => Shape::InTime,
            Some(Place::DeadLetter) => Shape::Late,
            Some(Place::Lost) => Shape::Failed,
        };
        sheet.glyph(shape, column(0.92), y, 6.0);
    }
}
