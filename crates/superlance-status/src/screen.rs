//! The terminal while it shows one page that changes: a screen of its own, no echo, no cursor.

use std::io::{self, Stdout, Write};

use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};

/// To the alternate screen, without a cursor.
const ENTER: &str = "\x1b[?1049h\x1b[?25l";

/// Back from there.
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";

/// A terminal that is restored when the value is dropped.
pub(crate) struct Screen {
    out: Stdout,
    /// The settings of the keyboard; `None` where there is none.
    keyboard: Option<Termios>,
}

impl Screen {
    /// Takes the terminal.
    pub(crate) fn enter() -> io::Result<Self> {
        let keyboard = tcgetattr(io::stdin()).ok();
        let mut screen = Self { out: io::stdout(), keyboard };
        screen.take()?;
        Ok(screen)
    }

    /// Takes it again, after [`leave`](Self::leave).
    pub(crate) fn take(&mut self) -> io::Result<()> {
        if let Some(keyboard) = &self.keyboard {
            let mut keys = keyboard.clone();
            // Keys come at once; those that send signals still do.
            keys.local_flags.remove(LocalFlags::ICANON | LocalFlags::ECHO);
            tcsetattr(io::stdin(), SetArg::TCSANOW, &keys)?;
        }
        self.write(ENTER)
    }

    /// Leaves it as it was.
    pub(crate) fn leave(&mut self) -> io::Result<()> {
        if let Some(keyboard) = &self.keyboard {
            tcsetattr(io::stdin(), SetArg::TCSANOW, keyboard)?;
        }
        self.write(LEAVE)
    }

    /// Shows these lines, and nothing else.
    pub(crate) fn draw(&mut self, lines: &[String]) -> io::Result<()> {
        // What was there is cleared before a line is written: after a line that is as long as the
        // terminal is wide, the cursor still stands on its last character. No line ends after the last
        // one: the screen would scroll.
        let mut page = String::from("\x1b[H");
        for (index, line) in (1..).zip(lines) {
            page.push_str(if index == lines.len() { "\x1b[J" } else { "\x1b[K" });
            page.push_str(line);
            page.push_str(if index == lines.len() { "" } else { "\r\n" });
        }
        self.write(&page)
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A terminal that is gone need not be restored.
        let _ = self.leave();
    }
}
