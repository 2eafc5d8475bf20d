//! Addresses of our own that mean one question or one message: `ask.<id><proof>@` and `about.<id><proof>@` the gateway's
//! host name. The proof is a keyed hash of the rest, so nothing is stored for an address, and none can be guessed.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use data_encoding::BASE32_NOPAD;

use crate::gateway::{Gateway, Refusal, unavailable};
use crate::id::{Id, QuestionId, TransactionId};
use crate::mail::Address;

/// What an address of our own is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenAddress {
    /// A question to a sender.
    Ask(QuestionId),
    /// A message, in answer to its status mail.
    About(TransactionId),
}

/// Characters of an id, and of its proof: sixteen octets in base32.
const PIECE: usize = 26;

impl TokenAddress {
    fn kind(self) -> &'static str {
        match self {
            Self::Ask(_) => "ask.",
            Self::About(_) => "about.",
        }
    }

    fn octets(self) -> [u8; 16] {
        match self {
            Self::Ask(question) => *question.octets(),
            Self::About(transaction) => *transaction.octets(),
        }
    }
}

impl Gateway {
    /// Where answers to a question are read.
    pub(super) fn question_address(&self, question: QuestionId) -> Address {
        self.address_of(TokenAddress::Ask(question))
    }

    /// Where words about a message are read.
    pub(super) fn status_address(&self, transaction: TransactionId) -> Address {
        self.address_of(TokenAddress::About(transaction))
    }

    #[allow(
        clippy::expect_used,
        reason = "the host name is a Domain, and 58 letters, digits and a dot are a dot-string"
    )]
    fn address_of(&self, token: TokenAddress) -> Address {
        let piece = |octets: &[u8]| BASE32_NOPAD.encode(octets).to_ascii_lowercase();
        let (kind, octets) = (token.kind(), token.octets());
        let local = format!("{kind}{}{}", piece(&octets), piece(&self.proof(token)));
        Address::parse(&format!("{local}@{}", self.settings.hostname)).expect("a dot-string at a domain is an address")
    }

    /// What an address means, if it is one of these. Mail programs may write it in capitals.
    pub(super) fn read_token(&self, address: &Address) -> Option<TokenAddress> {
        if address.domain() != &self.settings.hostname {
            return None;
        }
        let local = address.local_part().to_ascii_uppercase();
        let (kind, rest) = local.split_once('.')?;
        if rest.len() != 2 * PIECE || !rest.is_ascii() {
            return None;
        }
        let octets = |text: &str| <[u8; 16]>::try_from(BASE32_NOPAD.decode(text.as_bytes()).ok()?).ok();
        let (id, proof) = (octets(&rest[..PIECE])?, octets(&rest[PIECE..])?);
        let token = match kind {
            "ASK" => TokenAddress::Ask(QuestionId::from_octets(id)),
            "ABOUT" => TokenAddress::About(TransactionId::from_octets(id)),
            _ => return None,
        };
        verify_slices_are_equal(&proof, &self.proof(token)).ok().map(|()| token)
    }

    fn proof(&self, token: TokenAddress) -> [u8; 16] {
        let text = [token.kind().as_bytes(), &token.octets()].concat();
        self.stations.keyring.lookup("token-address", &text)
    }

    /// Whether mail for such an address is taken: what it is about must still be there.
    ///
    /// # Errors
    /// [`Refusal::Policy`] with words for the sender; [`Refusal::Unavailable`].
    pub(super) async fn check_token(&self, token: TokenAddress) -> Result<(), Refusal> {
        let there = match token {
            TokenAddress::Ask(question) => self.question(question).await.map(|found| found.is_some()),
            TokenAddress::About(transaction) => self.message(transaction).await.map(|found| found.is_some()),
        };
        match there.map_err(|error| unavailable("token", &error))? {
            true => Ok(()),
            false => Err(Refusal::Policy(gone(token).into())),
        }
    }
}

/// What is said where nothing is there any more.
pub(super) fn gone(token: TokenAddress) -> &'static str {
    match token {
        TokenAddress::Ask(_) => "This question has been answered already, or its time is over. Nothing was changed.",
        TokenAddress::About(_) => "Nothing is known of this message any more: its time is over.",
    }
}
