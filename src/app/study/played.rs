//! What came of a plan: kept while the panel is open, kept by the browser, and handed on as files.

use super::answer;
use super::draft::Described;
use super::rows::Row;
use crate::lab::experiment::Plan;
use crate::lab::experiment::rows::csv_line;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// A plan, and its rows as far as they are known.
#[derive(Clone, Debug, PartialEq)]
pub struct Played {
    /// The plan.
    pub plan: Plan,
    /// Its rows, in its order.
    pub rows: Vec<Row>,
    /// The same as the command line writes them.
    pub csv: String,
    /// Whether all are there.
    pub complete: bool,
    /// By metric, how its interval is found.
    pub methods: Map<String, Value>,
    /// What went wrong with runs themselves.
    pub faults: Vec<String>,
    /// How long it took, in milliseconds of a person's time.
    pub took_ms: f64,
    /// What was found, where the least was sought; then only some of the points were played.
    pub found: Option<Found>,
    /// The least is being sought: what its points so far say is no answer.
    pub seeks: bool,
}

/// What a search found: the rows by their cells.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// The first point that meets.
    answer: Option<Map<String, Value>>,
    /// The same on fresh seeds.
    again: Option<Map<String, Value>>,
    /// The point before it.
    before: Option<Map<String, Value>>,
    /// The last value of the first key that meets, if that is not the last of all.
    pub until: Option<Value>,
}

impl Found {
    /// The first point that meets, the same on fresh seeds, and the point before it.
    pub fn rows(&self, plan: &Plan) -> [Option<Row>; 3] {
        [&self.answer, &self.again, &self.before].map(|cells| Some(Row::of(plan, cells.clone()?)))
    }
}

/// What the page's `sweep` returns.
#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    csv: String,
    rows: Vec<Map<String, Value>>,
    faults: Vec<String>,
    complete: bool,
    #[serde(default)]
    methods: Map<String, Value>,
    #[serde(flatten)]
    found: Found,
}

/// The same as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    program: String,
    plan: Plan,
    rows: Vec<Map<String, Value>>,
    csv: String,
    complete: bool,
    methods: Map<String, Value>,
    faults: Vec<String>,
    took_ms: f64,
    found: Option<Found>,
}

impl Played {
    /// One of which nothing is known yet.
    pub fn new(plan: Plan) -> Self {
        let rows = Vec::new();
        Played {
            plan,
            rows,
            csv: String::new(),
            complete: false,
            methods: Map::new(),
            faults: Vec::new(),
            took_ms: 0.0,
            found: None,
            seeks: false,
        }
    }

    /// One in which the least point is sought.
    pub fn seeking(plan: Plan) -> Self {
        Played { seeks: true, ..Played::new(plan) }
    }

    /// What a worker's next row says. A search plays points in an order of its own.
    pub fn take(&mut self, row: &str) {
        if let Ok(cells) = serde_json::from_str(row) {
            let row = Row::of(&self.plan, cells);
            let at = self.rows.partition_point(|other| other.point < row.point);
            self.rows.insert(at, row);
        }
    }

    /// It has ended, whole or as far as it came, and this is what is said of it.
    pub fn conclude(&mut self, said: &str, took_ms: f64, sought: bool) {
        self.seeks = false;
        let Ok(Said { csv, rows, faults, complete, methods, found }) = serde_json::from_str(said) else {
            return;
        };
        self.found = sought.then_some(found);
        self.rows = rows.into_iter().map(|cells| Row::of(&self.plan, cells)).collect();
        (self.csv, self.faults, self.complete, self.methods) = (csv, faults, complete, methods);
        self.took_ms = took_ms;
    }

    /// How many units of work were played.
    pub fn requests(&self) -> u64 {
        self.rows.iter().map(|row| row.count("requests")).sum()
    }

