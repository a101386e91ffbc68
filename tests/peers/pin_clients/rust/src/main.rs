mod pins;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

fn ask(config: Arc<ClientConfig>, target: &str) -> Result<(), Box<dyn std::error::Error>> {
    let (host, port) = target.rsplit_once(':').ok_or("no port")?;
    let name = ServerName::try_from(host.to_string())?;
    let plain = TcpStream::connect(("127.0.0.1", port.parse()?))?;
    let mut tls = StreamOwned::new(ClientConnection::new(config, name)?, plain);
    write!(tls, "GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
    let mut answer = [0; 1];
    tls.read_exact(&mut answer)?;
    Ok(())
}

fn main() {
    let mut roots = RootCertStore::empty();
    let file = std::env::var("SSL_CERT_FILE").expect("SSL_CERT_FILE");
    for each in CertificateDer::pem_file_iter(file).expect("roots") {
        roots.add(each.expect("a certificate")).expect("a root");
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let report = |failure: &pins::PinFailure| println!("report {} {}", failure.host, failure.refused);
    let config = Arc::new(pins::client_config(provider, Arc::new(roots), report).expect("config"));
    for target in std::env::args().skip(1) {
        match ask(config.clone(), &target) {
            Ok(()) => println!("{target} ok"),
            Err(error) => println!("{target} refused {error}"),
        }
    }
}
