//! Running a listener: its threads, the queue between them, and the end.

pub mod answer;
pub mod applet;
pub mod backlog;
mod expectation;
mod farewell;
mod losses;
mod queue;
mod reader;
mod serve;
mod worker;

pub use self::serve::SIGNALS;
pub use self::worker::{Delivery, Service, Tried};
