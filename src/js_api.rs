//! `window.glasshive`: the automation surface, for tests, embeds and people's own scripts.

use crate::kernel::Instant;
use crate::lab::Invalid;
use crate::lab::fault::format_list;
use crate::ui::Lab;
use js_sys::{Error, Promise, Reflect};
use serde::Serialize;
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
        self.lab.read(|player| player.state().name().to_owned())
    }

    /// Virtual time in milliseconds.
    #[wasm_bindgen(getter)]
    pub fn vtime(&self) -> f64 {
        self.lab.read(|player| player.run().now().as_millis_f64())
    }

    /// The speed that was asked for.
    #[wasm_bindgen(getter)]
    pub fn speed(&self) -> f64 {
        self.lab.read(|player| player.speed())
    }

    /// The name of the system.
    #[wasm_bindgen(getter)]
    pub fn system(&self) -> String {
        self.lab.read(|player| player.run().system().kind().name.to_owned())
    }

    /// The seed of everything random in the run.
    #[wasm_bindgen(getter)]
    pub fn seed(&self) -> f64 {
        // Seeds are below 2⁵³.
        self.lab.read(|player| player.run().scenario().seed as f64)
    }

    /// All faults, scheduled and by hand, as a specification.
    #[wasm_bindgen(getter)]
    pub fn faults(&self) -> String {
        self.lab.read(|player| format_list(player.run().faults()))
    }

    /// Lets virtual time pass.
    pub fn play(&self) {
        self.lab.act(|player| player.play());
    }

    /// Stops it.
    pub fn pause(&self) {
        self.lab.act(|player| player.pause());
    }

    /// Pauses, and plays the next event and its instant to the end. False at the horizon.
    pub fn step(&self) -> bool {
        self.lab.act(|player| player.step())
    }

    /// Pauses, and goes back to the instant before the last event; the promise is kept on arrival.
    #[wasm_bindgen(js_name = stepBack)]
    pub fn step_back(&self) -> Result<Promise, Error> {
        self.lab.attempt(|player| player.step_back()).map_err(to_error)?;
        Ok(arrival(self.lab))
    }

    /// Goes to `ms` of virtual time; the promise is kept on arrival.
    pub fn seek(&self, ms: f64) -> Result<Promise, Error> {
        if !(ms.is_finite() && ms >= 0.0) {
            return Err(Error::new(&format!("seek: {ms} is not allowed; allowed: milliseconds from 0")));
        }
        self.lab.attempt(|player| player.seek(Instant::from_nanos((ms * 1e6) as u64))).map_err(to_error)?;
        Ok(arrival(self.lab))
    }

    /// Sets a parameter, such as `workers` to 5 or `timeout` to `1.2s`. The run starts over with it and is replayed to
    /// this moment; the promise is kept on arrival.
    pub fn set(&self, key: &str, value: JsValue) -> Result<Promise, Error> {
        // 5, not 5.0: a whole number stays one.
        let number =
            value.as_f64().map(|x| if x.fract() == 0.0 { Value::from(x as i64) } else { Value::from(x) });
        let value = number.or_else(|| value.as_string().map(Value::from));
        let value = value.ok_or_else(|| Error::new(&format!("{key}: only numbers and texts are values")))?;
        self.lab.attempt(|player| player.set(key, value)).map_err(to_error)?;
        Ok(arrival(self.lab))
    }

    /// Sets how many virtual milliseconds pass per millisecond, 0.1 … 1000.
    #[wasm_bindgen(js_name = setSpeed)]
    pub fn set_speed(&self, speed: f64) -> Result<(), Error> {
        self.lab.attempt(|player| player.set_speed(speed)).map_err(to_error)
    }

    /// The hash over all events so far, 16 hexadecimal digits.
    #[wasm_bindgen(js_name = traceHash)]
    pub fn trace_hash(&self) -> String {
        self.lab.read(|player| player.run().trace_hash())
    }

    /// This moment as a plain object.
    pub fn snapshot(&self) -> Result<JsValue, Error> {
        let plain = serde_wasm_bindgen::Serializer::json_compatible();
        let snapshot = self.lab.snapshot_now();
        snapshot.serialize(&plain).map_err(|error| Error::new(&error.to_string()))
    }

    /// A fault from the next whole millisecond on, such as `crash:w-04` or `slow:w-02=4`. Returns that millisecond.
    pub fn fault(&self, spec: &str) -> Result<f64, Error> {
        self.lab.attempt(|player| player.fault(spec)).map(|acted| acted.at.as_millis_f64()).map_err(to_error)
    }
}

/// Kept when the player has arrived.
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
