//! HTML as plain text: what a person reads who sees no HTML. It is read in one pass, without a tree.
//!
//! In a clinic two numbers that run into one another are a wrong dose: every block stands on its own line, cells of a
//! row are apart by tabs (also the empty ones, so that columns stay), struck-out words and exponents are marked.

use std::fmt::Write as _;

mod tag;

use tag::Tag;
pub(super) use tag::{Piece, decoded, pieces};

/// Elements that begin and end a line.
const BLOCKS: [&str; 35] = [
    "address",
    "article",
    "aside",
    "body",
    "caption",
    "center",
    "dd",
    "details",
    "dialog",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "header",
    "hgroup",
    "legend",
    "main",
    "menu",
    "nav",
    "option",
    "p",
    "search",
    "section",
    "summary",
    "tbody",
    "tfoot",
    "thead",
    "tr",
    "textarea",
    "optgroup",
];

/// Blocks with an empty line around them.
const PARAGRAPHS: [&str; 10] = ["h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "blockquote"];

/// Nested lists are indented no deeper; cells span no more columns.
const DEEPEST: usize = 8;

/// The text of an HTML document. Time and result are linear in its length.
pub(super) fn as_text(html: &str) -> String {
    let mut page = Page { out: String::with_capacity(html.len() / 2), ..Page::default() };
    for piece in pieces(html) {
        match piece {
            Piece::Text(text) => page.text(text),
            Piece::Tag(tag, _) => page.tag(&tag),
        }
    }
    page.end_link();
    page.out
}

/// Whether a line ends where this element begins or ends.
pub(super) fn breaks_lines(name: &str) -> bool {
    const OTHERS: [&str; 6] = ["br", "hr", "li", "pre", "td", "th"];
    [&BLOCKS[..], &PARAGRAPHS, &OTHERS].iter().any(|names| names.contains(&name))
}

/// What the next text stands behind.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    #[default]
    Nothing,
    Space,
    Line,
    EmptyLine,
}

/// A table that is open.
#[derive(Default)]
struct Row {
    /// Columns that are taken.
    columns: usize,
    /// Columns that the last cell takes.
    last: usize,
    /// Whether a cell of the row has several lines: then the next begins on a line of its own.
    broken: bool,
}

#[derive(Default)]
struct Page {
    out: String,
    gap: Gap,
    /// Whether a bullet or a cell has just begun: a block within begins no line.
    fresh: bool,
    /// Open `pre` elements.
    kept: usize,
    raised: bool,
    tables: Vec<Row>,
    /// Open lists: the number of the next item, where they are numbered.
    lists: Vec<Option<u32>>,
    /// The link that is open: where it leads, and where its text begins.
    link: Option<(String, usize)>,
}

impl Page {
    fn text(&mut self, html: &str) {
        let text = decoded(html);
        if self.kept > 0 {
            for (at, line) in text.split('\n').enumerate() {
                if at > 0 {
                    self.line_end();
                }
                self.put(line.trim_end_matches('\r'));
            }
            return;
        }
        for (at, word) in text.split(|c: char| c.is_ascii_whitespace()).enumerate() {
            if at > 0 && !self.fresh {
                self.gap = self.gap.max(Gap::Space);
            }
            self.put(word);
        }
    }

    fn put(&mut self, text: &str) {
        let Some(first) = text.chars().next() else { return };
        self.fill();
        let behind = self.out.chars().next_back();
        if self.raised
            && (first.is_numeric() || "+-\u{2212}".contains(first))
            && behind.is_some_and(char::is_alphanumeric)
        {
            self.out.push('^');
        }
        (self.raised, self.fresh) = (false, false);
        self.out.extend(text.chars().map(|c| if c == '\u{a0}' { ' ' } else { c }));
    }

    fn fill(&mut self) {
        let gap = std::mem::take(&mut self.gap);
        let at_start = self.out.is_empty() || self.out.ends_with('\n');
        match gap {
            Gap::Nothing => {}
            Gap::Space if at_start => {}
            Gap::Space => self.out.push(' '),
            Gap::Line | Gap::EmptyLine if self.out.is_empty() => {}
            Gap::Line | Gap::EmptyLine => {
                if !at_start {
                    self.out.push('\n');
                }
                if gap == Gap::EmptyLine && !self.out.ends_with("\n\n") {
                    self.out.push('\n');
                }
                if let Some(row) = self.tables.last_mut() {
                    row.broken = true;
                }
            }
        }
    }

    /// A line end that stands however many there are.
    fn line_end(&mut self) {
        self.fill();
        self.out.push('\n');
        if let Some(row) = self.tables.last_mut() {
            row.broken = true;
        }
    }

    fn block(&mut self, gap: Gap) {
        if !self.fresh {
            self.gap = self.gap.max(gap);
        }
    }

