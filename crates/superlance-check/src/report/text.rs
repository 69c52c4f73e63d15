//! Findings for people: a line for each, and what to write.

use superlance_core::system::log::is_terminal_control;
use superlance_core::system::paint::Style;

use super::{Live, Report};
use crate::finding::Finding;
use crate::severity::Severity;

/// What is shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View {
    /// Whether findings of severity info are.
    pub(crate) all: bool,
    pub(crate) colour: bool,
}

/// The report, as lines.
pub(crate) fn render(report: &Report, view: View) -> String {
    let shown = report.findings.iter().filter(|f| view.all || f.severity > Severity::Info);
    let mut lines: Vec<_> = shown.flat_map(|finding| lines_of(finding, view)).collect();
    // As a rule one of the findings says why.
    let is_said = |reason: &&String| report.findings.iter().any(|f| f.message.contains(*reason));
    lines.extend(report.refused.iter().filter(|reason| !is_said(reason)).map(|reason| {
        let text = format!("supervisord refuses this: {}", printable(reason));
        Style::Bad.paint(&text, view.colour)
    }));
    lines.push(summary(report, view));
    lines.join("\n") + "\n"
}

fn lines_of(finding: &Finding, view: View) -> Vec<String> {
    let style = match finding.severity {
        Severity::Error => Style::Bad,
        Severity::Warning => Style::Doubtful,
        Severity::Info => Style::Faint,
    };
    let what = format!("{} {}", finding.severity.name(), finding.code);
    let first = format!(
        "{}:{}: {}: {}",
        finding.place.file.display(),
        finding.place.line,
        style.paint(&what, view.colour),
        printable(&finding.message)
    );
    let fix = finding.fix.iter().map(|fix| format!("  fix: {}", printable(fix)));
    std::iter::once(first).chain(fix).collect()
}

fn summary(report: &Report, view: View) -> String {
    let main = report.main.display();
    let refused = if report.refused.is_some() { "; supervisord would not start" } else { "" };
    let looked = plural(report.sections, "section with a command", "sections with a command");
    let counts: Vec<_> = [
        (Severity::Error, "error", "errors"),
        (Severity::Warning, "warning", "warnings"),
        (Severity::Info, "info", "infos"),
    ]
    .into_iter()
    .filter(|(severity, ..)| view.all || *severity > Severity::Info)
    .map(|(severity, one, many)| (report.count(severity), one, many))
    .filter(|(count, ..)| *count > 0)
    .map(|(count, one, many)| plural(count, one, many))
    .collect();
    let live = match &report.live {
        Live::NotAsked => String::new(),
        Live::Answered(url) => format!(", compared with the supervisord at {url}"),
        Live::Silent(why) => format!("; only the file was looked at: {}", printable(why)),
    };
    let hidden = match report.count(Severity::Info) {
        0 => String::new(),
        _ if view.all => String::new(),
        count => format!(" ({} with --all)", plural(count, "info", "infos")),
    };
    match counts.is_empty() {
        true => format!("{main}: nothing found in {looked}{hidden}{refused}{live}"),
        false => format!("{main}: {} in {looked}{hidden}{refused}{live}", counts.join(", ")),
    }
}

fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Texts come from files: what a terminal would obey becomes `?`.
fn printable(text: &str) -> String {
    let printable = |c: char| if c.is_control() || is_terminal_control(c) { '?' } else { c };
    text.chars().map(|c| if c == '\n' { ' ' } else { printable(c) }).collect()
}
