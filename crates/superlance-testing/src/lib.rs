//! Support for the tests of superlance: fake and real servers, and runs of both versions.
//!
//! | to have | use |
//! |---|---|
//! | the program under test, ours or the Python original, with the test as its supervisord | [`Subject`], [`Listener`] |
//! | a supervisord's memory for what a listener that was killed has not acknowledged | [`Feed`] |
//! | a supervisord that obeys the test | [`FakeSupervisor`], [`FakeProcess`], [`Answer`] |
//! | a real supervisord | [`Supervisord`] |
//! | a receiver of mail by command | [`Mailbox`] |
//! | a real SMTP server that keeps mails, and misbehaves | [`SmtpServer`], [`SmtpAnswer`] |
//! | an HTTP server that says what it shall, by https too | [`HttpServer`], [`HttpAnswer`] |
//! | a certificate, good or bad | [`Certificate`] |
//! | processes of a known size | [`Ballast`] |
//! | a program at a terminal, with keys and sizes | [`Terminal`] |
//! | the same events for ours and theirs, and a verdict | [`Transcript`], [`same`], [`deviates`] |
//! | to wait | [`wait_until`], [`wait_for`] |
//!
//! The Python programs live in a virtual environment (see [`venv`]) with the packages superlance
//! 2.0.0 and supervisor 4.3.0, and aiosmtpd 1.4.6 for the SMTP server.
//! Every process started here carries a mark in its environment, and is killed with all its
//! descendants when its value goes; every file is in a scratch folder that goes likewise.
//! Nothing sleeps for luck: what takes time is asked for until a deadline.
//!
//! # A transcript
//!
//! Runs Python's memmon and ours against the same fake supervisord, and compares calls, mails, log
//! and protocol, less what differs from run to run. A program that acknowledges first and acts
//! later is waited for until it rests.
//!
//! ```no_run
//! use superlance_testing::{Ballast, FakeProcess, Transcript, deviates, same};
//! # let ours = std::path::Path::new("target/debug/superlance");
//!
//! let ballast = Ballast::new(30).spawn();
//! let transcript = Transcript::new("memmon", "restarts what is over its limit, and mails")
//!     .args(["-p", "foo=20MB", "-m", "bob@example.com", "-s", "{mailbox}", "-n", "m"])
//!     .processes([FakeProcess::running("foo", ballast.pid()).uptime(60)])
//!     .event("TICK_60", "when:1201063880")
//!     .event("TICK_60", "when:1201063940");
//! same(&transcript, ours);
//!
//! let several = Transcript::new("memmon", "a process over several limits is restarted once")
//!     .args(["-g", "foo=1MB", "-a", "1MB"])
//!     .processes([FakeProcess::running("foo", ballast.pid()).next_pid(ballast.pid())])
//!     .event("TICK_60", "when:1");
//! deviates(&several, ours, "D3", |theirs, ours| assert!(theirs.calls.len() > ours.calls.len()));
//! ```
//!
//! # A transcript with servers
//!
//! `{smtp}` and `{http}` stand for servers that are new for each run; what they got is compared.
//!
//! ```no_run
//! use superlance_testing::{HttpAnswer, HttpServer, SmtpAnswer, SmtpServer, Transcript, Until, same};
//! # let ours = std::path::Path::new("target/debug/superlance");
//!
//! let batch = Transcript::new("crashmailbatch", "a recipient that is refused")
//!     .args(["-t", "bob@example.com,eve@example.com", "-f", "me@example.com", "-H", "{smtp}"])
//!     .smtp(SmtpServer::builder().on("RCPT eve@example.com", SmtpAnswer::Code(550)))
//!     .event("PROCESS_STATE_EXITED", "processname:foo groupname:foo from_state:RUNNING expected:0 pid:7")
//!     .event("TICK_60", "when:60")
//!     .until(Until::Mails(1))
//!     .act_on_smtp(|smtp| smtp.stop())
//!     .event("TICK_60", "when:120");
//! same(&batch, ours);
//!
//! let status = Transcript::new("httpok", "a status that is not 200")
//!     .args(["-a", "{http}/health"])
//!     .http(HttpServer::builder().then(HttpAnswer::status(500).body("oops")))
//!     .event("TICK_60", "when:60")
//!     .event("TICK_60", "when:120");
//! same(&status, ours);
//! ```
//!
//! # Servers for mail and web
//!
//! They can be changed while they run, and go down and come back at the same port.
//!
//! ```no_run
//! use std::time::Duration;
//! use superlance_testing::{Certificate, HttpAnswer, HttpServer, SmtpAnswer, SmtpServer};
//!
//! let certificate = Certificate::signed();
//! let mut smtp =
//!     SmtpServer::builder().starttls(&certificate).login("bob", "secret").start();
//! let trusting = ("SSL_CERT_FILE", certificate.authority());
//! smtp.once("CONTENT", SmtpAnswer::Close);
//! smtp.stop();
//! // Here a program with `-H smtp.address()` fails.
//! smtp.start();
//! let mail = &smtp.wait_for(1)[0];
//! assert_eq!((mail.tls, mail.user.as_deref()), (true, Some("bob")));
//!
//! let http = HttpServer::builder().tls(&certificate).start();
//! http.then(HttpAnswer::status(200).body("slowly").drip_body(Duration::from_secs(1)));
//! http.then(HttpAnswer::never());
//! http.usually(HttpAnswer::status(503));
//! // Here a program asks for `http.url()`.
//! assert_eq!(http.wait_for(3)[0].path, "/");
//! ```
//!
//! # A fake supervisord
//!
//! ```no_run
//! use std::time::Duration;
//! use superlance_testing::{Answer, Ballast, FakeProcess, FakeSupervisor, Subject};
//! # let ours = std::path::Path::new("target/debug/superlance");
//!
//! for (name, answer) in Answer::misbehaviours() {
//!     let (fake, ballast) = (FakeSupervisor::unix(), Ballast::new(30).spawn());
//!     fake.add(FakeProcess::running("foo", ballast.pid()));
//!     fake.once("startProcess(foo:foo)", answer);
//!     let memmon = Subject::ours(ours, "memmon").server_url(&fake.server_url());
//!     let mut memmon = memmon.args(["-a", "20MB"]).spawn();
//!     memmon.event("TICK_60", "when:1");
//!     assert_eq!(memmon.wait_result(), "OK", "{name}");
//!     fake.wait_for_call("startProcess");
//!     memmon.close_stdin();
//!     assert!(memmon.wait_exit(Duration::from_secs(10)).success(), "{name}");
//! }
//! ```
//!
//! # A real supervisord
//!
//! ```no_run
//! use std::time::Duration;
//! use superlance_testing::{Ballast, Channel, Http, Mailbox, Scratch, Supervisord};
//! # let links = std::path::Path::new("a folder with a link memmon -> superlance");
//!
//! let (folder, mailbox) = (Scratch::new(), Mailbox::new());
//! let leak = Ballast::new(5).growing(10, Duration::from_secs(1)).command(&folder);
//! let memmon = format!("memmon -p leak=50MB -m bob@example.com -s '{}'", mailbox.command());
//! let supervisord = Supervisord::builder()
//!     .http(Http::Inet)
//!     .login("user", "secret")
//!     .first_in_path(links)
//!     .program("leak", &leak, &[("stopwaitsecs", "3")])
//!     .listener("memmon", &memmon, "TICK_5", &[])
//!     .start();
//! supervisord.wait_state("leak", "RUNNING");
//! let pid = supervisord.pid_of("leak:leak");
//! supervisord.wait_restart("leak", pid);
//! supervisord.wait_for_process_log("memmon", Channel::Stderr, "Restarting leak:leak");
//! mailbox.wait_for(1);
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a harness that cannot go on should fail the test, and say why"
)]

