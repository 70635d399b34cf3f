//! The echo: a client that says a word, and a server that says it back. The smallest system there is, for learning how one
//! is added; `doc/adding-a-system.md` walks through it.
//!
//! The life of a word:
//! 1. `client` says the next one every `period`: `POST /echo` to the server.
//! 2. `server` takes its time, and sends it back.
//! 3. The client hears it, or knows that it will not.

use super::facts::{self, Hear, Teller};
use crate::kernel::{Ctx, Duration, Kind, Span};
use crate::net::{LinkModel, Net, NodeId, Shutdown};
use crate::substrate::http::{
    Http, HttpError, Method, Request, Response, Route, Service, Url, bad_json, no_route,
};
use futures::future::{self, Either};
use serde::{Deserialize, Serialize};
use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::rc::Rc;

/// Where the server listens.
pub const SERVER: &str = "localhost:8080";
/// client ↔ server, and the console's link to the server.
const LINK: LinkModel = LinkModel::new(Duration::from_millis(50), Duration::from_millis(20));
/// What the server serves.
const ROUTES: [Route; 1] = [Route::new("POST", "/echo", "says `{\"word\"}` back")];
/// What its roles serve over HTTP.
pub const SERVICES: [Service; 1] =
    [Service { role: "server", at: "http://localhost:8080", routes: &ROUTES }];

/// What can be set.
#[derive(Clone, Debug, PartialEq)]
pub struct Params {
    /// The time between two words.
    pub period: Duration,
    /// The longest that the server takes.
    pub work: Duration,
    /// How long the client waits.
    pub timeout: Duration,
    /// Whether the client says anything; a person at the console may in any case.
    pub client_on: bool,
}

impl Default for Params {
    fn default() -> Self {
        let (period, work, timeout) = (2000, 800, 1000);
        let [period, work, timeout] = [period, work, timeout].map(Duration::from_millis);
        Params { period, work, timeout, client_on: true }
    }
}

/// What happens in an echo.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    /// The client says a word.
    Said {
        /// Which.
        word: String,
    },
    /// The server has it, and will take so many nanoseconds.
    Taken {
        /// How many.
        work_ns: u64,
    },
    /// The client hears a word.
    Heard {
        /// Which.
        word: String,
    },
    /// The client knows that it will not hear it.
    Missed {
        /// Why: the status, or `refused`, `timed_out`, …
        why: String,
    },
}

impl facts::Fact for Fact {
    fn kind(&self) -> Kind {
        match self {
            Fact::Said { .. } => Kind::new("word_said"),
            Fact::Taken { .. } => Kind::new("word_taken"),
            Fact::Heard { .. } => Kind::new("word_heard"),
            Fact::Missed { .. } => Kind::new("word_missed"),
        }
    }

    fn value(&self) -> u64 {
        if let Fact::Taken { work_ns } = self { *work_ns } else { 0 }
    }
}

/// The body of a question, and of its answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Word {
    word: String,
}

/// What both roles share.
#[derive(Clone)]
struct Site {
    http: Http,
    params: Rc<Params>,
    teller: Teller<Fact>,
    /// Words said so far.
    words: Rc<Cell<u64>>,
}

impl Site {
    fn ctx(&self) -> &Ctx {
        self.http.net().ctx()
    }

    /// Numbers the next word, and makes it what the current task is busy with.
    fn say(&self) -> Word {
        let number = self.words.get() + 1;
        self.words.set(number);
        self.ctx().set_span(Span { tag: number, cause: 0 });
        let word = format!("word {number}");
        self.teller.tell(Fact::Said { word: word.clone() });
        Word { word }
    }

    fn hear(&self, answer: &Result<Response, HttpError>) {
        let fact = match answer {
            Ok(response) if response.status == 200 => match response.parse::<Word>() {
                Ok(Word { word }) => Fact::Heard { word },
                Err(error) => Fact::Missed { why: error.to_string() },
            },
            Ok(response) => Fact::Missed { why: response.status.to_string() },
            Err(error) => Fact::Missed { why: error.code().to_owned() },
        };
        self.teller.tell(fact);
    }
}

/// A running echo.
pub struct Echo {
    site: Site,
    console: NodeId,
    nodes: [NodeId; 2],
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.site.http.net().forget_roles();
    }
}

impl Echo {
    /// Builds the nodes and starts them; `ears` hear what happens.
    pub fn start(net: &Net, params: Params, ears: Rc<RefCell<dyn Hear<Fact>>>) -> Self {
        let site = Site {
            http: Http::new(net),
            params: Rc::new(params),
            teller: Teller::new(net.ctx(), ears),
            words: Rc::default(),
        };
        let [console, client, server] = ["console", "client", "server"].map(|name| net.add_node(name));
        net.connect(client, server, LINK);
        net.connect(console, server, LINK);
        site.http.assign(SERVER, server);
        let here = site.clone();
        net.set_role(server, move |shutdown| Box::pin(serve(here.clone(), shutdown)));
        let here = site.clone();
        net.set_role(client, move |shutdown| Box::pin(ask(here.clone(), client, shutdown)));
        net.start(server);
        net.start(client);
        Echo { site, console, nodes: [client, server] }
    }

    /// Calls the simulated API from the console; `done` gets the response.
    pub fn call(
        &self,
        request: Request,
        limit: Duration,
        done: impl FnOnce(Result<Response, HttpError>) + 'static,
    ) {
        let (site, console) = (self.site.clone(), self.console);
        self.site.ctx().spawn_in(console.scope(), async move {
            done(site.http.fetch_within(console, request, limit).await);
        });
    }

    /// How many words were said so far.
    pub fn words(&self) -> u64 {
        self.site.words.get()
    }

    /// The parameters.
    pub fn params(&self) -> &Params {
        &self.site.params
    }

    /// The client and the server.
    pub fn nodes(&self) -> &[NodeId] {
        &self.nodes
    }
}

/// The client: a word every period, until it is asked to end.
async fn ask(site: Site, node: NodeId, shutdown: Shutdown) {
    let talking = pin!(async {
        while site.params.client_on {
            site.ctx().sleep(site.params.period).await;
            let here = site.clone();
            site.ctx().spawn(async move {
                let word = here.say();
                let url = Url::new(SERVER, "/echo");
                let request = Request::post_json(url, &word);
                here.hear(&here.http.fetch_within(node, request, here.params.timeout).await);
            });
        }
        future::pending::<()>().await;
    });
    // Whichever ends first; the client never ends by itself.
    let (Either::Left(_) | Either::Right(_)) = future::select(talking, pin!(shutdown.requested())).await;
}

/// The server: says back what it is told, in its own time.
async fn serve(site: Site, shutdown: Shutdown) {
    let listener = site.http.listen(SERVER);
    let here = site.clone();
    let serving = pin!(listener.serve(move |request| answer(here.clone(), request)));
    let (Either::Left(_) | Either::Right(_)) = future::select(serving, pin!(shutdown.requested())).await;
}

async fn answer(site: Site, request: Request) -> Response {
    if (&request.method, request.url.path.as_ref()) != (&Method::Post, "/echo") {
        return no_route(&request.method, &request.url.path, &ROUTES);
    }
    let word: Word = match request.json() {
        Ok(word) => word,
        Err(error) => return bad_json(&error),
    };
    // Addressed by the word's number: no other word, fault or parameter shifts it.
    let mut draw = site.ctx().stream("server", "work").at(site.ctx().span().tag);
    let work = draw.duration(Duration::ZERO, site.params.work);
    site.teller.tell(Fact::Taken { work_ns: work.as_nanos() });
    site.ctx().sleep(work).await;
    Response::json(200, &word)
}
