//! What the words on a command line mean.

pub mod getopt;
pub mod quantity;
pub mod selector;
pub mod units;
pub mod url;
pub mod usage;
