//! The exit status that is handed on, and the words for an ending. Pure.

use std::str::FromStr;

use nix::sys::signal::Signal;
use superlance_crash::postmortem::Ending;

/// What is handed on where a process failed and its status says nothing.
const FAILED: u8 = 1;

/// `--status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StatusRule {
    /// That of the process.
    Process,
    /// This one.
    Fixed(u8),
}

impl FromStr for StatusRule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "process" => Ok(Self::Process),
            number => number
                .parse()
                .map(Self::Fixed)
                .map_err(|_| format!("expected process or a number from 0 to 255, not {text:?}")),
        }
    }
}

impl StatusRule {
    /// The status for the end of a process that failed or did not.
    pub(crate) fn status(self, has_failed: bool, ending: Option<&Ending>) -> u8 {
        match self {
            Self::Fixed(status) => status,
            Self::Process => match of_ending(ending) {
                Some(0) | None if has_failed => FAILED,
                status => status.unwrap_or_default(),
            },
        }
    }
}

/// As a shell reports it: the exit status, or 128 and the number of the signal.
fn of_ending(ending: Option<&Ending>) -> Option<u8> {
    let status = match ending? {
        Ending::Status(status) => *status,
        Ending::Signal { name, .. } => 128 + number(name)?,
        Ending::Unknown(_) => return None,
    };
    Some(u8::try_from(status).unwrap_or(u8::MAX))
}

fn number(signal: &str) -> Option<u32> {
    match signal.strip_prefix("signal ") {
        Some(number) => number.parse().ok(),
        None => u32::try_from(Signal::from_str(signal).ok()? as i32).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signal(name: &str) -> Option<Ending> {
        Some(Ending::Signal { name: name.to_owned(), core_dumped: false })
    }

    #[test]
    fn what_a_process_ended_with_is_handed_on_and_a_failure_never_as_0() {
        for (ending, has_failed, expected) in [
            (Some(Ending::Status(0)), false, 0),
            (Some(Ending::Status(0)), true, 1),
            (Some(Ending::Status(3)), true, 3),
            (Some(Ending::Status(3)), false, 3),
            (Some(Ending::Status(300)), true, 255),
            (signal("SIGSEGV"), true, 139),
            (signal("SIGKILL"), true, 137),
            (signal("signal 37"), true, 165),
            (signal("SIGNEW"), true, 1),
            (Some(Ending::Unknown("0x7f".to_owned())), true, 1),
            (None, true, 1),
            (None, false, 0),
        ] {
            let status = StatusRule::Process.status(has_failed, ending.as_ref());
            assert_eq!(status, expected, "{ending:?}");
            assert_eq!(StatusRule::Fixed(7).status(has_failed, ending.as_ref()), 7);
        }
    }

    #[test]
    fn statuses_on_the_command_line() {
        assert_eq!("process".parse(), Ok(StatusRule::Process));
        assert_eq!(" 3".parse(), Ok(StatusRule::Fixed(3)));
        for bad in ["", "256", "-1", "same"] {
            let expected = format!("expected process or a number from 0 to 255, not {bad:?}");
            assert_eq!(bad.parse::<StatusRule>(), Err(expected));
        }
    }
}
