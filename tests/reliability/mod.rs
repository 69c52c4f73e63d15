//! Alerts on bad days: listeners that are killed, receivers that are away, disks that are full, and
//! processes that crash again and again.

mod calm;
mod kills;
mod trouble;

use superlance_testing::{Scratch, Subject};

use crate::ours;

/// The payload of an exit that was not to be.
fn exit(name: &str) -> String {
    format!("processname:{name} groupname:{name} from_state:RUNNING expected:0 pid:58597")
}

/// Our crashmail, with its spool in this folder.
fn crashmail(spool: &Scratch) -> Subject {
    let spool = spool.join("spool").display().to_string();
    Subject::ours(ours(), "crashmail").args(["--spool", &spool])
}
