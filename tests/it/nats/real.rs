//! The real server on loopback, started for one script and ended with it. It lives on wall time.

use super::bed::{Bed, Blow, Setup};
use super::wire::EventParser;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub struct Real {
    directory: PathBuf,
    port: u16,
    server: Child,
    began: Instant,
    conns: Vec<(Option<TcpStream>, EventParser, bool)>,
}

impl Real {
    pub fn new(name: &str, setup: &Setup) -> Self {
        let directory = std::env::temp_dir().join(format!("glasshive-nats-{}-{name}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut config = format!("listen: \"127.0.0.1:{port}\"\n");
        if setup.jetstream {
            let _ = writeln!(config, "jetstream {{ store_dir: {:?} }}", directory.join("store"));
        }
        if let Some(token) = setup.token {
            let seconds = setup.auth_timeout_ms.unwrap_or(2000) as f64 / 1000.0;
            let _ = writeln!(config, "authorization {{ token: {token}, timeout: {seconds} }}");
        }
        if let Some(ms) = setup.ping_ms {
            let _ = writeln!(config, "ping_interval: \"{ms}ms\"\nping_max: 2");
        }
        if let Some(bytes) = setup.max_pending {
            let _ = writeln!(config, "max_pending: {bytes}");
        }
        if let Some(count) = setup.max_connections {
            let _ = writeln!(config, "max_connections: {count}");
        }
        fs::write(directory.join("server.conf"), config).unwrap();
        let server = start(&directory, port);
        Real { directory, port, server, began: Instant::now(), conns: Vec::new() }
    }

    fn signal(&self, name: &str) {
        let id = self.server.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }
}

fn start(directory: &std::path::Path, port: u16) -> Child {
    let program = std::env::var("NATS_SERVER").unwrap_or_else(|_| "nats-server".to_owned());
    let mut server = Command::new(program)
        .arg("-c")
        .arg(directory.join("server.conf"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("nats-server can be started");
    for _ in 0..500 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return server;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    server.kill().and_then(|()| server.wait()).expect("it is ours");
    panic!("nats-server does not listen");
}

impl Drop for Real {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.server.kill();
        let _ = self.server.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

impl Bed for Real {
    fn open(&mut self) -> usize {
        let conn = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        conn.set_nodelay(true).unwrap();
        self.conns.push((Some(conn), EventParser::default(), false));
        self.wait(5);
        self.conns.len() - 1
    }

    fn write(&mut self, conn: usize, bytes: &[u8]) {
        let stream = self.conns[conn].0.as_mut().unwrap();
        stream.set_nonblocking(false).unwrap();
        // Closed: the test reads that.
        let _ = stream.write_all(bytes);
    }

    fn read(&mut self, conn: usize) -> Vec<Value> {
        let (Some(stream), parser, closed) = &mut self.conns[conn] else {
            return Vec::new();
        };
        stream.set_nonblocking(true).unwrap();
        let mut chunk = vec![0; 1 << 16];
        let ended = loop {
            match stream.read(&mut chunk) {
                Ok(0) => break true,
                Ok(n) => parser.0.extend_from_slice(&chunk[..n]),
                Err(error) => break error.kind() != ErrorKind::WouldBlock,
            }
        };
        let mut events: Vec<Value> = std::iter::from_fn(|| parser.next()).collect();
        if ended && !std::mem::replace(closed, true) {
            events.push(json!(["CLOSED"]));
        }
        events
    }

    fn close(&mut self, conn: usize) {
        self.conns[conn].0 = None;
        self.wait(20);
    }

    fn wait(&mut self, ms: u64) {
        std::thread::sleep(Duration::from_millis(ms));
    }

    fn now(&self) -> f64 {
        self.began.elapsed().as_secs_f64() * 1000.0
    }

    fn blow(&mut self, blow: Blow) {
        match blow {
            Blow::Term => self.signal("-TERM"),
            Blow::Kill => {
                self.signal("-KILL");
                let _ = self.server.wait();
            }
            Blow::LameDuck => self.signal("-USR2"),
        }
    }

    fn restart(&mut self) {
        self.server = start(&self.directory, self.port);
    }
}
