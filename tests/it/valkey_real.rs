//! The real server on loopback, for `GLASSHIVE_REAL=1`: a process of our own on a free port, spoken to over plain TCP.

use super::valkey_cases::Server;
use glasshive::substrate::valkey::{Reply, Version};
use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

/// The one place where a test waits for wall time: a real server lives on it.
const PATIENCE: core::time::Duration = core::time::Duration::from_millis(2);

pub struct RealServer {
    process: Child,
    port: u16,
    conns: BTreeMap<char, (TcpStream, Vec<u8>)>,
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
        let mut server = RealServer { process, port, conns: BTreeMap::new() };
        let up = (0..3000).any(|_| {
            let conn = TcpStream::connect(("127.0.0.1", port));
            if conn.is_err() {
                pause();
            }
            conn.is_ok()
        });
        assert!(up, "{binary} does not listen on port {port}");
        server.conn('~');
        server
    }

    fn conn(&mut self, letter: char) -> &mut (TcpStream, Vec<u8>) {
        let port = self.port;
        self.conns.entry(letter).or_insert_with(|| {
            let conn = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
            conn.set_read_timeout(Some(PATIENCE)).expect("a time limit");
            (conn, Vec::new())
        })
    }

    /// Reads what has arrived on all connections, for about `PATIENCE`.
    fn poll(&mut self, arrived: &mut Vec<(char, Reply, f64)>) {
        let share = PATIENCE / self.conns.len().max(1) as u32;
        for (&letter, (conn, unread)) in &mut self.conns {
            conn.set_read_timeout(Some(share)).expect("a time limit");
            let mut bytes = [0; 65536];
            match conn.read(&mut bytes) {
                Ok(n) => unread.extend(&bytes[..n]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) => panic!("{letter}: {error}"),
            }
            while let Some((reply, used)) = decode(unread) {
                unread.drain(..used);
                arrived.push((letter, reply, f64::NAN));
            }
        }
    }
}

/// Waits on a socket on which nothing arrives.
fn pause() {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.set_read_timeout(Some(PATIENCE)).expect("a time limit");
    let _ = socket.recv(&mut [0]);
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
        self.conn(conn).0.write_all(&bytes).expect("it takes commands");
    }

    fn close(&mut self, conn: char) {
        self.conns.remove(&conn);
    }

    fn client_id(&mut self, conn: char) -> u64 {
        // A blocked client cannot be asked: the list of all clients tells by the port.
        let port = self.conn(conn).0.local_addr().expect("an address").port();
        self.send('~', &[vec!["CLIENT".to_owned(), "LIST".to_owned()]]);
        let replies = self.listen(20);
        let Some((_, Reply::Bulk(list), _)) = replies.iter().find(|(letter, ..)| *letter == '~') else {
            panic!("no list of clients in {replies:?}");
        };
        let list = String::from_utf8_lossy(list).into_owned();
        let line = list.lines().find(|line| line.contains(&format!("addr=127.0.0.1:{port} "))).expect("it");
        line.split_whitespace().find_map(|field| field.strip_prefix("id=")).and_then(|id| id.parse().ok()).expect("an id")
    }

    fn listen(&mut self, ms: u64) -> Vec<(char, Reply, f64)> {
        let mut arrived = Vec::new();
        for _ in 0..ms.div_ceil(PATIENCE.as_millis() as u64) {
            self.poll(&mut arrived);
        }
        arrived
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
