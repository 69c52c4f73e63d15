//! crashmail, crashmailbatch, fatalmailbatch and crashsms beside the originals, with mail servers that
//! fail, and under a real supervisord.

mod batch_deviations;
mod batches;
mod causes;
mod causes_under_supervisord;
mod crashmail;
mod crashmail_deviations;
mod lost_events;
mod smtp;
mod under_supervisord;

use std::time::Duration;

use superlance_testing::{SmtpServer, Subject, Transcript};

use crate::ours;

/// The tools that collect lines.
const BATCHES: [&str; 3] = ["crashmailbatch", "fatalmailbatch", "crashsms"];

/// How long an end may take: less than supervisord waits before it kills.
pub(crate) const END: Duration = Duration::from_secs(10);

/// Addresses and server that every batch tool needs.
pub(crate) const ADDRESSES: [&str; 6] =
    ["-t", "bob@example.com", "-f", "supervisord@example.com", "-H", "{smtp}"];

/// The payload of an exit that was not to be.
pub(crate) fn exit(namespec: &str) -> String {
    let (group, name) = parts(namespec);
    format!("processname:{name} groupname:{group} from_state:RUNNING expected:0 pid:58597")
}

/// The payload of a start that is given up.
pub(crate) fn fatal(namespec: &str) -> String {
    let (group, name) = parts(namespec);
    format!("processname:{name} groupname:{group} from_state:BACKOFF")
}

fn parts(namespec: &str) -> (&str, &str) {
    namespec.split_once(':').unwrap_or((namespec, namespec))
}

/// The events of these tests.
trait Events: Sized {
    /// A process exits unexpectedly.
    fn crash(self, namespec: &str) -> Self;

    /// A process exits unexpectedly and cannot be started again: something for every tool.
    fn trouble(self, namespec: &str) -> Self;

    fn tick(self) -> Self;
}

impl Events for Transcript {
    fn crash(self, namespec: &str) -> Transcript {
        self.event("PROCESS_STATE_EXITED", &exit(namespec))
    }

    fn trouble(self, namespec: &str) -> Transcript {
        self.crash(namespec).event("PROCESS_STATE_FATAL", &fatal(namespec))
    }

    fn tick(self) -> Transcript {
        self.event("TICK_60", "when:1201063880")
    }
}

/// A crashmail with these arguments.
fn crashmail(title: &str, arguments: &[&str]) -> Transcript {
    Transcript::new("crashmail", title).args(arguments.iter().copied())
}

/// A batch tool with the usual addresses, these arguments, and a server that takes everything.
fn batch(tool: &str, title: &str, arguments: &[&str]) -> Transcript {
    Transcript::new(tool, title)
        .args(ADDRESSES)
        .args(arguments.iter().copied())
        .smtp(SmtpServer::builder())
}

/// Our batch tool with the usual addresses and this server.
fn our_batch(tool: &str, smtp: &SmtpServer) -> Subject {
    let arguments = ADDRESSES.map(|argument| argument.replace("{smtp}", &smtp.address()));
    Subject::ours(ours(), tool).args(arguments).server_url("unix:///nonexistent")
}
