//! A folder that receives mail from `-s COMMAND`, one file for each message.

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
        let script = folder.script("deliver", DELIVER);
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

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Child, Command, Stdio};

    use super::*;

    fn deliver(mailbox: &Mailbox, text: &str) -> Child {
        let mut shell = Command::new("/bin/sh")
            .args(["-c", &mailbox.command()])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        shell.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        shell
    }

    #[test]
    fn keeps_the_order_of_arrival() {
        let mailbox = Mailbox::new();
        let texts: Vec<_> = (0..12).map(|number| format!("To: x\n\nmail {number}")).collect();
        for text in &texts {
            assert!(deliver(&mailbox, text).wait().unwrap().success());
        }
        assert_eq!(mailbox.mails(), texts);
    }

    #[test]
    fn loses_nothing_that_arrives_at_the_same_time() {
        let mailbox = Mailbox::new();
        let shells: Vec<_> = (0..20).map(|i| deliver(&mailbox, &format!("{i:02}"))).collect();
        let mut mails = mailbox.wait_for(20);
        mails.sort();
        assert_eq!(mails, (0..20).map(|i| format!("{i:02}")).collect::<Vec<_>>());
        for mut shell in shells {
            assert!(shell.wait().unwrap().success());
        }
    }
}
