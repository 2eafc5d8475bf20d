//! The portal as a function from requests to answers: which address is answered by what.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::get;

use crate::portal::door::door;
use crate::portal::reception::Reception;
use crate::portal::searches::Searches;
use crate::portal::settings::Settings;
use crate::portal::tokens::FormTokens;
use crate::portal::{
    account, assets, checks, documents, enrol, help, link, list, message, password, reply, setup, sign_in, steps,
};

/// What every answer is made with. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    reception: Arc<dyn Reception>,
    settings: Settings,
    tokens: FormTokens,
    searches: Searches,
}

impl App {
    /// Who answers questions.
    pub fn reception(&self) -> &dyn Reception {
        &*self.0.reception
    }

    /// What the portal was told.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Form tokens.
    pub fn tokens(&self) -> &FormTokens {
        &self.0.tokens
    }

    /// What visitors searched for.
    pub fn searches(&self) -> &Searches {
        &self.0.searches
    }
}

/// The portal. Each request should carry its [`crate::portal::Peer`] as an extension.
pub fn app(reception: Arc<dyn Reception>, settings: Settings) -> Router {
    let app = App(Arc::new(Inner { reception, settings, tokens: FormTokens::new(), searches: Searches::default() }));
    Router::new()
        .merge(outside())
        .merge(inside())
        .merge(setup::routes())
        .route("/static/{name}", get(assets::serve))
        .route("/logo/{practice}", get(assets::logo))
        .fallback(|| async { crate::portal::refusal::Refusal::NotFound })
        // Every body is read with a limit of its own.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(app.clone(), door))
        .with_state(app)
}

/// An address that only takes forms leads to the page with the form, should it be opened all the same.
async fn to(page: &'static str) -> Response {
    steps::see(page)
}

/// Pages on the way in.
fn outside() -> Router<App> {
    Router::new()
        .route("/p/{token}", get(link::show).post(link::enter))
        .route("/p/{token}/fresh", get(link::back).post(link::fresh))
        .route("/register", get(enrol::show).post(enrol::register))
        .route("/register/{state}", get(enrol::state))
        .route("/password/{token}", get(password::show).post(password::set))
        .route("/forgot", get(password::forgot).post(password::mail))
        .route("/sign-in", get(sign_in::show).post(sign_in::enter))
        .route("/sign-out", get(|| to("/")).post(sign_in::leave))
        .route("/signed-out", get(sign_in::left))
        .route("/code", get(checks::code).post(checks::check_code))
        .route("/code/mail", get(|| to("/code")).post(checks::mail_code))
        .route("/birthdate", get(checks::birthdate).post(checks::check_birthdate))
        .route("/magic", get(checks::magic).post(checks::mail_magic))
        .route("/magic/{token}", get(checks::magic_link).post(checks::use_magic))
        .route("/help", get(help::show))
        .route("/language", get(|| to("/")).post(help::language))
}

/// Pages of a visit.
fn inside() -> Router<App> {
    Router::new()
        .route("/", get(list::show).post(list::search))
        .route("/m/{grant}", get(message::show))
        .route("/m/{grant}/body", get(message::body))
        .route("/m/{grant}/d/{deposit}", get(documents::one))
        .route("/m/{grant}/all.zip", get(documents::all))
        .route("/m/{grant}/reply", get(reply::show).post(reply::send))
        .route("/account", get(account::show))
        .route("/account/password", get(account::password).post(account::change_password))
        .route("/account/visits", get(|| to("/account")).post(account::end_visits))
        .route("/account/close", get(account::closing).post(account::close))
}
