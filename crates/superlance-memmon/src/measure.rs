//! How much memory processes use, and how much there is: numbers from the system.

pub(crate) mod memory;
pub(crate) mod metric;
mod proc;
mod ps;
pub(crate) mod system_memory;
mod tree;
pub(crate) mod uptime;
