//! The parts that the four crash listeners share: triggers ([`trigger`]), post-mortems
//! ([`postmortem`]), and the listener of the batch tools ([`batch`]).

pub mod batch;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzz;
pub mod postmortem;
pub mod trigger;
