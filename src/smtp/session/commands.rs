//! The commands: verb, what must hold, what it does.

use crate::mail::Domain;
use crate::smtp::data::{DataLimits, DataReceiver};
use crate::smtp::parameters;
use crate::smtp::reply::{Done, Limit, Misuse, Reply};
use crate::smtp::settings::Purpose;

use super::{Hello, Pending, Question, Session, State, Step, sender_to_ask};

/// What must hold for a command to be legal now.
#[derive(Debug, Clone, Copy)]
enum Need {
    /// EHLO or HELO was said.
    Hello,
    /// EHLO was said.
    Extensions,
    /// A certificate is there, and plain text is spoken.
    TlsToCome,
    /// The listener signs people in, TLS is active, and nobody is signed in.
    SignInToCome,
    /// TLS and sign-in, as far as the listener asks for them.
    Trust,
    /// No MAIL yet.
    NoTransaction,
    /// MAIL was accepted.
    Transaction,
    /// At least one RCPT was accepted.
    Recipient,
}

struct Command {
    verb: &'static str,
    needs: &'static [Need],
    run: fn(&mut Session, &str) -> Result<(), Reply>,
}

const fn command(
    verb: &'static str,
    needs: &'static [Need],
    run: fn(&mut Session, &str) -> Result<(), Reply>,
) -> Command {
    Command { verb, needs, run }
}

static COMMANDS: &[Command] = &[
    command("EHLO", &[], |session, name| session.hello(name, true)),
    command("HELO", &[], |session, name| session.hello(name, false)),
    command("STARTTLS", &[Need::Extensions, Need::TlsToCome], Session::starttls),
    command("AUTH", &[Need::Extensions, Need::SignInToCome, Need::NoTransaction], Session::begin_sign_in),
    command("MAIL", &[Need::Hello, Need::Trust, Need::NoTransaction], Session::mail),
    command("RCPT", &[Need::Transaction], Session::rcpt),
    command("DATA", &[Need::Transaction, Need::Recipient], Session::data),
    command("RSET", &[], Session::rset),
    command("NOOP", &[], |session, _| session.done(Done::Nothing)),
    command("HELP", &[], |session, _| session.done(Done::Help)),
    command("VRFY", &[], Session::vrfy),
    command("QUIT", &[], Session::quit),
    command("EXPN", &[], |_, _| Err(Misuse::NotOffered.into())),
    command("BDAT", &[], |_, _| Err(Misuse::NotOffered.into())),
    command("TURN", &[], |_, _| Err(Misuse::NotOffered.into())),
    command("ETRN", &[], |_, _| Err(Misuse::NotOffered.into())),
    // A browser made to speak to this port (cross-protocol scripting) must not get a second line through.
    command("GET", &[], Session::not_smtp),
    command("HEAD", &[], Session::not_smtp),
    command("POST", &[], Session::not_smtp),
    command("PUT", &[], Session::not_smtp),
    command("DELETE", &[], Session::not_smtp),
    command("CONNECT", &[], Session::not_smtp),
    command("OPTIONS", &[], Session::not_smtp),
    command("PRI", &[], Session::not_smtp),
];

impl Session {
    pub(super) fn command(&mut self, line: &str) {
        let (verb, arguments) = line.split_once(' ').unwrap_or((line, ""));
        let Some(command) = COMMANDS.iter().find(|command| command.verb.eq_ignore_ascii_case(verb)) else {
            return self.blame(Misuse::Unknown.into());
        };
        if !matches!(command.verb, "RCPT" | "AUTH" | "QUIT") {
            self.fruitless += 1;
            if self.fruitless > self.settings.limits.fruitless {
                return self.leave(Limit::Fruitless);
            }
        }
        let legal = command.needs.iter().try_for_each(|need| self.check(*need).map_err(Reply::from));
        if let Err(reply) = legal.and_then(|()| (command.run)(self, arguments)) {
            self.blame(reply);
        }
    }

