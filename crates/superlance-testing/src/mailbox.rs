//! A folder that receives the mails of `-s COMMAND`, one file for each.

use std::fs;
use std::path::PathBuf;

use crate::scratch::Scratch;
use crate::wait::{SOON, try_wait};

/// Writes its standard input to a file that appears complete or not at all.
///
/// The number is taken when the message is complete, and taken by creating a file that must not
/// exist: messages that arrive together each get their own. In a subshell, because a redirection
/// that fails ends the shell.
const DELIVER: &str = r#"#!/bin/sh
cd "${0%/*}" || exit 1
message=$(mktemp incoming.XXXXXX) && cat > "$message" || exit 1
number=1
until (set -C; : > "$number.taken") 2> /dev/null; do number=$((number + 1)); done
mv "$message" "$number.mail"
"#;

/// A folder that receives mail.
#[derive(Debug)]
pub struct Mailbox {
    folder: Scratch,
    script: PathBuf,
}

impl Mailbox {
    /// An empty mailbox.
    #[must_use]
    pub fn new() -> Mailbox {
        let folder = Scratch::new();
        let script = folder.executable("deliver", DELIVER);
        Mailbox { folder, script }
    }

    /// A shell command that delivers its standard input here.
    ///
    /// It needs no quoting, neither in a shell nor in a configuration of supervisord.
    #[must_use]
    pub fn command(&self) -> String {
        format!("/bin/sh {}", self.script.display())
    }

    /// The messages so far, in the order of their arrival.
    #[must_use]
    pub fn mails(&self) -> Vec<String> {
        let number = |path: &PathBuf| path.file_stem()?.to_str()?.parse::<u32>().ok();
        let mut mails: Vec<_> = fs::read_dir(self.folder.path())
            .expect("the mailbox exists as long as its value")
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "mail"))
            .filter_map(|path| Some((number(&path)?, path)))
            .collect();
        mails.sort();
        let text = |path| String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
        mails.into_iter().map(|(_, path)| text(path)).collect()
    }

    /// Waits until `count` messages are here, and returns all that are.
    #[track_caller]
    pub fn wait_for(&self, count: usize) -> Vec<String> {
        let arrived = || Some(self.mails()).filter(|mails| mails.len() >= count);
        match try_wait(SOON, arrived) {
            Some(mails) => mails,
            None => panic!("waited {SOON:?} in vain for {count} mails, have {:#?}", self.mails()),
        }
    }
}

impl Default for Mailbox {
    fn default() -> Mailbox {
        Mailbox::new()
    }
}
