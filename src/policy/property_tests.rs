//! What holds for every set of rules, every message and every slip of the pen.

use proptest::prelude::*;

use super::load_tests::shipped;
use super::{PolicySet, RecipientFacts, SenderFacts, Settings, SourceFile, Treatment};
use crate::fault::render;
use crate::mail::Address;
use crate::mime::assess::{Assessment, Tag, TagMeaning};

/// One rule, as far as it matters for floors.
#[derive(Debug, Clone)]
struct Written {
    overrides: bool,
    applies: bool,
    treatment: Option<Treatment>,
    tls: Option<bool>,
    link: Option<u8>,
}

fn written() -> impl Strategy<Value = Written> {
    let treatment = prop_oneof![Just(Treatment::Relay), Just(Treatment::Secure), Just(Treatment::Refuse)];
    let set = (proptest::option::of(treatment), proptest::option::of(any::<bool>()), proptest::option::of(1u8..7));
    (any::<bool>(), any::<bool>(), set).prop_map(|(overrides, applies, (treatment, tls, link))| Written {
        overrides,
        applies,
        treatment,
        tls,
        link,
    })
}

impl Written {
    fn toml(&self, name: usize) -> String {
        let domain = if self.applies { "mail.example" } else { "other.example" };
        let mut text = format!(
            "[[rule]]\nname = \"{name}\"\noverride = {}\nwhen.recipient_domain = \"{domain}\"\n[rule.set]\nplain_allowed = false\n",
            self.overrides
        );
        if let Some(treatment) = self.treatment {
            text.push_str(&format!("treatment = \"{}\"\n", treatment.name()));
        }
        if let Some(tls) = self.tls {
            text.push_str(&format!("tls_required = {tls}\n"));
        }
        if let Some(days) = self.link {
            text.push_str(&format!("link = \"{days}d\"\n"));
        }
        text
    }
}

fn policy(rules: &[Written]) -> PolicySet {
    let text: String = rules.iter().enumerate().map(|(number, rule)| rule.toml(number)).collect();
    let kept = |file: &SourceFile| {
        ["restricted.toml", "specialties.toml"].contains(&file.name.as_str())
            || file.name.starts_with("roles/")
            || file.name.starts_with("practices/")
    };
    let mut files: Vec<SourceFile> = shipped().into_iter().filter(kept).collect();
    files.push(SourceFile { path: "policies/10.toml".into(), name: "10.toml".into(), text });
    PolicySet::load(&files).unwrap_or_else(|(faults, sources)| panic!("{}", render(&faults, &sources)))
}

fn message(subject: &str, tags: Vec<Tag>) -> Assessment {
    Assessment {
        subject: subject.into(),
        tags,
        from: Vec::new(),
        from_name: None,
        sender: None,
        text: None,
        html: None,
        marked: false,
        as_written: false,
        attachments: Vec::new(),
        received: 0,
        auto_submitted: false,
        mended: None,
        protection: None,
        signals: Default::default(),
    }
}

fn settings(policy: &PolicySet, message: &Assessment) -> Settings {
    let address = Address::parse("a@clinic.example").unwrap();
    let sender = SenderFacts { address, groups: Vec::new(), practice: None, can_answer: true };
    let recipient = RecipientFacts::unknown(Address::parse("b@mail.example").unwrap());
    policy.decide(message, &sender, &[recipient]).decisions[0].settings.clone()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn no_floor_is_lowered_without_override(rules in proptest::collection::vec(written(), 0..8)) {
        let decided = settings(&policy(&rules), &message("x", Vec::new()));
        let (mut refused, mut tls) = (false, false);
        for rule in rules.iter().filter(|rule| rule.applies) {
            match rule.treatment {
                Some(Treatment::Refuse) => refused = true,
                Some(_) if rule.overrides => refused = false,
                _ => {}
            }
            match rule.tls {
                Some(true) => tls = true,
                Some(false) if rule.overrides => tls = false,
                _ => {}
            }
        }
        prop_assert_eq!(decided.treatment == Treatment::Refuse, refused);
        prop_assert_eq!(decided.tls_required, tls);
        prop_assert_eq!(decided.reason.is_some(), refused);
    }

    #[test]
    fn the_last_rule_that_applies_sets_the_clock(rules in proptest::collection::vec(written(), 0..8)) {
        let decided = settings(&policy(&rules), &message("x", Vec::new()));
        let last = rules.iter().rfind(|rule| rule.applies && rule.link.is_some()).and_then(|rule| rule.link);
        prop_assert_eq!(decided.link.as_secs(), u64::from(last.unwrap_or(7)) * 86_400);
    }

    #[test]
    fn rules_that_do_not_apply_change_nothing(rules in proptest::collection::vec(written(), 0..8)) {
        let applying: Vec<Written> = rules.iter().filter(|rule| rule.applies).cloned().collect();
        let message = message("x", Vec::new());
        let (all, fewer) = (settings(&policy(&rules), &message), settings(&policy(&applying), &message));
        // The reason of a refusal names the rule, and the rules are numbered differently.
        prop_assert_eq!(Settings { reason: None, ..all }, Settings { reason: None, ..fewer });
    }

    #[test]
    fn the_order_of_rules_about_different_keys_does_not_matter(
        treatment in written(), tls in written(), link in written(), order in Just(vec![0, 1, 2]).prop_shuffle(),
    ) {
        let rules = [
            Written { tls: None, link: None, ..treatment },
            Written { treatment: None, link: None, ..tls },
            Written { treatment: None, tls: None, ..link },
        ];
        let shuffled: Vec<Written> = order.iter().map(|index| rules[*index].clone()).collect();
        let message = message("x", Vec::new());
        let (one, other) = (settings(&policy(&rules), &message), settings(&policy(&shuffled), &message));
        prop_assert_eq!(Settings { reason: None, ..one }, Settings { reason: None, ..other });
    }

    #[test]
    fn secure_never_lowers_a_refusal_nor_leaves_a_relay(rules in proptest::collection::vec(written(), 0..6)) {
        let tag = Tag { meaning: TagMeaning::Secure, whom: None, span: 0..8 };
        let policy = policy(&rules);
        let plain = settings(&policy, &message("[secure] x", Vec::new())).treatment;
        let tagged = settings(&policy, &message("[secure] x", vec![tag])).treatment;
        prop_assert_eq!(tagged, if plain == Treatment::Refuse { plain } else { Treatment::Secure });
    }

    #[test]
    fn a_slip_of_the_pen_is_a_fault_within_its_file_and_no_panic(
        which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), cut in 0usize..12, put in "[ -~\n\"=\\[\\]é]{0,6}",
    ) {
        let mut files = shipped();
        let index = which.index(files.len());
        let file = &mut files[index];
        let places: Vec<usize> = (0..=file.text.len()).filter(|place| file.text.is_char_boundary(*place)).collect();
        let from = at.index(places.len());
        let to = (from + cut).min(places.len() - 1);
        file.text.replace_range(places[from]..places[to], &put);
        match PolicySet::load(&files) {
            Ok(policy) => {
                policy.run_tests();
            }
            Err((faults, sources)) => {
                prop_assert!(!faults.is_empty());
                for fault in &faults {
                    let length = sources.get(&fault.file).map_or(0, String::len);
                    prop_assert!(fault.span.end <= length, "{fault:?}");
                }
                prop_assert!(!render(&faults, &sources).is_empty());
            }
        }
    }
}
