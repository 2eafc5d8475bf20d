//! Writing back. Attachments go to the vault as they arrive; a text that a visit's end overtakes is kept.

use askama::Template;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;

use crate::gateway::visits::{ParcelView, ReplyFault, Visit, VisitError};
use crate::id::GrantId;
use crate::portal::app::App;
use crate::portal::body::{Incoming, Patience};
use crate::portal::fields::{FieldFaults, TOKEN};
use crate::portal::message::grant;
use crate::portal::multipart::{Multipart, Part};
use crate::portal::page::{Page, shown, with_faults};
use crate::portal::reception::ReplyInHand;
use crate::portal::refusal::Refusal;
use crate::portal::steps::{self, Destination};
use crate::portal::visitor::Visitor;

/// Octets of a field that is no file at most.
const FIELD: usize = 256 * 1024;

#[derive(Template)]
#[template(path = "reply.html")]
struct ReplyPage {
    page: Page,
    view: ParcelView,
    text: String,
    faults: FieldFaults,
    /// Octets of all attachments together at most.
    most: u64,
}

/// `GET /m/{grant}/reply`
pub async fn show(State(app): State<App>, visitor: Visitor, Path(id): Path<String>) -> Result<Response, Refusal> {
    let grant = grant(&id)?;
    let (visit, _) = visitor.living_visit(&app, Destination::Reply(grant)).await?;
    let view = app.reception().parcel(&visit, grant).await.map_err(Refusal::about(grant))?;
    if !view.reply.open {
        return Ok(steps::see(&Destination::Parcel(grant).path()));
    }
    let text = view.draft.clone().unwrap_or_default();
    Ok(shown(&reply_page(&app, &visitor, &visit, view, text, FieldFaults::default())))
}

fn reply_page(
    app: &App,
    visitor: &Visitor,
    visit: &Visit,
    view: ParcelView,
    text: String,
    faults: FieldFaults,
) -> ReplyPage {
    let page = visitor.page_of(app, visit, Some(&view.row.practice));
    ReplyPage { page, view, text, faults, most: app.settings().max_upload }
}

/// `POST /m/{grant}/reply`
pub async fn send(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let grant = grant(&id)?;
    let patience = Patience::Next(app.settings().deadlines.upload);
    let kind = headers.get(header::CONTENT_TYPE).and_then(|field| field.to_str().ok()).unwrap_or_default();
    let incoming = Incoming::new(&headers, body, app.settings().max_upload, patience)?;
    let mut form = Multipart::new(kind, incoming)?;
    let Some(visit) = visitor.visit(&app).await? else {
        return keep(&app, &visitor, grant, &mut form).await;
    };
    let written = write(&app, &visitor, &visit, grant, &mut form).await?;
    let fault = match written {
        Written { text, reply: Ok(reply) } => match reply.send(text.clone()).await.map_err(Refusal::about(grant))? {
            Ok(()) => return Ok(steps::see(&format!("/m/{grant}?replied"))),
            Err(fault) => (fault, text),
        },
        Written { text, reply: Err(fault) } => (fault, text),
    };
    refused(&app, &visitor, &visit, grant, fault).await
}

/// A reply as it came in, or what is wrong with it; and its text, which is not lost either way.
struct Written {
    text: String,
    reply: Result<Box<dyn ReplyInHand>, ReplyFault>,
}

/// Reads the form: the token first, then the text, then the files, each straight to where it is kept.
async fn write(
    app: &App,
    visitor: &Visitor,
    visit: &Visit,
    grant: GrantId,
    form: &mut Multipart,
) -> Result<Written, Refusal> {
    let (mut given, mut text, mut reply) = (false, String::new(), None);
    while let Some(part) = form.next_part().await? {
        match part.name.as_str() {
            TOKEN => given = app.tokens().is_sound(&field(form).await?, visitor.form_cookie(), Some(visit)),
            "text" => text = field(form).await?,
            // An empty choice of files is sent as a file without a name.
            "files" if part.file.as_deref().is_some_and(|name| !name.is_empty()) => {
                if !given {
                    return Err(Refusal::StaleForm);
                }
                let reply = begun(app, visit, grant, &mut reply).await?;
                if let Err(fault) = take_file(form, &part, reply).await? {
                    return Ok(Written { text, reply: Err(fault) });
                }
            }
            _ => {}
        }
    }
    if !given {
        return Err(Refusal::StaleForm);
    }
    begun(app, visit, grant, &mut reply).await?;
    reply.map(|reply| Written { text, reply: Ok(reply) }).ok_or(Refusal::Unavailable)
}

