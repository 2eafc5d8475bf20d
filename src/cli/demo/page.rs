//! The outbox page: a web server of its own on loopback, which shows mail as mail programs do. It is the demo's, and
//! no part of the gateway: whatever it shows could just as well be read by Outlook.

use std::net::Ipv4Addr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use mail_parser::MimeHeaders;
use minijinja::Environment;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::outbox::{Mail, Outbox};
use super::view;

/// No octet from elsewhere, and nothing of a mail may run or load.
const PAGE: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; frame-src 'self'; \
                    img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const MAIL: &str = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; \
                    img-src 'self' data:; form-action 'none'; frame-ancestors 'self'";

struct Shop {
    outbox: Outbox,
    templates: Environment<'static>,
    /// `127.0.0.1:PORT`: another name in Host is another site's doing.
    host: String,
}

/// Which mail, of whom, and how.
#[derive(Deserialize)]
pub struct Wanted {
    /// The recipient whose mails are listed.
    pub to: Option<String>,
    /// The mail that is open.
    pub mail: Option<String>,
    /// `shown`, `text` or `source`.
    pub view: Option<String>,
}

/// Serves the page on a free port; its address.
pub async fn serve(outbox: Outbox) -> Result<(String, JoinHandle<()>), String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
    let listener = listener.map_err(|error| format!("no port is free on 127.0.0.1: {error}"))?;
    let host = listener.local_addr().map_err(|error| error.to_string())?.to_string();
    let url = format!("http://{host}");
    let templates = view::templates().map_err(|error| error.to_string())?;
    let shop = Arc::new(Shop { outbox, templates, host });
    let router = Router::new()
        .route("/", get(page))
        .route("/list", get(list))
        .route("/mail/{id}/shown", get(shown))
        .route("/mail/{id}/part/{number}", get(part))
        .route("/page.css", get(|| async { asset("text/css", include_str!("web/page.css")) }))
        .route("/page.js", get(|| async { asset("text/javascript", include_str!("web/page.js")) }))
        .layer(middleware::from_fn_with_state(Arc::clone(&shop), guard))
        .with_state(shop);
    let serving = tokio::spawn(async move {
        // It ends with the demo; what it says then helps nobody.
        let _ = axum::serve(listener, router).await;
    });
    Ok((url, serving))
}

/// Answers its own name only, and puts the fields on that keep a mail from doing anything.
async fn guard(State(shop): State<Arc<Shop>>, request: axum::extract::Request, next: Next) -> Response {
    let named = request.headers().get(header::HOST).is_some_and(|host| host.as_bytes() == shop.host.as_bytes());
    if !named {
        return StatusCode::MISDIRECTED_REQUEST.into_response();
    }
    let mut response = next.run(request).await;
    let fields = response.headers_mut();
    fields.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(PAGE));
    fields.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    fields.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn page(State(shop): State<Arc<Shop>>, Query(wanted): Query<Wanted>) -> Response {
    render(&shop, "page.html", &wanted)
}

async fn list(State(shop): State<Arc<Shop>>, Query(wanted): Query<Wanted>) -> Response {
    render(&shop, "list.html", &wanted)
}

fn render(shop: &Shop, name: &str, wanted: &Wanted) -> Response {
    let values = view::values(&shop.outbox, wanted);
    match shop.templates.get_template(name).and_then(|template| template.render(values)) {
        Ok(html) => Html(html).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// The mail's own HTML, in a sandbox.
async fn shown(State(shop): State<Arc<Shop>>, Path(id): Path<String>) -> Response {
    let Some(mail) = shop.outbox.mail(&id) else { return StatusCode::NOT_FOUND.into_response() };
    let policy = [(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(MAIL))];
    (policy, Html(view::html(&mail))).into_response()
}

/// An attachment, or a picture in the text.
async fn part(State(shop): State<Arc<Shop>>, Path((id, number)): Path<(String, usize)>) -> Response {
    let found = shop.outbox.mail(&id).and_then(|mail| attachment(&mail, number));
    found.unwrap_or_else(|| StatusCode::NOT_FOUND.into_response())
}

fn attachment(mail: &Mail, number: usize) -> Option<Response> {
    let message = mail.message()?;
    let part = message.attachment(u32::try_from(number).ok()?)?;
    let media_type = part.content_type().map(|kind| format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or("*")));
    let name = part.attachment_name().unwrap_or("file").replace(|c: char| !c.is_ascii_graphic() && c != ' ', "_");
    let disposition = if part.content_id().is_some() { "inline" } else { "attachment" };
    let mut fields = HeaderMap::new();
    let media_type = media_type.unwrap_or_else(|| String::from("application/octet-stream"));
    fields.insert(header::CONTENT_TYPE, media_type.parse().ok()?);
    let disposition = format!("{disposition}; filename=\"{}\"", name.replace(['"', '\\'], "_"));
    fields.insert(header::CONTENT_DISPOSITION, disposition.parse().ok()?);
    fields.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(MAIL));
    Some((fields, part.contents().to_vec()).into_response())
}

fn asset(media_type: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static(media_type))], text).into_response()
}
