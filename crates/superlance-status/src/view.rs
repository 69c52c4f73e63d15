//! A snapshot as text for people. Pure.

use superlance_core::supervisor::State;
use superlance_measure::{Metric, Unavailable};

use crate::snapshot::{Question, Row, Scope, Snapshot, Sum};
use crate::table::{self, Cell, Column, Style};
use superlance_core::options::quantity::{duration, signed_size, size};

/// The size and kind of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    /// In columns; without it, lines are as long as they like.
    pub(crate) width: Option<usize>,
    /// In lines, likewise.
    pub(crate) height: Option<usize>,
    pub(crate) colour: bool,
}

/// A possible column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Process,
    State,
    Pid,
    Uptime,
    Memory(Metric, Scope),
    Limit,
    Headroom,
    WaitsFor,
}

/// The mark for a number that is not known or does not apply.
const NOTHING: &str = "-";

/// Begins the titles' explanation, and ends the titles themselves.
const FAMILY: &str = "/c";

/// The lines of a table of all processes, with their sum and remarks.
pub(crate) fn render(snapshot: &Snapshot, page: Page) -> Vec<String> {
    let kinds = if snapshot.rows.is_empty() { Vec::new() } else { kinds(snapshot) };
    let mut columns: Vec<_> = kinds.into_iter().map(|kind| column(kind, snapshot)).collect();
    let dropped = table::fit(&mut columns, page.width);
    let mut lines = match columns.is_empty() {
        true => Vec::new(),
        false => table::lines(&columns, page.colour),
    };
    let total = lines.split_off(lines.len().saturating_sub(1));
    let explanations = fold(&explanations(&columns, &dropped), page);
    let mut notes = vec![summary(snapshot)];
    notes.extend(remarks(snapshot));
    let mut below = [total, fold(&notes, page)].concat();
    let has_room = |height| lines.len() + below.len() + explanations.len() <= height;
    // Explanations are worth less than processes.
    if page.height.is_none_or(has_room) {
        below.extend(explanations);
    }
    if let Some(height) = page.height {
        shorten(&mut lines, &mut below, height, page.colour);
    }
    lines.extend(below);
    lines
}

/// What titles mean, and which are missing.
fn explanations(columns: &[Column], dropped: &[&str]) -> Vec<(String, Style)> {
    let mut notes = Vec::new();
    if columns.iter().any(|column| column.title.ends_with(FAMILY)) {
        notes.push(format!("{FAMILY}: with all descendants, as memmon -c counts"));
    }
    if !dropped.is_empty() {
        notes.push(format!("no room for {}; --json has everything", dropped.join(", ")));
    }
    notes.into_iter().map(|note| (note, Style::Faint)).collect()
}

/// Notes as lines of the page.
fn fold(notes: &[(String, Style)], page: Page) -> Vec<String> {
    let fold = |(note, style): &(String, Style)| {
        let lines = table::wrap(note, page.width).into_iter();
        lines.map(|line| style.paint(&line, page.colour)).collect::<Vec<_>>()
    };
    notes.iter().flat_map(fold).collect()
}

/// Leaves out rows, and where that is not enough remarks, so that there are at most `height` lines.
fn shorten(lines: &mut Vec<String>, below: &mut Vec<String>, height: usize, colour: bool) {
    if lines.len() + below.len() <= height {
        return;
    }
    // The titles, a row and the line about the others come first.
    below.truncate(height.saturating_sub(3));
    let rows = lines.len().saturating_sub(1);
    let left = height.saturating_sub(below.len() + 2);
    lines.truncate(left + 1);
    let note = format!("{} more", rows.saturating_sub(left));
    lines.push(Style::Faint.paint(&note, colour));
    lines.truncate(height);
}

