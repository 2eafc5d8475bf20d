//! Certificates: made at first start, renewed when they are ours, used as they are when they are the
//! admin's, reloaded when the files change.
//!
//! | file in the certs folder | what |
//! |---|---|
//! | `ca.pem`, `ca.key` | the local certificate authority, 10 years; `ca.pem` is what clients are told to trust |
//! | `server.pem`, `server.key` | the chain and key that listeners show, 397 days |
//!
//! An admin puts a `server.pem` and `server.key` of another authority there, and it is left alone from
//! then on. Keys are mode 0600.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig};

use crate::event::Event;
use crate::store;

mod authority;
mod files;

pub use files::TlsError;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(5);
/// How often it is asked whether ours is to be renewed.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The certificate that listeners show. Cheap to clone; clones show the same.
#[derive(Clone)]
pub struct Certificates {
    folder: PathBuf,
    names: Vec<String>,
    shown: Arc<Shown>,
}

#[derive(Debug)]
struct Shown(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

/// Makes what is missing in `folder`, renews what is ours and old, and loads it. `names` are host names and IP
/// addresses; `localhost`, `127.0.0.1` and `::1` are added. The second value is the files that were made.
///
/// # Errors
/// [`TlsError`]: the file, what is wrong with it, what to do.
pub fn prepare(folder: &Path, names: &[String]) -> Result<(Certificates, Vec<PathBuf>), TlsError> {
    let mut all = names.to_vec();
    all.extend(["localhost", "127.0.0.1", "::1"].map(String::from));
    all.sort();
    all.dedup();
    let now = store::now();
    let made = authority::make_what_is_missing(folder, &all, now)?;
    let shown = files::load(folder, now)?;
    Event::CertificateLoaded { names: all.len() }.log();
    let shown = Arc::new(Shown(ArcSwap::from_pointee(shown)));
    Ok((Certificates { folder: folder.to_owned(), names: all, shown }, made))
}

/// Reads what listeners would show, and makes nothing: a sentence for `postern check`.
///
/// # Errors
/// As [`prepare`], for files that are there.
pub fn check(folder: &Path) -> Result<String, TlsError> {
    if !folder.join(files::SERVER_CHAIN).exists() && !folder.join(files::SERVER_KEY).exists() {
        return Ok("none yet; the first start makes a local authority and a certificate".into());
    }
    files::load(folder, store::now()).map(|_| "the server's certificate and key fit and are in date".into())
}

impl Certificates {
    /// TLS 1.2 and 1.3 for a listener; clients show no certificate.
    ///
    /// # Errors
    /// Where the cryptography has no such protocol version; it always has.
    pub fn server_config(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let config = self.builder()?.with_no_client_auth().with_cert_resolver(self.shown.clone());
        Ok(Arc::new(config))
    }

    /// The same for a relay listener whose clients must show a certificate of an authority in `client_ca`.
    ///
    /// # Errors
    /// The file cannot be read, or holds no certificate.
    pub fn server_config_for_clients_of(&self, client_ca: &Path) -> Result<Arc<ServerConfig>, TlsError> {
        let unusable = |cause: String| TlsError::new(client_ca, cause, "client_ca names a PEM file of CA certificates");
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(client_ca).map_err(|error| unusable(error.to_string()))? {
            let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
            roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
        }
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), files::provider())
            .build()
            .map_err(|error| unusable(error.to_string()))?;
        Ok(Arc::new(self.builder()?.with_client_cert_verifier(verifier).with_cert_resolver(self.shown.clone())))
    }

    fn builder(&self) -> Result<rustls::ConfigBuilder<ServerConfig, rustls::WantsVerifier>, TlsError> {
        ServerConfig::builder_with_provider(files::provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::new(&self.folder, error.to_string(), "this is a fault of the program"))
    }

    /// Reads the files again and renews what is ours and old. A broken file changes nothing.
    ///
    /// # Errors
    /// As [`prepare`].
    pub fn reload(&self) -> Result<(), TlsError> {
        let now = store::now();
        authority::make_what_is_missing(&self.folder, &self.names, now)?;
        self.shown.0.store(Arc::new(files::load(&self.folder, now)?));
        Ok(())
    }

    /// Reloads when a file changes, and once a day, for ever. Broken files are logged, and what was shown before is shown on.
    pub async fn watch(self) {
        self.watch_every(LOOK, DAY).await;
    }

    async fn watch_every(self, look: Duration, renew: Duration) {
        let mut seen = self.stamps();
        let mut reloaded = store::now();
        loop {
            tokio::time::sleep(look).await;
            if self.stamps() == seen && store::now().since(reloaded) < renew {
                continue;
            }
            reloaded = store::now();
            let this = self.clone();
            match tokio::task::spawn_blocking(move || this.reload()).await {
                Ok(Ok(())) => Event::CertificateLoaded { names: self.names.len() }.log(),
                _ => Event::CertificateBroken.log(),
            }
            seen = self.stamps();
        }
    }

    fn stamps(&self) -> [Option<(SystemTime, u64)>; 2] {
        [files::SERVER_CHAIN, files::SERVER_KEY].map(|name| {
            let about = std::fs::metadata(self.folder.join(name)).ok()?;
            Some((about.modified().ok()?, about.len()))
        })
    }
}

#[cfg(test)]
mod tests;
