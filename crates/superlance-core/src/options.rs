//! Command lines: sizes, times, selectors, URLs, and the original's option syntax.

pub mod getopt;
pub mod label;
pub mod log;
pub mod quantity;
pub mod regex;
pub mod selector;
pub mod supervisord;
pub mod units;
pub mod url;
pub mod usage;
