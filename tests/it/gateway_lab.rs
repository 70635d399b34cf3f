//! A gateway before three backends a, b, c, whose manners can be changed: what its tests stand on.

use futures::FutureExt;
use glasshive::kernel::{Duration, Instant, Scope, Sim, Sink};
use glasshive::net::{LinkModel, Net, NodeId};
use glasshive::substrate::gateway::{Config, Gateway, Names, Server};
use glasshive::substrate::http::{Besides, Headers, Http, Method, Request, Response};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

pub const GATE: &str = "localhost:80";

pub fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// What a backend does: answers, with a status, after a time; `0` resets the connection.
#[derive(Clone, Copy)]
pub struct Manner(u16, u64);

/// The requests that the backends saw, in order.
type Seen = Rc<RefCell<Vec<(char, Request)>>>;

/// Three backends a, b, c behind a gateway, with no delay on any link.
pub struct Lab {
    pub sim: Sim,
    pub net: Net,
    pub http: Http,
    pub client: NodeId,
    pub gateway: Gateway,
    pub names: Names,
    pub manners: Rc<RefCell<BTreeMap<char, Manner>>>,
    pub seen: Seen,
    pub finished: Rc<RefCell<String>>,
}

fn address(letter: char) -> String {
    format!("{letter}:5000")
}

pub fn servers(change: impl Fn(char, &mut Server)) -> Vec<Server> {
    let server = |letter| {
        let mut server = Server::new(&address(letter));
        change(letter, &mut server);
        server
    };
    "abc".chars().map(server).collect()
}

impl Lab {
    pub fn new(config: Config) -> Lab {
        let sim = Sim::new(1, Sink::None);
        let net = Net::new(&sim.ctx(), false);
        let http = Http::new(&net);
        let (client, gate) = (net.add_node("client"), net.add_node("gateway"));
        net.connect(client, gate, LinkModel::new(Duration::ZERO, Duration::ZERO));
        http.assign(GATE, gate);
        let names = Names::default();
        let manners: Rc<RefCell<BTreeMap<char, Manner>>> = Rc::default();
        let (seen, finished) = (Seen::default(), Rc::new(RefCell::new(String::new())));
        for letter in "abc".chars() {
            let node = net.add_node(&letter.to_string());
            http.assign(&address(letter), node);
            names.set(&address(letter), &[&address(letter)]);
            manners.borrow_mut().insert(letter, Manner(200, 0));
            let (http, manners, seen, done) = (http.clone(), manners.clone(), seen.clone(), finished.clone());
            net.set_role(node, move |_| {
                let listener = http.listen(&address(letter));
                let (ctx, net, manners, seen, done) = (
                    http.net().ctx().clone(),
                    http.net().clone(),
                    manners.clone(),
                    seen.clone(),
                    done.clone(),
                );
                let serve = listener.serve(move |request: Request| {
                    let Manner(status, work) = manners.borrow()[&letter];
                    seen.borrow_mut().push((letter, request));
                    let (ctx, net, done) = (ctx.clone(), net.clone(), done.clone());
                    async move {
                        ctx.sleep(ms(work)).await;
                        if status == 0 {
                            // A process that dies with the request in hand, and is there again at once.
                            let net = net.clone();
                            ctx.spawn_in(Scope::default(), async move { net.start(node) });
                            std::future::pending::<()>().await;
                        }
                        done.borrow_mut().push(letter);
                        Response { status, headers: Headers::default(), body: letter.to_string().into() }
                    }
                });
                serve.boxed_local()
            });
            net.start(node);
        }
        if config.servers.iter().any(|server| server.name == "mathwiz:5000") {
            names.set("mathwiz:5000", &["a:5000", "b:5000"]);
        }
        let gateway = Gateway::start(&http, gate, names.clone(), config).expect("every name resolves");
        let role = gateway.clone();
        net.set_role(gate, move |_| {
            let gateway = role.clone();
            async move { gateway.serve(GATE, Besides::Nothing).await }.boxed_local()
        });
        net.start(gate);
        net.set_role(client, |_| std::future::pending().boxed_local());
        net.start(client);
        Lab { sim, net, http, client, gateway, names, manners, seen, finished }
    }

    pub fn plain() -> Lab {
        Lab::new(Config::new("u", servers(|_, _| {})))
    }

    pub fn with(change: impl FnOnce(&mut Config)) -> Lab {
        let mut config = Config::new("u", servers(|_, _| {}));
        change(&mut config);
        Lab::new(config)
    }

    pub fn manner(&self, letter: char, status: u16, work: u64) {
        self.manners.borrow_mut().insert(letter, Manner(status, work));
    }

    pub fn crash(&self, letter: char) {
        self.net.crash(self.net.find(&letter.to_string()).expect("a node"));
    }

    pub fn start(&self, letter: char) {
        self.net.start(self.net.find(&letter.to_string()).expect("a node"));
    }

    pub fn run(&mut self, span: u64) {
        let until = self.sim.now() + ms(span);
        self.sim.run_until(until);
    }

    /// Begins a request and says later what came of it: status, body, milliseconds.
    pub fn begin(&self, method: &str, size: usize) -> Rc<RefCell<Option<(u16, String, f64)>>> {
        let outcome: Rc<RefCell<Option<(u16, String, f64)>>> = Rc::default();
        let (http, from, noted, began) =
            (self.http.clone(), self.client, Rc::clone(&outcome), self.sim.now());
        let request = Request {
            method: Method::from(method),
            url: format!("http://{GATE}/t").parse().unwrap(),
            headers: vec![("X-A".into(), "1".into()), ("Connection".into(), "keep-alive".into())].into(),
            body: vec![b'x'; size].into(),
        };
        let ctx = self.sim.ctx();
        ctx.clone().spawn_in(self.client.scope(), async move {
            let response = http.fetch(from, request).await.expect("the gateway answers");
            let body = String::from_utf8(response.body.bytes().to_vec()).unwrap();
            let body = if body.starts_with('<') { "page".to_owned() } else { body };
            *noted.borrow_mut() = Some((response.status, body, ctx.now().since(began).as_millis_f64()));
        });
        outcome
    }

    /// Sends a request and plays on to its answer.
    pub fn send(&mut self, method: &str) -> (u16, String, f64) {
        let outcome = self.begin(method, 2);
        while outcome.borrow().is_none() {
            assert!(self.sim.run_instant(Instant::MAX), "no answer");
        }
        outcome.take().expect("an answer")
    }

    /// The letters that answered so many requests in a row.
    pub fn gets(&mut self, count: usize) -> String {
        (0..count).map(|_| self.send("GET").1).collect()
    }

    /// `200 b, 502 page, …`
    pub fn replies(&mut self, method: &str, count: usize) -> Vec<String> {
        (0..count).map(|_| self.send(method)).map(|(status, body, _)| format!("{status} {body}")).collect()
    }

    /// How many requests each backend saw.
    pub fn saw(&self) -> [usize; 3] {
        let seen = self.seen.borrow();
        ['a', 'b', 'c'].map(|letter| seen.iter().filter(|(other, _)| *other == letter).count())
    }
}
