//! The tables of docs/reliability.md.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::cell::{Played, When};
use super::fault::{FAULTS, Kind};
use super::listeners::{LISTENERS, Listener};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reliability.md");

/// The line after which everything is ours.
const MARK: &str = "<!-- From here on written by `make reliability`. -->\n";

/// What came out of each cell, by the titles of listener, call and fault.
pub(super) type Cells = BTreeMap<(&'static str, &'static str, &'static str), Played>;

/// Insists that the page has these tables, or writes them there.
#[track_caller]
pub(super) fn check_or_write(cells: &Cells) {
    let text = fs::read_to_string(Path::new(PAGE)).unwrap();
    let (prose, written) = text.split_once(MARK).unwrap();
    let tables: String = LISTENERS.iter().map(|listener| table(listener, cells)).collect();
    if std::env::var_os("SUPERLANCE_WRITE").is_some() {
        fs::write(PAGE, format!("{prose}{MARK}{tables}")).unwrap();
    } else if written != tables {
        let first = written.lines().zip(tables.lines()).find(|(old, new)| old != new);
        panic!("docs/reliability.md is out of date, run `make reliability`: {first:#?}\n{tables}");
    }
}

fn table(listener: &Listener, cells: &Cells) -> String {
    let Listener { title, calls, .. } = listener;
    let names = calls.iter().map(|call| format!(" `{call}` |")).collect::<String>();
    let rule = calls.iter().map(|_| "---|").collect::<String>();
    let mut text = format!("\n### {title}\n\n| supervisord … |{names} log |\n|---|{rule}---|\n");
    for fault in FAULTS {
        text += &format!("| {} |", fault.name);
        for call in *calls {
            text += match cells[&(*title, *call, fault.name)].when {
                When::AtOnce => " at once |",
                When::ByItself => " by itself |",
                When::NextEvent => " next event |",
            };
        }
        let said = fault.said.iter().map(|said| match *said {
            "" => "nothing".to_owned(),
            said => format!("`{said}`"),
        });
        text += &format!(" {} |\n", said.collect::<Vec<_>>().join(" or "));
    }
    let begins = calls.iter().map(|call| format!(" `{}` … |", beginning(listener, call, cells)));
    text + &format!("| what the line begins with |{} … as above |\n", begins.collect::<String>())
}

/// What the lines about a bad answer have in common at their beginning, whatever is bad about it.
fn beginning(listener: &Listener, call: &'static str, cells: &Cells) -> String {
    let answers = FAULTS.iter().filter(|fault| matches!(fault.kind, Kind::Answers(_)));
    let played = answers.map(|fault| &cells[&(listener.title, call, fault.name)]);
    let lines: Vec<_> = played.filter_map(|played| played.said.first()).collect();
    let Some(first) = lines.first() else { return String::new() };
    let ends = first.match_indices(' ').map(|(at, _)| &first[..at]);
    let mut common = ends.filter(|start| lines.iter().all(|line| line.starts_with(start)));
    common.next_back().unwrap_or_default().replace('#', "N")
}
