//! The result of a run.

use super::Transcript;
use super::sections::{self, Section, Sections, Shown};
use crate::smtp::Received;

/// What a program did, with everything that differs from run to run replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The calls to supervisord, like `getProcessInfo(foo:foo)`.
    pub calls: Vec<String>,
    /// The mails sent by command.
    pub mails: Vec<String>,
    /// The mails sent by SMTP; what differs is replaced in message, subject and body.
    pub received: Vec<Received>,
    /// The requests to the HTTP server, like `GET /path`.
    pub requests: Vec<String>,
    /// Standard error.
    pub log: String,
    /// Standard output.
    pub protocol: String,
    /// Whether the program still ran after the last step.
    pub alive: bool,
    /// Whether supervisord would have given it up for something unexpected in the protocol.
    pub unknown: bool,
    /// What happened after the end of standard input. It is not compared: Python's die of it.
    pub afterwards: Afterwards,
    /// The exit status at last, `None` after a signal. It is not compared.
    pub exit: Option<i32>,
}

/// What a program did after the end of standard input, less what it had done before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in Outcome")]
pub struct Afterwards {
    pub calls: Vec<String>,
    pub mails: Vec<String>,
    pub received: Vec<Received>,
    pub log: String,
}

impl Outcome {
    /// Without the lines of the log that contain one of these texts.
    pub(super) fn without(mut self, additions: &[String]) -> Outcome {
        let added = |line: &str| additions.iter().any(|text| line.contains(text));
        self.log = self.log.split_inclusive('\n').filter(|line| !added(line)).collect();
        self
    }

    /// With the calls and the log as this transcript wants them compared.
    pub(super) fn compared_in(mut self, transcript: &Transcript) -> Outcome {
        self.calls = transcript.compared_calls(&self.calls);
        self.log = (transcript.compared_log)(&self.log);
        self
    }

    /// What is compared, as a text of sections.
    pub(super) fn to_text(&self) -> String {
        sections::to_text(&self.compared())
    }

    fn compared(&self) -> Vec<Section> {
        let mut all = Sections::default();
        all.lines("calls", &self.calls);
        all.mails("", &self.mails, &self.received);
        all.lines("requests", &self.requests);
        all.text("log", &self.log);
        all.text("protocol", &self.protocol);
        all.text("alive", &format!("{}\n", self.alive));
        all.text("given up by supervisord", &format!("{}\n", self.unknown));
        all.0
    }
}

impl Shown for Outcome {
    fn sections(&self) -> Vec<Section> {
        let mut all = Sections(self.compared());
        let Afterwards { calls, mails, received, log } = &self.afterwards;
        all.lines("calls after the end of the events", calls);
        all.mails(" after the end of the events", mails, received);
        all.text("log after the end of the events", log);
        all.text("exit status after the end of the events", &sections::exit(self.exit));
        all.0
    }
}
