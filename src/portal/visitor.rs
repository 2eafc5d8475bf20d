//! Who asks: what is known of a request before it is answered. One snapshot of the policies serves it.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Request, header};
use ipnet::IpNet;

use crate::gateway::Snapshot;
use crate::gateway::visits::Visit;
use crate::id::GrantId;
use crate::portal::app::App;
use crate::portal::cookies::Cookie;
use crate::portal::page::Page;
use crate::portal::refusal::Refusal;
use crate::portal::steps::Destination;
use crate::random;
use crate::secret::silent_debug;
use crate::texts::Language;

/// The other side of the connection; [`crate::portal::Server`] puts it into each request.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

/// A request's facts. Cheap to clone.
#[derive(Clone)]
pub struct Visitor(Arc<Facts>);

struct Facts {
    snapshot: Arc<Snapshot>,
    language: Arc<Language>,
    face: Option<String>,
    from: IpAddr,
    visit: Option<String>,
    form: String,
    form_is_new: bool,
    here: String,
}

silent_debug!(Visitor);

impl Visitor {
    /// The facts of a request.
    pub fn of<B>(app: &App, request: &Request<B>) -> Self {
        let (headers, origin) = (request.headers(), &app.settings().origin);
        let snapshot = app.reception().policies();
        let cookie = |which: Cookie| which.read(headers, origin).map(str::to_owned);
        let face = cookie(Cookie::Face).filter(|id| snapshot.policy.practice(id).is_some());
        let language = language(&snapshot, headers, cookie(Cookie::Language).as_deref(), face.as_deref());
        let form = cookie(Cookie::Form);
        let peer = request.extensions().get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0);
        Self(Arc::new(Facts {
            language,
            face,
            from: client(peer, headers, &app.settings().trusted_proxies),
            visit: cookie(Cookie::Visit),
            form_is_new: form.is_none(),
            form: form.unwrap_or_else(|| random::token().expose().clone()),
            here: request.uri().path_and_query().map_or("/", |here| here.as_str()).to_owned(),
            snapshot,
        }))
    }

    /// The address of origin, which guesses are counted by.
    pub fn from(&self) -> IpAddr {
        self.0.from
    }

    /// The policies of this request.
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.0.snapshot
    }

    /// The language of its pages.
    pub fn language(&self) -> &Arc<Language> {
        &self.0.language
    }

    /// The token of the visit, if the browser has one.
    pub fn cookie(&self) -> Option<&str> {
        self.0.visit.as_deref()
    }

    /// What form tokens are bound to in this browser, if it had been told.
    pub fn form_cookie(&self) -> Option<&str> {
        (!self.0.form_is_new).then_some(self.0.form.as_str())
    }

    /// What the browser is to be told so that form tokens can be bound to it.
    pub fn new_form_cookie(&self) -> Option<&str> {
        self.0.form_is_new.then_some(self.0.form.as_str())
    }

    /// The path and query asked for.
    pub fn here(&self) -> &str {
        &self.0.here
    }

    /// The visit, if there is a living one.
    ///
    /// # Errors
    /// Where that cannot be told.
    pub async fn visit(&self, app: &App) -> Result<Option<Visit>, Refusal> {
        match self.cookie() {
            Some(cookie) => app.reception().visit(cookie).await.map_err(Refusal::from),
            None => Ok(None),
        }
    }

    /// The living visit and its cookie; without one, sign-in is next, and then this destination.
    ///
    /// # Errors
    /// [`Refusal::SignIn`].
    pub async fn living_visit(&self, app: &App, going_to: Destination) -> Result<(Visit, &str), Refusal> {
        match (self.visit(app).await?, self.cookie()) {
            (Some(visit), Some(cookie)) => Ok((visit, cookie)),
            _ => Err(Refusal::SignIn(going_to)),
        }
    }

    /// The living visit and the right that is asked about: named in the address, or the one whose link it came by.
    ///
    /// # Errors
    /// [`Refusal::SignIn`]; [`Refusal::NotFound`] where no right is known.
    pub async fn visit_for(&self, app: &App, named: Option<GrantId>) -> Result<(Visit, &str, GrantId), Refusal> {
        let going_to = named.map_or(Destination::List, Destination::Parcel);
        let (visit, cookie) = self.living_visit(app, going_to).await?;
        let grant = named.or(visit.by).ok_or(Refusal::NotFound)?;
        Ok((visit, cookie, grant))
    }

    /// A page without a visit.
    pub fn page(&self, app: &App, practice: Option<&str>) -> Page {
        self.page_with(app.tokens().anonymous(&self.0.form), practice, false)
    }

    /// A page of a visit.
    pub fn page_of(&self, app: &App, visit: &Visit, practice: Option<&str>) -> Page {
        self.page_with(app.tokens().of(visit), practice, visit.proved.account)
    }

    fn page_with(&self, token: String, practice: Option<&str>, signed_in: bool) -> Page {
        let snapshot = Arc::clone(&self.0.snapshot);
        let policy = &snapshot.policy;
        let only = (policy.counts().2 == 1).then(|| policy.first_practice().id.as_str());
        let practice = practice.or(self.0.face.as_deref()).or(only).map(str::to_owned);
        Page::new(snapshot, Arc::clone(&self.0.language), practice, token, self.0.here.clone(), signed_in)
    }
}

