//! State on disk: a private directory, and journals in it.

pub mod dir;
pub mod journal;
mod sync;
