//! `crashsms` sends short messages, through a mail gateway, about processes under supervisord that
//! exit unexpectedly.

use std::time::SystemTime;

use superlance_core::protocol::event::ProcessState;
use superlance_core::run::applet::Applet;
use superlance_core::system::clock::log_time;
use superlance_crash::batch::Tool;
use superlance_crash::trigger::Trigger;

pub const APPLET: Applet = Applet {
    name: TOOL.name,
    command: || TOOL.command(),
    service: |matches, environment| TOOL.service(matches, environment),
};

static TOOL: Tool = Tool {
    name: "crashsms",
    trigger: Trigger::Exited,
    on: false,
    tail: false,
    about: "Send short messages about processes under supervisord that exit unexpectedly",
    subject: None,
    line,
    text,
    remarks: false,
};

/// Characters in a short message.
const LENGTH: usize = 160;

fn line(change: &ProcessState, at: SystemTime) -> String {
    let ProcessState { group, process, .. } = change;
    let pid = change.pid_text();
    format!("[{group}:{process}]({pid}) exited unexpectedly {}", log_time(at))
}

/// As many lines as fit, and how many more there are.
fn text(lines: &[String], dropped: u64) -> String {
    let fits = |shown: usize| {
        let text = with_rest(lines, shown, dropped);
        (text.chars().count() <= LENGTH).then_some(text)
    };
    (1..=lines.len()).rev().find_map(fits).unwrap_or_else(|| cut(lines, dropped))
}

/// The first `shown` lines, and the number of the others.
fn with_rest(lines: &[String], shown: usize, dropped: u64) -> String {
    let text = lines.iter().take(shown).map(String::as_str).collect::<Vec<_>>().join("\n");
    match (lines.len() - shown) as u64 + dropped {
        0 => text,
        rest => format!("{text}\n+{rest} more"),
    }
}

/// The beginning of a line that is too long by itself.
fn cut(lines: &[String], dropped: u64) -> String {
    let whole = with_rest(lines, 1, dropped);
    let (line, rest) = match whole.rsplit_once("\n+") {
        Some((line, rest)) => (line, format!("...\n+{rest}")),
        None => (whole.as_str(), "...".to_owned()),
    };
    let room = LENGTH.saturating_sub(rest.chars().count());
    line.chars().take(room).chain(rest.chars()).collect()
}

#[cfg(test)]
mod tests {
    use superlance_core::supervisor::State;
    use superlance_core::testing::change;
    use superlance_crash::trigger::StateFilter;

    use super::*;

    #[test]
    fn only_unexpected_exits_are_reported() {
        let wanted = StateFilter::from(TOOL.trigger);
        assert_eq!(wanted.of(&change(State::Exited, true)), None);
        assert_eq!(wanted.of(&change(State::Fatal, false)), None);
        let exit = change(State::Exited, false);
        assert_eq!(wanted.of(&exit), Some(TOOL.trigger));
        let text = line(&exit, SystemTime::UNIX_EPOCH);
        assert!(text.starts_with("[grp:foo](58597) exited unexpectedly 19"), "{text}");
    }

    #[track_caller]
    fn check(lengths: &[usize], dropped: u64, expected: &[usize], rest: &str) {
        let line = |length: &usize| "é".repeat(*length);
        let lines: Vec<_> = lengths.iter().map(line).collect();
        let mut shown: Vec<_> = expected.iter().map(line).collect();
        shown.extend((!rest.is_empty()).then(|| rest.to_owned()));
        let text = text(&lines, dropped);
        assert_eq!(text, shown.join("\n"));
        assert!(text.chars().count() <= LENGTH, "{}", text.chars().count());
    }

    #[test]
    fn as_many_lines_as_fit_are_shown() {
        check(&[160], 0, &[160], "");
        check(&[79, 80], 0, &[79, 80], "");
        check(&[79, 81], 0, &[79], "+1 more");
        check(&[50, 50, 50, 50, 50], 0, &[50, 50, 50], "+2 more");
        check(&[51, 50, 50, 50, 50], 0, &[51, 50], "+3 more");
        check(&[75, 75, 1], 0, &[75, 75, 1], "");
        check(&[75, 76, 9], 0, &[75, 76], "+1 more");
        check(&[75, 77, 9], 0, &[75], "+2 more");
        check(&[10], 9_000, &[10], "+9000 more");
    }

    #[test]
    fn a_line_that_is_too_long_by_itself_is_cut() {
        let long = "x".repeat(300);
        let text = text(&[long.clone(), long], 0);
        assert_eq!((text.len(), text.lines().next().map(str::len)), (160, Some(152)));
        assert!(text.ends_with("x...\n+1 more"), "{text}");
        assert_eq!(super::text(&["y".repeat(161)], 0), format!("{}...", "y".repeat(157)));
    }

    #[test]
    fn the_command_line_is_complete() {
        let mut command = (APPLET.command)();
        let help = command.render_long_help().to_string();
        assert!(help.contains("[default: none]"), "{help}");
        let given = ["crashsms", "-t", "a@b, c@d", "-f", "x@y", "-i", "0.5", "--tls", "stray"];
        assert!(command.try_get_matches_from_mut(given).is_ok());
        let missing = command.try_get_matches_from_mut(["crashsms", "-t", "a@b"]).unwrap_err();
        assert_eq!(missing.exit_code(), 2, "{missing}");
    }
}
