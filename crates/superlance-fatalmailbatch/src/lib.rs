//! `fatalmailbatch` mails about processes that supervisord has given up starting, all those of some
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
    name: "fatalmailbatch",
    trigger: Trigger::Fatal,
    on: false,
    tail: true,
    about: "Mail about processes that supervisord cannot start, several at a time",
    subject: Some("Fatal start alert from supervisord"),
    line,
    text: plain_text,
    remarks: true,
};

fn line(change: &ProcessState, at: SystemTime) -> String {
    let ProcessState { group, process, .. } = change;
    format!("{} -- Process {group}:{process} failed to start too many times", log_time(at))
}

#[cfg(test)]
mod tests {
    use superlance_core::supervisor::State;
    use superlance_core::testing::change;
    use superlance_crash::trigger::StateFilter;

    use super::*;

    #[test]
    fn only_the_fatal_state_is_mailed_about() {
        let wanted = StateFilter::from(TOOL.trigger);
        assert_eq!(wanted.of(&change(State::Exited, false)), None);
        assert_eq!(wanted.of(&change(State::Backoff, false)), None);
        let fatal = change(State::Fatal, false);
        assert_eq!(wanted.of(&fatal), Some(TOOL.trigger));
        let text = line(&fatal, SystemTime::UNIX_EPOCH);
        assert!(text.ends_with(",000 -- Process grp:foo failed to start too many times"), "{text}");
    }

    #[test]
    fn the_command_line_is_complete() {
        let mut command = (APPLET.command)();
        let help = command.render_long_help().to_string();
        assert!(help.contains("[default: Fatal start alert from supervisord]"), "{help}");
        let given =
            ["fatalmailbatch", "-t", "a@b, c@d", "-f", "x@y", "-i", "0.5", "--tls", "stray"];
        assert!(command.try_get_matches_from_mut(given).is_ok());
        let missing =
            command.try_get_matches_from_mut(["fatalmailbatch", "-t", "a@b"]).unwrap_err();
        assert_eq!(missing.exit_code(), 2, "{missing}");
    }
}