fn kinds(snapshot: &Snapshot) -> Vec<Kind> {
    let question = snapshot.question;
    let usual = [Metric::Rss, Metric::Pss, Metric::Swap];
    let unusual = Some(question.metric).filter(|metric| !usual.contains(metric));
    let memory =
        |scope| usual.into_iter().chain(unusual).map(move |metric| Kind::Memory(metric, scope));
    let mut kinds = vec![Kind::Process, Kind::State, Kind::Pid, Kind::Uptime];
    kinds.extend(memory(Scope::Alone).chain(memory(Scope::Family)));
    if question.has_limits {
        kinds.extend([Kind::Limit, Kind::Headroom]);
    }
    if snapshot.rows.iter().any(|row| !row.waits_for.is_empty()) {
        kinds.push(Kind::WaitsFor);
    }
    kinds
}

/// How long a column stays when there is less and less room: what is compared with the limits is the
/// last to go, together with what comes of it.
fn rank(kind: Kind, question: Question) -> u8 {
    match kind {
        Kind::Process => 12,
        Kind::Memory(metric, scope) if (metric, scope) == (question.metric, question.scope) => 11,
        Kind::Headroom => 10,
        Kind::State | Kind::WaitsFor => 9,
        Kind::Limit => 8,
        Kind::Memory(Metric::Rss, Scope::Alone) => 7,
        Kind::Memory(Metric::Pss, Scope::Family) => 6,
        Kind::Uptime => 5,
        Kind::Memory(Metric::Rss, Scope::Family) => 4,
        Kind::Memory(Metric::Pss, Scope::Alone) => 3,
        Kind::Pid => 2,
        Kind::Memory(_, Scope::Family) => 1,
        Kind::Memory(_, Scope::Alone) => 0,
    }
}

fn title(kind: Kind) -> &'static str {
    match kind {
        Kind::Process => "PROCESS",
        Kind::State => "STATE",
        Kind::Pid => "PID",
        Kind::Uptime => "UPTIME",
        Kind::Limit => "LIMIT",
        Kind::Headroom => "HEADROOM",
        Kind::WaitsFor => "WAITS FOR",
        Kind::Memory(metric, Scope::Alone) => match metric {
            Metric::Rss => "RSS",
            Metric::Pss => "PSS",
            Metric::Uss => "USS",
            Metric::Swap => "SWAP",
            Metric::RssAndSwap => "RSS+SWAP",
        },
        Kind::Memory(metric, Scope::Family) => match metric {
            Metric::Rss => "RSS/c",
            Metric::Pss => "PSS/c",
            Metric::Uss => "USS/c",
            Metric::Swap => "SWAP/c",
            Metric::RssAndSwap => "RSS+SWAP/c",
        },
    }
}

fn column(kind: Kind, snapshot: &Snapshot) -> Column {
    let question = snapshot.question;
    let mut cells: Vec<_> = snapshot.rows.iter().map(|row| cell(kind, row, question)).collect();
    let total = match kind {
        Kind::Process => "TOTAL".to_owned(),
        Kind::Memory(metric, scope) => total(snapshot.sum(metric, scope)),
        Kind::Limit => snapshot.total_limit.map(size).unwrap_or_default(),
        Kind::Headroom => match (snapshot.total_limit, snapshot.total_headroom()) {
            (Some(_), headroom) => headroom.map_or(NOTHING.to_owned(), signed_size),
            (None, _) => String::new(),
        },
        Kind::State | Kind::Pid | Kind::Uptime | Kind::WaitsFor => String::new(),
    };
    let is_over = snapshot.total_headroom().is_some_and(|headroom| headroom < 0);
    let style = if kind == Kind::Headroom && is_over { Style::Bad } else { Style::Strong };
    cells.push(Cell::new(total, style));
    let is_number = !matches!(kind, Kind::Process | Kind::State | Kind::WaitsFor);
    Column { title: title(kind), is_number, rank: rank(kind, question), cells }
}

