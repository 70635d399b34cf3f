//! The files of sweeps: written row by row, gone on with after a break, and put together of parts.

use crate::experiments::invalid;
use crate::native::{OK, Problem, read, write_file};
use clap::Args;
use glasshive::lab::Invalid;
use glasshive::lab::experiment::rows::{self, Format, Shard};
use glasshive::lab::experiment::{Checked, Row};
use serde_json::{Value, json};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Where the rows of a sweep go.
pub struct Out {
    to: Box<dyn Write>,
    path: Option<PathBuf>,
    format: Format,
    /// Rows that were there before, and the first of them as it is written.
    there: usize,
    first: Option<String>,
    written: usize,
}

impl Out {
    /// Opens the file, or standard output.
    pub fn open(
        path: Option<&Path>,
        resume: bool,
        format: Format,
        shard: Option<Shard>,
        plan: &Checked,
    ) -> Result<Self, Problem> {
        if resume && format == Format::Json {
            return Err(invalid(
                "format",
                format.name(),
                "csv or jsonl with --resume, which have a line for each row",
            )
            .into());
        }
        let head = rows::head(plan, format, shard);
        let mut out = Out {
            to: Box::new(io::stdout()),
            path: path.map(Path::to_owned),
            format,
            there: 0,
            first: None,
            written: 0,
        };
        let Some(path) = path else {
            out.write(&head)?;
            return Ok(out);
        };
        let wrong = |error| Problem::File(path.to_owned(), error);
        // A file that does not even have all of its head is begun anew.
        let before = if resume && path.exists() { read(path)? } else { String::new() };
        let whole = &before[..before.rfind('\n').map_or(0, |end| end + 1)];
        if !whole.is_empty() && !whole.starts_with(&head) {
            if !head.starts_with(whole) {
                return Err(out.of_another_plan().into());
            }
        } else if whole.len() >= head.len() && !whole.is_empty() {
            let rows = records(&whole[head.len()..], format);
            (out.there, out.first) = (rows.len(), rows.first().map(|row| (*row).to_owned()));
            let file = OpenOptions::new().write(true).open(path).map_err(wrong)?;
            // The end of a row that was being written.
            let kept = head.len() + rows.iter().map(|row| row.len()).sum::<usize>();
            file.set_len(kept as u64).map_err(wrong)?;
            drop(file);
            out.to = Box::new(OpenOptions::new().append(true).open(path).map_err(wrong)?);
            return Ok(out);
        }
        out.to = Box::new(File::create(path).map_err(wrong)?);
        out.write(&head)?;
        Ok(out)
    }

    /// How many rows were there before.
    pub fn rows(&self) -> usize {
        self.there
    }

    pub fn of_another_plan(&self) -> Invalid {
        let path = self.path.as_deref().unwrap_or(Path::new("-")).display().to_string();
        invalid("resume", &path, "a file that the same plan, format, shard and version began")
    }

    /// The next row. The first one that was there before comes again, and has to be the same.
    pub fn take(&mut self, plan: &Checked, row: &Row) -> Result<(), Problem> {
        let line = rows::line(plan, row, self.format);
        if let Some(first) = self.first.take() {
            return if first == line { Ok(()) } else { Err(self.of_another_plan().into()) };
        }
        let separator = rows::separator(self.format, self.there + self.written == 0);
        let line = if self.format == Format::Json { line.trim_end() } else { &line };
        self.written += 1;
        self.write(&format!("{separator}{line}"))
    }

    /// There are no more.
    pub fn end(&mut self) -> Result<(), Problem> {
        self.write(rows::tail(self.format))
    }

    fn write(&mut self, text: &str) -> Result<(), Problem> {
        let written = self.to.write_all(text.as_bytes()).and_then(|()| self.to.flush());
        written.map_err(|error| match &self.path {
            Some(path) => Problem::File(path.clone(), error),
            None => Problem::Output(error),
        })
    }
}

/// The complete rows of a text. A cell of CSV may have line ends in it.
fn records(text: &str, format: Format) -> Vec<&str> {
    if format == Format::Jsonl {
        return text.split_inclusive('\n').collect();
    }
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let (mut rows, mut from) = (Vec::new(), 0);
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).unwrap_or(false) {
        let to = reader.position().byte() as usize;
        rows.push(&text[from..to]);
        from = to;
    }
    rows
}

