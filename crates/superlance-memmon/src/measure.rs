//! Measurements of the system: the memory of processes, and the memory there is.

pub(crate) mod memory;
pub(crate) mod metric;
mod proc;
mod ps;
pub(crate) mod system_memory;
mod tree;
