//! The names of the keys.

/// Whether dependent-startup starts the program.
pub const HANDLED: &str = "dependent_startup";

/// The conditions.
pub const WAIT_FOR: &str = "dependent_startup_wait_for";

/// Whether the priority is the least of those of the programs that it waits for.
pub const INHERITS: &str = "dependent_startup_inherit_priority";

/// The check that tells whether the program is healthy.
pub const CHECK: &str = "dependent_startup_check";

pub const ALL: [&str; 4] = [HANDLED, WAIT_FOR, INHERITS, CHECK];