    fn check(&self, need: Need) -> Result<(), Misuse> {
        let unless = |holds: bool, misuse: Misuse| if holds { Ok(()) } else { Err(misuse) };
        let signs_in = !matches!(self.purpose, Purpose::Relay(_));
        match need {
            Need::Hello => unless(self.hello.is_some(), Misuse::Sequence("Say EHLO first")),
            Need::Extensions => {
                let extended = self.hello.as_ref().is_some_and(|hello| hello.extended);
                unless(extended, Misuse::Sequence("Say EHLO first"))
            }
            Need::TlsToCome if self.secured => Err(Misuse::Sequence("TLS is active already")),
            Need::TlsToCome => unless(self.tls_offered, Misuse::NotOffered),
            Need::SignInToCome if !signs_in => Err(Misuse::NotOffered),
            Need::SignInToCome if !self.secured => Err(Misuse::TlsBeforeAuth),
            Need::SignInToCome => unless(self.signed_in.is_none(), Misuse::Sequence("Signed in already")),
            Need::Trust if self.needs_tls() && !self.secured => Err(Misuse::TlsFirst),
            Need::Trust => unless(self.origin().is_some(), Misuse::SignInFirst),
            Need::NoTransaction => {
                unless(self.transaction.is_none(), Misuse::Sequence("A message is under way; RSET ends it"))
            }
            Need::Transaction => unless(self.transaction.is_some(), Misuse::Sequence("MAIL comes first")),
            Need::Recipient => match &self.transaction {
                Some(transaction) if !transaction.recipients.is_empty() => Ok(()),
                Some(transaction) if transaction.attempts > 0 => Err(Misuse::NoRecipients),
                _ => Err(Misuse::Sequence("RCPT comes first")),
            },
        }
    }

    fn needs_tls(&self) -> bool {
        match &self.purpose {
            Purpose::Relay(trust) => trust.tls_required || trust.client_certificate,
            Purpose::Submission | Purpose::Submissions => true,
        }
    }

    fn done(&mut self, done: Done) -> Result<(), Reply> {
        self.say(done);
        Ok(())
    }

    fn hello(&mut self, name: &str, extended: bool) -> Result<(), Reply> {
        let name = hello_name(name).ok_or(Misuse::Arguments("EHLO and HELO need one host name"))?;
        self.transaction = None;
        self.hello = Some(Hello { name, extended });
        let mut lines = vec![self.settings.hostname.to_string()];
        if extended {
            lines.extend(self.extensions());
        }
        self.say(Reply::bare(250, lines));
        Ok(())
    }

    fn extensions(&self) -> Vec<String> {
        let size = format!("SIZE {}", self.settings.max_message);
        let mut extensions: Vec<String> =
            ["PIPELINING", "8BITMIME", &size, "ENHANCEDSTATUSCODES", "DSN"].map(String::from).to_vec();
        if self.check(Need::TlsToCome).is_ok() {
            extensions.push("STARTTLS".into());
        }
        if self.check(Need::SignInToCome).is_ok() {
            extensions.push("AUTH PLAIN LOGIN".into());
        }
        extensions
    }

    fn starttls(&mut self, arguments: &str) -> Result<(), Reply> {
        nothing_else(arguments)?;
        self.inbox.clear();
        self.say(Done::ReadyForTls);
        self.steps.push_back(Step::StartTls);
        self.state = State::Handshake;
        Ok(())
    }

    fn mail(&mut self, arguments: &str) -> Result<(), Reply> {
        let said = parameters::mail(arguments)?;
        parameters::check_size(&said, self.settings.max_message)?;
        match (sender_to_ask(&said), self.origin()) {
            (Some(address), Some(origin)) => {
                self.ask(Question::MaySendAs { origin, address }, Pending::Mail(said));
            }
            _ => self.begin_transaction(said),
        }
        Ok(())
    }

