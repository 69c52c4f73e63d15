//! Mails over SMTP, with an outcome for each recipient.
//!
//! [`connection`] speaks the protocol; [`session`] runs a conversation on a thread, against a
//! deadline.

pub mod answer;
mod connection;
mod message;
#[cfg(test)]
mod scripted;
mod server;
mod session;
mod stream;
mod tls;
mod url;

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub use self::message::Message;
pub use self::server::{BadServer, Server};
pub use self::url::SmtpUrl;

use crate::mail::outcome::DeliveryOutcome;
use crate::system::io_error::explain;
use crate::system::log::Log;
use crate::system::secret::Secret;

/// The settings for a server.
#[derive(Clone)]
pub struct Settings {
    pub server: Server,
    /// User name and password, if any.
    pub credentials: Option<(String, Secret)>,
    /// The encryption to insist on.
    pub tls: Tls,
}

/// The encryption to insist on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// None.
    Off,
    /// Encryption, with any certificate.
    Required,
    /// Encryption, with a certificate that the system's authorities vouch for.
    Verified,
    /// The same, from the first byte on.
    Implicit,
}

/// Time limits.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// For everything before the mail itself is sent: after this, nothing was delivered.
    talk: Duration,
    /// For the mail itself and the answer to it. RFC 5321 (4.5.3.2.6) asks for ten minutes: a
    /// client that gives up earlier and tries again may deliver twice.
    mail: Duration,
}

const LIMITS: Limits = Limits { talk: Duration::from_secs(60), mail: Duration::from_secs(600) };

/// Time for QUIT and its answer.
const QUIT: Duration = Duration::from_secs(2);

/// Threads beyond which a connection is closed without waiting for the answer to QUIT.
const MANY_THREADS: usize = 16;

/// Attempts that may still hang in a server that answers byte by byte, before no new one is begun.
const HANGING: usize = 8;

/// Delivers mails to one SMTP server.
pub struct Smtp {
    job: Job,
    hanging: Mutex<Vec<JoinHandle<()>>>,
}

/// The parts that a delivery thread needs.
#[derive(Clone)]
struct Job {
    settings: Settings,
    limits: Limits,
    log: Arc<Log>,
    /// Whether the server's certificate was checked once, where its result is only logged.
    judged: Arc<AtomicBool>,
    /// One reference for each thread, and one more.
    threads: Arc<()>,
}

impl Smtp {
    /// A sender of mails. It connects for the first mail.
    #[must_use]
    pub fn new(settings: Settings, log: Arc<Log>) -> Self {
        let job =
            Job { settings, limits: LIMITS, log, judged: Arc::default(), threads: Arc::default() };
        Self { job, hanging: Mutex::default() }
    }

    fn hanging(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.hanging.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tries to deliver `message`. There is an outcome for each of its recipients, in their order.
    pub fn send(&self, message: &Message) -> Vec<DeliveryOutcome> {
        let mut hanging = self.hanging();
        hanging.retain(|thread| !thread.is_finished());
        if hanging.len() >= HANGING {
            return later(message, &format!("{HANGING} earlier attempts still hang"));
        }
        drop(hanging);
        let (job, copy, gate) = (self.job.clone(), message.clone(), Arc::new(Gate::default()));
        let (done, outcome) = channel();
        let entrance = Arc::clone(&gate);
        let thread = thread::Builder::new().name("smtp".to_owned()).spawn(move || {
            let (outcomes, connection) = session::deliver(&job, &copy, &entrance);
            let _ = done.send(outcomes);
            let many = Arc::strong_count(&job.threads) > MANY_THREADS;
            if let Some(connection) = connection {
                connection.quit((!many).then_some(QUIT));
            }
        });
        let thread = match thread {
            Ok(thread) => thread,
            Err(error) => return later(message, &format!("no thread: {}", explain(&error))),
        };
        let Limits { talk, mail } = self.job.limits;
        let mut answer = outcome.recv_timeout(talk);
        if answer == Err(RecvTimeoutError::Timeout) && !gate.close() {
            answer = outcome.recv_timeout(mail);
        }
        match answer {
            Ok(outcomes) => outcomes,
            Err(_) if gate.was_passed() => {
                self.hanging().push(thread);
                let seconds = mail.as_secs();
                let reason = format!("no answer to the mail within {seconds} seconds");
                vec![DeliveryOutcome::Unknown(reason); message.recipients.len()]
            }
            Err(_) => {
                self.hanging().push(thread);
                later(message, &format!("not ready for a mail within {} seconds", talk.as_secs()))
            }
        }
    }
}

fn later(message: &Message, reason: &str) -> Vec<DeliveryOutcome> {
    vec![DeliveryOutcome::Retry(reason.to_owned()); message.recipients.len()]
}

/// The gate between the conversation before a mail and the mail itself. Either the sender passes it
/// or the timeout closes it, whichever comes first: a mail that was given up is never sent.
#[derive(Debug, Default)]
struct Gate(AtomicU8);

impl Gate {
    const OPEN: u8 = 0;
    const PASSED: u8 = 1;
    const CLOSED: u8 = 2;

    /// Passes; `false` if it is closed.
    fn pass(&self) -> bool {
        self.change(Self::PASSED)
    }

    /// Closes the gate; `false` if the sender has passed.
    fn close(&self) -> bool {
        self.change(Self::CLOSED)
    }

    fn was_passed(&self) -> bool {
        self.0.load(Ordering::SeqCst) == Self::PASSED
    }

    fn change(&self, to: u8) -> bool {
        self.0.compare_exchange(Self::OPEN, to, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }
}

#[cfg(test)]
#[path = "smtp_tests.rs"]
mod tests;
