//! `glasshive aggregate`: a strategy on numbers from standard input.

use crate::native::{OK, Problem, print, print_line};
use clap::Args;
use glasshive::lab::oracle::aggregate;
use std::io::{self, Read};

#[derive(Args)]
pub struct AggregateArgs {
    /// How: average, median, majority, upper-median, weighted-median, trimmed-mean, mad, hodges-lehmann, pyth.
    #[arg(long)]
    strategy: String,
    /// Majority's rounding step.
    #[arg(long, allow_hyphen_values = true)]
    step: Option<String>,
    /// The share that the trimmed mean drops at each end.
    #[arg(long, allow_hyphen_values = true)]
    trim: Option<String>,
    /// A weight for each number, such as 1,2,0.5.
    #[arg(long, allow_hyphen_values = true)]
    weights: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub fn aggregate(args: AggregateArgs) -> Result<u8, Problem> {
    let AggregateArgs { strategy, step, trim, weights, json } = args;
    let mut input = String::new();
    let wrong = |error| Problem::File("standard input".into(), error);
    io::stdin().read_to_string(&mut input).map_err(wrong)?;
    let outcome = aggregate::aggregate(&aggregate::Wish { strategy, step, trim, weights }, &input)?;
    if json {
        print_line(&serde_json::to_string(&outcome).unwrap_or_default())?;
    } else {
        print(outcome.to_text().as_bytes())?;
    }
    Ok(OK)
}
