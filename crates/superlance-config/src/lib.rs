//! supervisord.conf as supervisord 4.3.0 and supervisorctl read it, with file and line of every key.
//!
//! From the bottom: a file ([`ini`]), several over each other ([`configuration`]), what they include
//! ([`mod@load`]), and what supervisord makes of that or refuses ([`supervisord`], [`program`],
//! [`refusal`]). [`host`] is the door to the machine; all else is values. [`server`] finds supervisord as
//! supervisorctl does.

pub mod configuration;
pub mod environment;
pub mod events;
pub mod expand;
mod fcgi;
mod glob;
pub mod host;
pub mod ini;
pub mod load;
pub mod paths;
pub mod program;
mod reader;
pub mod refusal;
pub mod server;
mod servers;
pub mod supervisord;
pub mod values;

pub use crate::configuration::{Configuration, Place, Section, Value};
pub use crate::host::{Host, ThisHost};
pub use crate::load::{Loaded, listener_groups, load};
pub use crate::program::{Kind, Process, Program};
pub use crate::reader::Unset;
pub use crate::refusal::{Cause, Refusal};
pub use crate::servers::{Address, Server};
pub use crate::supervisord::{Group, Pool, Supervisord};
