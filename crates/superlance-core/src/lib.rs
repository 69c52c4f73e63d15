//! The base of every superlance listener: the event protocol, supervisord's RPC, mail, command
//! lines, and the loop that runs a listener.
//!
//! The folders in reading order; each needs only those above it:
//!
//! - [`system`]: the clock, the log, commands of the user, and other parts below supervisord.
//! - [`options`]: sizes, times, names, patterns and URLs on a command line.
//! - [`spool`]: state on disk.
//! - [`protocol`]: events as supervisord sends them over stdin.
//! - [`supervisor`]: processes, states and faults, and the client for supervisord.
//! - [`mail`]: mails, and their delivery to a server.
//! - [`listener`]: the interface of a listener, and the parts it acts with.
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
