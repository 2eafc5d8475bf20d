//! The fields of mailing lists (RFC 2369, RFC 2919, RFC 8058): read for their addresses and written anew.

use crate::mime::HeaderSection;

/// Fields that hold addresses of the web or of mail, each in angle brackets.
const WITH_ADDRESSES: [&str; 6] =
    ["List-Help", "List-Subscribe", "List-Unsubscribe", "List-Post", "List-Owner", "List-Archive"];
/// Octets of one address, and addresses of one field: more than any list needs.
const LONGEST: usize = 500;
const MOST: usize = 5;
/// Endings of host names that mean something within a house only (RFC 6762, appendix G).
const INNER: [&str; 9] =
    ["local", "localdomain", "localhost", "lan", "intranet", "internal", "private", "corp", "home"];

/// The fields of a list that leave: name and value. A host that is known within the house only, an address that is none of
/// the web or of mail, and a description in front of an identifier stay inside.
pub(super) fn fields(received: &HeaderSection) -> Vec<(&'static str, String)> {
    let mut all: Vec<(&'static str, String)> = Vec::new();
    if let Some(identifier) = value(received, "List-Id").as_deref().and_then(identifier) {
        all.push(("List-Id", format!("<{identifier}>")));
    }
    let mut by_press = false;
    for name in WITH_ADDRESSES {
        let addresses = value(received, name).map(|value| addresses(&value)).unwrap_or_default();
        by_press |= name == "List-Unsubscribe" && addresses.iter().any(|it| it.starts_with("<https:"));
        if !addresses.is_empty() {
            all.push((name, addresses.join(", ")));
        }
    }
    let one_click = value(received, "List-Unsubscribe-Post")
        .is_some_and(|value| value.trim().eq_ignore_ascii_case("List-Unsubscribe=One-Click"));
    if by_press && one_click {
        all.push(("List-Unsubscribe-Post", String::from("List-Unsubscribe=One-Click")));
    }
    all
}

fn value(received: &HeaderSection, name: &str) -> Option<String> {
    received.first(name).map(|field| String::from_utf8_lossy(&field.value).into_owned())
}

/// What stands in the last angle brackets (RFC 2919, section 3): names apart by dots.
fn identifier(value: &str) -> Option<&str> {
    let (_, rest) = value.rsplit_once('<')?;
    let (identifier, _) = rest.split_once('>')?;
    let is_name =
        |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_+".contains(&b));
    (identifier.len() <= 255 && identifier.split('.').all(is_name)).then_some(identifier)
}

/// `<https://…>` and the like, in order (RFC 2369, section 2: white space within the brackets means nothing).
fn addresses(value: &str) -> Vec<String> {
    let bracketed = value.split('<').skip(1).filter_map(|piece| Some(piece.split_once('>')?.0));
    let squeezed = bracketed.map(|piece| piece.split_ascii_whitespace().collect::<String>());
    squeezed.filter(|address| is_outside(address)).take(MOST).map(|address| format!("<{address}>")).collect()
}

/// Whether it is an address that can be reached from outside.
fn is_outside(address: &str) -> bool {
    let plain = address.len() <= LONGEST && address.bytes().all(|b| b.is_ascii_graphic() && !b"<>\"\\".contains(&b));
    let Some((scheme, rest)) = address.split_once(':').filter(|_| plain) else { return false };
    let host = match scheme {
        "https" | "http" => rest.strip_prefix("//").and_then(|rest| rest.split(['/', '?', '#']).next()),
        "mailto" => rest.split('?').next().and_then(|to| to.rsplit_once('@')).map(|(_, host)| host),
        _ => None,
    };
    host.is_some_and(|host| is_public(host.split(':').next().unwrap_or_default()))
}

/// Whether a host's name can be known outside: more than one name, the last one neither a number nor one of [`INNER`]. One
/// with a user in front of it is no host.
fn is_public(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    let is_name = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let Some((_, last)) = host.rsplit_once('.') else { return false };
    host.split('.').all(is_name) && !last.bytes().all(|b| b.is_ascii_digit()) && !INNER.contains(&last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mime::HeaderField;

    fn sent(fields: &[(&str, &str)]) -> Vec<String> {
        let fields = fields
            .iter()
            .map(|(name, value)| HeaderField { name: (*name).to_owned(), value: format!(" {value}").into_bytes() });
        let received = HeaderSection { fields: fields.collect() };
        super::fields(&received).into_iter().map(|(name, value)| format!("{name}: {value}")).collect()
    }

    #[test]
    fn a_list_keeps_what_its_readers_need() {
        let newsletter = sent(&[
            ("List-Unsubscribe", "<https://news.example/u?id=1>,\r\n <mailto:leave@news.example?subject=x>"),
            ("List-Unsubscribe-Post", "list-unsubscribe=One-Click"),
            ("LIST-ID", "Practice news at desk 4 <news.clinic.example>"),
            ("List-Archive", "(none) <http://news.\r\n example/old>"),
        ]);
        let expected = [
            "List-Id: <news.clinic.example>",
            "List-Unsubscribe: <https://news.example/u?id=1>, <mailto:leave@news.example?subject=x>",
            "List-Archive: <http://news.example/old>",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        ];
        assert_eq!(newsletter, expected);
    }

    #[test]
    fn what_is_reached_within_the_house_only_stays_there() {
        for address in [
            "https://intranet/news",
            "http://10.0.0.17/u",
            "https://exch01.clinic.local/u",
            "https://admin:secret@news.example/u",
            "https://[fe80::1]/u",
            "file:///srv/news",
            "mailto:list@exch01",
            "mailto:list",
            "javascript:alert(1)",
            "https://news.example/\"x",
        ] {
            assert!(sent(&[("List-Help", &format!("<{address}>"))]).is_empty(), "{address}");
        }
        assert!(sent(&[("List-Id", "<a b>"), ("List-Post", "NO"), ("List-Owner", "<https://x")]).is_empty());
        let without =
            [("List-Unsubscribe", "<mailto:a@b.example>"), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")];
        assert_eq!(sent(&without).len(), 1, "a press needs an address of the web");
    }
}