    fn tag(&mut self, tag: &Tag<'_>) {
        match tag.name.as_str() {
            "br" => self.line_end(),
            "hr" => {
                self.block(Gap::Line);
                self.put("----");
                self.block(Gap::Line);
            }
            "a" => self.link(tag),
            "table" | "tr" | "td" | "th" => self.table(tag),
            "ul" | "ol" | "li" => self.list(tag),
            "sup" => self.raised = !tag.closing,
            "del" | "s" | "strike" => self.struck(tag.closing),
            "pre" => {
                self.kept = if tag.closing { self.kept.saturating_sub(1) } else { self.kept + 1 };
                self.block(Gap::Line);
            }
            // Word's paragraphs have no space around them.
            "p" if tag.closing => self.block(Gap::Line),
            "p" => self.block(if tag.attributes.contains("Mso") { Gap::Line } else { Gap::EmptyLine }),
            name if PARAGRAPHS.contains(&name) => self.block(Gap::EmptyLine),
            name if BLOCKS.contains(&name) => self.block(Gap::Line),
            _ => {}
        }
    }

    fn struck(&mut self, closing: bool) {
        if !closing {
            self.fill();
        }
        self.out.push_str("~~");
    }

    fn table(&mut self, tag: &Tag<'_>) {
        match (tag.name.as_str(), tag.closing) {
            ("table", false) => {
                self.block(Gap::EmptyLine);
                self.tables.push(Row::default());
            }
            ("table", true) => {
                self.tables.pop();
                if let Some(around) = self.tables.last_mut() {
                    around.broken = true;
                }
                self.fresh = false;
                self.block(Gap::EmptyLine);
            }
            ("tr", _) => {
                self.fresh = false;
                self.block(Gap::Line);
                if let Some(row) = self.tables.last_mut() {
                    *row = Row::default();
                }
            }
            (_, false) => self.cell(tag),
            (_, true) if self.tables.is_empty() => self.block(Gap::Line),
            (_, true) => self.fresh = false,
        }
    }

    /// The first cell of a row begins its line, every other stands behind a tab.
    fn cell(&mut self, tag: &Tag<'_>) {
        let Some(Row { columns, last, broken }) = self.tables.pop() else {
            self.fresh = false;
            return self.block(Gap::Line);
        };
        if columns > 0 {
            self.gap = if broken { Gap::Line } else { Gap::Nothing };
        }
        self.fill();
        (0..if broken { columns.min(DEEPEST) } else { last }).for_each(|_| self.out.push('\t'));
        let span = tag.attribute("colspan").and_then(|span| span.trim().parse().ok()).unwrap_or(1).clamp(1, DEEPEST);
        self.tables.push(Row { columns: columns + span, last: span, broken: false });
        self.fresh = true;
    }

    fn list(&mut self, tag: &Tag<'_>) {
        match (tag.name.as_str(), tag.closing) {
            ("li", true) => {
                self.fresh = false;
                self.block(Gap::Line);
            }
            ("li", false) => self.item(),
            (_, true) => {
                self.lists.pop();
                self.fresh = false;
                self.block(if self.lists.is_empty() { Gap::EmptyLine } else { Gap::Line });
            }
            (name, false) => {
                self.fresh = false;
                self.block(if self.lists.is_empty() { Gap::EmptyLine } else { Gap::Line });
                let start = tag.attribute("start").and_then(|start| start.trim().parse().ok()).unwrap_or(1);
                self.lists.push((name == "ol").then_some(start));
            }
        }
    }

    fn item(&mut self) {
        self.fresh = false;
        self.block(Gap::Line);
        self.fill();
        (1..self.lists.len().min(DEEPEST)).for_each(|_| self.out.push_str("  "));
        match self.lists.last_mut() {
            Some(Some(number)) => {
                let _ = write!(self.out, "{number}. ");
                *number = number.saturating_add(1);
            }
            _ => self.out.push_str("- "),
        }
        self.fresh = true;
    }

    fn link(&mut self, tag: &Tag<'_>) {
        self.end_link();
        if tag.closing {
            return;
        }
        let target = tag.attribute("href").map(|href| href.trim().to_owned()).filter(|href| {
            let leads = ["http://", "https://", "mailto:", "tel:"];
            leads.iter().any(|scheme| href.get(..scheme.len()).is_some_and(|it| it.eq_ignore_ascii_case(scheme)))
                && !href.contains(|c: char| c.is_whitespace() || c.is_control())
        });
        self.link = target.map(|target| (target, self.out.len()));
    }

