//! Events as supervisord sends them: a header line and a payload on stdin, an answer on stdout.

pub mod event;
pub mod frame;
pub(crate) mod headers;
pub mod state;
pub(crate) mod stdio;
