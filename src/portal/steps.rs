//! Where a visitor goes next, as addresses.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::access::AccessCheck;
use crate::gateway::visits::NextStep;
use crate::id::GrantId;

/// Where a visitor was going when sign-in came between. Only these, so that no address of anybody else's is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Destination {
    /// The list.
    #[default]
    List,
    /// A message.
    Parcel(GrantId),
    /// The reply to a message.
    Reply(GrantId),
    /// The account.
    Account,
}

impl Destination {
    /// Reads what [`Destination::word`] wrote; anything else is the list.
    pub fn read(word: &str) -> Self {
        let grant = |text: &str| text.parse::<GrantId>().ok();
        match word.split_once('/') {
            None if word == "account" => Self::Account,
            Some(("m", rest)) => match rest.split_once('/') {
                None => grant(rest).map_or(Self::List, Self::Parcel),
                Some((id, "reply")) => grant(id).map_or(Self::List, Self::Reply),
                Some(_) => Self::List,
            },
            _ => Self::List,
        }
    }

    /// As an address carries it.
    pub fn word(self) -> String {
        match self {
            Self::List => String::new(),
            Self::Parcel(grant) => format!("m/{grant}"),
            Self::Reply(grant) => format!("m/{grant}/reply"),
            Self::Account => "account".into(),
        }
    }

    /// Its path.
    pub fn path(self) -> String {
        format!("/{}", self.word())
    }

    /// Sign-in on the way there.
    pub fn sign_in(self) -> String {
        match self {
            Self::List => "/sign-in".into(),
            _ => format!("/sign-in?to={}", self.word()),
        }
    }
}

/// The page of a step.
pub fn path(step: NextStep) -> String {
    match step {
        NextStep::Register => "/register".into(),
        NextStep::SetPassword => "/register/sent".into(),
        NextStep::WaitForAdmin => "/register/waiting".into(),
        NextStep::InvitationCancelled(_) => "/register/closed".into(),
        NextStep::InvitationExpired => "/register/over".into(),
        NextStep::SignIn => "/sign-in".into(),
        NextStep::Code => "/code".into(),
        NextStep::Birthdate => "/birthdate".into(),
        NextStep::Magic => "/magic".into(),
        NextStep::Parcel(grant) => Destination::Parcel(grant).path(),
        NextStep::List => Destination::List.path(),
    }
}

/// The page where a check is shown, on the way to a right.
pub fn check(check: AccessCheck, grant: Option<GrantId>) -> String {
    let page = match check {
        AccessCheck::Account => return grant.map_or(Destination::List, Destination::Parcel).sign_in(),
        AccessCheck::Code => "/code",
        AccessCheck::Birthdate => "/birthdate",
        AccessCheck::Magic => "/magic",
    };
    grant.map_or_else(|| page.to_owned(), |grant| format!("{page}?for={grant}"))
}

/// See other: what was sent is done with, and the next page is asked for by GET.
pub fn see(path: &str) -> Response {
    match HeaderValue::try_from(path) {
        Ok(place) => (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response(),
        Err(_) => (StatusCode::SEE_OTHER, [(header::LOCATION, HeaderValue::from_static("/"))]).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_one_of_ours_or_the_list() {
        let grant: GrantId = "a".repeat(26).parse().unwrap();
        for there in [Destination::List, Destination::Parcel(grant), Destination::Reply(grant), Destination::Account] {
            assert_eq!(Destination::read(&there.word()), there);
        }
        for elsewhere in ["//evil.example", "https://evil.example/", "m/../account", "m/x", "m//", "account/close", "\\"] {
            assert_eq!(Destination::read(elsewhere), Destination::List, "{elsewhere}");
        }
    }
}
