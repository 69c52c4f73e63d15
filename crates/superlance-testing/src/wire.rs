//! Sockets, HTTP messages and XML values for the fakes and for the harness's own client.

pub(crate) mod http;
pub(crate) mod server;
pub(crate) mod socket;
pub(crate) mod xml;
