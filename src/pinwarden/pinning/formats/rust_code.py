"""The Rust module around the table of pins."""

CODE = r"""// Made by `pinwarden pin export --format rust`: make it again instead of changing it.
//
// Cargo.toml: rustls = "0.23", rustls-webpki = "0.103"

//! Holds rustls to the pins of a Pinwarden set.
//!
//! Pins are compared with the path that webpki has verified from the server's certificate
//! to a trusted root, never with what a server sends, and before any application data.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::hash::{Hash, HashAlgorithm};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore,
    SignatureScheme,
};

const REFUSE_UNPINNED: bool = %REFUSE%;

struct Policy {
    host: &'static str,
    include_subdomains: bool,
    exclude: &'static [&'static str],
    enforce: bool,
    expires: &'static str,
    on_expiry: &'static str,
    leaf: &'static [&'static str],
    ca: &'static [&'static str],
    forbidden: &'static [&'static str],
}

static POLICIES: &[Policy] = &[
%ROWS%
];

/// A connection that does not meet its policy.
#[derive(Debug, Clone)]
pub struct PinFailure {
    pub host: String,
    pub reason: &'static str,
    pub seen: Vec<String>,
    pub refused: bool,
}

impl fmt::Display for PinFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pins of {}: {} (seen: {})", self.host, self.reason, self.seen.join(", "))
    }
}

impl std::error::Error for PinFailure {}

/// Told of every failure, also of those that are not refused.
pub type Report = fn(&PinFailure);

/// A client configuration that is held to the pins. It does not resume sessions, because
/// rustls asks no verifier about a resumed one.
pub fn client_config(
    provider: Arc<CryptoProvider>,
    roots: Arc<RootCertStore>,
    report: Report,
) -> Result<ClientConfig, Error> {
    let verifier = PinVerifier::new(provider.clone(), roots, report)?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// Verifies as rustls does, and then asks for a verified path that meets the pins.
pub struct PinVerifier {
    usual: Arc<WebPkiServerVerifier>,
    provider: Arc<CryptoProvider>,
    roots: Arc<RootCertStore>,
    sha256: &'static dyn Hash,
    report: Report,
}

impl fmt::Debug for PinVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PinVerifier").finish_non_exhaustive()
    }
}

impl PinVerifier {
    /// Fails without roots, or if the provider has no SHA-256 among its TLS 1.3 suites.
    pub fn new(
        provider: Arc<CryptoProvider>,
        roots: Arc<RootCertStore>,
        report: Report,
    ) -> Result<Self, Error> {
        let sha256 = provider
            .cipher_suites
            .iter()
            .filter_map(|suite| suite.tls13())
            .map(|suite| suite.common.hash_provider)
            .find(|hash| hash.algorithm() == HashAlgorithm::SHA256)
            .ok_or_else(|| Error::General("pins need a provider with SHA-256".into()))?;
        let usual = WebPkiServerVerifier::builder_with_provider(roots.clone(), provider.clone())
            .build()
            .map_err(|error| Error::General(error.to_string()))?;
        Ok(Self { usual, provider, roots, sha256, report })
    }

    fn check(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Error> {
        let name = host.to_str().to_ascii_lowercase();
        let name = name.strip_suffix('.').unwrap_or(&name);
        let is_address = matches!(host, ServerName::IpAddress(_));
        let Some(policy) = policy_for(name, is_address) else {
            if REFUSE_UNPINNED {
                return self.failed(name, "no policy is about this host", Vec::new(), true);
            }
            return Ok(());
        };
        let mut enforce = policy.enforce;
        if !policy.expires.is_empty() && day(now).as_str() > policy.expires {
            match policy.on_expiry {
                "open" => return Ok(()),
                "report-only" => enforce = false,
                _ => return self.failed(name, "the policy has expired", Vec::new(), enforce),
            }
        }
        let last = RefCell::new(("there is no verified path", Vec::new()));
        let met = |path: &webpki::VerifiedPath<'_>| -> Result<(), webpki::Error> {
            let seen = self.pins_of(path);
            match policy.fault(&seen) {
                None => Ok(()),
                Some(reason) => {
                    *last.borrow_mut() = (reason, seen);
                    // Has webpki look for another path.
                    Err(webpki::Error::UnknownIssuer)
                }
            }
        };
        let verified = webpki::EndEntityCert::try_from(end_entity).and_then(|leaf| {
            leaf.verify_for_usage(
                self.provider.signature_verification_algorithms.all,
                &self.roots.roots,
                intermediates,
                now,
                webpki::KeyUsage::server_auth(),
                None,
                Some(&met),
            )
            .map(|_| ())
        });
        match verified {
            Ok(()) => Ok(()),
            Err(_) => {
                let (reason, seen) = last.into_inner();
                self.failed(name, reason, seen, enforce)
            }
        }
    }

    fn pins_of(&self, path: &webpki::VerifiedPath<'_>) -> Vec<String> {
        let mut seen = vec![self.pin(&path.end_entity().subject_public_key_info())];
        for each in path.intermediate_certificates() {
            seen.push(self.pin(&each.subject_public_key_info()));
        }
        seen.push(self.pin(&webpki::spki_for_anchor(path.anchor())));
        seen
    }

    fn pin(&self, spki: &[u8]) -> String {
        base64(self.sha256.hash(spki).as_ref())
    }

    fn failed(
        &self,
        host: &str,
        reason: &'static str,
        seen: Vec<String>,
        refused: bool,
    ) -> Result<(), Error> {
        let failure = PinFailure { host: host.to_string(), reason, seen, refused };
        (self.report)(&failure);
        if !refused {
            return Ok(());
        }
        Err(Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(failure)))))
    }
}

impl ServerCertVerifier for PinVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let usual = self.usual.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        )?;
        self.check(end_entity, intermediates, server_name, now)?;
        Ok(usual)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

impl Policy {
    /// What a path lacks, or None if it meets the policy.
    fn fault(&self, seen: &[String]) -> Option<&'static str> {
        if seen.iter().any(|pin| self.forbidden.contains(&pin.as_str())) {
            return Some("a forbidden key is in the verified path");
        }
        let met = seen.iter().enumerate().any(|(position, pin)| {
            let pins = if position == 0 { self.leaf } else { self.ca };
            pins.contains(&pin.as_str())
        });
        if met { None } else { Some("no pinned key is in the verified path") }
    }
}

/// The one policy that decides: the host's own, else the nearest above it.
fn policy_for(name: &str, is_address: bool) -> Option<&'static Policy> {
    let mut at = name;
    loop {
        let found = POLICIES.iter().find(|each| each.host == at);
        if let Some(policy) = found.filter(|each| at == name || each.include_subdomains) {
            let excluded = policy.exclude.iter().any(|each| {
                name == *each || name.strip_suffix(each).is_some_and(|rest| rest.ends_with('.'))
            });
            return if excluded { None } else { Some(policy) };
        }
        if is_address {
            return None;
        }
        at = at.split_once('.')?.1;
    }
}

/// The date of a time in UTC, as 2027-06-30 (proleptic Gregorian).
fn day(now: UnixTime) -> String {
    let days = (now.as_secs() / 86_400) as i64 + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march = (5 * of_year + 2) / 153;
    let (month, date) = ((march + 2) % 12 + 1, of_year - (153 * march + 2) / 5 + 1);
    let year = era * 400 + year + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{date:02}")
}

fn base64(data: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in data.chunks(3) {
        let value = group.iter().fold(0u32, |value, octet| value << 8 | u32::from(*octet))
            << (8 * (3 - group.len()));
        for place in 0..4 {
            if place > group.len() {
                text.push('=');
            } else {
                text.push(LETTERS[(value >> (18 - 6 * place)) as usize & 63] as char);
            }
        }
    }
    text
}
"""
