//! The harness, proved on the originals and on a real supervisord.
#![allow(clippy::unwrap_used, reason = "as in the harness itself")]

mod fake;
mod listener;
mod supervisord;
mod transcript;
