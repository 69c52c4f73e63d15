//! `crashmailbatch` mails about processes under supervisord that exit unexpectedly, all those of some
//! minutes in one mail.

use std::time::SystemTime;

use superlance_core::protocol::event::ProcessState;
use superlance_core::run::applet::Applet;
use superlance_core::system::clock::log_time;
use superlance_crash::batch::{Tool, plain_text};
use superlance_crash::trigger::Trigger;

pub const APPLET: Applet = Applet {
    name: TOOL.name,
    command: || TOOL.command(),
    service: |matches, environment| TOOL.service(matches, environment),
};

static TOOL: Tool = Tool {
    name: "crashmailbatch",
    trigger: Trigger::Exited,
    on: true,
    tail: true,
    about: "Mail about processes under supervisord that exit unexpectedly, several at a time",
    subject: Some("Crash alert from supervisord"),
    line,
    text: plain_text,
    remarks: true,
};

fn line(change: &ProcessState, at: SystemTime) -> String {
    let ProcessState { group, process, .. } = change;
    let pid = change.pid_text();
    let what = match Trigger::of(change) {
        Some(Trigger::Exited) | None => format!("(pid {pid}) died unexpectedly"),
        Some(other) => other.sentence(change),
    };
    format!("{} -- Process {group}:{process} {what}", log_time(at))
}

#[cfg(test)]
mod tests {
    use superlance_core::supervisor::State;
    use superlance_core::testing::change;
    use superlance_crash::trigger::StateFilter;

    use super::*;

    #[test]
    fn only_unexpected_exits_are_mailed_about() {
        let wanted = StateFilter::from(TOOL.trigger);
        assert_eq!(wanted.of(&change(State::Exited, true)), None);
        assert_eq!(wanted.of(&change(State::Fatal, false)), None);
        let exit = change(State::Exited, false);
        assert_eq!(wanted.of(&exit), Some(TOOL.trigger));
        let text = line(&exit, SystemTime::UNIX_EPOCH);
        assert!(text.starts_with("19") && text.contains(",000 -- "), "{text}");
        assert!(text.ends_with(" -- Process grp:foo (pid 58597) died unexpectedly"), "{text}");
    }

    #[test]
    fn other_states_have_a_line_too() {
        let text = |state, expected| line(&change(state, expected), SystemTime::UNIX_EPOCH);
        let fatal = text(State::Fatal, false);
        assert!(fatal.ends_with(" -- Process grp:foo failed to start too many times"), "{fatal}");
        let exit = text(State::Exited, true);
        assert!(exit.ends_with(" -- Process grp:foo exited as expected (pid 58597)"), "{exit}");
    }

    #[test]
    fn the_command_line_is_complete() {
        let mut command = (APPLET.command)();
        let help = command.render_long_help().to_string();
        assert!(help.contains("[default: Crash alert from supervisord]"), "{help}");
        let given =
            ["crashmailbatch", "-t", "a@b, c@d", "-f", "x@y", "-i", "0.5", "--tls", "stray"];
        assert!(command.try_get_matches_from_mut(given).is_ok());
        let missing =
            command.try_get_matches_from_mut(["crashmailbatch", "-t", "a@b"]).unwrap_err();
        assert_eq!(missing.exit_code(), 2, "{missing}");
    }
}
