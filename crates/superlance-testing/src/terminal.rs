//! Runs a program at a pseudo-terminal.

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::process::{Command, ExitStatus, Stdio};

use nix::pty::{Winsize, openpty};
use nix::sys::signal::Signal;
use nix::sys::termios::{LocalFlags, tcgetattr};
use regex::Regex;

use crate::capture::Capture;
use crate::leash::Leash;
use crate::wait::{SOON, try_wait, wait_for};

/// A program with a terminal as its stdin, stdout and stderr; killed when the value goes.
///
/// The terminal does not control it: keys that send signals are replaced by
/// [`signal`](Terminal::signal), and so is what the kernel says of a new size.
#[derive(Debug)]
pub struct Terminal {
    process: Leash,
    /// The program's end, kept open so that its settings can be looked at.
    end: File,
    keyboard: File,
    output: Capture,
}

impl Terminal {
    /// Starts a program at a terminal of so many columns and lines.
    #[must_use]
    #[track_caller]
    pub fn spawn(mut command: Command, columns: u16, lines: u16) -> Terminal {
        let size = Winsize { ws_row: lines, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        let pair = openpty(Some(&size), None).expect("there should be a pseudo terminal");
        let stdio = || Stdio::from(clone(&pair.slave));
        command.stdin(stdio()).stdout(stdio()).stderr(stdio());
        let process = Leash::spawn(&mut command);
        let (keyboard, output) = (File::from(clone(&pair.master)), Capture::new(pair.master));
        Terminal { process, end: File::from(pair.slave), keyboard, output }
    }

    /// Everything that the program has written, with all escape sequences.
    #[must_use]
    pub fn text(&self) -> String {
        self.output.text()
    }

    /// Waits until the program has written a text.
    #[track_caller]
    pub fn wait_for(&self, text: &str) {
        if try_wait(SOON, || self.text().contains(text).then_some(())).is_none() {
            panic!("waited {SOON:?} in vain for {text:?}; there is:\n{}", self.text());
        }
    }

    /// The lines of the page that was drawn last, without colours: what comes after the cursor has
    /// gone to the top left corner.
    #[must_use]
    pub fn page(&self) -> Vec<String> {
        let text = self.text();
        let page = text.rsplit_once("\x1b[H").map_or("", |(_, page)| page);
        let sequences = Regex::new("\x1b\\[[?0-9;]*[A-Za-z]").expect("it is a regex");
        sequences
            .replace_all(page, "")
            .lines()
            .map(|line| line.trim_end_matches('\r').to_owned())
            .collect()
    }

    /// Types.
    #[track_caller]
    pub fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("the terminal should be there");
    }

    /// Sends a signal to the program.
    pub fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Changes its size, and tells the program.
    #[track_caller]
    pub fn resize(&self, columns: u16, lines: u16) {
        let (columns, lines) = (columns.to_string(), lines.to_string());
        let stdin = Stdio::from(self.end.try_clone().expect("files can be cloned"));
        let mut stty = Command::new("stty");
        let status = stty.args(["cols", &columns, "rows", &lines]).stdin(stdin).status();
        assert!(status.expect("stty should run (Debian: coreutils)").success());
        self.signal(Signal::SIGWINCH);
    }

    /// Whether keys are shown and come by lines, as they do when no program has changed that.
    #[must_use]
    #[track_caller]
    pub fn is_ordinary(&self) -> bool {
        let settings = tcgetattr(&self.end).expect("it is a terminal");
        settings.local_flags.contains(LocalFlags::ICANON | LocalFlags::ECHO)
    }

    /// Waits for the end of the program.
    #[track_caller]
    pub fn wait_exit(&mut self) -> ExitStatus {
        let child = &mut self.process.child;
        wait_for("the program to end", SOON, || child.try_wait().expect("it is our child"))
    }

    /// The process ID of the program.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.child.id()
    }
}

fn clone(descriptor: &OwnedFd) -> OwnedFd {
    descriptor.try_clone().expect("descriptors can be cloned")
}
