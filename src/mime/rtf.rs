//! Rich Text Format: unpacked as Outlook packs it, and read for the text, or the HTML, that is in it.
//!
//! Outlook keeps an HTML mail as RTF with the tags in groups of their own ([MS-OXRTFEX]); taken out again, it is the HTML
//! that was written. Anything else is read as plain text: paragraphs, tabs, cells, characters in their code pages.

mod compressed;
mod reader;
mod scope;
mod tokens;

pub use compressed::decompressed;
pub use reader::{Text, text_of};
