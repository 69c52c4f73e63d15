//! What every superlance listener shares: the event protocol, supervisord's RPC, mail, the words on a
//! command line, and the loop that runs a listener.
//!
//! The folders in reading order; each needs only those above it:
//!
//! - [`system`]: the clock, the log, commands of the user, and other things that know no supervisord.
//! - [`options`]: what sizes, times, names, patterns and URLs on a command line mean.
//! - [`protocol`]: events as supervisord sends them over stdin.
//! - [`supervisor`]: processes, states and faults, and the client that asks supervisord.
//! - [`mail`]: a mail, and how it gets to a server.
//! - [`listener`]: what a listener is, and what it acts with.
//! - [`spool`]: state on disk.
//! - [`run`]: from a command line to a running listener.

#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzz;
pub mod listener;
pub mod mail;
pub mod options;
pub mod protocol;
pub mod run;
pub mod spool;
pub mod supervisor;
pub mod system;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
