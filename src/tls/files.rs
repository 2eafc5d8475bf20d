//! Reading certificates and keys, and saying what is wrong with them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, Error, RootCertStore};

use crate::time::Timestamp;

pub(super) const CA_CERTIFICATE: &str = "ca.pem";
pub(super) const CA_KEY: &str = "ca.key";
pub(super) const SERVER_CHAIN: &str = "server.pem";
pub(super) const SERVER_KEY: &str = "server.key";

/// What is wrong with a certificate or key file, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{}: {cause}. {remedy}", file.display())]
pub struct TlsError {
    file: PathBuf,
    cause: String,
    remedy: String,
}

impl TlsError {
    pub(super) fn new(file: &Path, cause: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { file: file.to_owned(), cause: cause.into(), remedy: remedy.into() }
    }
}

pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// The chain and key that listeners show.
pub(super) fn load(folder: &Path, now: Timestamp) -> Result<CertifiedKey, TlsError> {
    let (chain_file, key_file) = (folder.join(SERVER_CHAIN), folder.join(SERVER_KEY));
    let chain = read_chain(&chain_file)?;
    let key = PrivateKeyDer::from_pem_file(&key_file).map_err(|error| {
        TlsError::new(
            &key_file,
            format!("no private key in PEM form: {error}"),
            "Put the certificate's unencrypted key there",
        )
    })?;
    let certified = CertifiedKey::from_der(chain, key, &provider()).map_err(|error| match error {
        Error::InconsistentKeys(_) => TlsError::new(
            &key_file,
            format!("the key is not the one of {SERVER_CHAIN}"),
            "Copy both files of the same certificate, or remove both to have them made",
        ),
        other => TlsError::new(&key_file, other.to_string(), "RSA, ECDSA P-256/P-384 and Ed25519 keys work"),
    })?;
    check_time(&chain_file, &certified.cert, now)?;
    Ok(certified)
}

fn read_chain(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let fault = |cause: String| {
        TlsError::new(
            file,
            cause,
            "It holds the server's certificate in PEM form first, then those of the authorities above it",
        )
    };
    let certificates = CertificateDer::pem_file_iter(file).map_err(|error| fault(error.to_string()))?;
    let chain: Vec<_> = certificates.collect::<Result<_, _>>().map_err(|error| fault(error.to_string()))?;
    if chain.is_empty() { Err(fault("no certificate in it".into())) } else { Ok(chain) }
}

fn check_time(file: &Path, chain: &[CertificateDer<'static>], now: Timestamp) -> Result<(), TlsError> {
    const REMEDY: &str = "Put a current certificate there, or remove it and its key to have one made";
    match chain_error(chain, None, now) {
        Some(CertificateError::ExpiredContext { .. } | CertificateError::Expired) => {
            Err(TlsError::new(file, "the certificate has expired", REMEDY))
        }
        Some(CertificateError::NotValidYetContext { .. } | CertificateError::NotValidYet) => {
            Err(TlsError::new(file, "the certificate is not valid yet; is the clock right?", REMEDY))
        }
        _ => Ok(()),
    }
}

/// Why a chain is not of this authority at this moment; `None` if it is. (webpki looks at the times of the leaf before
/// anything else, so that without an authority the times alone are judged.)
pub(super) fn chain_error(
    chain: &[CertificateDer<'static>],
    authority: Option<&CertificateDer<'static>>,
    at: Timestamp,
) -> Option<CertificateError> {
    let Some((leaf, intermediates)) = chain.split_first() else {
        return Some(CertificateError::BadEncoding);
    };
    let parsed = match ParsedCertificate::try_from(leaf) {
        Ok(parsed) => parsed,
        Err(_) => return Some(CertificateError::BadEncoding),
    };
    let mut roots = RootCertStore::empty();
    if let Some(authority) = authority {
        roots.add_parsable_certificates([authority.clone()]);
    }
    let at = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(at.secs()).unwrap_or(0)));
    let algorithms = provider().signature_verification_algorithms.all;
    match verify_server_cert_signed_by_trust_anchor(&parsed, &roots, intermediates, at, algorithms) {
        Ok(()) => None,
        Err(Error::InvalidCertificate(error)) => Some(error),
        Err(_) => Some(CertificateError::UnknownIssuer),
    }
}

#[cfg(test)]
pub(super) fn read_for_tests(file: &Path) -> Vec<CertificateDer<'static>> {
    read_chain(file).unwrap()
}