mod ballast;
mod capture;
mod cases;
mod certificate;
mod fake;
mod feed;
mod frame;
mod http;
mod idle;
mod leash;
mod listener;
mod mailbox;
mod protocol;
mod python;
mod scratch;
mod smtp;
mod subject;
mod supervisord;
mod terminal;
mod transcript;
pub mod venv;
mod wait;
mod wire;

pub use ballast::{Ballast, RunningBallast};
pub use cases::{Case, Heading, headings};
pub use certificate::Certificate;
pub use fake::{Answer, FakeProcess, FakeSupervisor, ProcessState};
pub use feed::Feed;
pub use frame::Frame;
pub use http::{HttpAnswer, HttpBuilder, HttpRequest, HttpServer};
pub use leash::Leash;
pub use listener::Listener;
pub use mailbox::Mailbox;
pub use protocol::ListenerState;
pub use scratch::Scratch;
pub use smtp::{Received, SmtpAnswer, SmtpBuilder, SmtpServer};
pub use subject::{Subject, Who, listeners};
pub use supervisord::{Builder, Channel, Http, Supervisord};
pub use terminal::Terminal;
pub use transcript::{
    Afterwards, Outcome, Shown, Transcript, Until, deviates, record, record_both, same,
    theirs_is_under_test,
};
pub use wait::{SOON, try_wait, wait_for, wait_until};
