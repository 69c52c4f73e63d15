//! The endpoint that Prometheus scrapes.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use superlance_testing::{FakeProcess, FakeSupervisor, SOON, Scratch, Subject, wait_until};

use super::{get, metrics, port, run, value};
use crate::ours;

const STATE: &str = "node_supervisord_state{group=\"foo\",name=\"foo\"}";

#[test]
fn each_scrape_is_a_look_and_events_are_answered() {
    let (mut fake, port) = (FakeSupervisor::unix(), port());
    fake.add(FakeProcess::running("foo:foo", 7));
    let address = format!("127.0.0.1:{port}");
    let subject = Subject::ours(ours(), "metrics").args(["--listen", &address]);
    let mut program = subject.server_url(&fake.server_url()).spawn();
    program.wait_for_log(&format!("answers at http://{address}/metrics"));
    let answer = get(port, "/metrics").unwrap();
    assert!(answer.contains(" 200 "), "{answer}");
    let format = "content-type: text/plain; version=0.0.4; charset=utf-8\r\n";
    assert!(answer.to_ascii_lowercase().contains(format), "{answer}");
    assert_eq!(value(&answer, STATE), Some(20.0), "{answer}");
    program.event("TICK_60", "when:1201063880");
    assert_eq!(program.wait_result(), "OK");
    fake.stop();
    let answer = get(port, "/metrics").unwrap();
    assert_eq!(value(&answer, "superlance_supervisord_up"), Some(0.0), "{answer}");
    assert!(get(port, "/").unwrap().contains(" 200 "));
    assert!(get(port, "/etc/passwd").unwrap().contains(" 404 "));
    assert!(program.is_running());
    program.signal(Signal::SIGTERM);
    program.wait_exit(SOON);
    wait_until("the port to be free", SOON, || get(port, "/").is_none());
}

/// Prometheus waits ten seconds, as supervisord does before it kills what it stops.
#[test]
fn a_supervisord_that_hangs_is_told_in_time_and_holds_up_no_end() {
    let (folder, port) = (Scratch::new(), port());
    let (socket, file) = (folder.join("s.sock"), folder.join("supervisord.prom"));
    let _hangs = UnixListener::bind(&socket).unwrap();
    let address = format!("127.0.0.1:{port}");
    let arguments = ["--listen", &address, "--file", file.to_str().unwrap()];
    let subject = Subject::ours(ours(), "metrics").args(arguments);
    let mut program = subject.server_url(&format!("unix://{}", socket.display())).spawn();
    program.wait_for_log("answers at http://");
    let limit = Duration::from_secs(10);
    let began = Instant::now();
    let answer = get(port, "/metrics").unwrap();
    assert_eq!(value(&answer, "superlance_supervisord_up"), Some(0.0), "{answer}");
    assert!(began.elapsed() < limit, "{:?}", began.elapsed());
    program.wait_for_log(&format!(
        "no answer from supervisord at unix://{} within 4s",
        socket.display()
    ));
    program.signal(Signal::SIGTERM);
    program.wait_exit(limit);
    assert!(!file.exists());
}

/// A connection that is kept would get an error in the pause between two scrapes.
#[test]
fn clients_close_after_an_answer_and_silent_ones_hold_up_no_other_for_long() {
    let (fake, port) = (FakeSupervisor::unix(), port());
    let address = format!("127.0.0.1:{port}");
    let subject = Subject::ours(ours(), "metrics").args(["--listen", &address]);
    let mut program = subject.server_url(&fake.server_url()).spawn();
    program.wait_for_log("answers at http://");
    let connect = || TcpStream::connect(("127.0.0.1", port)).unwrap();
    let mut stream = connect();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    let mut start = [0; 12];
    stream.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"HTTP/1.0 200");
    let silent: Vec<_> = (0..8).map(|_| connect()).collect();
    let answer = get(port, "/metrics").unwrap();
    assert_eq!(value(&answer, "superlance_supervisord_up"), Some(1.0), "{answer}");
    drop(silent);
}

#[test]
fn an_address_that_is_taken_is_an_error() {
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let (address, folder) = (taken.local_addr().unwrap().to_string(), Scratch::new());
    let (printed, said, code) = run(metrics(&folder, &["--listen", &address]));
    assert_eq!((printed.as_str(), code), ("", 1), "{said}");
    let expected =
        format!("superlance metrics: cannot listen at {address}: Address already in use");
    assert!(said.starts_with(&expected), "{said}");
}
