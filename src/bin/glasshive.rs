//! The command line. On wasm32 it does nothing.

#[cfg(not(target_arch = "wasm32"))]
#[path = "glasshive/aggregate.rs"]
mod aggregate;
#[cfg(not(target_arch = "wasm32"))]
#[path = "glasshive/experiments.rs"]
mod experiments;
#[cfg(not(target_arch = "wasm32"))]
#[path = "glasshive/out.rs"]
mod out;
#[cfg(not(target_arch = "wasm32"))]
#[path = "glasshive/plot.rs"]
mod plot;

#[cfg(not(target_arch = "wasm32"))]
mod native {
    use crate::{aggregate, experiments, out, plot};
    use clap::{Args, Parser, Subcommand};
    use glasshive::kernel::{Duration, Instant, Sink};
    use glasshive::lab::{
        Invalid, Options, Run, SEED_MAX, Scenario,
        cluster::{Cluster, Session},
        curl::{self, terminal},
        oracle::delays,
        presets,
        report::{JsonStream, Report},
        trace_file::{self, Format},
    };
    use serde_json::Value;
    use std::fs::{self, File};
    use std::io::{self, BufWriter, Write};
    use std::path::{Path, PathBuf};
    use std::process::ExitCode;

    #[global_allocator]
    static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

    pub const OK: u8 = 0;
    /// `run`: a check failed. `curl`: nobody answered. `size`: no value meets.
    pub const FAILED: u8 = 1;
    const BAD_INPUT: u8 = 2;

    /// Distributed worker systems on virtual time: run them, call them, break them.
    #[derive(Parser)]
    #[command(version)]
    struct Cli {
        #[command(subcommand)]
        command: Command,
    }

    #[derive(Subcommand)]
    enum Command {
        /// List the shipped scenarios.
        Presets,
        /// Play a scenario and report what happened.
        Run(RunArgs),
        /// Play a scenario and say why something in it is as it is: a receipt.
        Explain(ExplainArgs),
        /// Play a plan: every point of it, with intervals and verdicts, as a table.
        Sweep(experiments::SweepArgs),
        /// Find the least value of what is varied that meets all goals.
        Size(experiments::SizeArgs),
        /// Play two scenarios with the same seeds, and print the paired difference of each figure.
        Compare(experiments::CompareArgs),
        /// Put the parts of a sweep together again.
        Merge(out::MergeArgs),
        /// Draw a sweep as SVG.
        Plot(plot::PlotArgs),
        /// Call the simulated API, with curl's own arguments after `--`.
        Curl(CurlArgs),
        /// Aggregate a JSON array of numbers, or for `pyth` an object with quotes, from standard input.
        Aggregate(aggregate::AggregateArgs),
    }

    #[derive(Args, Clone, Default)]
    pub struct Base {
        /// A shipped scenario, see `glasshive presets`; oracle-http if nothing says otherwise.
        #[arg(long)]
        preset: Option<String>,
        /// Set a parameter, such as `workers=5` or `timeout=1.2s`; may be given again.
        #[arg(long, value_name = "KEY=VALUE")]
        pub set: Vec<String>,
        /// The seed of everything random.
        #[arg(long, allow_hyphen_values = true)]
        seed: Option<String>,
        /// How long tasks take, as it was measured: one time a line (milliseconds, or with a unit), or probability,time.
        #[arg(long, value_name = "FILE")]
        delays: Option<PathBuf>,
    }

    /// What is played.
    #[derive(Args)]
    struct Played {
        #[command(flatten)]
        base: Base,
        /// A scenario file in JSON, in place of a preset; or a file of `glasshive curl --session`.
        #[arg(long, value_name = "FILE", conflicts_with = "preset")]
        scenario: Option<PathBuf>,
        /// How much virtual time to play; the horizon if absent.
        #[arg(long = "for", value_name = "DURATION")]
        duration: Option<String>,
        /// Faults in place of the scenario's, such as `crash:w-04@8s..20s,lie:w-09@11s=0.18`; '' is none.
        #[arg(long, value_name = "SPEC")]
        faults: Option<String>,
    }

