//! The thread that owns the protocol: from the wire into the queue, and an answer for each event.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use crate::listener::{Filter, Interest};
use crate::protocol::frame::FrameReader;
use crate::protocol::stdio::{Input, Output};
use crate::run::backlog::Ledger;
use crate::run::queue::{Arrival, Queue};
use crate::system::clock::Moment;

/// Serials that are remembered. supervisord sends an event again to a listener that died before its
/// answer, and to every pool of equal priority with it.
const MEMORY: usize = 1_000;

/// The reader.
pub(crate) struct Reader {
    pub(crate) filter: Filter,
    pub(crate) ledger: Arc<Ledger>,
}

impl Reader {
    /// Reads until the input ends or the queue is closed.
    ///
    /// # Errors
    /// When the protocol is lost.
    pub(crate) fn run(
        &self,
        mut input: Input,
        output: &mut Output,
        queue: &Queue,
    ) -> io::Result<()> {
        let mut frames = FrameReader::default();
        let mut seen = Seen::default();
        let left = self.ledger.left();
        for (number, frame) in left.clone() {
            let (at, interest, number) = (Moment::now(), (self.filter)(&frame), Some(number));
            if interest == Interest::Nothing {
                // It was wanted under other options.
                self.ledger.handled(number);
            } else if !queue.push(Arrival { at, frame, interest, number }) {
                return Ok(());
            }
        }
        output.ready()?;
        while let Some(frame) = frames.read(&mut input)? {
            let interest = (self.filter)(&frame);
            let wanted = match interest {
                Interest::Nothing => false,
                Interest::Every => true,
                Interest::WhenIdle => queue.is_idle(),
            };
            // Killed before it acknowledged, an earlier listener left what is sent again now.
            let again = left.iter().any(|(_, earlier)| *earlier == frame)
                || frame.serial.is_some_and(|serial| wanted && seen.before(serial));
            if wanted && !again {
                let number = self.ledger.write(&frame, interest);
                // Closed: the event is not acknowledged, so supervisord keeps it.
                if !queue.push(Arrival { at: Moment::now(), frame, interest, number }) {
                    self.ledger.handled(number);
                    return Ok(());
                }
            }
            output.acknowledge()?;
        }
        Ok(())
    }
}

/// The serials of the last events that were wanted.
#[derive(Default)]
struct Seen(VecDeque<u64>);

impl Seen {
    /// Whether `serial` came before; remembers it.
    fn before(&mut self, serial: u64) -> bool {
        if self.0.contains(&serial) {
            return true;
        }
        self.0.truncate(MEMORY - 1);
        self.0.push_front(serial);
        false
    }
}