#[derive(Args)]
pub struct MergeArgs {
    /// The files of all parts, in any order.
    #[arg(required = true, value_name = "SHARD")]
    shards: Vec<PathBuf>,
    /// Write there in place of standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// A part of a sweep.
struct Part {
    path: PathBuf,
    format: Format,
    shard: Shard,
    /// What stands before the rows, without what says which part it is.
    head: String,
    rows: Vec<String>,
}

pub fn merge(args: &MergeArgs) -> Result<u8, Problem> {
    let mut parts =
        args.shards.iter().map(|path| Ok(part(path, &read(path)?)?)).collect::<Result<Vec<_>, Problem>>()?;
    parts.sort_by_key(|part| part.shard.part);
    let merged = put_together(&parts)?;
    match &args.out {
        Some(path) => write_file(path, merged.as_bytes())?,
        None => crate::native::print(merged.as_bytes())?,
    }
    Ok(OK)
}

fn put_together(parts: &[Part]) -> Result<String, Invalid> {
    let Some(first) = parts.first() else { return Ok(String::new()) };
    let name = |part: &Part| part.path.display().to_string();
    for (part, expected) in parts.iter().zip(1..) {
        if (&part.head, part.format, part.shard.parts) != (&first.head, first.format, first.shard.parts) {
            return Err(invalid(
                "shard",
                &name(part),
                &format!("a part of the same sweep as {}", name(first)),
            ));
        }
        if part.shard.part != expected {
            return Err(invalid(
                "shard",
                &name(part),
                &format!("each part once: {expected}/{} is missing", first.shard.parts),
            ));
        }
    }
    if parts.len() != first.shard.parts {
        let missing = format!("all parts: {}/{} is missing", parts.len() + 1, first.shard.parts);
        return Err(invalid("shard", &parts.last().map(name).unwrap_or_default(), &missing));
    }
    let all: usize = parts.iter().map(|part| part.rows.len()).sum();
    let mut merged = first.head.clone();
    for place in 0..all {
        let part = &parts[place % parts.len()];
        let Some(row) = part.rows.get(place / parts.len()) else {
            return Err(invalid("shard", &name(part), "a part that was played to its end"));
        };
        merged += rows::separator(first.format, place == 0);
        merged += row;
    }
    Ok(merged + rows::tail(first.format))
}

/// Reads a part.
fn part(path: &Path, text: &str) -> Result<Part, Invalid> {
    let wrong = || {
        let path = path.display().to_string();
        invalid("shard", &path, "a file that `glasshive sweep --shard I/N` has written")
    };
    let path = path.to_owned();
    if let Some(rest) = text.strip_prefix("# shard ") {
        let (shard, rest) = rest.split_once('\n').ok_or_else(wrong)?;
        let shard = crate::experiments::shard_of(shard)?;
        let records = records(rest, Format::Csv);
        let (head, rows) = records.split_first().ok_or_else(wrong)?;
        let rows = rows.iter().map(|row| (*row).to_owned()).collect();
        return Ok(Part { path, format: Format::Csv, shard, head: (*head).to_owned(), rows });
    }
    let of = |value: &Value| serde_json::from_value::<Shard>(value.get("shard")?.clone()).ok();
    if let Some((first, rest)) = text.split_once('\n')
        && let Some(shard) = serde_json::from_str(first).ok().as_ref().and_then(of)
    {
        let rows = rest.split_inclusive('\n').map(str::to_owned).collect();
        return Ok(Part { path, format: Format::Jsonl, shard, head: String::new(), rows });
    }
    let shard = serde_json::from_str(text).ok().as_ref().and_then(of).ok_or_else(wrong)?;
    let said = format!("\"shard\":{},\n", json!(shard));
    let (head, rest) = text.split_once("\"rows\":[\n").ok_or_else(wrong)?;
    let rows = rest.strip_suffix(rows::tail(Format::Json)).ok_or_else(wrong)?;
    let rows = rows.split(",\n").filter(|row| !row.is_empty()).map(str::to_owned).collect();
    let head = head.replacen(&said, "", 1) + "\"rows\":[";
    Ok(Part { path, format: Format::Json, shard, head, rows })
}