    #[derive(Args)]
    struct RunArgs {
        #[command(flatten)]
        played: Played,
        /// Print one JSON object in place of the readable report.
        #[arg(long)]
        json: bool,
        /// Write every event to this file.
        #[arg(long, value_name = "FILE")]
        trace: Option<PathBuf>,
        /// How: `ndjson` has everything, one JSON object a line; `shiviz` and `perfetto` are for the programs of that name.
        #[arg(long, value_name = "FORMAT", requires = "trace", default_value = "ndjson")]
        trace_format: String,
    }

    #[derive(Args)]
    struct ExplainArgs {
        /// What: a request `req-00007`, a job's id, a version `v2`, what a node has of one `w-03@v2`, a message
        /// `#508` by the number of a record of it.
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
        #[command(flatten)]
        played: Played,
        /// Print a JSON object for each, one a line.
        #[arg(long)]
        json: bool,
    }

    #[derive(Args)]
    struct CurlArgs {
        #[command(flatten)]
        base: Base,
        /// Keep the cluster in this file from call to call.
        #[arg(long, value_name = "FILE")]
        session: Option<PathBuf>,
        /// First break something: at once, such as `crash:w-04`, or later, such as `crash:w-04@8s..20s`.
        #[arg(long, value_name = "SPEC")]
        faults: Option<String>,
        /// Then let so much virtual time pass, such as 5s.
        #[arg(long, value_name = "DURATION")]
        wait: Option<String>,
        /// Print the status line and the headers too.
        #[arg(short, long)]
        include: bool,
        /// Curl's arguments; without them there is no call.
        #[arg(last = true, required_unless_present_any = ["faults", "wait"], value_name = "CURL ARGUMENTS")]
        arguments: Vec<String>,
    }

    /// Why a command could not be carried out.
    pub enum Problem {
        Invalid(Invalid),
        File(PathBuf, io::Error),
        Output(io::Error),
    }

    impl From<Invalid> for Problem {
        fn from(invalid: Invalid) -> Self {
            Problem::Invalid(invalid)
        }
    }

