//! The gateway: nginx 1.22 as a reverse proxy over the HTTP substrate.
//!
//! ```text
//! let names = Names::default();                       // what the resolver knows; containers come and go
//! names.set("mathwiz:5000", &["c-01:5000", "c-02:5000"]);
//! let gateway = Gateway::start(&http, node, names, Config::new("u", vec![Server::new("mathwiz:5000")]))?;
//! gateway.serve("localhost:80", Besides::Nothing).await   // in the role of a node; reload() re-reads the names
//! ```
//!
//! The life of a request: it passes the limits ([`RateLimit`], connections, body size), then goes to one server after the
//! other ([`Server`], `peers.rs`) until one answers, or it may not be tried again: not beyond what [`NextUpstream`] names,
//! not beyond the tries and the time that are set, and never when it was sent and is not idempotent. Then the client
//! gets 502, or 504 after a time-out. When the client gives up, so does the gateway.
//!
//! The HTTP substrate has no separate connecting phase, so a server that does not answer at all and one that answers too
//! late both end with the read time-out; and no streaming, so a body is there whole or not at all.

mod limit;
mod peers;

pub use limit::RateLimit;
pub use peers::{Balance, Server};

use crate::kernel::{Duration, Instant, Kind, SortedMap};
use crate::net::NodeId;
use crate::substrate::body::Body;
use crate::substrate::http::{Besides, Headers, Http, HttpError, Request, Response};
use crate::substrate::text::Text;
use limit::Bucket;
use peers::Peers;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// An attempt at a server failed, and counts against it; the value is the status that the client gets if it was the last.
pub const UPSTREAM_FAILED: Kind = Kind::new("upstream_failed");
/// No live server was left for a request.
pub const NO_LIVE_UPSTREAMS: Kind = Kind::new("no_live_upstreams");

/// What the resolver knows: names and their addresses. Cheap to clone: clones are the same.
#[derive(Clone, Default)]
pub struct Names(Rc<RefCell<SortedMap<String, Vec<String>>>>);

impl Names {
    /// Says which addresses a name has; none removes it.
    pub fn set(&self, name: &str, addresses: &[&str]) {
        let addresses = addresses.iter().map(|address| (*address).to_owned()).collect();
        self.0.borrow_mut().insert(name.to_owned(), addresses);
    }

    fn resolve(&self, name: &str) -> Option<Vec<String>> {
        self.0.borrow().get(name).filter(|addresses| !addresses.is_empty()).cloned()
    }
}

/// `proxy_next_upstream`: which failures are tried again elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextUpstream {
    /// Refused and reset connections.
    pub error: bool,
    /// No answer within the read time-out.
    pub timeout: bool,
    /// Answers with these statuses: they count as failures, then.
    pub statuses: Vec<u16>,
    /// Also POST and PATCH that were sent.
    pub non_idempotent: bool,
}

/// The gateway's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The group's name: what servers see as `Host`.
    pub upstream: Text,
    /// The group.
    pub servers: Vec<Server>,
    /// How it chooses.
    pub balance: Balance,
    /// How long an attempt may take.
    pub read_timeout: Duration,
    /// What is tried again.
    pub next: NextUpstream,
    /// So many attempts at most; 0 for as many as there are servers.
    pub tries: usize,
    /// No further attempt after so long; zero for no limit. Looked at between attempts only.
    pub next_timeout: Duration,
    /// `limit_req`
    pub rate: Option<RateLimit>,
    /// `limit_conn`: so many requests at once; 0 for any number.
    pub max_requests: usize,
    /// `client_max_body_size` in bytes.
    pub body_max: usize,
    /// The servers finish what a client has given up on.
    pub ignore_client_abort: bool,
}

impl Config {
    /// nginx's defaults.
    pub fn new(upstream: &str, servers: Vec<Server>) -> Self {
        let next = NextUpstream { error: true, timeout: true, statuses: Vec::new(), non_idempotent: false };
        Config {
            upstream: upstream.to_owned().into(),
            servers,
            balance: Balance::RoundRobin,
            read_timeout: Duration::from_secs(60),
            next,
            tries: 0,
            next_timeout: Duration::ZERO,
            rate: None,
            max_requests: 0,
            body_max: 1 << 20,
            ignore_client_abort: false,
        }
    }
}

