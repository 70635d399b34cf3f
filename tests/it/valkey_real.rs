//! The real server on loopback, for `GLASSHIVE_REAL=1`: a process of our own on a free port, spoken to over plain TCP.

use super::valkey_cases::Server;
use glasshive::substrate::valkey::{Reply, Version};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};

/// The one place where a test waits for wall time: a real server lives on it.
const MILLISECOND: core::time::Duration = core::time::Duration::from_millis(1);

/// What was read, and the connection: its letter, and its number, since letters are used again.
type Arrival = (char, u64, Vec<u8>);

struct Socket {
    stream: TcpStream,
    number: u64,
    unread: Vec<u8>,
}

pub struct RealServer {
    process: Child,
    port: u16,
    conns: BTreeMap<char, Socket>,
    opened: u64,
    arrivals: (Sender<Arrival>, Receiver<Arrival>),
}

impl RealServer {
    /// The server's binary when cases are to be played on it: `REDIS_SERVER`, `VALKEY_SERVER`, or as it is called. For
    /// Valkey, which few systems package, only when it is named.
    pub fn wanted(version: Version) -> Option<String> {
        if std::env::var("GLASSHIVE_REAL").as_deref() != Ok("1") {
            return None;
        }
        match version {
            Version::Redis7 => {
                Some(std::env::var("REDIS_SERVER").unwrap_or_else(|_| "redis-server".to_owned()))
            }
            Version::Valkey8 => std::env::var("VALKEY_SERVER").ok(),
        }
    }

    pub fn start(binary: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port();
        let process = Command::new(binary)
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{binary}: {error}"));
        let mut server = RealServer { process, port, conns: BTreeMap::new(), opened: 0, arrivals: channel() };
        let up = (0..5000)
            .any(|_| TcpStream::connect(("127.0.0.1", port)).is_ok() || !server.listen(1).is_empty());
        assert!(up, "{binary} does not listen on port {port}");
        server
    }

    /// An empty server without connections, for the next case.
    pub fn reset(&mut self) {
        for conn in self.conns.keys().copied().collect::<Vec<_>>() {
            self.close(conn);
        }
        self.send('~', &[vec!["FLUSHALL".to_owned()]]);
        let flushed = (0..5000).any(|_| !self.listen(1).is_empty());
        assert!(flushed, "the server answers");
    }

    fn conn(&mut self, letter: char) -> &mut TcpStream {
        let (port, opened, arrivals) = (self.port, &mut self.opened, &self.arrivals.0);
        let socket = self.conns.entry(letter).or_insert_with(|| {
            *opened += 1;
            let stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
            let (ear, number, arrivals) =
                (stream.try_clone().expect("another handle"), *opened, arrivals.clone());
            std::thread::spawn(move || listen(ear, letter, number, &arrivals));
            Socket { stream, number, unread: Vec::new() }
        });
        &mut socket.stream
    }
}

/// Reads a connection until it ends.
fn listen(mut conn: TcpStream, letter: char, number: u64, arrivals: &Sender<Arrival>) {
    let mut bytes = vec![0; 65536];
    while let Ok(n @ 1..) = conn.read(&mut bytes) {
        if arrivals.send((letter, number, bytes[..n].to_vec())).is_err() {
            return;
        }
    }
}

impl Server for RealServer {
    fn send(&mut self, conn: char, batch: &[Vec<String>]) {
        let mut bytes = Vec::new();
        for words in batch {
            bytes.extend(format!("*{}\r\n", words.len()).bytes());
            for word in words {
                bytes.extend(format!("${}\r\n{word}\r\n", word.len()).bytes());
            }
        }
        self.conn(conn).write_all(&bytes).expect("it takes commands");
    }

    fn close(&mut self, conn: char) {
        if let Some(socket) = self.conns.remove(&conn) {
            let _ = socket.stream.shutdown(std::net::Shutdown::Both);
        }
    }

    fn client_id(&mut self, conn: char) -> u64 {
        // A blocked client cannot be asked: the list of all clients tells by the port.
        let port = self.conn(conn).local_addr().expect("an address").port();
        self.send('~', &[vec!["CLIENT".to_owned(), "LIST".to_owned()]]);
        let replies = self.listen(20);
        let Some((_, Reply::Bulk(list), _)) = replies.iter().find(|(letter, ..)| *letter == '~') else {
            panic!("no list of clients in {replies:?}");
        };
        let list = String::from_utf8_lossy(list).into_owned();
        let line = list.lines().find(|line| line.contains(&format!("addr=127.0.0.1:{port} "))).expect("it");
        line.split_whitespace()
            .find_map(|field| field.strip_prefix("id="))
            .and_then(|id| id.parse().ok())
            .expect("an id")
    }

    fn listen(&mut self, ms: u64) -> Vec<(char, Reply, f64)> {
        let mut arrived = Vec::new();
        for _ in 0..ms {
            while let Ok((letter, number, bytes)) = self.arrivals.1.recv_timeout(MILLISECOND) {
                let socket = self.conns.get_mut(&letter).filter(|socket| socket.number == number);
                let Some(Socket { unread, .. }) = socket else { continue };
                unread.extend(bytes);
                while let Some((reply, used)) = decode(unread) {
                    unread.drain(..used);
                    arrived.push((letter, reply, f64::NAN));
                }
            }
        }
        arrived
    }

    /// A busy machine takes its time between the steps.
    fn slack_ms(&self) -> i64 {
        250
    }

    fn patience_ms(&self) -> u64 {
        500
    }
}

impl Drop for RealServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The first reply of RESP2 in `bytes`, and how long it is.
fn decode(bytes: &[u8]) -> Option<(Reply, usize)> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    let line = std::str::from_utf8(&bytes[1..end]).expect("text");
    let number = || line.parse::<i64>().expect("a number");
    let mut used = end + 2;
    let reply = match bytes[0] {
        b'+' => Reply::Simple(line.to_owned().into()),
        b'-' => Reply::Error(line.to_owned().into()),
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
                let (item, more) = decode(&bytes[used..])?;
                items.push(item);
                used += more;
            }
            Reply::Array(items)
        }
        other => panic!("no reply begins with {other}"),
    };
    Some((reply, used))
}
