//! A scripted mail server for tests: what it says, when, and whether it stays.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use self::Answer::{Close, Drip, Flood, Say, Silence};

/// The server's reaction to a command that starts like this (`""` is the greeting, `"."` the end of
/// a mail).
pub(super) type Script = &'static [(&'static str, Answer)];

#[derive(Debug, Clone, Copy)]
pub(super) enum Answer {
    Say(&'static str),
    /// A byte every 50 ms, for two seconds.
    Drip,
    /// The same again and again, until the client has closed the connection.
    Flood(&'static str),
    Silence,
    Close,
}

/// Serves one connection, and returns what the client said.
pub(super) fn server(script: Script) -> (u16, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut heard = Vec::new();
        let _ = converse(script, &stream, &mut heard);
        heard
    });
    (port, thread)
}

pub(super) fn converse(
    script: Script,
    mut out: &TcpStream,
    heard: &mut Vec<String>,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(out).lines();
    let mut command = String::new();
    let mut in_mail = false;
    loop {
        let scripted = script.iter().find(|(start, _)| match *start {
            "" | "." => command == *start,
            start => command.starts_with(start),
        });
        let usual = match command.as_str() {
            "" => "220 ready",
            "DATA" => "354 go ahead",
            _ => "250 ok",
        };
        match scripted.map_or(Say(usual), |(_, answer)| *answer) {
            _ if in_mail && command != "." => {}
            Say(text) => {
                out.write_all(format!("{text}\r\n").as_bytes())?;
                in_mail = command == "DATA" && text.starts_with('3');
            }
            Drip => {
                for _ in 0..40 {
                    out.write_all(b"2")?;
                    thread::sleep(Duration::from_millis(50));
                }
                return Ok(());
            }
            Flood(text) => {
                let text = text.repeat(1000);
                while out.write_all(text.as_bytes()).is_ok() {}
                return Ok(());
            }
            Silence => {
                for line in lines {
                    heard.push(line?);
                }
                return Ok(());
            }
            Close => return Ok(()),
        }
        if command == "QUIT" {
            return Ok(());
        }
        let Some(line) = lines.next() else { return Ok(()) };
        command = line?;
        heard.push(command.clone());
        // So that a line of the mail is never taken for the greeting.
        if command.is_empty() {
            command = " ".to_owned();
        }
        if in_mail && heard.iter().any(|line| line == "close here") {
            return Ok(());
        }
    }
}
