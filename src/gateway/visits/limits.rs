//! How often something may be guessed or asked for. Every lock ends by itself, but the one that a fresh link ends.

use std::time::Duration;

use crate::guests::Limit;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const HALF_AN_HOUR: Duration = Duration::from_secs(30 * 60);
const DAY: Duration = Duration::from_secs(86_400);

/// Wrong codes of one opener.
pub const CODE_TRIES: Limit = Limit { most: 5, within: HALF_AN_HOUR, lock: HALF_AN_HOUR };
/// Codes that one opener asks for.
pub const CODE_REQUESTS: Limit = Limit { most: 5, within: HALF_AN_HOUR, lock: HALF_AN_HOUR };
/// From one code to the next.
pub const CODE_PAUSE: Limit = Limit { most: 1, within: Duration::from_secs(15), lock: Duration::from_secs(15) };
/// Codes mailed for one right, over all openers: a mailbox may be shared.
pub const CODES_FOR: Limit = Limit { most: 15, within: HALF_AN_HOUR, lock: HALF_AN_HOUR };
/// Codes mailed to one contact.
pub const CODES_TO: Limit = Limit { most: 30, within: HALF_AN_HOUR, lock: HALF_AN_HOUR };
/// Codes asked for from one address of origin; a hospital may share one.
pub const CODES_FROM: Limit = Limit { most: 120, within: HOUR, lock: HALF_AN_HOUR };
/// Visits that begin by the links of one right.
pub const VISITS_BY: Limit = Limit { most: 60, within: HALF_AN_HOUR, lock: HALF_AN_HOUR };
/// Visits that begin from one address of origin.
pub const VISITS_FROM: Limit = Limit { most: 600, within: HALF_AN_HOUR, lock: HALF_AN_HOUR };
/// Wrong codes for one right and link, over all openers, for longer than documents are kept: then only a fresh link helps.
pub const CODES_IN_ALL: Limit = Limit { most: 20, within: DAY.saturating_mul(400), lock: DAY.saturating_mul(400) };

/// Wrong birthdates on one link.
pub const BIRTHDATE: Limit = Limit { most: 3, within: HALF_AN_HOUR, lock: HALF_AN_HOUR };
/// Wrong birthdates of one recipient, over all messages.
pub const BIRTHDATE_OF: Limit = Limit { most: 12, within: DAY, lock: DAY };
/// Wrong birthdates from one address of origin; a waiting room may share one.
pub const BIRTHDATE_FROM: Limit = Limit { most: 30, within: HOUR, lock: HOUR };
/// Wrong birthdates at all: nobody honest makes so many.
pub const BIRTHDATE_OVERALL: Limit = Limit { most: 600, within: HOUR, lock: MINUTE.saturating_mul(10) };

/// Wrong passwords for one name.
pub const SIGN_IN: Limit = Limit { most: 10, within: MINUTE.saturating_mul(15), lock: MINUTE.saturating_mul(15) };
/// Wrong passwords from one address of origin; a hospital may share one.
pub const SIGN_IN_FROM: Limit = Limit { most: 300, within: MINUTE.saturating_mul(15), lock: MINUTE.saturating_mul(15) };
/// Password mails asked for from one address of origin.
pub const FORGOT_FROM: Limit = Limit { most: 60, within: HOUR, lock: HOUR };
/// Fresh links, magic links and password mails to one contact.
pub const MAILED: Limit = Limit { most: 6, within: HALF_AN_HOUR, lock: HALF_AN_HOUR };
