//! Registering: the form of the role, a page for a doctor's procedures, and what comes after.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::gateway::visits::{FormAnswers, NextStep, Registered, RegistrationView, Visit, VisitError};
use crate::policy::{FieldKind, FormField, PolicySet};
use crate::portal::app::App;
use crate::portal::fields::{FieldFault, FieldFaults, Fields, Form, TOKEN};
use crate::portal::page::{Page, shown, with_faults};
use crate::portal::refusal::Refusal;
use crate::portal::steps::{self, Destination};
use crate::portal::visitor::Visitor;

/// The field that says for which specialty procedures were ticked.
const TICKED_FOR: &str = "procedures-of";

/// A field of the form, as it is shown.
struct ShownField {
    name: String,
    kind: FieldKind,
    required: bool,
    value: String,
    fault: Option<String>,
}

impl ShownField {
    /// The id of its label.
    fn label(&self) -> String {
        format!("field-{}", self.name)
    }

    /// What helps to fill it in, where there is such a text.
    fn hint(&self, page: &Page) -> Option<String> {
        page.say_if_any(&format!("help-{}", self.name)).map(str::to_owned)
    }

    /// The attributes that tie hint and fault to it. Its name is of small letters, digits and `_`.
    fn described(&self, hint: bool) -> String {
        let ids = [(hint, "hint"), (self.fault.is_some(), "fault")];
        let ids: Vec<_> = ids.iter().filter(|(there, _)| *there).map(|(_, id)| format!("{}-{id}", self.name)).collect();
        let wrong = if self.fault.is_some() { " aria-invalid=\"true\"" } else { "" };
        if ids.is_empty() { String::new() } else { format!("{wrong} aria-describedby=\"{}\"", ids.join(" ")) }
    }

    /// The type of its input.
    fn input(&self) -> &'static str {
        match self.kind {
            FieldKind::Phone | FieldKind::Mobile => "tel",
            _ => "text",
        }
    }

    /// What browsers fill in (HTML, section "autofill").
    fn autocomplete(&self) -> &'static str {
        match (self.kind, self.name.as_str()) {
            (_, "name") => "name",
            (_, "practice_name") => "organization",
            (_, "practice_phone") => "work tel",
            (FieldKind::Phone | FieldKind::Mobile, _) => "tel",
            (FieldKind::Website, _) => "url",
            (FieldKind::Address, _) => "street-address",
            _ => "off",
        }
    }
}

#[derive(Template)]
#[template(path = "register.html")]
struct RegisterPage {
    page: Page,
    view: RegistrationView,
    fields: Vec<ShownField>,
    typed: Fields,
    specialties: Vec<String>,
    /// Procedures ticked before, carried along.
    procedures: Vec<String>,
    faults: FieldFaults,
}

#[derive(Template)]
#[template(path = "procedures.html")]
struct ProceduresPage {
    page: Page,
    specialty: String,
    /// Of the specialty, ticked.
    own: Vec<String>,
    /// Of all others, by specialty.
    others: Vec<(String, Vec<String>)>,
    /// What was typed on the page before.
    carried: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "register-state.html")]
struct StatePage {
    page: Page,
    state: RegistrationState,
    address: Option<String>,
}

/// What came of a registration.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RegistrationState {
    Sent,
    Waiting,
    Closed,
    Over,
}

/// `GET /register`
pub async fn show(State(app): State<App>, visitor: Visitor) -> Result<Response, Refusal> {
    let (visit, _) = visitor.living_visit(&app, Destination::List).await?;
    match app.reception().registration(&visit).await {
        Ok(view) => {
            let typed = Fields::default();
            Ok(shown(&register_page(&app, &visitor, &visit, view, typed, FieldFaults::default())))
        }
        Err(VisitError::NotFound) => past_it(&app, &visit).await,
        Err(error) => Err(error.into()),
    }
}

/// Nothing to register for: what else there is to do.
async fn past_it(app: &App, visit: &Visit) -> Result<Response, Refusal> {
    let grant = visit.by.ok_or(Refusal::NotFound)?;
    match app.reception().next_step(visit, grant).await? {
        NextStep::Register => Err(Refusal::NotFound),
        step => Ok(steps::see(&steps::path(step))),
    }
}

fn fields_of(policy: &PolicySet, view: &RegistrationView) -> Vec<FormField> {
    let file = view.role.and_then(|role| policy.role(role));
    let field = |name: &str, kind| FormField { name: name.to_owned(), kind, required: true };
    // Without a role it is who they are and how to call them.
    let plain = || vec![field("email", FieldKind::Email), field("phone", FieldKind::Phone), field("name", FieldKind::Text)];
    file.map_or_else(plain, |file| file.fields.clone())
}

fn register_page(
    app: &App,
    visitor: &Visitor,
    visit: &Visit,
    view: RegistrationView,
    typed: Fields,
    faults: FieldFaults,
) -> RegisterPage {
    let policy = &visitor.snapshot().policy;
    let page = visitor.page_of(app, visit, Some(&view.practice));
    let wanted = fields_of(policy, &view).into_iter().filter(|field| field.kind != FieldKind::Procedures);
    let fields = wanted
        .map(|FormField { name, kind, required }| ShownField {
            value: typed.get(&name).to_owned(),
            fault: faults.of(&name).map(str::to_owned),
            name,
            kind,
            required,
        })
        .collect();
    let specialties = policy.specialties().iter().map(|specialty| specialty.name.clone()).collect();
    let procedures = typed.all("procedures").map(str::to_owned).collect();
    RegisterPage { page, view, fields, typed, specialties, procedures, faults }
}

