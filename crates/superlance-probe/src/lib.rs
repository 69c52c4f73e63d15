//! Checks of a service: what is asked of it, what the answer must be, and the [`outcome`].

pub mod check;
mod exec;
pub mod expectation;
mod file;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzz;
pub mod http;
pub mod json;
pub mod outcome;
mod search;
pub mod side_by_side;
pub mod source;
mod tcp;
pub mod template;
pub mod tls;
