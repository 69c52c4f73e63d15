//! An HTTP server for tests that does to each connection what a script says.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A connection to write to.
pub(crate) trait Connection: Read + Write {}

impl<T: Read + Write> Connection for T {}

/// A server. It serves one connection after the other, until the tests end.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    /// The certificate that vouches for the server's own.
    pub(crate) signer: Option<Vec<u8>>,
}

impl Server {
    /// A server that writes `answer`, then closes the connection.
    pub(crate) fn answering(answer: &'static str) -> Self {
        Self::new(move |connection| {
            let _ = connection.write_all(answer.as_bytes());
        })
    }

    /// A server on the loopback. The script is called when the head of a request has been read.
    pub(crate) fn new(script: impl Fn(&mut dyn Connection) + Send + 'static) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), None, script)
    }

    /// The same with TLS and a certificate for `localhost` from a signer that nobody knows.
    pub(crate) fn with_tls(script: impl Fn(&mut dyn Connection) + Send + 'static) -> Self {
        let mut signer = CertificateParams::default();
        signer.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let signer = CertifiedIssuer::self_signed(signer, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &signer).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self::on(listener, Some(Arc::new(config)), script);
        Self { signer: Some(signer.der().to_vec()), ..server }
    }

    /// A server on a listener of the caller's.
    pub(crate) fn on(
        listener: TcpListener,
        tls: Option<Arc<ServerConfig>>,
        script: impl Fn(&mut dyn Connection) + Send + 'static,
    ) -> Self {
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                let mut connection: Box<dyn Connection> = match &tls {
                    Some(config) => {
                        let tls = ServerConnection::new(Arc::clone(config)).unwrap();
                        Box::new(StreamOwned::new(tls, stream))
                    }
                    None => Box::new(stream),
                };
                if let Some(head) = read_head(&mut *connection) {
                    seen.lock().unwrap().push(head);
                    script(&mut *connection);
                }
            }
        });
        Self { address, requests, signer: None }
    }

    /// The heads of the requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn read_head(connection: &mut dyn Connection) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        connection.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    String::from_utf8(head).ok()
}
