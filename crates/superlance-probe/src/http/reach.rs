//! The way to the server: TCP, or a unix socket.

use std::net::IpAddr;
use std::path::PathBuf;

use superlance_core::system::socket::{Endpoint, EndpointConnector, NoResolver, SocketTransport};
use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{ConnectionDetails, Connector, NextTimeout, time};

/// Connects to a unix socket if there is one, and leaves all else to the next connector.
#[derive(Debug)]
pub(crate) struct UnixConnector(pub(crate) Option<PathBuf>);

impl Connector for UnixConnector {
    type Out = SocketTransport;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<()>,
    ) -> Result<Option<Self::Out>, Error> {
        let Some(path) = &self.0 else { return Ok(None) };
        EndpointConnector(Endpoint::Unix(path.clone())).connect(details, chained)
    }
}

/// Looks names up, but not those of URLs that a unix socket serves.
#[derive(Debug)]
pub(crate) enum Lookup {
    System(DefaultResolver),
    Nothing,
}

impl Resolver for Lookup {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        match self {
            // ureq has a thread for each look-up that has a time limit.
            Self::System(resolver) if is_address(uri) => {
                let after = time::Duration::NotHappening;
                resolver.resolve(uri, config, NextTimeout { after, ..timeout })
            }
            Self::System(resolver) => resolver.resolve(uri, config, timeout),
            Self::Nothing => NoResolver.resolve(uri, config, timeout),
        }
    }
}

/// Whether the host is an address, which is not looked up.
fn is_address(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host.parse::<IpAddr>().is_ok()
}
