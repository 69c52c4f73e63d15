//! What would hide an error of ours if it were wrong: verdicts about transcripts, the fake supervisord
//! beside the real one, and the event protocol as the test speaks it.
#![allow(clippy::unwrap_used, reason = "as in the crate itself")]

mod fake;
mod listener;
mod transcript;
