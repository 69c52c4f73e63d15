//! The reader thread, which owns the protocol: it reads events into the queue and acknowledges
//! each.

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::sync::Arc;

use crate::listener::identity::Instance;
use crate::listener::{Filter, Interest};
use crate::protocol::frame::FrameReader;
use crate::protocol::stdio::{Input, Output};
use crate::run::backlog::Backlog;
use crate::run::expectation::Expectation;
use crate::run::losses::Losses;
use crate::run::queue::{Arrival, Queue};
use crate::system::clock::Moment;
use crate::system::order;

/// Serials that are remembered. supervisord sends an event again to a listener that died before its
/// answer, and to every pool of equal priority with it.
const MEMORY: usize = 1_000;

/// The reader.
pub(crate) struct Reader {
    pub(crate) filter: Filter,
    pub(crate) backlog: Arc<Backlog>,
    pub(crate) expectation: Arc<Expectation>,
    /// For listeners that must see every event.
    pub(crate) losses: Option<Arc<Losses>>,
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
        let supervisord = Instance::of_parent();
        let left = self.backlog.left();
        let known: BTreeSet<_> = order::gather(left.iter().filter_map(|event| event.id));
        for event in left {
            let interest = (self.filter)(&event.frame);
            if interest == Interest::Nothing {
                // It was wanted under other options.
                self.backlog.handled(Some(event.number));
            } else if !queue.push(event.arrival(interest)) {
                return Ok(());
            }
        }
        output.ready()?;
        while let Some(frame) = frames.read(&mut input)? {
            self.expectation.note(&frame.name);
            if self.losses.as_ref().is_some_and(|losses| losses.note(frame.pool_serial)) {
                queue.wake();
            }
            let interest = (self.filter)(&frame);
            let wanted = match interest {
                Interest::Nothing => false,
                Interest::Every => true,
                Interest::WhenIdle => queue.is_idle(),
            };
            let id = supervisord.event_id(&frame);
            // An earlier listener was killed before it acknowledged the event, which is sent again
            // now.
            let again = id.is_some_and(|id| known.contains(&id))
                || frame.serial.is_some_and(|serial| wanted && seen.before(serial));
            if wanted && !again {
                let mut arrival = Arrival { at: Moment::now(), frame, id, interest, number: None };
                self.backlog.keep(&mut arrival);
                let number = arrival.number;
                // Closed: the event is not acknowledged, so supervisord keeps it.
                if !queue.push(arrival) {
                    self.backlog.handled(number);
                    return Ok(());
                }
            }
            output.acknowledge()?;
        }
        Ok(())
    }
}

/// The serials of the last wanted events.
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
