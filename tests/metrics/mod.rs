//! `superlance metrics`: once, again and again into a file, and over HTTP; and what is made for its metrics.

mod beside;
mod engines;
mod file;
mod listen;
mod once;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use superlance_testing::Scratch;

use crate::{run_whole as run, tool};

fn metrics(folder: &Scratch, arguments: &[&str]) -> Command {
    tool("metrics", folder, arguments)
}

/// The value of a series, such as `node_supervisord_up{group="foo",name="foo"}`.
fn value(text: &str, series: &str) -> Option<f64> {
    let value = |line: &str| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok();
    text.lines().find_map(value)
}

/// A port that was free a moment ago.
fn port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// The whole answer to `GET PATH`, if there is one.
fn get(port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    // An answer to 1.0 comes in one piece.
    let request = format!("GET {path} HTTP/1.0\r\nHost: h\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}
