//! `glasshive plot`: a sweep as a picture. The first key that was varied goes along the axis; every choice of the others is a line with its band.

use crate::experiments::invalid;
use crate::native::{OK, Problem, print, read, write_file};
use clap::Args;
use glasshive::lab::Invalid;
use plotters::prelude::*;
use serde_json::Value;
use std::path::PathBuf;

/// Colours that people with any kind of colour vision tell apart: M. Okabe and K. Ito, 2008.
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(80, 80, 80),
];
const SIZE: (u32, u32) = (960, 540);

#[derive(Args)]
pub struct PlotArgs {
    /// What `glasshive sweep` has written, in any format.
    sweep: PathBuf,
    /// Which metric, such as error_mean; the first of a goal, or error_mean if the file has none.
    #[arg(long, value_name = "METRIC")]
    metric: Option<String>,
    /// Write the picture there in place of standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// A table as it was read.
struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    /// The goals' metrics and limits, where the file has the plan.
    goals: Vec<(String, Value)>,
}

/// A line of the picture.
struct Series {
    name: String,
    /// Along the axis, then the figure with its bounds.
    points: Vec<(f64, f64, f64, f64)>,
    /// What theory says, where it says something.
    theory: Vec<(f64, f64)>,
}

pub fn plot(args: &PlotArgs) -> Result<u8, Problem> {
    let path = args.sweep.display().to_string();
    let table = table(&read(&args.sweep)?)
        .ok_or_else(|| invalid("sweep", &path, "a file that `glasshive sweep` has written"))?;
    let metric = match (&args.metric, table.goals.first()) {
        (Some(metric), _) => metric.clone(),
        (None, Some((metric, _))) => metric.clone(),
        (None, None) => "error_mean".to_owned(),
    };
    let axes = table.header.iter().position(|name| name == "requests").unwrap_or(0);
    let (categories, series) = series(&table, axes, &metric)?;
    let limits: Vec<f64> = table
        .goals
        .iter()
        .filter(|(of, _)| *of == metric)
        .filter_map(|(_, limit)| number(&limit.as_str().map_or_else(|| limit.to_string(), str::to_owned)))
        .collect();
    let mut svg = String::new();
    draw(&mut svg, &table.header[0], &metric, &categories, &series, &limits)
        .map_err(|error| invalid("sweep", &path, &format!("figures that can be drawn ({error})")))?;
    match &args.out {
        Some(path) => write_file(path, svg.as_bytes())?,
        None => print(svg.as_bytes())?,
    }
    Ok(OK)
}

/// Reads any of the formats.
fn table(text: &str) -> Option<Table> {
    let of_objects = |rows: Vec<serde_json::Map<String, Value>>, goals, header: Vec<String>| {
        let cell = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let cells = |row: &serde_json::Map<String, Value>| {
            header.iter().map(|key| row.get(key).map_or_else(String::new, cell)).collect()
        };
        let rows = rows.iter().map(cells).collect();
        Some(Table { header, rows, goals })
    };
    // The members of an object in their order in the text, which the reader does not keep.
    let order = |line: &str, row: &serde_json::Map<String, Value>| {
        let mut keys: Vec<String> = row.keys().cloned().collect();
        // What only some rows have, such as what theory says, has no place in the first.
        keys.sort_by_key(|key| line.find(&format!("\"{key}\":")).unwrap_or(usize::MAX));
        keys
    };
    let all = |rows: &[serde_json::Map<String, Value>]| {
        let mut all = serde_json::Map::new();
        rows.iter().for_each(|row| all.extend(row.clone()));
        all
    };
    if let Ok(Value::Object(whole)) = serde_json::from_str(text) {
        let rows: Vec<serde_json::Map<String, Value>> =
            serde_json::from_value(whole.get("rows")?.clone()).ok()?;
        let goal = |goal: &Value| {
            let limit = goal.get("below").or_else(|| goal.get("above"))?;
            Some((goal.get("metric")?.as_str()?.to_owned(), limit.clone()))
        };
        let goals = whole.get("plan")?.get("goals")?.as_array()?.iter().filter_map(goal).collect();
        let first = text.split_once("\"rows\":[\n")?.1;
        let header = order(first, &all(&rows));
        return of_objects(rows, goals, header);
    }
    let objects: Result<Vec<serde_json::Map<String, Value>>, _> =
        text.lines().map(serde_json::from_str).collect();
    if let Ok(rows) = objects {
        let header = order(text, &all(&rows));
        return of_objects(rows, Vec::new(), header);
    }
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(text.as_bytes());
    let header: Vec<String> = reader.headers().ok()?.iter().map(str::to_owned).collect();
    let rows: Result<Vec<csv::StringRecord>, _> = reader.records().collect();
    let rows = rows.ok()?.iter().map(|row| row.iter().map(str::to_owned).collect()).collect();
    header.iter().any(|name| name == "requests").then_some(Table { header, rows, goals: Vec::new() })
}

/// A number, or a duration in milliseconds, or a percentage.
fn number(text: &str) -> Option<f64> {
    let share =
        text.strip_suffix('%').and_then(|share| share.trim().parse::<f64>().ok()).map(|share| share / 100.0);
    let span = || text.parse::<glasshive::kernel::Duration>().ok().map(|span| span.as_millis_f64());
    text.parse().ok().or(share).or_else(span).filter(|x: &f64| x.is_finite())
}

