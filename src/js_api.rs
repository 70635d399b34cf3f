//! `window.glasshive`: the automation surface, for tests, embeds and people's own scripts. It sends the commands that the
//! page's controls send; while a replay is under way, what it tells is of the moment that is still shown. The
//! boot module adds `sweep`, which needs no run.

use crate::app::PlayerState;
use crate::app::session::{Command, Outcome};
use crate::lab::Invalid;
use crate::lab::fault::format_list;
use crate::ui::{self, Lab};
use js_sys::{Error, JSON, Promise, Reflect};
use serde_json::Value;
use wasm_bindgen::prelude::*;

/// The object behind `window.glasshive`.
#[wasm_bindgen]
pub struct Glasshive {
    lab: Lab,
}

/// Puts the object on the window.
pub fn install(lab: Lab) {
    let object = JsValue::from(Glasshive { lab });
    // A window takes any property.
    let _ = Reflect::set(&js_sys::global(), &"glasshive".into(), &object);
}

#[wasm_bindgen]
impl Glasshive {
    /// The program's version.
    #[wasm_bindgen(getter)]
    pub fn version(&self) -> String {
        env!("CARGO_PKG_VERSION").to_owned()
    }

    /// `running`, `paused` or `replaying`.
    #[wasm_bindgen(getter)]
    pub fn state(&self) -> String {
        if self.lab.leaves() {
            return PlayerState::Replaying.name().to_owned();
        }
        self.lab.read(|session| session.status().state.name().to_owned())
    }

    /// Whether the run goes no further.
    #[wasm_bindgen(getter)]
    pub fn ended(&self) -> bool {
        self.lab.read(|session| session.status().ended)
    }

    /// Virtual time in milliseconds.
    #[wasm_bindgen(getter)]
    pub fn vtime(&self) -> f64 {
        self.lab.read(|session| session.snapshot().vtime_ms)
    }

    /// The speed that was asked for.
    #[wasm_bindgen(getter)]
    pub fn speed(&self) -> f64 {
        self.lab.read(|session| session.status().speed)
    }

    /// The name of the system.
    #[wasm_bindgen(getter)]
    pub fn system(&self) -> String {
        self.lab.read(|session| session.snapshot().system.name.to_owned())
    }

    /// The seed of everything random in the run.
    #[wasm_bindgen(getter)]
    pub fn seed(&self) -> f64 {
        // Seeds are below 2⁵³.
        self.lab.read(|session| session.address().seed as f64)
    }

    /// All faults, scheduled and by hand, as a specification; while the truth is hidden, those by hand.
    #[wasm_bindgen(getter)]
    pub fn faults(&self) -> String {
        self.lab.read(|session| {
            let (run, truth) = (session.run(), session.snapshot().truth);
            let faults = run.faults().enumerate().filter(|(i, _)| truth || run.is_by_hand(*i));
            format_list(faults.map(|(_, fault)| fault))
        })
    }

    /// How many futures are known: this run's, and that which an act in the past has left.
    #[wasm_bindgen(getter)]
    pub fn branches(&self) -> f64 {
        self.lab.read(|session| session.branches() as f64)
    }

    /// Takes the last act back: goes to the moment before it; the promise is kept on arrival.
    pub fn undo(&self) -> Result<Promise, Error> {
        self.set_out(Command::Undo)
    }

    /// Does again what was taken back; the promise is kept on arrival.
    pub fn redo(&self) -> Result<Promise, Error> {
        self.set_out(Command::Redo)
    }

    /// Lets virtual time pass; from the start, if the run has ended.
    pub fn play(&self) {
        self.lab.act(Command::Play);
    }

    /// Stops it. A replay that is under way ends where it is.
    pub fn pause(&self) {
        self.lab.act(Command::Pause);
    }

    /// Pauses, and plays the next event and its instant to the end. False at the horizon.
    pub fn step(&self) -> bool {
        self.lab.send(Command::Step) != Ok(Outcome::Ended)
    }

    /// Pauses, and goes back to the instant before the last event; the promise is kept on arrival.
    #[wasm_bindgen(js_name = stepBack)]
    pub fn step_back(&self) -> Result<Promise, Error> {
        self.set_out(Command::StepBack)
    }

    /// Goes to `ms` of virtual time; the promise is kept on arrival.
    pub fn seek(&self, ms: f64) -> Result<Promise, Error> {
        self.set_out(Command::Seek { at_ms: ms })
    }