/// The longest request line and header line: one of nginx's four buffers for large headers.
const LINE_MAX: usize = 8192;

/// The servers and what is known of them, from one reload to the next.
type Table = Rc<RefCell<Peers>>;

/// A running gateway. Cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    http: Http,
    node: NodeId,
    names: Names,
    config: Rc<Config>,
    /// The headers that it puts before those of a request.
    own: Headers,
    /// The table that a new request is given. One in hand keeps its own, as nginx's old processes finish what they have with
    /// the configuration that they began with.
    table: Rc<RefCell<Table>>,
    bucket: Rc<RefCell<Bucket>>,
    active: Rc<Cell<usize>>,
}

impl Gateway {
    /// Resolves all names, once. A name without an address keeps the gateway from starting; the error is nginx's own.
    pub fn start(http: &Http, node: NodeId, names: Names, config: Config) -> Result<Gateway, String> {
        let table = resolve(&names, &config)?;
        let own = [("Host".into(), config.upstream.clone()), ("Connection".into(), "close".into())];
        Ok(Gateway {
            own: Headers::from_iter(own),
            http: http.clone(),
            node,
            names,
            config: Rc::new(config),
            table: Rc::new(RefCell::new(table)),
            bucket: Rc::default(),
            active: Rc::default(),
        })
    }

    /// Resolves the names again, for the requests that come from now on. What fails leaves everything as it was.
    pub fn reload(&self) -> Result<(), String> {
        *self.table.borrow_mut() = resolve(&self.names, &self.config)?;
        Ok(())
    }

    /// Answers requests at `authority` for ever, besides what else the calling task does.
    pub async fn serve(&self, authority: &str, besides: Besides) {
        let gateway = self.clone();
        let listener = self.http.listen(authority);
        listener.serve_peers(besides, move |request, _| gateway.clone().handle(request)).await;
    }

    async fn handle(self, request: Request) -> Response {
        let Config { max_requests, ignore_client_abort, .. } = *self.config;
        if let Some(refusal) = self.refuse_malformed(&request) {
            return refusal;
        }
        let table = Rc::clone(&self.table.borrow());
        let ctx = self.http.net().ctx().clone();
        if let Some(limit) = self.config.rate {
            let admitted = self.bucket.borrow_mut().admit(limit, ctx.now());
            match admitted {
                Some(wait) => ctx.sleep(wait).await,
                None => return page(limit.status),
            }
        }
        if max_requests > 0 && self.active.get() >= max_requests {
            return page(503);
        }
        let active = Active::new(&self.active);
        if !ignore_client_abort {
            return self.proxy(&table, request).await;
        }
        let (done, mut answer) = crate::kernel::channel(&ctx, 1);
        let gateway = self.clone();
        ctx.spawn(async move {
            let _active = active;
            let response = gateway.proxy(&table, request).await;
            // The client may have gone.
            let _ = done.send(response);
        });
        answer.recv().await.unwrap_or_else(|| page(500))
    }

    fn refuse_malformed(&self, request: &Request) -> Option<Response> {
        let line = request.method.as_str().len() + request.url.path.len() + request.url.query.len();
        let long = |(name, value): &(Text, Text)| name.len() + value.len() > LINE_MAX;
        match () {
            () if line > LINE_MAX => Some(page(414)),
            () if request.headers.iter().any(long) => Some(page(400)),
            () if request.body.is_longer_than(self.config.body_max) => Some(page(413)),
            () => None,
        }
    }

