//! Rows as files: CSV, or JSON objects one a line, or one JSON object with everything.
//!
//! A row is the axis values, `requests`, `answered`, `unanswered`, each metric with `_lo` and `_hi`, then `verdict`. Times are milliseconds,
//! shares are between 0 and 1. A bound that the samples are too few for, and a figure that nothing was measured for, is empty in CSV and
//! null in JSON. There what theory says follows, where it says something: a metric with `_theory`, or `_bound`.

use super::plan::Checked;
use super::sweep::Row;
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A form of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A header and a line for each row.
    Csv,
    /// A JSON object for each row, one a line.
    Jsonl,
    /// One JSON object: the plan, how intervals were found, and the rows.
    Json,
}

impl Format {
    /// All of them.
    pub const ALL: [Format; 3] = [Format::Csv, Format::Jsonl, Format::Json];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Jsonl => "jsonl",
            Format::Json => "json",
        }
    }

    /// The form of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }
}

/// Which part of a plan's points a run of it plays, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Which.
    pub part: usize,
    /// Of how many.
    pub parts: usize,
}

impl Shard {
    /// Its points: every `parts`-th one, so that each has as many cheap and dear ones.
    pub fn points(self, all: usize) -> impl Iterator<Item = usize> {
        (self.part - 1..all).step_by(self.parts)
    }
}

/// The names of a row's cells.
pub fn header(plan: &Checked) -> Vec<String> {
    let axes = plan.plan.axes.iter().map(|axis| axis.key.clone());
    let counts = ["requests", "answered", "unanswered"].map(str::to_owned);
    let metrics = plan.metrics.iter().flat_map(|metric| {
        let name = &metric.name;
        [name.clone(), format!("{name}_lo"), format!("{name}_hi")]
    });
    let mut header: Vec<String> = axes.chain(counts).chain(metrics).collect();
    header.push("verdict".to_owned());
    header
}

/// A row's cells.
pub fn cells(plan: &Checked, row: &Row) -> Vec<Value> {
    let axes = plan.values(row.point).map(|(_, value)| value.clone());
    let counts = [row.requests, row.answered, row.unanswered()].map(Value::from);
    let figures = row.figures.iter().flat_map(|figure| match figure {
        None => [Value::Null, Value::Null, Value::Null],
        Some(interval) => [Some(interval.value), interval.low, interval.high].map(|bound| json!(bound)),
    });
    let mut cells: Vec<Value> = axes.chain(counts).chain(figures).collect();
    cells.push(json!(row.verdict.map(super::Verdict::name)));
    cells
}

/// A line of CSV, its end included.
pub fn csv_line(cells: impl IntoIterator<Item = Value>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // A vector takes everything.
    let _ = writer.write_record(cells.into_iter().map(|cell| cell_text(&cell)));
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A cell. Text that a spreadsheet would take for a formula is kept from being one.
fn cell_text(cell: &Value) -> String {
    match cell {
        Value::Null => String::new(),
        Value::String(text) if text.starts_with(['=', '+', '-', '@', '\t', '\r']) => format!("'{text}"),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A row as a JSON object whose members are in the order of the header.
pub struct InOrder<'a>(pub &'a [String], pub &'a [Value]);

impl Serialize for InOrder<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in self.0.iter().zip(self.1) {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

/// A row's cells with what theory says of it behind them: `_theory`, or `_bound` for what nothing exceeds.
fn with_theory(plan: &Checked, row: &Row, mut cells: Vec<Value>) -> (Vec<String>, Vec<Value>) {
    let mut header = header(plan);
    for (place, metric) in plan.metrics.iter().enumerate() {
        if let Some(theory) = plan.theory(row.point, place) {
            header.push(format!("{}_{}", metric.name, if theory.bound { "bound" } else { "theory" }));
            cells.push(json!(theory.value));
        }
    }
    (header, cells)
}

/// A row as a line of a file, its end included.
pub fn line(plan: &Checked, row: &Row, format: Format) -> String {
    let cells = cells(plan, row);
    match format {
        Format::Csv => csv_line(cells),
        // Plain data cannot fail to be JSON.
        _ => {
            let (header, cells) = with_theory(plan, row, cells);
            serde_json::to_string(&InOrder(&header, &cells)).unwrap_or_default() + "\n"
        }
    }
}

/// What stands before the rows.
pub fn head(plan: &Checked, format: Format, shard: Option<Shard>) -> String {
    match format {
        Format::Csv => {
            let shard =
                shard.map_or_else(String::new, |Shard { part, parts }| format!("# shard {part}/{parts}\n"));
            shard + &csv_line(header(plan).into_iter().map(Value::String))
        }
        Format::Jsonl => shard.map_or_else(String::new, |shard| json!({ "shard": shard }).to_string() + "\n"),
        Format::Json => {
            let methods: serde_json::Map<String, Value> =
                plan.methods().map(|(metric, method)| (metric.name.clone(), json!(method.name()))).collect();
            let shard = shard.map_or_else(String::new, |shard| format!("\"shard\":{},\n", json!(shard)));
            format!(
                "{{\"version\":1,\n\"program\":{},\n{shard}\"plan\":{},\n\"methods\":{},\n\"rows\":[",
                json!(concat!("glasshive ", env!("CARGO_PKG_VERSION"))),
                json!(plan.plan),
                Value::Object(methods),
            )
        }
    }
}

/// What stands after them.
pub fn tail(format: Format) -> &'static str {
    if format == Format::Json { "\n]}\n" } else { "" }
}

/// What stands between two of them, or before the first.
pub fn separator(format: Format, is_first: bool) -> &'static str {
    match (format, is_first) {
        (Format::Json, true) => "\n",
        (Format::Json, false) => ",\n",
        _ => "",
    }
}