    /// Sets a parameter, such as `workers` to 5 or `timeout` to `1.2s`. The run starts over with it and is replayed to
    /// this moment; the promise is kept on arrival.
    pub fn set(&self, key: &str, value: JsValue) -> Result<Promise, Error> {
        // 5, not 5.0: a whole number stays one.
        let number =
            value.as_f64().map(|x| if x.fract() == 0.0 { Value::from(x as i64) } else { Value::from(x) });
        let value = number.or_else(|| value.as_string().map(Value::from));
        let value = value.ok_or_else(|| Error::new(&format!("{key}: only numbers and texts are values")))?;
        self.set_out(Command::Set { key: key.to_owned(), value })
    }

    /// Sets how many virtual milliseconds pass per millisecond, 0.1 … 1000.
    #[wasm_bindgen(js_name = setSpeed)]
    pub fn set_speed(&self, speed: f64) -> Result<(), Error> {
        self.send(Command::Speed { speed }).map(drop)
    }

    /// Does what a command says, such as `{kind: "toggle", fault: "crash", node: "w-04"}`; the promise is kept when it is
    /// done, and the replay that it may need has arrived.
    pub fn apply(&self, command: &JsValue) -> Result<Promise, Error> {
        let text = JSON::stringify(command).map(String::from).unwrap_or_default();
        let mut read = serde_json::from_slice(text.as_bytes())
            .map_err(|error| Error::new(&format!("command: {error}")))?;
        match &mut read {
            Command::Open { set, .. } => {
                let settings = Reflect::get(command, &"set".into()).unwrap_or_default();
                set.iter_mut().for_each(|(key, value)| take_exactly(value, &settings, key));
            }
            Command::Set { value, .. } => take_exactly(value, command, "value"),
            _ => {}
        }
        self.set_out(read)
    }

    /// The hash over all events so far, 16 hexadecimal digits.
    #[wasm_bindgen(js_name = traceHash)]
    pub fn trace_hash(&self) -> String {
        self.lab.read(|session| session.run().trace_hash())
    }

    /// This moment as a plain object.
    pub fn snapshot(&self) -> Result<JsValue, Error> {
        JSON::parse(&self.lab.snapshot_now().to_json().to_string()).map_err(Error::from)
    }

    /// The board's labels and what each covers, in CSS pixels of the window: `{name, x, y, w, h, font}`. A line that
    /// decides something, such as the gate, is called `|`.
    pub fn layout(&self) -> Result<JsValue, Error> {
        let labels = serde_json::to_string(&self.lab.labels_shown()).unwrap_or_default();
        JSON::parse(&labels).map_err(Error::from)
    }

    /// A link to this moment: scenario, seed, numbers, faults and time. Calls are not in it.
    pub fn url(&self) -> String {
        self.lab.link()
    }

    /// The query of a link to the run that an act in the past has left, from its start, while it is kept.
    pub fn left(&self) -> Option<String> {
        ui::left(self.lab)
    }

    /// A fault from the next whole millisecond on, such as `crash:w-04` or `slow:w-02=4`. Returns that millisecond;
    /// nothing while a replay is under way, which it waits for.
    pub fn fault(&self, spec: &str) -> Result<Option<f64>, Error> {
        match self.send(Command::Fault { fault: spec.to_owned() })? {
            Outcome::Acted(acted) => Ok(Some(acted.at.as_millis_f64())),
            _ => Ok(None),
        }
    }

    /// Calls the simulated API from the node `console`: nothing leaves the page. The promise is kept with a `Response` when
    /// virtual time has come to the answer; while time stands still, it passes until then.
    pub fn fetch(&self, path: &str, init: JsValue) -> JsValue {
        ui::fetch(self.lab, path, &init)
    }

    fn send(&self, command: Command) -> Result<Outcome, Error> {
        self.lab.send(command).map_err(to_error)
    }

    fn set_out(&self, command: Command) -> Result<Promise, Error> {
        self.send(command)?;
        Ok(arrival(self.lab))
    }
}

/// Takes a number as the script has it: from JSON the opening program may have read one of 17 digits as the one beside it.
fn take_exactly(value: &mut Value, object: &JsValue, key: &str) {
    let exact = Reflect::get(object, &key.into()).ok().and_then(|value| value.as_f64());
    if let Some(exact) = exact.filter(|_| value.is_f64()) {
        *value = exact.into();
    }
}

/// Kept when the session has arrived.
fn arrival(lab: Lab) -> Promise {
    Promise::new(&mut |keep, _| {
        lab.when_arrived(Box::new(move || {
            // A promise takes any value.
            let _ = keep.call0(&JsValue::UNDEFINED);
        }));
    })
}

fn to_error(invalid: Invalid) -> Error {
    Error::new(&invalid.to_string())
}
