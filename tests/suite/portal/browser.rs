//! A browser without a port: cookies, forms, and what it would send of itself.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use postern::portal::{Deadlines, Origin, Peer, Settings, app};
use tower::ServiceExt;

use super::fake::{Clinic, Desk};

pub const HOST: &str = "mail.clinic.example";
pub const ORIGIN: &str = "https://mail.clinic.example";

pub fn settings() -> Settings {
    Settings {
        origin: Origin::of(ORIGIN),
        trusted_proxies: Vec::new(),
        max_upload: 8 << 20,
        deadlines: Deadlines::default(),
        mail: Default::default(),
    }
}

/// One browser at one portal.
pub struct Browser {
    pub clinic: Arc<Clinic>,
    app: Router,
    pub cookies: Vec<(String, String)>,
    pub language: &'static str,
    pub from: IpAddr,
}

/// What came back.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub octets: Bytes,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.octets).into_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn location(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.text());
        self.header("location")
    }

    /// The value of the form token on the page.
    pub fn token(&self) -> String {
        let text = self.text();
        let (_, rest) = text.split_once("name=\"form\" value=\"").expect("a form with a token");
        rest.split('"').next().unwrap().to_owned()
    }

    #[track_caller]
    pub fn shows(&self, status: u16, pieces: &[&str]) -> &Self {
        let text = self.text().replace('\u{a0}', " ");
        assert_eq!(self.status.as_u16(), status, "{text}");
        for piece in pieces {
            assert!(text.contains(piece), "{piece:?} in\n{text}");
        }
        self
    }
}

impl Browser {
    pub fn new() -> Self {
        Self::with(settings())
    }

    pub fn with(settings: Settings) -> Self {
        let clinic = Arc::new(Clinic::default());
        let app = app(Arc::new(Desk(Arc::clone(&clinic))), settings);
        Self { clinic, app, cookies: Vec::new(), language: "en", from: "192.0.2.7".parse().unwrap() }
    }

    /// Another browser at the same portal.
    pub fn another(&self) -> Self {
        let (clinic, app) = (Arc::clone(&self.clinic), self.app.clone());
        Self { clinic, app, cookies: Vec::new(), language: "en", from: "192.0.2.8".parse().unwrap() }
    }

    /// One that has signed in.
    pub fn signed_in() -> Self {
        let mut browser = Self::new();
        browser.has_visit(super::fake::signed_in());
        browser
    }

    pub fn has_visit(&mut self, proved: postern::access::Proved) {
        let cookie = self.clinic.begin(proved, None);
        self.cookies.push(("__Host-visit".into(), cookie.expose().clone()));
    }

    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.ask(Method::GET, path, &[], Body::empty()).await
    }

    /// Sends a form with the token of the page at `page`.
    pub async fn send(&mut self, page: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.get(page).await.token();
        self.post(path, &[&[("form", token.as_str())], fields].concat()).await
    }

    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let kind = [("content-type", "application/x-www-form-urlencoded"), ("origin", ORIGIN)];
        self.ask(Method::POST, path, &kind, Body::from(body)).await
    }

    pub async fn ask(&mut self, method: Method, path: &str, fields: &[(&str, &str)], body: Body) -> Answer {
        let mut request = Request::builder().method(method).uri(path).body(body).unwrap();
        let headers = request.headers_mut();
        headers.insert(header::HOST, HeaderValue::from_static(HOST));
        headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(self.language));
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            headers.insert(header::COOKIE, cookies.join("; ").parse().unwrap());
        }
        for (name, value) in fields {
            headers.insert(header::HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        request.extensions_mut().insert(Peer(self.from));
        let (parts, body) = self.app.clone().oneshot(request).await.unwrap().into_parts();
        let octets = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        self.keep_cookies(&parts.headers);
        Answer { status: parts.status, headers: parts.headers, octets }
    }

    fn keep_cookies(&mut self, headers: &HeaderMap) {
        for set in headers.get_all(header::SET_COOKIE) {
            let set = set.to_str().unwrap();
            let (name, value) = set.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !set.contains("Max-Age=0") {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
    }
}

/// A form with files, as a browser writes it: fields, then files with their content.
pub fn multipart(fields: &[(&str, &str)], files: &[(&str, &[u8])]) -> (String, Vec<u8>) {
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend(
            format!("--xyz\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").into_bytes(),
        );
    }
    for (name, content) in files {
        let (head, name) = ("Content-Type: application/octet-stream", name.replace('"', "%22"));
        body.extend(
            format!("--xyz\r\nContent-Disposition: form-data; name=\"files\"; filename=\"{name}\"\r\n{head}\r\n\r\n")
                .into_bytes(),
        );
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--xyz--\r\n");
    ("multipart/form-data; boundary=xyz".into(), body)
}