    /// Where a link leads, unless its text says so.
    fn end_link(&mut self) {
        let Some((target, start)) = self.link.take() else { return };
        let shown = self.out.get(start..).unwrap_or_default().trim();
        let bare = |url: &str| {
            let url = url.to_ascii_lowercase();
            let schemes = ["http://", "https://", "mailto:", "tel:"];
            let rest = schemes.iter().find_map(|scheme| url.strip_prefix(scheme)).unwrap_or(&url);
            rest.trim_end_matches('/').to_owned()
        };
        if !shown.is_empty() && bare(shown) != bare(&target) {
            let _ = write!(self.out, " ({target})");
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_apart_on_the_screen_is_apart_in_the_text() {
        for (html, text) in [
            ("<table><tr><td>5</td><td>10 mg</td></tr></table>", "5\t10 mg"),
            ("<div>take 5</div><div>0 at night</div>", "take 5\n0 at night"),
            ("a<p>b</p>c<h1>d</h1>e<br>f<hr>g", "a\n\nb\nc\n\nd\n\ne\nf\n----\ng"),
            ("<dl><dt>5</dt><dd>0</dd></dl><section>1</section><article>2</article>", "5\n0\n1\n2"),
            ("<span>1</span><b>0</b> <i>mg</i>\r\n  daily", "10 mg daily"),
            ("<ul><li>5<li><p>10</p><ol start=3><li>a</li><li>b</ol></ul>c", "- 5\n- 10\n  3. a\n  4. b\n\nc"),
            ("<tr><td>5<td>10", "5\n10"),
            ("10<sup>9</sup>/L, m<sup>2</sup>, 1<sup>st</sup>, H<sub>2</sub>O", "10^9/L, m^2, 1st, H2O"),
            ("take <s>50</s> 5 mg", "take ~~50~~ 5 mg"),
            ("<pre>a  5\n   6</pre>7", "a  5\n   6\n7"),
        ] {
            assert_eq!(as_text(html), text, "{html}");
        }
    }

    #[test]
    fn cells_keep_their_columns() {
        let row = |cells: &str| as_text(&format!("<table><tr>{cells}</tr></table>"));
        for (cells, text) in [
            ("<td></td><td> </td><td>1</td>", "\t\t1"),
            ("<td><p class=MsoNormal>5</p></td><td><p class=MsoNormal>10 mg</p></td>", "5\t10 mg"),
            ("<td><p>5 mg</p><p>at night</p></td><td>10</td>", "5 mg\n\nat night\n\t10"),
            ("<td colspan=2>5</td><td>10</td>", "5\t\t10"),
            ("<td><table><tr><td>1<td>2</table></td><td>3", "1\t2\n\t3"),
        ] {
            assert_eq!(row(cells), text, "{cells}");
        }
    }

    #[test]
    fn links_say_where_they_lead_and_code_says_nothing() {
        for (html, text) in [
            ("<a href='https://x.example/a'>here</a>.", "here (https://x.example/a)."),
            ("<a href=\"https://x.example/\">x.example</a> <a href=mailto:a@b>a@b</a>", "x.example a@b"),
            ("<a href=\"javascript:x\">here</a> <a title=\"href=https://y\">z</a>", "here z"),
            ("<head><title>t</title><style>p{}</style></head>a<script>'<p>'</script>b", "ab"),
            ("<!-- > 5 -->a<!--[if mso]>x<![endif]-->b<![if !mso]>c<![endif]><?xml x>d<!-->e", "abcde"),
            ("<p title='a>b'>5 < 6 <o:p>&nbsp;</o:p>7</p>", "5 < 6  7"),
            ("&#98;&eacute;&amp;lt;&#150;&#x2264;&nbsp;5 &unknown; A&B &lt 3", "bé&lt;–≤ 5 &unknown; A&B < 3"),
            ("a<script>never ends", "a"),
        ] {
            assert_eq!(as_text(html), text, "{html}");
        }
    }

    proptest! {
        #[test]
        fn no_html_is_too_odd_or_grows(pieces in prop::collection::vec(prop_oneof![
            Just("<td colspan=9>"), Just("<table>"), Just("</table>"), Just("<tr>"), Just("<li>"), Just("<ul>"), Just("</ol>"),
            Just("<a href='http://x'>"), Just("</a>"), Just("<pre>"), Just("\n"), Just("&#"), Just("é"), Just("<"), Just("'"),
            Just("<!--"), Just("--"), Just(">"), Just("</"), Just("="), Just("<sup>"), Just("<s>"), Just("5"), Just(" "),
        ], 0..40)) {
            let html = pieces.concat();
            prop_assert!(as_text(&html).len() <= 8 * html.len(), "{}", html);
        }

        #[test]
        fn numbers_of_two_blocks_are_two(block in "(div|p|li|td|h2|tr|dd|blockquote|section)", a in "[0-9]{1,3}", b in "[0-9]{1,3}") {
            let text = as_text(&format!("<{block}>{a}</{block}><{block}>{b}</{block}>"));
            let numbers: Vec<&str> = text.split_whitespace().filter(|word| *word != "-").collect();
            prop_assert_eq!(numbers, [a.as_str(), b.as_str()]);
        }
    }
}
