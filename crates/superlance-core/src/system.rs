//! The clock, the log, commands of the user: parts that do not know supervisord.

pub mod clock;
pub mod command;
pub mod hash;
pub mod host_name;
pub mod io_error;
pub mod log;
pub mod order;
pub mod paint;
pub mod process;
pub mod python;
pub mod replace;
pub mod secret;
pub mod socket;
pub mod surroundings;
pub(crate) mod thread;
pub mod truncate;
pub mod trust;

pub use self::host_name::host_name;
