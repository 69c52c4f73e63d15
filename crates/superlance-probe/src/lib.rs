//! Checks of a service: a [`http`] request that can be made again and again, and the [`outcome`] of
//! each.

#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzz;
pub mod http;
pub mod outcome;
mod search;
