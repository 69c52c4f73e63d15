//! Measurements of the system: the memory of processes ([`Memory`]), also where supervisord may run
//! elsewhere ([`Local`]), and the memory there is ([`SystemMemory`]).

mod local;
mod memory;
mod metric;
mod proc;
mod ps;
mod system_memory;
mod tree;

pub use self::local::Local;
pub use self::memory::{Memory, Reading, Readings};
pub use self::metric::{Metric, Unavailable, Usage};
pub use self::system_memory::SystemMemory;
