//! The life of an invitation, as tables: `tests/lifecycle/*.txt`. A line is a day (and a time), an event, the state it must
//! come to (or `!` and why it cannot), and what is to be done. `-` asks when it is due next.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use postern::invitation::{Effect, Event, Invitation, NotPossible, Schedule, State, Why};
use postern::time::Timestamp;

const DAY: u64 = 86_400;
const START: Timestamp = Timestamp::from_secs(1_795_309_200);

/// `30` or `29 23:59`.
fn moment(text: &str) -> Timestamp {
    let (day, time) = text.split_once(' ').unwrap_or((text, "00:00"));
    let (hours, minutes) = time.trim().split_once(':').unwrap();
    let number = |text: &str| text.parse::<u64>().unwrap_or_else(|_| panic!("{text:?} is no number"));
    START.plus(Duration::from_secs(number(day) * DAY + number(hours) * 3600 + number(minutes) * 60))
}

fn event(word: &str) -> Event {
    match word {
        "open" => Event::Opened,
        "wrong-birthdate" => Event::WrongBirthdate,
        "register" => Event::Registered,
        "remind" => Event::Remind,
        "cancel" => Event::Cancel,
        "resend" => Event::Resend,
        "write" => Event::Written,
        "due" => Event::Due,
        other => panic!("{other:?} is no event"),
    }
}

fn state(state: State) -> String {
    match state {
        State::Open { opened, reminded, wrong } => {
            let mut words = String::from("open");
            words.push_str(if opened { " opened" } else { "" });
            for (name, number) in [("reminded", reminded), ("wrong", wrong)] {
                if number > 0 {
                    write!(words, " {name}={number}").unwrap();
                }
            }
            words
        }
        State::Accepted => "accepted".into(),
        State::Cancelled(Why::ByHand) => "cancelled by-hand".into(),
        State::Cancelled(Why::Birthdate) => "cancelled birthdate".into(),
        State::Expired => "expired".into(),
    }
}

fn effects(effects: &[Effect]) -> String {
    let word = |effect: &Effect| match effect {
        Effect::MailInvitation => "invite".into(),
        Effect::MailReminder(number) => format!("remind {number}"),
        Effect::TellGuestCancelled => "tell-guest-cancelled".into(),
        Effect::TellSenderCancelled => "tell-sender-cancelled".into(),
        Effect::TellSenderExpired => "tell-sender-expired".into(),
        Effect::StartClocks => "start-clocks".into(),
    };
    effects.iter().map(word).collect::<Vec<String>>().join(" ")
}

/// The shipped schedule, unless the table begins with one of its own: `# reminders 1 2, lives 10, tries 1`.
fn schedule(table: &str) -> Schedule {
    let Some(own) = table.lines().next().and_then(|line| line.strip_prefix("# reminders ")) else {
        return Schedule::default();
    };
    let numbers = |text: &str| text.split_whitespace().filter_map(|word| word.parse::<u64>().ok()).collect::<Vec<_>>();
    let parts: Vec<Vec<u64>> = own.split(',').map(numbers).collect();
    let days = |days: &u64| Duration::from_secs(days * DAY);
    Schedule { reminders: parts[0].iter().map(days).collect(), lives: days(&parts[1][0]), tries: parts[2][0] as u8 }
}

fn due(life: &Invitation, schedule: &Schedule) -> String {
    let day = |at: Timestamp| (at.since(START).as_secs() as f64) / DAY as f64;
    life.due(schedule).map_or_else(|| "due never".into(), |at| format!("due {}", day(at)))
}

/// Runs a table; the lines that came out otherwise.
fn run(name: &str, table: &str) -> Vec<String> {
    let (schedule, mut life, mut faults) = (schedule(table), None::<Invitation>, Vec::new());
    for (number, line) in table.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [when, what, expected, to_do] = cells[..] else { panic!("{name}:{}: four cells", number + 1) };
        let now = moment(when);
        let (came, done) = match (what, life) {
            ("issue", _) => {
                life = Some(Invitation::issue(now));
                (state(life.unwrap().state), String::new())
            }
            (_, None) => panic!("{name}:{}: nothing was issued", number + 1),
            ("-", Some(old)) => (due(&old, &schedule), String::new()),
            (word, Some(old)) => match old.step(event(word), now, &schedule) {
                Ok((new, list)) => {
                    life = Some(new);
                    (state(new.state), effects(&list))
                }
                Err(NotPossible::Accepted) => ("! accepted".into(), String::new()),
                Err(NotPossible::Ended) => ("! ended".into(), String::new()),
            },
        };
        if (came.as_str(), done.as_str()) != (expected, to_do) {
            faults.push(format!("{name}:{}: {line}\n    came to: {came} | {done}", number + 1));
        }
    }
    faults
}

#[test]
fn every_table_comes_out() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lifecycle"));
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 7, "{} was not found", folder.display());
    let run = |file: &std::path::PathBuf| {
        run(&file.file_name().unwrap().to_string_lossy(), &std::fs::read_to_string(file).unwrap())
    };
    let faults: Vec<String> = files.iter().flat_map(run).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Whatever happens in whatever order: it never goes on after it ended by itself, its end is never due in the past of
/// its issue, and nobody is reminded after the end or twice by one number.
mod any_order {
    use super::*;
    use proptest::prelude::*;

    const EVENTS: [&str; 8] = ["open", "wrong-birthdate", "register", "remind", "cancel", "resend", "write", "due"];

    proptest! {
        #[test]
        fn holds(steps in proptest::collection::vec((0..EVENTS.len(), 0u64..8), 1..60)) {
            let schedule = Schedule::default();
            let (mut life, mut now, mut reminded) = (Invitation::issue(START), START, Vec::new());
            for (index, days) in steps {
                now = now.plus(Duration::from_secs(days * DAY));
                let Ok((new, effects)) = life.step(event(EVENTS[index]), now, &schedule) else { continue };
                if new.issued != life.issued {
                    reminded.clear();
                }
                let scheduled = effects.iter().filter_map(|effect| match effect {
                    Effect::MailReminder(number) if *number > 0 => Some(*number),
                    _ => None,
                });
                for number in scheduled {
                    prop_assert!(life.is_open() && !reminded.contains(&number));
                    prop_assert!(now < life.until(&schedule));
                    reminded.push(number);
                }
                let starts = effects.contains(&Effect::StartClocks);
                prop_assert_eq!(starts, life.is_open() && !new.is_open(), "clocks start with the end, and only then");
                prop_assert_eq!(new.due(&schedule).is_some(), new.is_open());
                life = new;
            }
        }
    }
}
