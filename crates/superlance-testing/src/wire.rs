//! What the fakes and the harness's own client speak: sockets, HTTP messages, values in XML.

pub(crate) mod http;
pub(crate) mod server;
pub(crate) mod socket;
pub(crate) mod xml;
