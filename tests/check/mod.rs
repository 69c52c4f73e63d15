//! `superlance check`, and the configuration as supervisor itself reads it.

mod oracle;
