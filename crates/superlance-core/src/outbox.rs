//! Mails on their way to a command, beside the listener's work.
//!
//! A mail program may take seconds or hang. The listener hands its mails over here and goes on;
//! they are sent one after the other, and several at once when the listener is about to end.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::command;
use crate::log::Log;
use crate::mail::{Mail, Mailer};
use crate::unfinished::{Entry, Unfinished};

/// Time for a mail program.
const LIMIT: Duration = Duration::from_secs(60);

/// Mails that may wait. With more, the listener waits too, then its queue fills, then supervisord
/// keeps the events: nothing is dropped here.
const CAPACITY: usize = 10_000;

/// Mails sent at once when the listener is about to end.
const HURRY: usize = 16;

/// A [`Mailer`] that pipes each mail into a shell command.
pub struct Outbox {
    shared: Arc<Shared>,
    unfinished: Unfinished,
    senders: usize,
}

struct Shared {
    command: String,
    log: Arc<Log>,
    mails: Mutex<Mails>,
    changed: Condvar,
}

#[derive(Default)]
struct Mails {
    waiting: VecDeque<Waiting>,
    in_work: usize,
}

struct Waiting {
    text: String,
    confirm: Option<String>,
    /// Finished when the mail is sent, or its failure logged.
    _entry: Entry,
}

impl Outbox {
    /// An outbox for `command`. Its thread is started with the first mail.
    #[must_use]
    pub fn new(command: String, log: Arc<Log>, unfinished: Unfinished) -> Self {
        let (mails, changed) = (Mutex::default(), Condvar::new());
        let shared = Arc::new(Shared { command, log, mails, changed });
        Self { shared, unfinished, senders: 0 }
    }

    /// Starts threads that send until the program ends, so that there are `count` of them.
    fn start_senders(&mut self, count: usize) {
        while self.senders < count {
            let shared = Arc::clone(&self.shared);
            let sender = thread::Builder::new().name("mail".to_owned());
            if let Err(error) = sender.spawn(move || shared.send_all()) {
                return self
                    .shared
                    .log
                    .line(format_args!("cannot start a thread to mail: {error}"));
            }
            self.senders += 1;
        }
    }
}

impl Mailer for Outbox {
    fn send(&mut self, mail: Mail, confirm: Option<String>) {
        self.start_senders(1);
        let text = mail.render();
        let entry = self.unfinished.begin(format!("Mail not sent in time:\n\n{text}"));
        let mut mails = self.shared.lock();
        while mails.waiting.len() >= CAPACITY {
            mails = self.shared.wait(mails);
        }
        mails.waiting.push_back(Waiting { text, confirm, _entry: entry });
        self.shared.changed.notify_all();
    }

    fn hurry(&mut self) {
        let waiting = self.shared.lock().waiting.len();
        // One more than waiting: the first sender may be held up by a mail program that hangs.
        self.start_senders(HURRY.min(waiting + 1));
    }

    fn finish(&mut self) {
        self.hurry();
        self.shared.wait_until_empty();
    }
}

impl Shared {
    /// Sends what is waiting, and what comes.
    fn send_all(&self) -> ! {
        let mut mails = self.lock();
        loop {
            if let Some(next) = mails.waiting.pop_front() {
                mails.in_work += 1;
                drop(mails);
                self.deliver(next);
                mails = self.lock();
                mails.in_work -= 1;
                self.changed.notify_all();
            } else {
                mails = self.wait(mails);
            }
        }
    }

    /// A mail whose command failed is not sent again: it may have gone out all the same.
    fn deliver(&self, mail: Waiting) {
        match command::run(&self.command, &mail.text, LIMIT) {
            Ok(()) => {
                if let Some(confirm) = mail.confirm {
                    self.log.line(confirm);
                }
            }
            Err(error) => self.log.line(format_args!(
                "Mail not sent with {:?}: {error}. The mail was:\n\n{}",
                self.command, mail.text
            )),
        }
    }

    fn wait_until_empty(&self) {
        let mut mails = self.lock();
        while mails.in_work > 0 || !mails.waiting.is_empty() {
            mails = self.wait(mails);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Mails> {
        self.mails.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, mails: MutexGuard<'a, Mails>) -> MutexGuard<'a, Mails> {
        self.changed.wait(mails).unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Recorder;

    fn outbox(command: String) -> (Outbox, Recorder, Unfinished) {
        let (recorder, unfinished) = (Recorder::default(), Unfinished::default());
        let log = Arc::new(Log::new(recorder.clone()));
        (Outbox::new(command, log, unfinished.clone()), recorder, unfinished)
    }

    fn mail(text: &str) -> Mail {
        Mail { to: "a@b".to_owned(), subject: "s".to_owned(), text: text.to_owned() }
    }

    #[test]
    fn mails_go_out_in_order_and_are_confirmed() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("mails");
        let (mut outbox, recorder, unfinished) = outbox(format!("cat >> '{}'", file.display()));
        outbox.send(mail("first\n"), Some("sent first".to_owned()));
        outbox.shared.wait_until_empty();
        outbox.send(mail("second\n"), None);
        outbox.finish();
        assert_eq!(recorder.text(), "sent first\n");
        let sent = std::fs::read_to_string(file).unwrap();
        assert_eq!(sent, "To: a@b\nSubject: s\n\nfirst\nTo: a@b\nSubject: s\n\nsecond\n");
        assert_eq!(unfinished.texts(), Vec::<String>::new());
    }

    #[test]
    fn a_failure_is_logged_with_the_mail_and_ends_nothing() {
        let (mut outbox, recorder, unfinished) = outbox("exit 7".to_owned());
        outbox.send(mail("text"), Some("sent".to_owned()));
        outbox.finish();
        let expected = "Mail not sent with \"exit 7\": the command failed with exit status 7. \
                        The mail was:\n\nTo: a@b\nSubject: s\n\ntext\n";
        assert_eq!(recorder.text(), expected);
        assert_eq!(unfinished.texts(), Vec::<String>::new());
    }

    #[test]
    fn at_the_end_a_mail_program_that_hangs_holds_up_no_other_mail() {
        let (mut outbox, recorder, _) =
            outbox("read to; test \"$to\" = 'To: a@b' && sleep 60".to_owned());
        outbox.send(mail("hangs"), None);
        let other = Mail { to: "c@d".to_owned(), ..mail("fails at once") };
        outbox.send(other, None);
        outbox.hurry();
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        while !recorder.text().contains("fails at once") && std::time::Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
        assert!(recorder.text().contains("fails at once"), "{}", recorder.text());
    }

    #[test]
    fn at_the_end_many_go_out_at_once() {
        let started = std::time::Instant::now();
        let (mut outbox, _, unfinished) = outbox("sleep 0.5".to_owned());
        for _ in 0..32 {
            outbox.send(mail("x"), None);
        }
        assert!(unfinished.texts()[0].starts_with("Mail not sent in time:\n\nTo: a@b"));
        outbox.finish();
        assert!(started.elapsed() < Duration::from_secs(8), "one after the other takes 16 s");
        assert_eq!(unfinished.texts(), Vec::<String>::new());
    }
}
