//! TLS in front of an engine that speaks none: what a cold start costs is mostly the handshake.

use std::io;
use std::path::Path;
use std::sync::Arc;

use devstack::engines::Running;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// A front that ends when this is dropped.
pub struct Front {
    /// `https://localhost:{port}`.
    pub endpoint: String,
    _server: Running,
}

impl Front {
    /// Listens, and passes what arrives on to `http://{host}:{port}` unencrypted. What has to be trusted for it is written to
    /// `certificate`: an authority of its own and, as with AWS's endpoints, ECDSA throughout.
    ///
    /// # Errors
    /// When the operating system refuses, or the certificate cannot be made.
    pub async fn start(engine: &str, certificate: &Path) -> io::Result<Self> {
        let target = engine.trim_start_matches("http://").to_owned();
        let acceptor = TlsAcceptor::from(Arc::new(configuration(certificate)?));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("https://localhost:{}", listener.local_addr()?.port());
        let server = Running::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, target) = (acceptor.clone(), target.clone());
                tokio::spawn(async move { pass_on(stream, &acceptor, &target).await });
            }
        });
        Ok(Self { endpoint, _server: server })
    }
}

fn configuration(certificate: &Path) -> io::Result<ServerConfig> {
    let mut authority = rcgen::CertificateParams::new(Vec::new()).map_err(io::Error::other)?;
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    authority.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign];
    // By its name alone: a certificate that names itself as its issuer is self-signed to OpenSSL, whoever signed it.
    authority.distinguished_name.push(rcgen::DnType::CommonName, "authority of the bench");
    let authority_key = rcgen::KeyPair::generate().map_err(io::Error::other)?;
    let root = authority.self_signed(&authority_key).map_err(io::Error::other)?;
    std::fs::write(certificate, root.pem())?;
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let server = rcgen::CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]);
    let key = rcgen::KeyPair::generate().map_err(io::Error::other)?;
    let signed = server.and_then(|it| it.signed_by(&key, &issuer)).map_err(io::Error::other)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![signed.der().clone()], key)
        .map_err(io::Error::other)
}

async fn pass_on(stream: TcpStream, acceptor: &TlsAcceptor, target: &str) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = acceptor.accept(stream).await?;
    let mut engine = TcpStream::connect(target).await?;
    engine.set_nodelay(true)?;
    copy_bidirectional(&mut stream, &mut engine).await?;
    Ok(())
}
