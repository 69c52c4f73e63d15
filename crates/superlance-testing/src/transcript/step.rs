//! The steps of a transcript.

use std::fmt::{self, Debug, Formatter};
use std::rc::Rc;

use super::world::World;
use crate::frame::Frame;

/// What must have happened before the next step, besides the answer to the event and rest.
///
/// Needed only where a program rests and will yet go on: it waits for a timer, or for a server
/// that takes its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Until {
    /// The log contains a text.
    Log(String),
    /// So many calls have been made, from the start.
    Calls(usize),
    /// So many mails have been sent, by command or SMTP, from the start.
    Mails(usize),
    /// So many requests have been made to the HTTP server, from the start.
    Requests(usize),
}

#[derive(Clone)]
pub(super) enum Step {
    Send(Frame, Option<Until>),
    Act(Rc<dyn Fn(&mut World)>),
}

impl Debug for Step {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Step::Send(frame, until) => f.debug_tuple("Send").field(frame).field(until).finish(),
            Step::Act(_) => f.write_str("Act"),
        }
    }
}
