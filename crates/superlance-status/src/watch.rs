//! The loop of `--watch`: one snapshot after the other, until a signal or a key ends it.

use std::io::{self, Read as _};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::{Duration, SystemTime};

use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGWINCH};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;
use superlance_core::system::clock::asctime_and_zone;

use crate::screen::Screen;
use crate::snapshot::Snapshot;
use crate::table::{Style, shorten, wrap};
use crate::view::{self, Page};

/// An event of the loop.
enum UiEvent {
    Looked(Result<Snapshot, String>),
    Signal(i32),
    Key(u8),
}

/// Shows one snapshot after the other on a terminal. Looking is done beside: it may take long.
pub(crate) fn on_screen(
    first: Snapshot,
    interval: Duration,
    page: impl Fn() -> Page,
    mut look: impl FnMut() -> Result<Snapshot, String> + Send + 'static,
) -> io::Result<()> {
    let (sender, events) = mpsc::channel();
    send_signals(sender.clone())?;
    send_keys(sender.clone())?;
    thread::Builder::new().name("look".to_owned()).spawn(move || {
        loop {
            thread::sleep(interval);
            if sender.send(UiEvent::Looked(look())).is_err() {
                return;
            }
        }
    })?;
    let mut screen = Screen::enter()?;
    let mut content =
        ScreenContent { snapshot: first, time: SystemTime::now(), trouble: None, interval };
    screen.draw(&content.lines(page()))?;
    for event in events {
        match event {
            UiEvent::Looked(Ok(snapshot)) => {
                (content.snapshot, content.time, content.trouble) =
                    (snapshot, SystemTime::now(), None);
            }
            UiEvent::Looked(Err(trouble)) => content.trouble = Some(trouble),
            // Ctrl-D is a key like others here.
            UiEvent::Key(b'q' | b'Q' | 0x04) => return Ok(()),
            UiEvent::Key(_) => continue,
            UiEvent::Signal(SIGTSTP) => {
                screen.leave()?;
                emulate_default_handler(SIGTSTP)?;
                screen.take()?;
            }
            UiEvent::Signal(SIGWINCH | SIGCONT) => {}
            UiEvent::Signal(signal) => {
                drop(screen);
                return emulate_default_handler(signal);
            }
        }
        screen.draw(&content.lines(page()))?;
    }
    Ok(())
}

/// What is on the screen.
struct ScreenContent {
    snapshot: Snapshot,
    /// When it was taken.
    time: SystemTime,
    /// Why there is none that is newer.
    trouble: Option<String>,
    interval: Duration,
}

impl ScreenContent {
    fn lines(&self, page: Page) -> Vec<String> {
        let time = asctime_and_zone(self.time);
        let every = superlance_core::options::quantity::duration(self.interval.as_secs());
        let (title, style) = match &self.trouble {
            None => {
                let title = format!("{time}  {}  every {every}, q ends", self.snapshot.url);
                (
                    vec![page.width.map_or(title.clone(), |width| shorten(&title, width))],
                    Style::Faint,
                )
            }
            // A reason may be long and have several lines, and none of it is left out.
            Some(trouble) => {
                let title = format!("since {time}: {}", trouble.replace('\n', " "));
                (wrap(&title, page.width), Style::Bad)
            }
        };
        let height = page.height.map(|height| height.saturating_sub(title.len()));
        let mut lines: Vec<_> = title.iter().map(|line| style.paint(line, page.colour)).collect();
        lines.extend(view::render(&self.snapshot, Page { height, ..page }));
        lines
    }
}

fn send_signals(sender: Sender<UiEvent>) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH])?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            if sender.send(UiEvent::Signal(signal)).is_err() {
                return;
            }
        }
    })?;
    Ok(())
}

fn send_keys(sender: Sender<UiEvent>) -> io::Result<()> {
    thread::Builder::new().name("keys".to_owned()).spawn(move || {
        for key in io::stdin().lock().bytes() {
            let Ok(key) = key else { return };
            if sender.send(UiEvent::Key(key)).is_err() {
                return;
            }
        }
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use superlance_measure::Metric;

    use super::*;
    use crate::snapshot::{Question, Scope};

    #[test]
    fn a_reason_is_shown_in_full_and_breaks_no_line() {
        let question = Question { metric: Metric::Rss, scope: Scope::Alone, has_limits: false };
        let snapshot = Snapshot {
            url: "unix:///s.sock".to_owned(),
            time: 0,
            question,
            rows: Vec::new(),
            total_limit: None,
            blind: None,
            unknown: Vec::new(),
            idle: Vec::new(),
        };
        let trouble =
            "cannot talk to supervisord at unix:///s.sock: no such file\n(the address is x)";
        let content = ScreenContent {
            snapshot,
            time: SystemTime::UNIX_EPOCH,
            trouble: Some(trouble.to_owned()),
            interval: Duration::from_secs(2),
        };
        let lines = content.lines(Page { width: Some(40), height: Some(24), colour: false });
        assert!(lines.iter().all(|line| line.len() <= 40 && !line.contains('\n')), "{lines:?}");
        let text = lines.join(" ");
        assert!(text.contains(&trouble.replace('\n', " ")), "{text}");
        assert!(lines.len() <= 24);
    }
}
