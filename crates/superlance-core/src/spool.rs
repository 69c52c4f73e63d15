//! State on disk: a private directory, and journals in it.

pub mod diary;
pub mod dir;
pub mod journal;