    /// One attempt after the other.
    async fn proxy(&self, table: &Table, request: Request) -> Response {
        let config = &*self.config;
        let ctx = self.http.net().ctx();
        let began = ctx.now();
        let mut tries = table.borrow().tries();
        if config.tries > 0 {
            tries = tries.min(config.tries);
        }
        let idempotent = !matches!(request.method.as_str(), "POST" | "PATCH") || config.next.non_idempotent;
        let mut tried = Vec::new();
        loop {
            let chosen = table.borrow_mut().choose(&tried, seconds(ctx.now()));
            let Some(peer) = chosen else {
                ctx.record(NO_LIVE_UPSTREAMS, 0, 0);
                return page(502);
            };
            tried.push(peer);
            let mut attempt = Attempt { table, peer, gateway: self, failed: false };
            let address = table.borrow().address(peer).clone();
            let outcome = self.ask(address, &request).await;
            let elapsed = ctx.now().since(began);
            let may_go_on =
                tries > 1 && (config.next_timeout == Duration::ZERO || elapsed < config.next_timeout);
            let (status, again) = match &outcome {
                Ok(response) if config.next.statuses.contains(&response.status) => {
                    // The last one's answer is passed on, and is no failure.
                    (response.status, may_go_on && idempotent)
                }
                Ok(_) => (200, false),
                Err(HttpError::Refused) => (502, may_go_on && config.next.error),
                Err(HttpError::Reset) => (502, may_go_on && config.next.error && idempotent),
                Err(HttpError::TimedOut(_)) => (504, may_go_on && config.next.timeout && idempotent),
            };
            attempt.failed = outcome.is_err() || again;
            if attempt.failed {
                ctx.record(UPSTREAM_FAILED, peer as u32, u64::from(status));
            }
            drop(attempt);
            if !again {
                return outcome.unwrap_or_else(|_| page(status));
            }
            tries -= 1;
        }
    }

    async fn ask(&self, address: Text, request: &Request) -> Result<Response, HttpError> {
        let mut request = request.clone();
        request.url.to_mut().authority = address;
        let theirs = request.headers.iter().filter(|(name, _)| !is_between_neighbours(name));
        request.headers = match request.headers.is_empty() {
            true => self.own.clone(),
            false => self.own.iter().chain(theirs).cloned().collect(),
        };
        self.http.fetch_within(self.node, request, self.config.read_timeout).await
    }
}

/// Headers between two neighbours are not passed on.
fn is_between_neighbours(name: &str) -> bool {
    let names = ["host", "connection", "keep-alive", "te", "upgrade"];
    names.iter().any(|other| name.eq_ignore_ascii_case(other))
}

/// An attempt under way: it is given back even when the client gives up.
struct Attempt<'a> {
    table: &'a Table,
    peer: usize,
    gateway: &'a Gateway,
    failed: bool,
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let now = seconds(self.gateway.http.net().ctx().now());
        self.table.borrow_mut().release(self.peer, self.failed, now);
    }
}

/// A request in hand, for `limit_conn`.
struct Active(Rc<Cell<usize>>);

impl Active {
    fn new(count: &Rc<Cell<usize>>) -> Self {
        count.set(count.get() + 1);
        Active(Rc::clone(count))
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

fn resolve(names: &Names, config: &Config) -> Result<Table, String> {
    let mut addresses = Vec::new();
    for server in &config.servers {
        let host = server.name.rsplit_once(':').map_or(server.name.as_str(), |(host, _)| host);
        let found = names.resolve(&server.name);
        let found = found.ok_or_else(|| format!("host not found in upstream \"{host}\""))?;
        addresses.extend(found.into_iter().map(|address| (address.into(), server.clone())));
    }
    Ok(Rc::new(RefCell::new(Peers::new(config.balance, addresses))))
}

/// The whole seconds of the clock. They start well above zero, as Unix time does.
fn seconds(now: Instant) -> u64 {
    1_735_689_600 + now.as_nanos() / 1_000_000_000
}

/// One of nginx's own pages.
fn page(status: u16) -> Response {
    let mut response = Response { status, headers: Headers::default(), body: Body::default() };
    let reason = response.reason();
    let text = format!("<html>\r\n<head><title>{status} {reason}</title></head>\r\n</html>\r\n");
    response.body = text.into();
    response.with_header("Content-Type", "text/html")
}
