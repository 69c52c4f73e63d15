//! Alerts to mail servers, webhooks and commands, which answer or fail, and under a real supervisord.

mod command;
mod heartbeat;
mod mail;
mod real_services;
mod services;
mod under_supervisord;
mod webhook;
mod webhook_shapes;

use std::time::Duration;

use superlance_testing::{HttpServer, Listener, Subject};

use crate::ours;

/// How long an end may take: less than supervisord waits before it kills.
const END: Duration = Duration::from_secs(10);

/// A crashmail that tells of every exit.
fn crashmail<S: Into<String>>(arguments: impl IntoIterator<Item = S>) -> Subject {
    // No authorities and no proxies but those that a test names.
    Subject::ours(ours(), "crashmail").args(arguments).env("SSL_CERT_FILE", "/nonexistent")
}

/// The process exits unexpectedly.
fn crash(listener: &mut Listener, name: &str) {
    let exit = format!("processname:{name} groupname:g from_state:RUNNING expected:0 pid:58597");
    listener.event("PROCESS_STATE_EXITED", &exit);
}

/// What crashmail says of that.
fn text(name: &str) -> String {
    format!("Process {name} in group g exited unexpectedly (pid 58597) from state RUNNING")
}

/// Ends it, and returns its log.
#[track_caller]
fn end(mut listener: Listener) -> String {
    listener.close_stdin();
    assert_eq!(listener.wait_exit(END).code(), Some(0));
    listener.stderr()
}

/// The JSON of a request.
fn json(server: &HttpServer, number: usize) -> serde_json::Value {
    serde_json::from_str(&server.requests()[number].body).unwrap()
}

/// Runs it as supervisord would, and returns its complaint: it cannot begin.
#[track_caller]
fn complaint(subject: &Subject, code: i32) -> String {
    let output = subject.output(END);
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{complaint}");
    complaint
}
