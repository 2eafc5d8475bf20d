//! THREAD (RFC 5256, section 3): messages that answer one another, as a tree.

use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::time::Timestamp;

/// A Message-ID, as threads know it: a digest, since a mailbox may name millions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MessageName(u64);

impl MessageName {
    /// That of this Message-ID.
    pub fn of(id: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        Self(hasher.finish())
    }
}

/// References of one message that count: the first, and those that are nearest to it.
const MOST_REFERENCES: usize = 50;

/// What a message answers, oldest first, as far as it counts.
pub fn named(references: &[String]) -> Vec<MessageName> {
    let nearest = references.len().saturating_sub(MOST_REFERENCES - 1).max(1);
    let first = references.iter().take(1);
    first.chain(references.iter().skip(nearest)).map(|id| MessageName::of(id)).collect()
}

/// What a message brings to the search for threads.
#[derive(Clone, Default)]
pub struct Strand {
    /// The number by which it is named in the answer.
    pub number: u32,
    /// Its Message-ID.
    pub message_id: Option<MessageName>,
    /// What it answers, oldest first.
    pub references: Vec<MessageName>,
    /// When it was sent.
    pub sent: Timestamp,
    /// The base of its subject, and whether it is an answer.
    pub subject: String,
    /// Whether the subject says that it answers or forwards.
    pub is_answer: bool,
}

crate::secret::silent_debug!(Strand);

/// A message and what answers it. Without a number it is one that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    /// The message.
    pub number: Option<u32>,
    /// What answers it, in order of sending.
    pub answers: Vec<Thread>,
}

/// A place in the tree while it grows.
#[derive(Default, Clone)]
struct Node {
    strand: Option<usize>,
    parent: Option<usize>,
    children: Vec<usize>,
}

/// Depth of the trees that are made: what lies deeper stands beside the deepest.
const DEEPEST: usize = 100;

/// `REFERENCES`: by Message-ID and References, then by subject.
pub fn references(strands: &[Strand]) -> Vec<Thread> {
    let mut forest = Forest::of(strands);
    let roots = forest.roots();
    let roots: Vec<usize> = roots.into_iter().flat_map(|root| forest.pruned(root, true)).collect();
    let roots = forest.joined(roots);
    let mut threads: Vec<(Key, Thread)> = roots.into_iter().map(|root| forest.thread(root, 0)).collect();
    threads.sort_by_key(|(key, _)| *key);
    threads.into_iter().map(|(_, thread)| thread).collect()
}

/// `ORDEREDSUBJECT`: those of one subject are a thread; the first of them is its root, and the others answer that.
pub fn ordered_subject(strands: &[Strand]) -> Vec<Thread> {
    let mut by_subject: HashMap<&str, Vec<&Strand>> = HashMap::new();
    for strand in strands {
        by_subject.entry(&strand.subject).or_default().push(strand);
    }
    let mut groups: Vec<Vec<&Strand>> = by_subject.into_values().collect();
    for group in &mut groups {
        group.sort_by_key(|strand| (strand.sent, strand.number));
    }
    groups.sort_by_key(|group| group.first().map(|strand| (strand.sent, strand.number)));
    let leaf = |strand: &Strand| Thread { number: Some(strand.number), answers: Vec::new() };
    let thread = |group: Vec<&Strand>| {
        let (first, rest) = group.split_first()?;
        Some(Thread { answers: rest.iter().map(|strand| leaf(strand)).collect(), ..leaf(first) })
    };
    groups.into_iter().filter_map(thread).collect()
}

/// By what siblings stand in order.
type Key = (Timestamp, u32);

struct Forest<'a> {
    strands: &'a [Strand],
    nodes: Vec<Node>,
    /// For each node one that is above it in its tree, or itself: the root's is the root.
    trees: Vec<usize>,
}