    pub fn main() -> ExitCode {
        let outcome = match Cli::parse().command {
            Command::Presets => list_presets(),
            Command::Run(args) => run(&args),
            Command::Explain(args) => explain(&args),
            Command::Sweep(args) => experiments::sweep(&args),
            Command::Size(args) => experiments::size(&args),
            Command::Compare(args) => experiments::compare(&args),
            Command::Merge(args) => out::merge(&args),
            Command::Plot(args) => plot::plot(&args),
            Command::Curl(args) => call(&args),
            Command::Aggregate(args) => aggregate::aggregate(args),
        };
        match outcome {
            Ok(code) => code.into(),
            Err(Problem::Invalid(invalid)) => {
                eprintln!("glasshive: {invalid}");
                BAD_INPUT.into()
            }
            Err(Problem::File(path, error)) => {
                eprintln!("glasshive: {}: {error}", path.display());
                BAD_INPUT.into()
            }
            // Whoever read our output has had enough: that is no error of ours.
            Err(Problem::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => OK.into(),
            Err(Problem::Output(error)) => {
                eprintln!("glasshive: cannot print: {error}");
                FAILED.into()
            }
        }
    }

    fn list_presets() -> Result<u8, Problem> {
        let width = presets::all().map(|preset| preset.name.len()).max().unwrap_or_default();
        for preset in presets::all() {
            print_line(&format!("{:<width$}  {}: {}", preset.name, preset.title, preset.promise))?;
        }
        Ok(OK)
    }

    /// The scenario that is played, and whether its system's own clients ask besides.
    fn scenario(played: &Played) -> Result<(Scenario, bool), Problem> {
        let (mut scenario, client) = match &played.scenario {
            Some(path) => match read(path)? {
                text if Session::is_one(&text) => (Session::from_json(&text)?.as_played(), false),
                text => (Scenario::from_json(&text)?, true),
            },
            None => (Scenario::preset(preset(&played.base), 1), true),
        };
        apply(&played.base, &mut scenario)?;
        if let Some(faults) = &played.faults {
            scenario.faults = Some(faults.clone());
        }
        if let Some(text) = &played.duration {
            scenario.horizon = Some(duration("for", text)?.to_string());
        }
        Ok((scenario, client))
    }

    pub fn scenario_of_file(path: &Path) -> Result<Scenario, Problem> {
        Ok(Scenario::from_json(&read(path)?)?)
    }

    pub fn preset(base: &Base) -> &str {
        base.preset.as_deref().unwrap_or("oracle-http")
    }

    fn duration(field: &str, text: &str) -> Result<Duration, Invalid> {
        let wrong = |error| Invalid { field: field.into(), value: text.into(), allowed: format!("{error}") };
        text.parse().map_err(wrong)
    }

    fn begin(played: &Played, options: Options) -> Result<Run, Problem> {
        let (scenario, client) = scenario(played)?;
        let run = Run::new(&scenario, Options { client, ..options }).map_err(|mut invalid| {
            // The horizon is what `--for` sets.
            if invalid.field == "horizon" && played.duration.is_some() {
                invalid.field = "for".into();
            }
            invalid
        })?;
        Ok(run)
    }

    fn run(args: &RunArgs) -> Result<u8, Problem> {
        let RunArgs { played, json, trace, trace_format } = args;
        let format = Format::from_name(trace_format).ok_or_else(|| Invalid {
            field: "trace-format".into(),
            value: trace_format.clone(),
            allowed: Format::ALL.map(Format::name).join(", "),
        })?;
        let sink = match trace {
            None => Sink::None,
            Some(_) if format == Format::Ndjson => Sink::Annotated,
            Some(_) => Sink::Full,
        };
        // Open work only: what has ended is streamed, or counted and forgotten.
        let options = Options { sink, keep: 0, ..Options::default() };
        let stream = json.then(|| JsonStream::new(BufWriter::new(io::stdout())));
        let options = stream.as_ref().map_or(options.clone(), |stream| stream.listen(options));
        let mut run = begin(played, options)?;
        stream.iter().for_each(|stream| stream.begin(&run));
        run.run_until(Instant::MAX);
        if let Some(path) = trace {
            write_trace(&run, format, path)?;
        }
        if let Some(why) = run.stopped() {
            eprintln!("glasshive: {why}");
        }
        let report = Report::of(&run);
        match stream {
            Some(stream) => stream.end(&run, &report).map_err(Problem::Output)?,
            None => print(report.to_text().as_bytes())?,
        }
        // The process ends: there is no use in freeing block by block what goes with it.
        std::mem::forget(run);
        Ok(if report.ok() { OK } else { FAILED })
    }

    fn write_trace(run: &Run, format: Format, path: &Path) -> Result<(), Problem> {
        let wrong = |error| Problem::File(path.to_owned(), error);
        let mut out = BufWriter::new(File::create(path).map_err(wrong)?);
        trace_file::write(run, format, &mut out).and_then(|()| out.flush()).map_err(wrong)
    }

    fn explain(args: &ExplainArgs) -> Result<u8, Problem> {
        let options = Options { sink: Sink::Full, facts: usize::MAX, ..Options::default() };
        let mut run = begin(&args.played, options)?;
        run.run_until(Instant::MAX);
        if let Some(why) = run.stopped() {
            eprintln!("glasshive: {why}");
        }
        let receipts = args.ids.iter().map(|id| run.receipt(id)).collect::<Result<Vec<_>, _>>()?;
        for (receipt, i) in receipts.iter().zip(0..) {
            match args.json {
                // Plain data cannot fail to be JSON.
                true => print_line(&serde_json::to_string(receipt).unwrap_or_default())?,
                false => print(format!("{}{}", if i > 0 { "\n" } else { "" }, receipt.to_text()).as_bytes())?,
            }
        }
        Ok(OK)
    }

    fn call(args: &CurlArgs) -> Result<u8, Problem> {
        let CurlArgs { base, session, faults, wait, include, arguments } = args;
        let command = (!arguments.is_empty()).then(|| curl::parse(arguments, &read_data)).transpose()?;
        if let Some(command) = &command {
            terminal::check(command)?;
        }
        let mut cluster = cluster(base, session.as_deref())?;
        if let Some(faults) = faults {
            cluster.add_faults(faults)?;
        }
        if let Some(wait) = wait {
            cluster.wait(duration("wait", wait)?)?;
        }
        let answer = match &command {
            Some(command) => Some(cluster.call(&command.request, terminal::max_time(command)?)?),
            None => None,
        };
        if let Some(path) = session {
            write_file(path, cluster.session().to_json().as_bytes())?;
        }
        let (Some(mut command), Some((answer, took))) = (command, answer) else { return Ok(OK) };
        command.include |= include;
        let shown = terminal::show(&command, &answer, took);
        eprint!("{}", shown.aside);
        match command.says('o') {
            Some(path) => write_file(Path::new(path), &shown.answer)?,
            None => print(&shown.answer)?,
        }
        print(shown.written.as_bytes())?;
        Ok(shown.code)
    }

    /// The cluster of a session's file, if that is there, or else a fresh one.
    fn cluster(base: &Base, session: Option<&Path>) -> Result<Cluster, Problem> {
        let mut wished = Scenario::preset(preset(base), 1);
        apply(base, &mut wished)?;
        match session.filter(|path| path.exists()) {
            Some(path) => {
                let session = Session::from_json(&read(path)?)?;
                let seed = base.seed.as_ref().map(|_| wished.seed);
                session.agree(base.preset.as_deref(), seed, &wished.set)?;
                Ok(Cluster::resume(&session)?)
            }
            None => Ok(Cluster::fresh(wished)?),
        }
    }

    /// The text of `-d @file`; `-` is standard input.
    fn read_data(name: &str) -> Result<String, Invalid> {
        let text = if name == "-" { io::read_to_string(io::stdin()) } else { fs::read_to_string(name) };
        text.map_err(|error| Invalid {
            field: "-d".into(),
            value: format!("@{name}"),
            allowed: format!("a file with text ({error})"),
        })
    }

    pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Problem> {
        fs::write(path, bytes).map_err(|error| Problem::File(path.to_owned(), error))
    }

    /// Puts `--seed`, `--delays` and `--set` into a scenario.
    pub fn apply(base: &Base, scenario: &mut Scenario) -> Result<(), Problem> {
        if let Some(text) = &base.seed {
            scenario.seed = text.parse().map_err(|_| Invalid {
                field: "seed".into(),
                value: text.clone(),
                allowed: format!("a whole number from 0 to {SEED_MAX}"),
            })?;
        }
        if let Some(path) = &base.delays {
            scenario.set.insert("delays".to_owned(), delays::of_file(path)?.into());
            scenario.set.insert("delay-law".to_owned(), "empirical".into());
        }
        for pair in &base.set {
            let (key, value) = pair.split_once('=').ok_or_else(|| Invalid {
                field: "set".into(),
                value: pair.clone(),
                allowed: "key=value, such as workers=5".into(),
            })?;
            scenario.set.insert(key.to_owned(), Value::from(value));
        }
        Ok(())
    }

    pub fn read(path: &Path) -> Result<String, Problem> {
        fs::read_to_string(path).map_err(|error| Problem::File(path.to_owned(), error))
    }

    pub fn print_line(text: &str) -> Result<(), Problem> {
        print(format!("{text}\n").as_bytes())
    }

    pub fn print(bytes: &[u8]) -> Result<(), Problem> {
        let mut out = io::stdout().lock();
        out.write_all(bytes).and_then(|()| out.flush()).map_err(Problem::Output)
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    native::main()
}

#[cfg(target_arch = "wasm32")]
fn main() {}
