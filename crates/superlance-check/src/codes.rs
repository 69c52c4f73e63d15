//! The table of codes. docs/check.md has a heading for each, with what `--explain` prints.

use crate::severity::Severity;

/// A code, and what it stands for.
pub(crate) struct Entry {
    pub(crate) code: &'static str,
    /// Of most of its findings; some are worse or better.
    pub(crate) severity: Severity,
    pub(crate) heading: &'static str,
}

const fn error(code: &'static str, heading: &'static str) -> Entry {
    Entry { code, severity: Severity::Error, heading }
}

const fn warning(code: &'static str, heading: &'static str) -> Entry {
    Entry { code, severity: Severity::Warning, heading }
}

const fn info(code: &'static str, heading: &'static str) -> Entry {
    Entry { code, severity: Severity::Info, heading }
}

pub(crate) const CODES: &[Entry] = &[
    error("SL100", "supervisord refuses the configuration"),
    error("SL101", "A listener needs a server, and there is none"),
    error("SL102", "The section rpcinterface:supervisor is missing"),
    error("SL103", "The user of a listener may not open the socket"),
    error("SL104", "A listener has no credentials for the server"),
    warning("SL105", "The socket is in a folder for temporary files"),
    error("SL106", "supervisorctl asks at another address"),
    error("SL107", "The network may run commands"),
    info("SL108", "The server has no password"),
    error("SL109", "No supervisord answers"),
    error("SL201", "A listener does not get the events it needs"),
    warning("SL202", "A listener gets events that it does not need"),
    error("SL203", "The errors of a listener go into the event protocol"),
    warning("SL204", "The queue of a listener is too short"),
    error("SL205", "The command of a listener prints to standard output"),
    error("SL206", "A listener does not run"),
    warning("SL207", "A listener is not started again"),
    info("SL208", "The standard output of a listener has nothing to read"),
    warning("SL209", "Several processes share the events of a listener"),
    error("SL210", "A listener is configured as a program"),
    warning("SL211", "Two listeners do the same"),
    error("SL301", "A name matches no process"),
    error("SL302", "The command line is wrong"),
    error("SL303", "A percent sign is not doubled"),
    error("SL304", "A comment cuts the value off"),
    warning("SL305", "Alerts have no way out"),
    warning("SL306", "The command line has a secret in it"),
    warning("SL307", "A check takes longer than the time between two"),
    error("SL308", "The command is that of the Python package"),
    warning("SL309", "A limit is above the memory there is"),
    info("SL310", "crashmail -p is not ignored"),
    warning("SL311", "An interpreter stands in front of the command"),
    error("SL312", "A limit has no unit"),
    error("SL313", "A placeholder is left"),
    warning("SL314", "An option is one of a fork"),
    error("SL401", "A section or key is not known"),
    error("SL402", "A section or key is there twice"),
    warning("SL403", "A log that cannot be rotated has a largest size"),
    warning("SL404", "Children of a shell are not stopped"),
    warning("SL405", "Failed starts are not noticed"),
    warning("SL406", "The program goes into the background"),
    error("SL407", "A file or folder is missing"),
    warning("SL408", "The user of a program"),
    warning("SL409", "Part of the environment is lost"),
    warning("SL410", "An include has no effect"),
    info("SL411", "Priorities do not wait"),
    warning("SL412", "The file differs from what runs"),
    warning("SL501", "Stopping takes longer than a container is given"),
    warning("SL502", "A program may take longer to stop than a container is given"),
    warning("SL503", "A hand-made listener ends supervisord"),
    info("SL504", "supervisord and process 1 of the container"),
    error("SL601", "A program waits for an unknown one"),
    error("SL602", "A state or value is wrong"),
    error("SL603", "Programs wait for each other"),
    error("SL604", "supervisord starts a program that is to wait"),
    error("SL605", "A program waits for health that nothing tells"),
    warning("SL606", "Nothing starts a program that waits"),
    warning("SL607", "A program that is to wait does not"),
];

pub(crate) fn find(code: &str) -> Option<&'static Entry> {
    CODES.iter().find(|entry| entry.code.eq_ignore_ascii_case(code))
}

/// The page that describes all codes.
const PAGE: &str = include_str!("../../../docs/check.md");

/// What the page says of a code, with its heading.
pub(crate) fn explain(entry: &Entry) -> Option<String> {
    let mut lines = PAGE.lines().skip_while(|line| !is_heading_of(line, entry.code));
    let heading = lines.next()?.trim_start_matches('#').trim();
    let text: Vec<_> = lines.take_while(|line| !line.starts_with('#')).collect();
    Some(format!("{heading}\n\n{}\n", text.join("\n").trim()))
}

fn is_heading_of(line: &str, code: &str) -> bool {
    line.strip_prefix("### ").is_some_and(|heading| heading.starts_with(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_a_heading_for_each_code_and_no_other() {
        let expected: Vec<_> = CODES
            .iter()
            .map(|entry| format!("### {} {}: {}", entry.code, entry.severity.name(), entry.heading))
            .collect();
        let headings: Vec<_> = PAGE.lines().filter(|line| line.starts_with("### SL")).collect();
        assert_eq!(headings, expected);
        for entry in CODES {
            let text = explain(entry).unwrap();
            assert!(text.lines().count() > 3, "{text}");
        }
    }
}