impl<'a> Forest<'a> {
    /// Step 1: a node for each message and each Message-ID that is named; each hangs below what it answers. What messages
    /// say of themselves counts before what others say of them, so nothing that hangs is cut off again.
    fn of(strands: &'a [Strand]) -> Self {
        let mut forest = Self { strands, nodes: Vec::new(), trees: Vec::new() };
        let mut by_id: HashMap<MessageName, usize> = HashMap::new();
        let mut places = Vec::with_capacity(strands.len());
        for (at, strand) in strands.iter().enumerate() {
            let node = forest.new_node();
            forest.nodes[node].strand = Some(at);
            places.push(node);
            if let Some(id) = strand.message_id {
                // Of two with one id the second is a message of its own that nobody answers.
                by_id.entry(id).or_insert(node);
            }
        }
        for strand in strands {
            for id in &strand.references {
                by_id.entry(*id).or_insert_with(|| forest.new_node());
            }
        }
        for (strand, node) in strands.iter().zip(places) {
            if let Some(above) = strand.references.last() {
                forest.hang(node, by_id[above]);
            }
        }
        for pair in strands.iter().flat_map(|strand| strand.references.windows(2)) {
            forest.hang(by_id[&pair[1]], by_id[&pair[0]]);
        }
        forest
    }

    fn new_node(&mut self) -> usize {
        self.nodes.push(Node::default());
        self.trees.push(self.trees.len());
        self.nodes.len() - 1
    }

    /// The tree that a node stands in: what its way up comes to, which is made shorter by it.
    fn tree(&mut self, mut node: usize) -> usize {
        while self.trees[node] != node {
            self.trees[node] = self.trees[self.trees[node]];
            node = self.trees[node];
        }
        node
    }

    /// Hangs a node below another, unless it hangs already, or that one lies below it.
    fn hang(&mut self, node: usize, above: usize) {
        if self.nodes[node].parent.is_some() || self.tree(above) == node {
            return;
        }
        let tree = self.tree(above);
        self.trees[node] = tree;
        self.nodes[node].parent = Some(above);
        self.nodes[above].children.push(node);
    }

    /// Step 2.
    fn roots(&self) -> Vec<usize> {
        (0..self.nodes.len()).filter(|node| self.nodes[*node].parent.is_none()).collect()
    }

    /// Step 3: what is not there and has nothing below it goes; its answers take its place, at the top only where it is one.
    fn pruned(&mut self, root: usize, top: bool) -> Vec<usize> {
        // Deepest first, without recursion: a thread may be as long as a mailbox.
        let (mut order, mut pending) = (Vec::new(), vec![root]);
        while let Some(node) = pending.pop() {
            order.push(node);
            pending.extend(&self.nodes[node].children);
        }
        for node in order.into_iter().rev() {
            let children = std::mem::take(&mut self.nodes[node].children);
            let mut kept = Vec::with_capacity(children.len());
            for child in children {
                if self.nodes[child].strand.is_some() {
                    kept.push(child);
                } else {
                    // The fewer to the more: a long line of what is not there would else be moved at each step.
                    let mut below = std::mem::take(&mut self.nodes[child].children);
                    if below.len() > kept.len() {
                        std::mem::swap(&mut below, &mut kept);
                    }
                    kept.append(&mut below);
                }
            }
            self.nodes[node].children = kept;
        }
        match (self.nodes[root].strand, self.nodes[root].children.len()) {
            (None, 0) => Vec::new(),
            (None, 1) if top => std::mem::take(&mut self.nodes[root].children),
            _ => vec![root],
        }
    }

