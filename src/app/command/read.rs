//! How a command is read from JSON. By hand, since what would be derived for so many kinds of objects is as large as all of
//! the session, and every visitor of the page would load it.

use super::{BTreeMap, Command, FaultKind, Map, Value};

/// The fields of an object that have not been read yet.
struct Fields(Map<String, Value>);

impl TryFrom<Map<String, Value>> for Command {
    type Error = String;

    fn try_from(object: Map<String, Value>) -> Result<Self, String> {
        let mut fields = Fields(object);
        let command = read(&mut fields)?;
        match fields.0.keys().next() {
            Some(key) => Err(format!("{key} is no field of such a command")),
            None => Ok(command),
        }
    }
}

fn read(fields: &mut Fields) -> Result<Command, String> {
    let kind = fields.text("kind")?;
    Ok(match kind.as_str() {
        "open" => Command::Open {
            preset: fields.text("preset")?,
            seed: fields.whole("seed")?,
            set: fields.settings()?,
            faults: fields.text_if_any("faults")?,
            own: fields.text_if_any("own")?,
            off: fields.text_if_any("off")?,
            actions: fields.actions()?,
            horizon: fields.text_if_any("horizon")?,
        },
        "play" => Command::Play,
        "extend" => Command::Extend,
        "pause" => Command::Pause,
        "speed" => Command::Speed { speed: fields.number("speed")? },
        "step" => Command::Step,
        "step_back" => Command::StepBack,
        "seek" => Command::Seek { at_ms: fields.number("at_ms")? },
        "next_request" => Command::NextRequest,
        "set" => Command::Set { key: fields.text("key")?, value: fields.take("value")? },
        "seed" => Command::Seed { seed: fields.whole("seed")? },
        "fault" => Command::Fault { fault: fields.text("fault")? },
        "toggle" => {
            let name = fields.text("fault")?;
            let fault = FaultKind::ALL.into_iter().find(|kind| kind.name() == name);
            Command::Toggle {
                fault: fault.ok_or_else(|| wrong("fault", "a kind of fault"))?,
                node: fields.text("node")?,
            }
        }
        "undo" => Command::Undo,
        "redo" => Command::Redo,
        "drop_old" => Command::DropOld,
        "edit" if super::EDITS => {
            Command::Edit { fault: fields.text("fault")?, to: fields.text_if_any("to")? }
        }
        "switch" if super::EDITS => Command::Switch { fault: fields.text("fault")? },
        "scale" => Command::Scale { to: u32::try_from(fields.whole("to")?).unwrap_or(u32::MAX) },
        "lift" => Command::Lift { fault: fields.whole("fault")? as usize },
        "call" => Command::Call {
            method: fields.text("method")?,
            url: fields.text("url")?,
            headers: fields.headers()?,
            body: fields.text_if_any("body")?.unwrap_or_default(),
            times: if fields.0.contains_key("times") { fields.whole("times")? as u32 } else { 1 },
        },
        _ => return Err(format!("there is no command {kind}")),
    })
}

impl Fields {
    fn take(&mut self, key: &str) -> Result<Value, String> {
        self.0.remove(key).ok_or_else(|| format!("the field {key} is missing"))
    }

    fn text(&mut self, key: &str) -> Result<String, String> {
        match self.take(key)? {
            Value::String(text) => Ok(text),
            _ => Err(wrong(key, "a text")),
        }
    }

    fn text_if_any(&mut self, key: &str) -> Result<Option<String>, String> {
        if self.0.contains_key(key) { self.text(key).map(Some) } else { Ok(None) }
    }

    fn number(&mut self, key: &str) -> Result<f64, String> {
        self.take(key)?.as_f64().ok_or_else(|| wrong(key, "a number"))
    }

    fn whole(&mut self, key: &str) -> Result<u64, String> {
        self.take(key)?.as_u64().ok_or_else(|| wrong(key, "a whole number from 0"))
    }

    fn settings(&mut self) -> Result<BTreeMap<String, Value>, String> {
        let mut settings = BTreeMap::new();
        match self.0.remove("set") {
            Some(Value::Object(set)) => settings.extend(set),
            None => {}
            Some(_) => return Err(wrong("set", "an object")),
        }
        Ok(settings)
    }

    /// Only the program that keeps runs has any to open.
    fn actions(&mut self) -> Result<Vec<super::Action>, String> {
        let actions = if super::EDITS { self.0.remove("actions") } else { None };
        let actions = actions.map(serde_json::from_value).transpose();
        actions.map(Option::unwrap_or_default).map_err(|error| format!("actions: {error}"))
    }

    /// Pairs of a name and a value.
    fn headers(&mut self) -> Result<Vec<(String, String)>, String> {
        let Some(headers) = self.0.remove("headers") else { return Ok(Vec::new()) };
        let mut read = Vec::new();
        for pair in headers.as_array().map(Vec::as_slice).unwrap_or_default() {
            let text = |i: usize| pair.get(i).and_then(Value::as_str);
            let (Some(name), Some(value)) = (text(0), text(1)) else {
                return Err(wrong("headers", "pairs of texts"));
            };
            read.push((name.to_owned(), value.to_owned()));
        }
        Ok(read)
    }
}

fn wrong(key: &str, allowed: &str) -> String {
    format!("{key} is to be {allowed}")
}
