//! Measured times, or quantiles of them, from a file: what `delays` of the empirical law is made of.
//!
//! A line has a time, or a probability and a time with a comma between them; all lines are alike. A time is in milliseconds, or
//! has its unit (`120ms`, `1.5s`). The first line may be a header, of words; empty lines are nothing.

use crate::lab::invalid::Invalid;
use crate::substrate::decimal;
use crate::systems::oracle::delay::{QUANTILES_MAX, Quantiles, Wrong, read_probability, read_time};
#[cfg(not(target_arch = "wasm32"))]
use std::{fs::File, io::Read, path::Path};

/// No file is longer, in bytes.
pub const FILE_MAX: u64 = 16 << 20;
/// Quantiles have so many significant digits: within 0.05 %, and a thousand of them still go into a link.
const DIGITS: f64 = 1e4;

/// The value of `delays` for the file called `name` with these bytes. Of measured times, however many, it has at most 1,000
/// quantiles: those of Hyndman and Fan's definition 7 at probabilities from 0 to 1, evenly spaced.
pub fn condense(name: &str, bytes: &[u8]) -> Result<String, Invalid> {
    check_size(name, bytes.len() as u64)?;
    let (mut times, mut quantiles, mut texts) = (Vec::new(), Quantiles::default(), Vec::new());
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut is_first = true;
    for (line, number) in bytes.split(|byte| *byte == b'\n').zip(1_u32..) {
        let wrong = |(value, allowed): Wrong| {
            // What is no number may be of any length.
            let value: String = value.chars().take(VALUE_MAX).collect();
            Invalid::new(&format!("{name}, line {number}"), &value, &allowed)
        };
        let line =
            str::from_utf8(line).map_err(|_| wrong(("bytes".to_owned(), "text in UTF-8".to_owned())))?;
        let cells: Vec<&str> = line.split(',').map(|cell| cell.trim().trim_matches('"')).collect();
        let is_header = is_first && cells.iter().all(|cell| is_name(cell));
        if line.trim().is_empty() || is_header {
            is_first = is_first && !is_header;
            continue;
        }
        is_first = false;
        match cells[..] {
            [time] if texts.is_empty() => times.push(read_time(time).map_err(wrong)?),
            [probability, time] if times.is_empty() => {
                let (probability, seconds) =
                    (read_probability(probability).map_err(wrong)?, read_time(time).map_err(wrong)?);
                if texts.len() == QUANTILES_MAX {
                    let allowed = format!("at most {QUANTILES_MAX} quantiles");
                    return Err(wrong((line.trim().to_owned(), allowed)));
                }
                quantiles.add(probability, seconds, line.trim()).map_err(wrong)?;
                texts.push(format!("{}:{}", decimal::plain(probability), short(seconds * 1e3)));
            }
            _ => {
                let allowed = "a time, or a probability and a time, in each line alike";
                return Err(wrong((line.trim().to_owned(), allowed.to_owned())));
            }
        }
    }
    match (times.is_empty(), texts.is_empty()) {
        (true, true) => Err(Invalid::new(name, "", "at least one line with a time")),
        (true, false) => Ok(texts.join(",")),
        (false, _) => Ok(of_sample(times)),
    }
}

/// No value is shown at greater length, in characters.
const VALUE_MAX: usize = 60;

/// The head of a column: no number, and not what a program writes in place of one.
fn is_name(cell: &str) -> bool {
    let is_no_number =
        ["nan", "inf", "infinity", "null", "none"].iter().any(|no| cell.eq_ignore_ascii_case(no));
    cell.starts_with(char::is_alphabetic) && !is_no_number
}

/// The quantiles of measured times.
fn of_sample(mut times: Vec<f64>) -> String {
    times.sort_unstable_by(f64::total_cmp);
    let count = times.len().min(QUANTILES_MAX);
    let quantile = |place: usize| {
        // In whole numbers, as a thousand places are to fall on the times themselves where there are as many.
        let (steps, of) = (place * (times.len() - 1), (count - 1).max(1));
        let (below, part) = (steps / of, (steps % of) as f64 / of as f64);
        let above = times.get(below + 1).unwrap_or(&times[below]);
        short((times[below] + (above - times[below]) * part) * 1e3)
    };
    (0..count).map(quantile).collect::<Vec<_>>().join(",")
}

/// A number with four significant digits at most.
fn short(value: f64) -> String {
    let mut unit = 1.0;
    if value > 0.0 {
        // Whole powers of ten, as far as they go, are exact.
        while value * unit < DIGITS / 10.0 && unit < 1e12 {
            unit *= 10.0;
        }
    }
    let mut shrink = 1.0;
    while value / shrink >= DIGITS {
        shrink *= 10.0;
    }
    decimal::plain(libm::round(value / shrink * unit) * shrink / unit)
}

fn check_size(name: &str, size: u64) -> Result<(), Invalid> {
    let allowed = format!("at most {FILE_MAX} bytes");
    if size > FILE_MAX { Err(Invalid::new(name, &format!("{size} bytes"), &allowed)) } else { Ok(()) }
}

/// The same of a file. One that is too long is not read; of a pipe, which does not say how long it is, no more than that is.
#[cfg(not(target_arch = "wasm32"))]
pub fn of_file(path: &Path) -> Result<String, Invalid> {
    let name = path.display().to_string();
    let wrong = |error| Invalid::new("delays", &name, &format!("a file that can be read ({error})"));
    let file = File::open(path).map_err(wrong)?;
    check_size(&name, file.metadata().map_err(wrong)?.len())?;
    let mut bytes = Vec::new();
    file.take(FILE_MAX + 1).read_to_end(&mut bytes).map_err(wrong)?;
    if bytes.len() as u64 > FILE_MAX {
        let size = format!("more than {FILE_MAX} bytes");
        return Err(Invalid::new(&name, &size, &format!("at most {FILE_MAX} bytes")));
    }
    condense(&name, &bytes)
}