    /// What opens the first run of a row on the board.
    pub fn live(&self, row: usize) -> Option<Value> {
        let row = self.rows.get(row)?;
        let mut set = self.plan.base.set.clone();
        set.extend(
            self.plan.axes.iter().zip(&row.values).map(|(axis, value)| (axis.key.clone(), value.clone())),
        );
        let Plan { base, seeds, .. } = &self.plan;
        Some(
            json!({ "kind": "open", "preset": base.preset, "seed": seeds.first, "set": set, "faults": base.faults }),
        )
    }

    /// What it is kept by: what is varied, and how many points of it are there.
    pub fn name(&self) -> String {
        let keys: Vec<&str> = self.plan.axes.iter().map(|axis| axis.key.as_str()).collect();
        let all = answer::points(&self.plan);
        let count = if self.found.is_some() {
            format!("the least of {all} points")
        } else if self.complete {
            format!("{all} points")
        } else {
            format!("{} of {all} points", self.rows.len())
        };
        let what = if keys.is_empty() { "one point".to_owned() } else { keys.join(" × ") };
        format!("{}: {what}, {count}, {} seeds", self.plan.base.preset, self.plan.seeds.count)
    }

    /// The JSON that is kept.
    pub fn to_json(&self) -> String {
        let kept = Kept {
            program: program(),
            plan: self.plan.clone(),
            rows: self.rows.iter().map(|row| row.cells.clone()).collect(),
            csv: self.csv.clone(),
            complete: self.complete,
            methods: self.methods.clone(),
            faults: self.faults.clone(),
            took_ms: self.took_ms,
            found: self.found.clone(),
        };
        // Plain data cannot fail to be JSON.
        serde_json::to_string(&kept).unwrap_or_default()
    }

    /// Reads what was kept; nothing where it is another version's.
    pub fn from_json(text: &str) -> Option<Self> {
        let Kept { plan, rows, csv, complete, methods, faults, took_ms, found, .. } =
            serde_json::from_str(text).ok()?;
        let rows = rows.into_iter().map(|cells| Row::of(&plan, cells)).collect();
        Some(Played { plan, rows, csv, complete, methods, faults, took_ms, found, seeks: false })
    }

    /// The rows as a table's file: what the command line's `sweep` writes, or the same of the points that a search played.
    pub fn table(&self, said: &Described) -> String {
        if self.found.is_none() {
            return self.csv.clone();
        }
        let axes = self.plan.axes.iter().map(|axis| axis.key.clone());
        let counts = ["requests", "answered", "unanswered"].map(str::to_owned);
        let usual = said.metrics.iter().map(|metric| metric.name.clone());
        let more = self
            .methods
            .keys()
            .filter(|name| said.metrics.iter().all(|metric| metric.name != **name))
            .cloned();
        let metrics = usual.chain(more).flat_map(|name| ["", "_lo", "_hi"].map(|end| format!("{name}{end}")));
        let header: Vec<String> = axes.chain(counts).chain(metrics).chain(["verdict".to_owned()]).collect();
        let line =
            |row: &Row| csv_line(header.iter().map(|key| row.cells.get(key).cloned().unwrap_or_default()));
        csv_line(header.iter().cloned().map(Value::String)) + &self.rows.iter().map(line).collect::<String>()
    }

    /// The file that is handed on: as the command line's, and where it is from.
    pub fn file(&self, url: &str) -> String {
        let head = json!({ "version": 1, "program": program(), "url": url, "complete": self.complete });
        let Value::Object(mut file) = head else { return String::new() };
        file.insert("plan".to_owned(), json!(self.plan));
        file.insert("methods".to_owned(), Value::Object(self.methods.clone()));
        file.insert(
            "rows".to_owned(),
            self.rows.iter().map(|row| Value::Object(row.cells.clone())).collect(),
        );
        serde_json::to_string_pretty(&file).unwrap_or_default() + "\n"
    }
}

fn program() -> String {
    concat!("glasshive ", env!("CARGO_PKG_VERSION")).to_owned()
}