fn cell(kind: Kind, row: &Row, question: Question) -> Cell {
    let known = |text: Option<String>, style| match text {
        Some(text) => Cell::new(text, style),
        None => Cell::new(NOTHING, Style::Faint),
    };
    let judged = judgement(row, question);
    match kind {
        Kind::Process => Cell::new(row.info.short_name(), Style::Plain),
        Kind::State => Cell::new(row.info.state.name(), style_of(row.info.state)),
        Kind::Pid => known(row.runs().then(|| row.info.pid.to_string()), Style::Plain),
        Kind::Uptime => known(row.uptime().map(duration), Style::Plain),
        Kind::Memory(metric, scope) => {
            let is_judged = (metric, scope) == (question.metric, question.scope);
            let style = if is_judged { judged } else { Style::Plain };
            known(row.bytes(metric, scope).map(size), style)
        }
        Kind::Limit => known(row.limit.as_ref().map(|limit| size(limit.bytes)), Style::Plain),
        Kind::Headroom => known(row.headroom(question).map(signed_size), judged),
        Kind::WaitsFor => Cell::new(row.waits_for.join(" "), Style::Plain),
    }
}

fn style_of(state: State) -> Style {
    match state {
        State::Running => Style::Good,
        State::Starting | State::Stopping | State::Backoff => Style::Doubtful,
        State::Fatal | State::Unknown => Style::Bad,
        State::Stopped | State::Exited => Style::Faint,
    }
}

/// How a process stands with its limit: over it, less than a tenth below it, or well.
fn judgement(row: &Row, question: Question) -> Style {
    let tenth = row.limit.as_ref().map_or(0, |limit| i128::from(limit.bytes / 10));
    match row.headroom(question) {
        Some(headroom) if headroom < 0 => Style::Bad,
        Some(headroom) if headroom < tenth => Style::Doubtful,
        _ => Style::Plain,
    }
}

/// A sum that lacks something is marked.
fn total(sum: Sum) -> String {
    match sum {
        Sum { known: 0, missing: 1.., .. } => NOTHING.to_owned(),
        Sum { bytes, missing: 0, .. } => size(bytes),
        Sum { bytes, .. } => format!(">{}", size(bytes)),
    }
}

fn summary(snapshot: &Snapshot) -> (String, Style) {
    let (all, running) = (snapshot.rows.len(), snapshot.count_running());
    let noun = if all == 1 { "process" } else { "processes" };
    let mut text = format!("{all} {noun}, {running} running");
    let over = snapshot.count_over();
    if snapshot.question.has_limits {
        text.push_str(&format!(", {over} over the limit"));
    }
    (text, if snapshot.is_over() { Style::Bad } else { Style::Plain })
}

fn remarks(snapshot: &Snapshot) -> Vec<(String, Style)> {
    let mut remarks = Vec::new();
    match &snapshot.blind {
        Some(why) => remarks.push(format!("{NOTHING}: {why}")),
        None => {
            for (why, count) in snapshot.unavailable() {
                let of = if count == 1 {
                    "of a process".to_owned()
                } else {
                    format!("of {count} processes")
                };
                remarks.push(format!("{NOTHING}: {}", explain(why, &of)));
            }
        }
    }
    let unwatched = snapshot.count_unwatched();
    if snapshot.total_limit.is_some() && unwatched > 0 {
        let left_out =
            format!("the limit of TOTAL leaves out {unwatched} that memmon would not watch");
        remarks.push(left_out);
    }
    let unknown = snapshot.unknown.iter();
    remarks.extend(unknown.map(|name| format!("supervisord has no process {name}")));
    let idle = snapshot.idle.iter();
    remarks.extend(idle.map(|option| format!("{option} means no process of supervisord")));
    remarks.into_iter().map(|remark| (remark, Style::Doubtful)).collect()
}

/// Why numbers `of` some processes are missing.
fn explain(why: Option<Unavailable>, of: &str) -> String {
    match why {
        None => format!(
            "the memory {of} is not to be seen: it has just ended, or /proc hides it from this user \
             (hidepid)"
        ),
        Some(Unavailable::Permission) => {
            format!("PSS {of} is told only to root and to the user that it runs as: try sudo")
        }
        Some(other) => format!("PSS or swap {of} is not known: {}", other.explain()),
    }
}

#[cfg(test)]
#[path = "view_tests.rs"]
mod tests;
