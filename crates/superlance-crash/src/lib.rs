//! What the four crash listeners share: which changes of state matter ([`trigger`]), why a process ended
//! ([`postmortem`]), and the listener that mails many changes together ([`batch`]).

pub mod batch;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzz;
pub mod postmortem;
pub mod trigger;
