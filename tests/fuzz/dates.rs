//! The fuzzer of dates: `If-Modified-Since` with days that exist and days that do not, to the model of conditional requests
//! and to nginx, which must agree on whether that is a date, and on which side of a file's it is. `GLASSHIVE_FUZZ_DATES`
//! says how many. Dates have the shape that RFC 9110 prefers; other shapes nginx reads more gladly than Go, whom the
//! controller follows.

use crate::{amount, is_real};
use glasshive::kernel::{Instant, Rng};
use glasshive::substrate::http::conditional::{Precondition, precondition};
use glasshive::substrate::http::{Request, Url};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, UNIX_EPOCH};

/// The file's date: Tue, 07 Jan 2025 12:34:56 GMT, and virtual zero, in seconds of Unix time.
const MODIFIED: u64 = 1_736_253_296;
const EPOCH: u64 = 1_735_689_600;

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

struct Nginx {
    directory: PathBuf,
    process: Child,
    port: u16,
}

impl Nginx {
    fn start(binary: &str) -> Self {
        let directory = std::env::temp_dir().join(format!("glasshive-nginx-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let place = directory.display();
        let config = format!(
            "daemon off; master_process off; pid {place}/pid; error_log {place}/log; events {{}}\n\
             http {{ access_log off; client_body_temp_path {place}/b; proxy_temp_path {place}/p;\n\
             fastcgi_temp_path {place}/f; uwsgi_temp_path {place}/u; scgi_temp_path {place}/s;\n\
             keepalive_requests 100000000; if_modified_since before; etag off;\n\
             server {{ listen 127.0.0.1:{port}; root {place}; }} }}\n"
        );
        fs::write(directory.join("nginx.conf"), config).unwrap();
        let file = fs::File::create(directory.join("file")).unwrap();
        file.set_modified(UNIX_EPOCH + Duration::from_secs(MODIFIED)).unwrap();
        let process = Command::new(binary)
            .args(["-c", &format!("{place}/nginx.conf"), "-e", &format!("{place}/log")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{binary}: {error}"));
        let nginx = Nginx { directory, process, port };
        let up = (0..500).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        assert!(up, "{binary} does not listen on port {port}");
        nginx
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// The status of a GET with this date.
fn ask(conn: &mut BufReader<TcpStream>, date: &str) -> u16 {
    let request = format!("GET /file HTTP/1.1\r\nHost: x\r\nIf-Modified-Since: {date}\r\n\r\n");
    conn.get_mut().write_all(request.as_bytes()).unwrap();
    let (mut status, mut length, mut line) = (0, 0, String::new());
    loop {
        line.clear();
        assert!(conn.read_line(&mut line).unwrap() > 0, "nginx has hung up");
        if let Some(rest) = line.strip_prefix("HTTP/1.1 ") {
            status = rest[..3].parse().unwrap();
        }
        if let Some(rest) = line.strip_prefix("Content-Length: ") {
            length = rest.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    conn.read_exact(&mut body).unwrap();
    status
}

fn model(date: &str) -> u16 {
    let request = Request::get(Url::new("x", "/file")).with_header("If-Modified-Since", date.to_owned());
    match precondition(&request, "\"x\"", Instant::from_millis((MODIFIED - EPOCH) * 1000)) {
        Precondition::NotModified => 304,
        _ => 200,
    }
}

fn date(rng: &mut Rng) -> String {
    // nginx takes day 00 for the one before the first; Go does not, nor does the model.
    let day = if rng.chance(0.5) { 1 + rng.below(32) } else { 28 + rng.below(5) };
    let year = match rng.below(4) {
        0 => 1970 + rng.below(200),
        1 => [1972, 2000, 2024, 2100, 2400][rng.below(5) as usize],
        _ => 2024 + rng.below(3),
    };
    let (weekday, month) = (WEEKDAYS[rng.below(7) as usize], MONTHS[rng.below(12) as usize]);
    // Now and then beyond the clock.
    let most = |rng: &mut Rng, most| if rng.chance(0.1) { 100 } else { most };
    let mut part = |below| {
        let below = most(rng, below);
        rng.below(below)
    };
    let (hour, minute, second) = (part(24), part(60), part(60));
    format!("{weekday}, {day:02} {month} {year} {hour:02}:{minute:02}:{second:02} GMT")
}

#[test]
fn fuzz_http_dates_on_model_and_real_server() {
    if !is_real() {
        return;
    }
    let nginx = Nginx::start(&std::env::var("NGINX").unwrap_or_else(|_| "nginx".to_owned()));
    let mut conn = BufReader::new(TcpStream::connect(("127.0.0.1", nginx.port)).unwrap());
    let wanted = amount("GLASSHIVE_FUZZ_DATES", 100_000);
    let mut rng = Rng::new(amount("GLASSHIVE_SEED", 0));
    let mut wrong = Vec::new();
    for _ in 0..wanted {
        let date = date(&mut rng);
        let (real, ours) = (ask(&mut conn, &date), model(&date));
        if real != ours {
            wrong.push(format!("{date}: real {real}, model {ours}"));
        }
    }
    println!("dates: {wanted}, {} mismatches", wrong.len());
    wrong.truncate(20);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