/// `POST /register`
pub async fn register(State(app): State<App>, visitor: Visitor, form: Form) -> Result<Response, Refusal> {
    let (visit, _) = visitor.living_visit(&app, Destination::List).await?;
    let typed = form.given_to(&app, &visitor, Some(&visit))?;
    let view = match app.reception().registration(&visit).await {
        Ok(view) => view,
        Err(VisitError::NotFound) => return past_it(&app, &visit).await,
        Err(error) => return Err(error.into()),
    };
    let wanted = fields_of(&visitor.snapshot().policy, &view);
    if let Some(page) = procedures_page(&app, &visitor, &visit, &view, &wanted, &typed) {
        return Ok(shown(&page));
    }
    let answers = answers(&wanted, &view, &typed);
    let registered = app.reception().register(&visit, answers, visitor.from()).await?;
    let page = visitor.page_of(&app, &visit, Some(&view.practice));
    let faults = match registered {
        Registered::PasswordMailed => return Ok(steps::see("/register/sent")),
        Registered::WaitsForAdmin => return Ok(steps::see("/register/waiting")),
        Registered::Cancelled => return Ok(steps::see("/register/closed")),
        Registered::Faults(faults) => {
            let words = |word: &str| page.say(&format!("fault-{word}")).to_owned();
            FieldFaults(faults.into_iter().map(|f| FieldFault { text: words(f.word), field: f.field }).collect())
        }
        Registered::WrongBirthdate { left } => {
            FieldFaults::one("birthdate", page.with("fault-birthdate-register", "count", left))
        }
    };
    Ok(with_faults(&register_page(&app, &visitor, &visit, view, typed, faults)))
}

/// The answers that the form asks for, in its order; whatever else was sent is left out.
fn answers(wanted: &[FormField], view: &RegistrationView, typed: &Fields) -> FormAnswers {
    let mut answers = FormAnswers::new();
    for field in wanted {
        match field.kind {
            FieldKind::Email => answers.push((field.name.clone(), view.address.to_string())),
            FieldKind::Procedures => {
                answers.extend(typed.all("procedures").map(|one| (field.name.clone(), one.to_owned())));
            }
            _ => answers.push((field.name.clone(), typed.get(&field.name).to_owned())),
        }
    }
    if view.asks_birthdate {
        answers.push(("birthdate".into(), typed.date("birthdate")));
    }
    answers
}

/// The page that asks a doctor for procedures, where the form has them, they were not asked for this specialty yet, and
/// what was asked before is there. The specialty's own are ticked.
fn procedures_page(
    app: &App,
    visitor: &Visitor,
    visit: &Visit,
    view: &RegistrationView,
    wanted: &[FormField],
    typed: &Fields,
) -> Option<ProceduresPage> {
    wanted.iter().find(|field| field.kind == FieldKind::Procedures)?;
    let complete = |field: &FormField| {
        !field.required
            || matches!(field.kind, FieldKind::Email | FieldKind::Procedures)
            || !typed.get(&field.name).is_empty()
    };
    let specialty = typed.get("specialty");
    let specialties = visitor.snapshot().policy.specialties();
    let own = specialties.iter().find(|known| known.name == specialty)?;
    if typed.get(TICKED_FOR) == specialty || !wanted.iter().all(complete) {
        return None;
    }
    let others = specialties.iter().filter(|other| other.name != specialty);
    let others = others.map(|other| {
        let procedures = other.procedures.iter().filter(|one| !own.procedures.contains(one));
        (other.name.clone(), procedures.cloned().collect())
    });
    let birthdate = ["birthdate-day", "birthdate-month", "birthdate-year"].map(str::to_owned);
    let names = wanted.iter().filter(|field| !matches!(field.kind, FieldKind::Procedures | FieldKind::Email));
    let names = names.map(|field| field.name.clone()).chain(birthdate);
    let carried = names.filter(|name| name != TOKEN && typed.has(name));
    Some(ProceduresPage {
        page: visitor.page_of(app, visit, Some(&view.practice)),
        specialty: specialty.to_owned(),
        own: own.procedures.clone(),
        others: others.collect(),
        carried: carried.map(|name| (name.clone(), typed.get(&name).to_owned())).collect(),
    })
}

/// `GET /register/{state}`
pub async fn state(
    State(app): State<App>,
    visitor: Visitor,
    Path(state): Path<String>,
) -> Result<Response, Refusal> {
    let state = match state.as_str() {
        "sent" => RegistrationState::Sent,
        "waiting" => RegistrationState::Waiting,
        "closed" => RegistrationState::Closed,
        "over" => RegistrationState::Over,
        _ => return Err(Refusal::NotFound),
    };
    let visit = visitor.visit(&app).await?;
    let address = match &visit {
        Some(visit) => Some(app.reception().masked_address(visit).await?),
        None => None,
    };
    Ok(shown(&StatePage { page: visitor.page(&app, None), state, address }))
}
