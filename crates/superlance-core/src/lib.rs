//! What every superlance listener shares.
//!
//! Events go one way: [`wire`] → [`frame`] → [`queue`] → [`event`] → a [`listener`], which decides with
//! pure functions of its own and acts through a context: on [`supervisor`] (by [`rpc`]), by raising
//! an [`alert`] (the [`batch`] tools mail over [`smtp`]), into the [`log`]. [`serve`] runs that,
//! [`applet`] starts it from a command line.
//!
//! In reading order: [`frame`] and [`event`] (what comes in), [`listener`] (what is made of it),
//! [`serve`] (how), [`supervisor`] and [`restart`] (what is done), [`applet`] (how it begins).

pub mod alert;
pub mod applet;
pub mod batch;
pub mod cause;
pub mod clock;
pub mod command;
pub mod event;
pub mod evidence;
mod fate;
pub mod frame;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzz;
pub mod getopt;
mod headers;
mod ledger;
pub mod listener;
pub mod log;
pub mod mail;
mod mime;
pub mod occasion;
mod process_list;
pub mod python;
mod queue;
pub mod recent;
pub mod restart;
pub mod rpc;
pub mod selector;
pub mod serve;
mod smtp;
mod socket;
pub mod supervisor;
pub mod tail;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod unfinished;
pub mod units;
pub mod unneeded;
pub mod url;
mod wire;
mod worker;
