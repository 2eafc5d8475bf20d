//! What never changes: style sheets and the script, compiled in, with a hash in their names; and practices' logos.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;

use crate::gateway::Snapshot;
use crate::pack::Paint;
use crate::policy::Logo;
use crate::portal::app::App;
use crate::portal::headers;
use crate::portal::refusal::Refusal;
use crate::portal::visitor::Visitor;

/// A name with a hash in it never means anything else.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// A logo may change with the policies.
const FOR_AN_HOUR: HeaderValue = HeaderValue::from_static("public, max-age=3600");
const CSS: &str = "text/css; charset=utf-8";

struct Asset {
    name: &'static str,
    path: String,
    media_type: &'static str,
    octets: &'static [u8],
}

static ASSETS: LazyLock<[Asset; 4]> = LazyLock::new(|| {
    [
        asset("portal.css", CSS, include_bytes!("assets/portal.css")),
        asset("body.css", CSS, include_bytes!("assets/body.css")),
        asset("portal.js", "text/javascript; charset=utf-8", include_bytes!("assets/portal.js")),
        asset("icon.svg", "image/svg+xml", include_bytes!("assets/icon.svg")),
    ]
});

fn asset(name: &'static str, media_type: &'static str, octets: &'static [u8]) -> Asset {
    let hash = HEXLOWER.encode(&digest(&SHA256, octets).as_ref()[..6]);
    let (stem, ending) = name.split_once('.').unwrap_or((name, ""));
    Asset { name, path: format!("/static/{stem}-{hash}.{ending}"), media_type, octets }
}

/// The address of an asset; empty for one that is not there.
pub fn path(name: &str) -> &'static str {
    ASSETS.iter().find(|asset| asset.name == name).map_or("", |asset| asset.path.as_str())
}

/// The address of the style sheet with these colours.
pub fn paint_path(colour: &str) -> String {
    format!("/static/paint-{}.css", Paint::of(colour).ground.trim_start_matches('#'))
}

/// `GET /static/…`
pub async fn serve(Path(name): Path<String>) -> Result<Response, Refusal> {
    if let Some(colour) = name.strip_prefix("paint-").and_then(|rest| rest.strip_suffix(".css")) {
        return paint(colour).ok_or(Refusal::NotFound);
    }
    let asked = ASSETS.iter().find(|asset| asset.path.strip_prefix("/static/") == Some(name.as_str()));
    let asset = asked.ok_or(Refusal::NotFound)?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static(asset.media_type)), (header::CACHE_CONTROL, FOR_EVER)], asset.octets)
        .into_response())
}

/// The practice's colours as variables: its colour with what is readable on it, and shades of it that are readable as
/// text on a light and on a dark page.
fn paint(colour: &str) -> Option<Response> {
    let paint = Paint::of(&format!("#{colour}"));
    if paint.ground.trim_start_matches('#') != colour {
        return None;
    }
    let (ground, text) = (&paint.ground, paint.text);
    let (light, dark) = (paint.readable_on([0xf4, 0xf6, 0xf8]), paint.readable_on([0x1f, 0x26, 0x2e]));
    let css = format!(
        ":root{{--brand:{ground};--on-brand:{text};--ink:{light}}}@media(prefers-color-scheme:dark){{:root{{--ink:{dark}}}}}"
    );
    let kind = HeaderValue::from_static(CSS);
    Some(([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, FOR_EVER)], css).into_response())
}

/// The logo of a practice, where it has one.
pub fn logo_of<'a>(snapshot: &'a Snapshot, practice: &str) -> Option<&'a Logo> {
    snapshot.policy.practice(practice).and_then(|practice| snapshot.logo(practice))
}

/// `GET /logo/{practice}`
pub async fn logo(State(_): State<App>, visitor: Visitor, Path(practice): Path<String>) -> Result<Response, Refusal> {
    let logo = logo_of(visitor.snapshot(), &practice).ok_or(Refusal::NotFound)?;
    let fields = [
        (header::CONTENT_TYPE, HeaderValue::from_static(logo.media_type)),
        (header::CACHE_CONTROL, FOR_AN_HOUR),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(headers::PICTURE)),
    ];
    Ok((fields, logo.octets.clone()).into_response())
}
