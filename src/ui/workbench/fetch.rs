//! `glasshive.fetch`: a script's call of the simulated API, which is an act like a person's in the console, and what becomes of
//! it: a `Response` of the browser's own, made here, or a `TypeError`, as `fetch` has it.

use crate::app::command::Outcome;
use crate::app::console;
use crate::app::{PlayerState, Session};
use crate::lab::{ActedAt, Invalid};
use crate::substrate::http::{Request, Response};
use crate::ui::Lab;
use js_sys::{Array, Function, JSON, Object, Promise, Reflect, Symbol, TypeError};
use wasm_bindgen::prelude::*;
use web_sys::{Headers, ResponseInit};

/// Who waits for the answer: hears of it, or of why there is none.
type Waiting = (Function, Function);

/// Calls once no replay is under way; the promise is kept when virtual time has come to the answer.
pub fn fetch(lab: Lab, path: &str, init: &JsValue) -> JsValue {
    let kind = lab.read(|session| session.snapshot().system);
    let request = written(init).and_then(|init| console::read_fetch(path, &init, &console::base(kind)));
    Promise::new(&mut |keep, refuse| {
        let waiting = (keep, refuse);
        match &request {
            Err(invalid) => tell(&waiting, Err(invalid.to_string())),
            Ok(request) if lab.read(|session| session.status().state) == PlayerState::Replaying => {
                let request = request.clone();
                lab.when_arrived(Box::new(move || call(lab, &request, waiting)));
            }
            Ok(request) => call(lab, request, waiting),
        }
    })
    .into()
}

/// The second argument as JSON; headers that can be walked through become pairs.
fn written(init: &JsValue) -> Result<String, Invalid> {
    if init.is_undefined() || init.is_null() {
        return Ok(String::new());
    }
    let init = Object::assign(&Object::new(), init.unchecked_ref());
    let headers = Reflect::get(&init, &"headers".into()).unwrap_or_default();
    if headers.is_object() && Reflect::has(&headers, &Symbol::iterator()).unwrap_or_default() {
        let pairs: Array = Array::from(&headers);
        // A copy of our own takes any field.
        let _ = Reflect::set(&init, &"headers".into(), &pairs);
    }
    let text = JSON::stringify(&init).ok().and_then(|text| text.as_string());
    text.ok_or_else(|| Invalid {
        field: "init".to_owned(),
        value: "what is no JSON".to_owned(),
        allowed: "an object {method, headers, body} of texts".to_owned(),
    })
}

fn call(lab: Lab, request: &Request, waiting: Waiting) {
    match lab.send(console::command(request, 1)) {
        Ok(Outcome::Acted(acted)) => wait(lab, acted, waiting),
        Ok(_) => tell(&waiting, Err("the page is on its way to another moment".to_owned())),
        Err(invalid) => tell(&waiting, Err(invalid.to_string())),
    }
}

/// Looks for the answer in each frame.
fn wait(lab: Lab, acted: ActedAt, waiting: Waiting) {
    lab.when_arrived(Box::new(move || match lab.read(|session| came(session, acted)) {
        Ok(None) => wait(lab, acted, waiting),
        Ok(Some(answer)) => tell(&waiting, Ok(answer)),
        Err(why) => tell(&waiting, Err(why)),
    }));
}

/// The answer, once it has come, or why it never will.
fn came(session: &Session, acted: ActedAt) -> Result<Option<JsValue>, String> {
    let run = session.run();
    let is_there = run.scenario().actions.get(acted.index).is_some_and(|action| action.at() == acted.at);
    if !is_there {
        return Err("the call was taken back".to_owned());
    }
    match run.answer(acted.index) {
        Some((at, Ok(response))) => made(&response, acted.at.as_millis_f64(), at.as_millis_f64())
            .map(Some)
            .map_err(|_| format!("the browser knows no answer with the status {}", response.status)),
        Some((_, Err(error))) => Err(error.to_string()),
        None if session.status().over => Err("the run ended before the answer".to_owned()),
        None => Ok(None),
    }
}

/// The browser's own kind of answer, with the two moments of virtual time.
fn made(response: &Response, sent_ms: f64, answered_ms: f64) -> Result<JsValue, JsValue> {
    let headers = Headers::new()?;
    for (name, value) in response.headers.iter() {
        headers.append(name, value)?;
    }
    let init = ResponseInit::new();
    init.set_status(response.status);
    init.set_status_text(response.reason());
    init.set_headers(&headers);
    let body = String::from_utf8_lossy(response.body.bytes());
    // Some statuses forbid a body, even an empty one.
    let body = (!body.is_empty()).then_some(&*body);
    let made: JsValue = web_sys::Response::new_with_opt_str_and_init(body, &init)?.into();
    for (name, ms) in [("sentMs", sent_ms), ("answeredMs", answered_ms)] {
        Reflect::set(&made, &name.into(), &ms.into())?;
    }
    Ok(made)
}

fn tell((keep, refuse): &Waiting, what: Result<JsValue, String>) {
    // A promise takes any value.
    let _ = match what {
        Ok(answer) => keep.call1(&JsValue::UNDEFINED, &answer),
        Err(why) => refuse.call1(&JsValue::UNDEFINED, &TypeError::new(&why)),
    };
}
