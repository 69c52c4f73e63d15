//! Alert delivery: the [`Pipeline`] stores an alert in a spool, applies `--alert-interval` and
//! `--recovery`, and hands it to a sender for each transport.

mod firing;
mod heartbeat;
mod held;
mod http;
mod kinds;
pub mod options;
mod pipeline;
pub mod recovery;
mod schedule;
mod sender;
mod setup;
mod spool;
pub mod throttle;
mod transport;

pub use self::heartbeat::HeartbeatOptions;
pub use self::pipeline::Pipeline;
pub use self::setup::pipeline;
pub use self::transport::smtp::SmtpTransport;
pub use self::transport::{Raiser, Transport};
