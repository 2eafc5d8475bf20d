//! The local certificate authority and the server certificate it signs.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::CertificateError;
use rustls::client::verify_server_name;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;

use super::files::{CA_CERTIFICATE, CA_KEY, SERVER_CHAIN, SERVER_KEY, TlsError, chain_error};
use crate::time::{Day, Timestamp};

const CA_DAYS: i32 = 3653;
/// What browsers and Apple's mail program accept at most is 398 days.
const LEAF_DAYS: i32 = 397;
const RENEW_BEFORE: Duration = Duration::from_secs(30 * 24 * 3600);

/// Makes the authority if there is none, and the server certificate if there is none or ours is to be renewed.
pub(super) fn make_what_is_missing(folder: &Path, names: &[String], now: Timestamp) -> Result<Vec<PathBuf>, TlsError> {
    let path = |name: &str| folder.join(name);
    let (chain, key) = (path(SERVER_CHAIN), path(SERVER_KEY));
    match (chain.exists(), key.exists()) {
        (true, true) if !is_ours_and_due(folder, names, now) => return Ok(Vec::new()),
        (true, false) => {
            let remedy = format!("Put the key of {SERVER_CHAIN} there, or remove {SERVER_CHAIN} to have both made");
            return Err(TlsError::new(&key, "missing", remedy));
        }
        (false, true) => {
            let remedy = format!("Put the certificate of {SERVER_KEY} there, or remove {SERVER_KEY} to have both made");
            return Err(TlsError::new(&chain, "missing", remedy));
        }
        _ => {}
    }
    fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
    let mut made = Vec::new();
    if !path(CA_CERTIFICATE).exists() || !path(CA_KEY).exists() {
        made.extend(make_authority(folder, now)?);
    }
    made.extend(make_leaf(folder, names, now)?);
    Ok(made)
}

/// Whether the server certificate was made by our authority and lacks a name or 30 days. Anything else is the admin's.
fn is_ours_and_due(folder: &Path, names: &[String], now: Timestamp) -> bool {
    let (Ok(chain), Ok(authority)) = (
        CertificateDer::pem_file_iter(folder.join(SERVER_CHAIN)).and_then(Iterator::collect::<Result<Vec<_>, _>>),
        CertificateDer::from_pem_file(folder.join(CA_CERTIFICATE)),
    ) else {
        return false;
    };
    match chain_error(&chain, Some(&authority), now.plus(RENEW_BEFORE)) {
        None => !bears(&chain, names),
        // Ours or not is asked again for a moment at which it was valid.
        Some(CertificateError::ExpiredContext { not_after, .. }) => {
            let last = Timestamp::from_secs(i64::try_from(not_after.as_secs()).unwrap_or(0));
            chain_error(&chain, Some(&authority), last).is_none()
        }
        Some(_) => false,
    }
}

fn bears(chain: &[CertificateDer<'static>], names: &[String]) -> bool {
    let Some(Ok(leaf)) = chain.first().map(ParsedCertificate::try_from) else {
        return false;
    };
    let has =
        |name: &String| ServerName::try_from(name.as_str()).is_ok_and(|name| verify_server_name(&leaf, &name).is_ok());
    names.iter().all(has)
}

fn make_authority(folder: &Path, now: Timestamp) -> Result<[PathBuf; 2], TlsError> {
    let file = folder.join(CA_CERTIFICATE);
    let key = KeyPair::generate().map_err(|error| unmade(&file, &error))?;
    let params = authority_params(&key, now).map_err(|error| unmade(&file, &error))?;
    let certificate = params.self_signed(&key).map_err(|error| unmade(&file, &error))?;
    let key_file = write(folder, CA_KEY, &key.serialize_pem(), 0o600)?;
    Ok([write(folder, CA_CERTIFICATE, &certificate.pem(), 0o644)?, key_file])
}

/// The authority as it signs. Its name is made from its key, so that it can be found again from the key alone, and two
/// clinics' authorities on one computer bear two names.
fn authority_params(key: &KeyPair, now: Timestamp) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, key.public_key_raw());
    let mark = data_encoding::HEXLOWER.encode(&digest.as_ref()[..4]);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, format!("Postern local CA {mark}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    set_validity(&mut params, now, CA_DAYS)?;
    Ok(params)
}

fn make_leaf(folder: &Path, names: &[String], now: Timestamp) -> Result<[PathBuf; 2], TlsError> {
    let ca_key_file = folder.join(CA_KEY);
    let pem = fs::read_to_string(&ca_key_file).map_err(|error| unreadable(&ca_key_file, &error.to_string()))?;
    let ca_key = KeyPair::from_pem(&pem).map_err(|error| unreadable(&ca_key_file, &error.to_string()))?;
    let file = folder.join(SERVER_CHAIN);
    let make = || {
        let issuer = Issuer::new(authority_params(&ca_key, now)?, &ca_key);
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "Postern");
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        set_validity(&mut params, now, LEAF_DAYS)?;
        let key = KeyPair::generate()?;
        Ok::<_, rcgen::Error>((params.signed_by(&key, &issuer)?.pem(), key.serialize_pem()))
    };
    let (certificate, key) = make().map_err(|error| unmade(&file, &error))?;
    let authority = folder.join(CA_CERTIFICATE);
    let above = fs::read_to_string(&authority).map_err(|error| unreadable(&authority, &error.to_string()))?;
    let key_file = write(folder, SERVER_KEY, &key, 0o600)?;
    Ok([write(folder, SERVER_CHAIN, &(certificate + &above), 0o644)?, key_file])
}

/// From yesterday, so that a clock that is a little slow takes it too, for this many days.
fn set_validity(params: &mut CertificateParams, now: Timestamp, days: i32) -> Result<(), rcgen::Error> {
    let ymd = |day: Day| {
        let date = day.start().to_jiff().to_zoned(jiff::tz::TimeZone::UTC).date();
        let field = |value: i8| u8::try_from(value).map_err(|_| rcgen::Error::Time);
        Ok::<_, rcgen::Error>((i32::from(date.year()), field(date.month())?, field(date.day())?))
    };
    let (from, to) = (ymd(now.day().plus(-1))?, ymd(now.day().plus(days - 1))?);
    params.not_before = rcgen::date_time_ymd(from.0, from.1, from.2);
    params.not_after = rcgen::date_time_ymd(to.0, to.1, to.2);
    Ok(())
}

/// Writes by rename, so that nobody reads half a file, with its mode from the first moment.
fn write(folder: &Path, name: &str, text: &str, mode: u32) -> Result<PathBuf, TlsError> {
    let (path, part) = (folder.join(name), folder.join(format!("{name}.part")));
    let writing = || {
        let _ = fs::remove_file(&part);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&part)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&part, &path)
    };
    writing().map_err(|error| unwritable(&path, &error))?;
    Ok(path)
}

fn unwritable(file: &Path, error: &std::io::Error) -> TlsError {
    TlsError::new(
        file,
        format!("cannot be written: {error}"),
        "Postern makes its certificates there; let it write to that folder",
    )
}

fn unreadable(file: &Path, cause: &str) -> TlsError {
    TlsError::new(file, format!("cannot be read: {cause}"), "Remove ca.pem and ca.key to have a new authority made")
}

fn unmade(file: &Path, error: &rcgen::Error) -> TlsError {
    TlsError::new(file, format!("cannot be made: {error}"), "Check hostname and public_url in config.toml")
}
