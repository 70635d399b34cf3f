//! The two sides of the store's fuzzer: the real server over plain TCP, and the model on the same clock.

use glasshive::kernel::Instant;
use glasshive::substrate::valkey::{Config, ConnId, Disk, Effect, Reply, Store, Version};
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

/// A command as bytes.
pub type Words = Vec<Vec<u8>>;

/// How many connections take part.
pub const CONNS: usize = 3;

/// How long a reply may take before it counts as missing.
const PATIENCE: core::time::Duration = core::time::Duration::from_millis(400);

/// The model's own epoch, 2025-01-01, in milliseconds of Unix time.
const EPOCH_MS: u64 = 1_735_689_600_000;

/// Now, on the clock that the real server reads.
fn now() -> Instant {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock");
    Instant::from_millis(unix.as_millis() as u64 - EPOCH_MS)
}

pub struct ModelPeer {
    store: Store,
    conns: Vec<ConnId>,
    arrived: Vec<VecDeque<Reply>>,
}

impl ModelPeer {
    pub fn new() -> Self {
        let mut store = Store::new(Config::new(Version::Redis7), Disk::new(), now());
        let conns = (0..CONNS).map(|_| store.connect(now()).0).collect();
        ModelPeer { store, conns, arrived: vec![VecDeque::new(); CONNS] }
    }

    pub fn send(&mut self, conn: usize, words: &Words) {
        let words = words.iter().map(|word| word.as_slice().into()).collect();
        for effect in self.store.execute(self.conns[conn], vec![words], now()) {
            if let Effect::Send(id, reply) = effect
                && let Some(at) = self.conns.iter().position(|other| *other == id)
            {
                self.arrived[at].push_back(reply);
            }
        }
    }

    /// Whether a connection has no reply to read.
    pub fn is_silent(&self, conn: usize) -> bool {
        self.arrived[conn].is_empty()
    }

    pub fn take(&mut self, conn: usize) -> Vec<Reply> {
        self.arrived[conn].drain(..).collect()
    }
}

struct Socket {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Socket {
    fn open(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
        stream.set_nodelay(true).expect("an option");
        stream.set_read_timeout(Some(PATIENCE)).expect("an option");
        Socket { stream, unread: Vec::new() }
    }

    fn send(&mut self, words: &Words) {
        let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            bytes.extend(format!("${}\r\n", word.len()).bytes());
            bytes.extend(word);
            bytes.extend(b"\r\n");
        }
        self.stream.write_all(&bytes).expect("it takes commands");
    }

    /// The next reply, unless there is none in time.
    fn receive(&mut self) -> Option<Reply> {
        let mut bytes = vec![0; 65536];
        loop {
            if let Some((reply, used)) = decode(&self.unread) {
                self.unread.drain(..used);
                return Some(reply);
            }
            match self.stream.read(&mut bytes) {
                Ok(n @ 1..) => self.unread.extend(&bytes[..n]),
                _ => return None,
            }
        }
    }
}

pub struct RealPeer {
    process: Child,
    port: u16,
    control: Socket,
    conns: Vec<Socket>,
}

impl RealPeer {
    pub fn start(binary: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port();
        let process = Command::new(binary)
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .args(["--enable-debug-command", "local"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{binary}: {error}"));
        let up = (0..500).any(|_| {
            std::thread::sleep(core::time::Duration::from_millis(10));
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        assert!(up, "{binary} does not listen on port {port}");
        let mut peer = RealPeer { process, port, control: Socket::open(port), conns: Vec::new() };
        // What has expired goes when somebody looks, as on a model whose clock nobody winds.
        peer.ask(&["DEBUG", "SET-ACTIVE-EXPIRE", "0"]);
        peer
    }

    fn ask(&mut self, words: &[&str]) -> Reply {
        self.control.send(&words.iter().map(|word| word.as_bytes().to_vec()).collect());
        self.control.receive().expect("the server answers")
    }

    /// An empty server with fresh connections.
    pub fn reset(&mut self) {
        let commands = [
            "CLIENT KILL TYPE normal SKIPME yes",
            "CLIENT KILL TYPE pubsub SKIPME yes",
            "FLUSHALL",
            "SCRIPT FLUSH",
        ];
        for command in commands {
            self.control.send(&command.split(' ').map(|word| word.as_bytes().to_vec()).collect());
        }
        for _ in commands {
            self.control.receive().expect("the server answers");
        }
        let port = self.port;
        self.conns = (0..CONNS).map(|_| Socket::open(port)).collect();
    }

    pub fn send(&mut self, conn: usize, words: &Words) {
        self.conns[conn].send(words);
    }

    /// Waits until the server has read what was sent: by its second turn it has looked at every connection.
    pub fn settle(&mut self) {
        self.ask(&["PING"]);
        self.ask(&["PING"]);
    }

    /// So many replies of a connection, or what there is of them.
    pub fn take(&mut self, conn: usize, count: usize) -> Vec<Reply> {
        (0..count).map_while(|_| self.conns[conn].receive()).collect()
    }
}

impl Drop for RealPeer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The first reply of RESP2 in `bytes`, and how long it is.
fn decode(bytes: &[u8]) -> Option<(Reply, usize)> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    let line = String::from_utf8_lossy(&bytes[1..end]).into_owned();
    let number = || line.parse::<i64>().expect("a number");
    let mut used = end + 2;
    let reply = match bytes[0] {
        b'+' => Reply::Simple(line.into()),
        b'-' => Reply::Error(line.into()),
        b':' => Reply::Int(number()),
        b'$' if number() < 0 => Reply::NilBulk,
        b'*' if number() < 0 => Reply::NilArray,
        b'$' => {
            let bulk = bytes.get(used..used + number() as usize)?;
            bytes.get(used + bulk.len() + 1)?;
            used += bulk.len() + 2;
            Reply::bulk(bulk)
        }
        b'*' => {
            let mut items = Vec::new();
            for _ in 0..number() {
                let (item, more) = decode(bytes.get(used..)?)?;
                items.push(item);
                used += more;
            }
            Reply::Array(items)
        }
        other => panic!("no reply begins with {other}"),
    };
    Some((reply, used))
}