impl FromRequestParts<App> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        if let Some(visitor) = parts.extensions.get::<Self>() {
            return Ok(visitor.clone());
        }
        Ok(Self::of(app, &Request::from_parts(parts.clone(), ())))
    }
}

/// The language that was chosen, else the first the browser wants (RFC 9110, section 12.5.4), else the practice's.
fn language(snapshot: &Snapshot, headers: &HeaderMap, chosen: Option<&str>, face: Option<&str>) -> Arc<Language> {
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|field| field.to_str().ok()).unwrap_or_default();
    let mut wanted: Vec<(f32, &str)> = accepted
        .split(',')
        .take(16)
        .filter_map(|range| {
            let (tag, weight) = range.split_once(";q=").unwrap_or((range, "1"));
            Some((weight.trim().parse::<f32>().ok().filter(|weight| *weight > 0.0)?, tag.trim()))
        })
        .collect();
    wanted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let policy = &snapshot.policy;
    let practice = face.and_then(|id| policy.practice(id)).unwrap_or_else(|| policy.first_practice());
    let wanted = wanted.into_iter().map(|(_, tag)| tag);
    Arc::clone(snapshot.texts.choose(chosen.into_iter().chain(wanted).chain([practice.language.as_str()])))
}

/// The browser's address: the last one in `X-Forwarded-For` that is no proxy of ours, if a proxy of ours asks.
fn client(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    let ours = |address: &IpAddr| proxies.iter().any(|network| network.contains(address));
    if !ours(&peer) {
        return peer;
    }
    let fields: Vec<&str> =
        headers.get_all("x-forwarded-for").into_iter().filter_map(|field| field.to_str().ok()).collect();
    let named = fields.iter().rev().flat_map(|field| field.rsplit(','));
    let mut last = peer;
    for address in named {
        // What a proxy of ours did not write is not believed, nor anything before it.
        let Ok(address) = address.trim().parse::<IpAddr>() else { break };
        last = address.to_canonical();
        if !ours(&last) {
            break;
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_proxy_of_ours_says_where_a_browser_is() {
        let proxies = ["10.0.0.0/8".parse().unwrap()];
        let from = |peer: &str, forwarded: &[&str]| {
            let mut headers = HeaderMap::new();
            for field in forwarded {
                headers.append("x-forwarded-for", field.parse().unwrap());
            }
            client(peer.parse().unwrap(), &headers, &proxies).to_string()
        };
        assert_eq!(from("192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(from("10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(from("10.0.0.1", &["203.0.113.9, 198.51.100.7, 10.0.0.2"]), "198.51.100.7");
        assert_eq!(from("10.0.0.1", &["203.0.113.9", "198.51.100.7"]), "198.51.100.7");
        assert_eq!(from("10.0.0.1", &["198.51.100.7, nonsense"]), "10.0.0.1");
        assert_eq!(from("10.0.0.1", &[]), "10.0.0.1");
    }
}
