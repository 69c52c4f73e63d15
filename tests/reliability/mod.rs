//! Alerts in trouble: listeners that are killed, receivers that are away, disks that are full, and
//! processes that crash again and again.

mod calm;
mod disk;
mod kills;
mod trouble;

use superlance_testing::{HttpServer, Scratch, Subject};

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

/// The names of the processes that a webhook was told of, in order.
fn told(http: &HttpServer) -> Vec<String> {
    let requests = http.requests().into_iter();
    let names = requests.filter_map(|request| {
        let (_, rest) = request.body.split_once("Process ")?;
        rest.split(' ').next().map(str::to_owned)
    });
    names.collect()
}