    fn rcpt(&mut self, arguments: &str) -> Result<(), Reply> {
        let limit = self.settings.limits.recipients;
        let origin = self.origin().ok_or(Misuse::SignInFirst)?;
        let transaction = self.transaction.as_mut().ok_or(Misuse::Sequence("MAIL comes first"))?;
        transaction.attempts += 1;
        let (attempts, taken) = (transaction.attempts, transaction.recipients.len());
        if attempts > limit.saturating_mul(4) {
            self.leave(Limit::RecipientCommands);
            return Ok(());
        }
        let recipient = parameters::rcpt(arguments, &self.settings.hostname)?;
        let again = transaction.recipients.iter().any(|other| other.address.same_as(&recipient.address));
        if again {
            self.say(Done::Recipient);
        } else if taken >= limit {
            self.say(Limit::Recipients);
        } else {
            let address = recipient.address.clone();
            self.ask(Question::CheckRecipient { origin, address }, Pending::Rcpt(recipient));
        }
        Ok(())
    }

    fn data(&mut self, arguments: &str) -> Result<(), Reply> {
        nothing_else(arguments)?;
        let limits = DataLimits { message: self.settings.max_message, line: self.settings.limits.data_line };
        self.state = State::Data(DataReceiver::new(limits));
        self.steps.push_back(Step::Begin);
        self.say(Reply::bare(354, vec!["Send the message; end with a dot alone on a line".into()]));
        Ok(())
    }

    fn rset(&mut self, arguments: &str) -> Result<(), Reply> {
        nothing_else(arguments)?;
        self.transaction = None;
        self.done(Done::Reset)
    }

    fn vrfy(&mut self, arguments: &str) -> Result<(), Reply> {
        if arguments.is_empty() {
            return Err(Misuse::Arguments("VRFY needs a name").into());
        }
        self.done(Done::CannotVerify)
    }

    fn quit(&mut self, arguments: &str) -> Result<(), Reply> {
        nothing_else(arguments)?;
        self.say(Done::Bye);
        self.state = State::Closed("quit");
        Ok(())
    }

    fn not_smtp(&mut self, _arguments: &str) -> Result<(), Reply> {
        self.leave(Limit::NotSmtp);
        Ok(())
    }
}

fn nothing_else(arguments: &str) -> Result<(), Reply> {
    if arguments.is_empty() { Ok(()) } else { Err(Misuse::Arguments("This command takes no argument").into()) }
}

/// The argument of EHLO as the Received field may carry it. Mail programs say all kinds of things here
/// (`jane's-mac`, `PC_7(2)`); nothing is decided by it, so what is no domain and no literal is let pass
/// under a name that cannot be one (RFC 2606).
fn hello_name(name: &str) -> Option<String> {
    if name.is_empty() || name.len() > 255 || name.contains(' ') {
        return None;
    }
    let literal = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).and_then(|inner| {
        match inner.get(..5).filter(|tag| tag.eq_ignore_ascii_case("IPv6:")) {
            Some(_) => inner[5..].parse::<std::net::Ipv6Addr>().ok().map(|address| format!("[IPv6:{address}]")),
            None => inner.parse::<std::net::Ipv4Addr>().ok().map(|address| format!("[{address}]")),
        }
    });
    let domain = || Domain::parse(name).ok().map(|domain| domain.to_string());
    Some(literal.or_else(domain).unwrap_or_else(|| "unknown.invalid".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ehlo_says_is_safe_in_a_received_field() {
        for (said, kept) in [
            ("mail.clinic.example", Some("mail.clinic.example")),
            ("DESKTOP-1", Some("desktop-1")),
            ("[192.0.2.1]", Some("[192.0.2.1]")),
            ("[ipv6:2001:DB8::1]", Some("[IPv6:2001:db8::1]")),
            ("[192.0.2.1)", Some("unknown.invalid")),
            ("jane's-mac", Some("unknown.invalid")),
            ("a(b\"c", Some("unknown.invalid")),
            ("", None),
            ("two words", None),
        ] {
            assert_eq!(hello_name(said).as_deref(), kept, "{said}");
        }
    }

    #[test]
    fn every_verb_stands_once() {
        let mut verbs: Vec<&str> = COMMANDS.iter().map(|command| command.verb).collect();
        verbs.sort_unstable();
        assert!(verbs.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