    /// The message whose subject and date a thread has: its root, or the first below one that is not there.
    fn speaker(&self, root: usize) -> Option<&'a Strand> {
        let node = &self.nodes[root];
        let at = node.strand.or_else(|| {
            let below = node.children.iter().filter_map(|child| self.nodes[*child].strand);
            below.min_by_key(|at| (self.strands[*at].sent, self.strands[*at].number))
        });
        at.map(|at| &self.strands[at])
    }

    /// Step 5: threads of one subject become one.
    fn joined(&mut self, roots: Vec<usize>) -> Vec<usize> {
        let mut by_subject: HashMap<&str, usize> = HashMap::new();
        let speakers: HashMap<usize, &Strand> =
            roots.iter().filter_map(|root| Some((*root, self.speaker(*root)?))).collect();
        for root in &roots {
            let Some(speaker) = speakers.get(root).filter(|speaker| !speaker.subject.is_empty()) else { continue };
            let place = by_subject.entry(&speaker.subject).or_insert(*root);
            let is_absent = |node: usize| self.nodes[node].strand.is_none();
            let is_answer = |node: usize| speakers.get(&node).is_some_and(|speaker| speaker.is_answer);
            if (is_absent(*root) && !is_absent(*place))
                || (is_answer(*place) && !speaker.is_answer && !is_absent(*place))
            {
                *place = *root;
            }
        }
        let mut gone = BTreeSet::new();
        let mut made = Vec::new();
        for root in &roots {
            let Some(speaker) = speakers.get(root) else { continue };
            let Some(place) = by_subject.get(speaker.subject.as_str()).copied().filter(|place| place != root) else {
                continue;
            };
            gone.insert(*root);
            match (self.nodes[place].strand, self.nodes[*root].strand) {
                (None, None) => {
                    let mut children = std::mem::take(&mut self.nodes[*root].children);
                    self.nodes[place].children.append(&mut children);
                }
                (None, Some(_)) => self.nodes[place].children.push(*root),
                (Some(at), Some(_)) if speaker.is_answer && !self.strands[at].is_answer => {
                    self.nodes[place].children.push(*root);
                }
                (Some(_), _) => {
                    let both = self.new_node();
                    self.nodes[both].children = vec![place, *root];
                    gone.insert(place);
                    made.push(both);
                    by_subject.insert(&speaker.subject, both);
                }
            }
        }
        roots.into_iter().chain(made).filter(|root| !gone.contains(root)).collect()
    }

    /// Steps 4 and 6: the tree below a node, siblings in order of sending.
    fn thread(&self, node: usize, depth: usize) -> (Key, Thread) {
        let children = if depth < DEEPEST { self.nodes[node].children.clone() } else { self.all_below(node) };
        let mut answers: Vec<(Key, Thread)> = if depth < DEEPEST {
            children.into_iter().map(|child| self.thread(child, depth + 1)).collect()
        } else {
            children.into_iter().map(|child| self.single(child)).collect()
        };
        answers.sort_by_key(|(key, _)| *key);
        let own = self.nodes[node].strand.map(|at| &self.strands[at]);
        let first = answers.first().map(|(key, _)| *key).unwrap_or_default();
        let key = own.map_or(first, |strand| (strand.sent, strand.number));
        let number = own.map(|strand| strand.number);
        (key, Thread { number, answers: answers.into_iter().map(|(_, thread)| thread).collect() })
    }

    fn single(&self, node: usize) -> (Key, Thread) {
        let strand = self.nodes[node].strand.map(|at| &self.strands[at]);
        let key = strand.map(|strand| (strand.sent, strand.number)).unwrap_or_default();
        (key, Thread { number: strand.map(|strand| strand.number), answers: Vec::new() })
    }

    fn all_below(&self, node: usize) -> Vec<usize> {
        let (mut found, mut pending) = (Vec::new(), self.nodes[node].children.clone());
        while let Some(node) = pending.pop() {
            found.push(node);
            pending.extend(&self.nodes[node].children);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn strand(number: u32, id: &str, references: &[&str], subject: &str) -> Strand {
        Strand {
            number,
            message_id: Some(MessageName::of(id)),
            references: references.iter().map(|id| MessageName::of(id)).collect(),
            sent: Timestamp::from_secs(i64::from(number)),
            subject: subject.trim_start_matches("re: ").to_owned(),
            is_answer: subject.starts_with("re: "),
        }
    }

    /// As THREAD writes it.
    fn written(threads: &[Thread]) -> String {
        fn inner(thread: &Thread) -> String {
            let own = thread.number.map(|number| number.to_string()).into_iter();
            let answers: Vec<String> = match thread.answers.as_slice() {
                [one] if thread.number.is_some() => vec![inner(one)],
                many => vec![many.iter().map(|one| format!("({})", inner(one))).collect::<String>()],
            };
            own.chain(answers.into_iter().filter(|text| !text.is_empty())).collect::<Vec<_>>().join(" ")
        }
        threads.iter().map(|thread| format!("({})", inner(thread))).collect()
    }

    #[test]
    fn answers_hang_below_what_they_answer() {
        let all = [
            strand(1, "a", &[], "x"),
            strand(2, "b", &["a"], "re: x"),
            strand(3, "c", &["a", "b"], "re: x"),
            strand(4, "d", &["a"], "re: x"),
            strand(5, "e", &[], "y"),
            strand(6, "f", &["gone"], "z"),
            strand(7, "g", &["gone"], "z"),
        ];
        assert_eq!(written(&references(&all)), "(1 (2 3)(4))(5)((6)(7))");
        assert_eq!(written(&ordered_subject(&all)), "(1 (2)(3)(4))(5)(6 7)");
    }

    #[test]
    fn threads_of_one_subject_are_joined() {
        let all =
            [strand(1, "a", &[], "x"), strand(2, "b", &[], "re: x"), strand(3, "c", &[], "x"), strand(4, "d", &[], "")];
        assert_eq!(written(&references(&all)), "((1 2)(3))(4)");
        assert_eq!(written(&references(&[])), "");
    }

    #[test]
    fn a_circle_of_references_is_no_trap() {
        let all = [strand(1, "a", &["b"], "x"), strand(2, "b", &["a"], "y"), strand(3, "b", &["b"], "z")];
        let threads = references(&all);
        assert!(written(&threads).matches(char::is_numeric).count() == 3, "{}", written(&threads));
    }

    /// A chain, and messages that try to close it to a circle, took a minute: each went the whole way up.
    #[test]
    fn a_long_chain_costs_no_more() {
        let id = |number: u32| MessageName(number.into());
        let link = |number: u32, references: Vec<MessageName>| Strand {
            number,
            message_id: Some(id(number)),
            references,
            subject: number.to_string(),
            ..Strand::default()
        };
        let chain = (1..=3_000).rev().map(|number| link(number, vec![id(number - 1)]));
        let circles = (3_001..=6_000).map(|number| link(number, [id(3_000), id(1)].repeat(20)));
        let absent = (6_001..=9_000).map(|number| link(number, vec![id(number + 100_000), id(number + 100_001)]));
        let begun = std::time::Instant::now();
        assert!(!references(&chain.chain(circles).chain(absent).collect::<Vec<_>>()).is_empty());
        assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    }

    #[test]
    fn of_many_references_the_first_and_the_nearest_count() {
        let all: Vec<String> = (0..200).map(|number: u32| number.to_string()).collect();
        let kept = named(&all);
        assert_eq!((kept.len(), kept[0], kept[1]), (50, MessageName::of("0"), MessageName::of("151")));
        assert_eq!((named(&all[..1]).len(), named(&all[..50]).len(), named(&[]).len()), (1, 50, 0));
    }

    proptest! {
        #[test]
        fn every_message_is_in_one_thread(given in prop::collection::vec((0..6u8, prop::collection::vec(0..8u8, 0..4), 0..3u8, any::<bool>()), 0..12)) {
            let strands: Vec<Strand> = given.iter().enumerate().map(|(at, (id, answers, subject, is_answer))| Strand {
                number: at as u32 + 1,
                message_id: Some(MessageName::of(&id.to_string())),
                references: answers.iter().map(|id| MessageName::of(&id.to_string())).collect(),
                sent: Timestamp::from_secs(i64::from(*id)),
                subject: subject.to_string(),
                is_answer: *is_answer,
            }).collect();
            for threads in [references(&strands), ordered_subject(&strands)] {
                let mut numbers: Vec<u32> = Vec::new();
                let mut pending: Vec<&Thread> = threads.iter().collect();
                while let Some(thread) = pending.pop() {
                    prop_assert!(thread.number.is_some() || !thread.answers.is_empty());
                    numbers.extend(thread.number);
                    pending.extend(&thread.answers);
                }
                numbers.sort_unstable();
                prop_assert_eq!(numbers, (1..=strands.len() as u32).collect::<Vec<_>>());
            }
        }
    }
}