/// The lines, and the names along the axis where those are no quantities.
fn series(table: &Table, axes: usize, metric: &str) -> Result<(Vec<String>, Vec<Series>), Invalid> {
    let column = |name: &str| table.header.iter().position(|column| column == name);
    let columns = (column(metric), column(&format!("{metric}_lo")), column(&format!("{metric}_hi")));
    let (Some(value), Some(low), Some(high)) = columns else {
        let metrics = table.header.iter().filter_map(|name| name.strip_suffix("_lo")).collect::<Vec<_>>();
        return Err(invalid("metric", metric, &format!("one of {}", metrics.join(", "))));
    };
    let theory = column(&format!("{metric}_theory")).or_else(|| column(&format!("{metric}_bound")));
    if axes == 0 {
        return Err(invalid("sweep", "one point", "a sweep of at least one key"));
    }
    let mut names: Vec<String> = Vec::new();
    for row in &table.rows {
        if !names.contains(&row[0]) {
            names.push(row[0].clone());
        }
    }
    let are_quantities = names.iter().all(|name| number(name).is_some());
    let mut all: Vec<Series> = Vec::new();
    for row in &table.rows {
        let place = names.iter().position(|name| *name == row[0]).unwrap_or_default() as f64;
        let along = if are_quantities { number(&row[0]).unwrap_or(place) } else { place };
        let name = row[1..axes].join(", ");
        let Some(at) = number(&row[value]) else { continue };
        let bound = |column: usize| number(&row[column]).unwrap_or(at);
        let place = all.iter().position(|series| series.name == name).unwrap_or_else(|| {
            all.push(Series { name, points: Vec::new(), theory: Vec::new() });
            all.len() - 1
        });
        all[place].points.push((along, at, bound(low), bound(high)));
        let said = theory.and_then(|column| number(row.get(column)?));
        all[place].theory.extend(said.map(|said| (along, said)));
    }
    if all.is_empty() {
        return Err(invalid("metric", metric, "a metric that was measured somewhere"));
    }
    Ok((if are_quantities { Vec::new() } else { names }, all))
}

type Drawn = Result<(), Box<dyn std::error::Error>>;

fn draw(
    svg: &mut String,
    along: &str,
    metric: &str,
    names: &[String],
    all: &[Series],
    limits: &[f64],
) -> Drawn {
    let points = || all.iter().flat_map(|series| &series.points);
    let (left, right) = extent(points().map(|point| point.0));
    let theory = all.iter().flat_map(|series| &series.theory).map(|point| point.1);
    let (_, top) = extent(points().map(|point| point.3).chain(limits.iter().copied()).chain(theory));
    let (bottom, _) = extent(points().map(|point| point.2).chain([0.0]));
    let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .margin(16)
        .x_label_area_size(48)
        .y_label_area_size(80)
        .build_cartesian_2d(left..right, bottom..top + (top - bottom) * 0.05)?;
    let name = |x: &f64| match names.is_empty() {
        true => tidy(*x),
        false if (x - x.round()).abs() < 1e-9 => names.get(x.round() as usize).cloned().unwrap_or_default(),
        false => String::new(),
    };
    chart
        .configure_mesh()
        .x_desc(along)
        .y_desc(metric)
        .x_labels(if names.is_empty() { 10 } else { names.len().max(2) })
        .x_label_formatter(&name)
        .y_label_formatter(&|y| tidy(*y))
        .light_line_style(WHITE)
        .draw()?;
    for (series, colour) in all.iter().zip(COLOURS.iter().cycle()) {
        let upper = series.points.iter().map(|point| (point.0, point.3));
        let lower = series.points.iter().rev().map(|point| (point.0, point.2));
        chart.draw_series([Polygon::new(upper.chain(lower).collect::<Vec<_>>(), colour.mix(0.2))])?;
        let line =
            LineSeries::new(series.points.iter().map(|point| (point.0, point.1)), colour.stroke_width(2));
        let colour = *colour;
        chart
            .draw_series(line.point_size(3))?
            .label(series.name.clone())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
    }
    for (series, colour) in
        all.iter().zip(COLOURS.iter().cycle()).filter(|(series, _)| !series.theory.is_empty())
    {
        let colour = *colour;
        chart
            .draw_series(DashedLineSeries::new(series.theory.clone(), 2, 3, colour.stroke_width(1)))?
            .label(format!("{} in theory", series.name).trim_start().to_owned())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.mix(0.5)));
    }
    for limit in limits {
        let ends = [(left, *limit), (right, *limit)];
        chart
            .draw_series(DashedLineSeries::new(ends, 6, 4, BLACK.stroke_width(1)))?
            .label(format!("goal {}", tidy(*limit)))
            .legend(|(x, y)| PathElement::new([(x, y), (x + 18, y)], BLACK));
    }
    let named = all.iter().any(|series| !series.name.is_empty() || !series.theory.is_empty());
    if named || !limits.is_empty() {
        chart
            .configure_series_labels()
            .background_style(WHITE.mix(0.85))
            .border_style(BLACK.mix(0.3))
            .draw()?;
    }
    root.present()?;
    Ok(())
}

/// The least and the greatest of some numbers, and never the same.
fn extent(numbers: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) =
        numbers.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    if low < high { (low, high) } else { (low - 0.5, high + 0.5) }
}

/// A number on an axis: without what rounding has left.
fn tidy(x: f64) -> String {
    let text = format!("{x:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}