async fn begun<'a>(
    app: &App,
    visit: &Visit,
    grant: GrantId,
    reply: &'a mut Option<Box<dyn ReplyInHand>>,
) -> Result<&'a mut Box<dyn ReplyInHand>, Refusal> {
    Ok(match reply {
        Some(reply) => reply,
        none => none.insert(app.reception().begin_reply(visit, grant).await.map_err(Refusal::about(grant))?),
    })
}

async fn take_file(
    form: &mut Multipart,
    part: &Part,
    reply: &mut Box<dyn ReplyInHand>,
) -> Result<Result<(), ReplyFault>, Refusal> {
    let name = part.file.as_deref().unwrap_or_default();
    if let Err(fault) = reply.begin(name, &part.media_type).await? {
        return Ok(Err(fault));
    }
    while let Some(piece) = form.piece().await? {
        if let Err(fault) = reply.write(&piece).await? {
            return Ok(Err(fault));
        }
    }
    Ok(Ok(()))
}

/// The text of a field. Browsers send line ends as CR LF.
async fn field(form: &mut Multipart) -> Result<String, Refusal> {
    let mut octets = Vec::new();
    while let Some(piece) = form.piece().await? {
        octets.extend_from_slice(&piece);
        if octets.len() > FIELD {
            return Err(Refusal::TooLarge);
        }
    }
    Ok(String::from_utf8_lossy(&octets).replace("\r\n", "\n"))
}

/// The visit has ended meanwhile: the text is kept for whoever it was, and sign-in comes next.
async fn keep(app: &App, visitor: &Visitor, grant: GrantId, form: &mut Multipart) -> Result<Response, Refusal> {
    let Some(cookie) = visitor.cookie() else { return Err(Refusal::SignIn(Destination::Reply(grant))) };
    while let Some(part) = form.next_part().await? {
        if part.name == "text" {
            let text = field(form).await?;
            return match app.reception().keep_draft(cookie, grant, &text).await {
                Ok(()) => Ok(steps::see(&format!("{}&after=draft", Destination::Reply(grant).sign_in()))),
                Err(VisitError::NotFound) => Err(Refusal::SignIn(Destination::Reply(grant))),
                Err(error) => Err(error.into()),
            };
        }
    }
    Err(Refusal::SignIn(Destination::Reply(grant)))
}

/// The form again, with its text and what is wrong.
async fn refused(
    app: &App,
    visitor: &Visitor,
    visit: &Visit,
    grant: GrantId,
    (fault, text): (ReplyFault, String),
) -> Result<Response, Refusal> {
    let view = app.reception().parcel(visit, grant).await.map_err(Refusal::about(grant))?;
    let page = visitor.page_of(app, visit, Some(&view.row.practice));
    let rules = &view.reply;
    let faults = match fault {
        ReplyFault::Empty => FieldFaults::one("text", page.say("fault-empty-reply").to_owned()),
        ReplyFault::TextTooLong => FieldFaults::one("text", page.with("fault-long-reply", "count", rules.most_text)),
        ReplyFault::TooMany => FieldFaults::one("files", page.with("fault-too-many", "count", rules.most_attachments)),
        ReplyFault::TooLarge(name) => {
            let size = page.size(&rules.most_octets);
            FieldFaults::one("files", page.with_two("fault-file-too-large", "name", name, "size", size))
        }
        ReplyFault::Restricted(name, group) => {
            FieldFaults::one("files", page.with_two("fault-restricted", "name", name, "group", group))
        }
        ReplyFault::Closed => return Ok(steps::see(&Destination::Parcel(grant).path())),
    };
    Ok(with_faults(&reply_page(app, visitor, visit, view, text, faults)))
}
