//! Shapes that hide an attachment from one reader and show it to another. Each is taken through the whole decision; what
//! would be delivered goes past every reader, and past a search for the payload in all its forms.
//!
//! The shapes are a table of pieces: a header section, and around it what the trick is. `@B@` is the payload in base64,
//! `@L@` the same in one line, `@Q@` it in quoted-printable, `@H@` in hexadecimal digits, `@U@` in uuencode, `@V@` that without its end, `@W@` without its first line.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use data_encoding::{BASE64, BASE64_MIME, HEXUPPER};
use mail_parser::{MessageParser, PartType};
use postern::gateway::Policies;
use postern::mime::{Limits, assess_octets};
use proptest::prelude::*;

use super::clinic::{copy, repository};
use super::readers;
use crate::trial::{self, Fate};

/// What must not leave: no text, so that it is a document by any reading.
const PAYLOAD: &[u8] =
    b"\x01\x02RECORD 10423; haemoglobin 9.1 g/dL; HIV serology positive; not by ordinary mail, ever.\x03\x04 ~~ \
     0123456789 abcdefghijklmnopqrstuvwxyz \xf1\xf2\xf3";

const TOP: &str = "From: Dr Ann Lee <ann@clinic.example>\nTo: doctor@elsewhere.example\nSubject: Results\n\
     Date: Sat, 21 Nov 2026 10:00:00 +1100\nMessage-ID: <evasion@clinic.example>\nMIME-Version: 1.0\n";

/// Within `multipart/mixed`: the part that carries the payload, its header section and body.
const PARTS: [(&str, &str); 90] = [
    ("plain attachment", "Content-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@"),
    ("no name", "Content-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\n@B@"),
    (
        "disposition twice",
        "Content-Type: text/plain\nContent-Disposition: inline\nContent-Disposition: attachment; filename=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@",
    ),
    (
        "disposition twice, the other way",
        "Content-Type: text/plain\nContent-Disposition: attachment; filename=a.pdf\nContent-Disposition: inline\nContent-Transfer-Encoding: base64\n\n@B@",
    ),
    (
        "type twice",
        "Content-Type: text/plain\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@",
    ),
    (
        "encoding twice",
        "Content-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: base64\n\n@B@",
    ),
    (
        "comment in the type",
        "Content-Type: text/plain (application/pdf); name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@",
    ),
    (
        "comment before the type",
        "Content-Type: (x) application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@",
    ),
    (
        "comment in the encoding",
        "Content-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: (x) base64\n\n@B@",
    ),
    ("encoding in quotes", "Content-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: \"base64\"\n\n@B@"),
    (
        "encoding with a semicolon",
        "Content-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64;\n\n@B@",
    ),
    (
        "encoding with a parameter",
        "Content-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64; x=y\n\n@B@",
    ),
    ("encoding of no known name", "Content-Type: text/plain\nContent-Transfer-Encoding: x-base64\n\n@B@"),
    ("text with an encoding with a semicolon", "Content-Type: text/plain\nContent-Transfer-Encoding: base64;\n\n@B@"),
    ("empty encoding over base64", "Content-Type: text/plain\nContent-Transfer-Encoding:\n\n@B@"),
    ("encoding folded", "Content-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding:\n base64\n\n@B@"),
    ("encoding in capitals", "Content-Type: application/pdf; name=a.pdf\nCONTENT-TRANSFER-ENCODING: BASE64\n\n@B@"),
    ("encoding uuencode", "Content-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: x-uuencode\n\n@U@"),
    ("space before the colon", "Content-Type : application/pdf; name=a.pdf\nContent-Transfer-Encoding : base64\n\n@B@"),
    ("tab before the colon", "Content-Type\t: application/pdf; name=a.pdf\nContent-Transfer-Encoding\t: base64\n\n@B@"),
    (
        "blank continuation in the header",
        "X-A: b\n \nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@",
    ),
    (
        "blank continuation in the type",
        "Content-Type: application/pdf;\n \t \n name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@",
    ),
    ("continuation first", " Content-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@"),
    (
        "line without a colon",
        "Content-Type: text/plain\njunk\nContent-Disposition: attachment; filename=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@",
    ),
    ("no empty line", "Content-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n@B@"),
    ("no header, no empty line", "@B@"),
    ("header in the body", "\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@"),
    (
        "RFC 2231 name",
        "Content-Type: application/pdf\nContent-Disposition: attachment; filename*=utf-8''a%2Epdf\nContent-Transfer-Encoding: base64\n\n@B@",
    ),
    (
        "RFC 2231 in pieces",
        "Content-Type: text/plain\nContent-Disposition: attachment; filename*0=a; filename*1=.pdf\nContent-Transfer-Encoding: base64\n\n@B@",
    ),
    (
        "RFC 2231 pieces turned round",
        "Content-Type: text/plain\nContent-Disposition: inline; filename*1=.pdf; filename*0=a\nContent-Transfer-Encoding: base64\n\n@B@",
    ),
    (
        "RFC 2231 with a gap",
        "Content-Type: text/plain; name*0=a; name*2=.pdf\nContent-Transfer-Encoding: base64\n\n@B@",
    ),
    ("RFC 2231 from one on", "Content-Type: text/plain; name*1=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@"),
    (
        "RFC 2231 with zeros",
        "Content-Type: text/plain; name*00=a; name*01=.pdf\nContent-Transfer-Encoding: base64\n\n@B@",
    ),
    (
        "RFC 2231 without quotes of the charset",
        "Content-Type: text/plain; name*=a%2Epdf\nContent-Transfer-Encoding: base64\n\n@B@",
    ),
    (
        "RFC 2231 of an unknown charset",
        "Content-Type: text/plain; name*=x-none'x'a%2Epdf\nContent-Transfer-Encoding: base64\n\n@B@",
    ),
    (
        "RFC 2231 mixed",
        "Content-Type: text/plain; name*0*=utf-8''a; name*1=%2Epdf; name*2*=%41\nContent-Transfer-Encoding: base64\n\n@B@",
    ),
    (
        "RFC 2231 in the charset",
        "Content-Type: text/plain; charset*=us-ascii'en'utf-7; name*=''\nContent-Transfer-Encoding: base64\n\n@B@",
    ),
    (
        "encoded word as name",
        "Content-Type: text/plain; name=\"=?utf-8?B?YS5wZGY=?=\"\nContent-Transfer-Encoding: base64\n\n@B@",
    ),
    (
        "encoded word without quotes",
        "Content-Type: text/plain; name==?utf-8?Q?a=2Epdf?=\nContent-Transfer-Encoding: base64\n\n@B@",
    ),
    (
        "encoded word as type",
        "Content-Type: =?utf-8?Q?application/pdf?=; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@",
    ),
    (
        "encoded word as disposition",
        "Content-Type: text/plain\nContent-Disposition: =?utf-8?Q?attachment?=; filename=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@",
    ),
    (
        "disposition of no word",
        "Content-Type: text/plain\nContent-Disposition: filename=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@",
    ),
    (
        "disposition with an equals sign",
        "Content-Type: text/plain\nContent-Disposition: attachment filename=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@",
    ),
    ("empty disposition", "Content-Type: text/plain\nContent-Disposition:\nContent-Transfer-Encoding: base64\n\n@B@"),
    ("type without a subtype", "Content-Type: application; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@"),
    ("type without a semicolon", "Content-Type: application/pdf name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@"),
    ("type of nothing", "Content-Type: ; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@"),
    ("two slashes", "Content-Type: text//plain; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@"),
    ("quote that is not closed", "Content-Type: text/plain; name=\"a.pdf\nContent-Transfer-Encoding: base64\n\n@B@"),
    (
        "quote behind the value",
        "Content-Type: text/plain; charset=\"us-ascii\"x; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@",
    ),
    (
        "two charsets",
        "Content-Type: text/plain; charset=us-ascii; charset=utf-16\nContent-Transfer-Encoding: base64\n\n@B@",
    ),
    (
        "base64 with a line of dots",
        "Content-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n....\n@B@",
    ),
    (
        "base64 with padding first",
        "Content-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\nQQ==\n@B@",
    ),
    (
        "base64 in one line of the URL alphabet",
        "Content-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n_-_-\n@B@",
    ),
    (
        "base64 with one character too many",
        "Content-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@A",
    ),
    (
        "quoted-printable with a broken code",
        "Content-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: quoted-printable\n\n=ZZ@Q@",
    ),
    (
        "quoted-printable",
        "Content-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: quoted-printable\n\n@Q@",
    ),
    ("uuencode in the text", "Content-Type: text/plain\n\nHello\n@U@bye"),
    ("uuencode in a text in base64", "Content-Type: text/plain; charset=utf-16\n\nHello\n@U@bye"),
    ("uuencode in HTML", "Content-Type: text/html\n\n<pre>\n@U@</pre>"),
    ("message in base64", "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n@B@"),
    (
        "message",
        "Content-Type: message/rfc822\n\nSubject: x\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@",
    ),
    (
        "fragment of a message",
        "Content-Type: message/partial; id=x; number=1; total=2\n\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@",
    ),
    (
        "elsewhere",
        "Content-Type: message/external-body; access-type=x\n\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@",
    ),
    (
        "data address in HTML",
        "Content-Type: text/html\n\n<a href=\"data:application/pdf;base64,@L@\">x</a><img src=\"data:image/png;base64,@L@\">",
    ),
    (
        "comment in HTML",
        "Content-Type: text/html\n\n<p>x</p><!-- @L@ --><object data=\"data:application/pdf;base64,@L@\"></object>",
    ),
    (
        "encoding with garbage behind it",
        "Content-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64 garbage\n\n@B@",
    ),
    ("two encodings in one field", "Content-Type: text/plain\nContent-Transfer-Encoding: 8bit, base64\n\n@B@"),
    ("uuencode without its end", "Content-Type: text/plain\n\nHello\n@V@"),
    ("uuencode with an odd mode", "Content-Type: text/plain\n\nHello\nbegin 0644   a.pdf\n@W@"),
    ("uuencode that is indented", "Content-Type: text/plain\n\nHello\n begin 644 a.pdf\n@W@"),
    ("begin-base64", "Content-Type: text/plain\n\nHello\nbegin-base64 644 a.pdf\n@B@====\n"),
    ("base64 in one line of a text", "Content-Type: text/plain\n\nHello\n@L@\nbye"),
    (
        "digest",
        "Content-Type: multipart/digest; boundary=d\n\n--d\n\nSubject: x\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@--d--",
    ),
    ("AppleSingle", "Content-Type: application/applefile; name=a\nContent-Transfer-Encoding: base64\n\n@B@"),
    (
        "AppleDouble with a text",
        "Content-Type: multipart/appledouble; boundary=d\n\n--d\nContent-Type: application/applefile\nContent-Transfer-Encoding: base64\n\n@B@--d\nContent-Type: text/plain; name=a.txt\nContent-Transfer-Encoding: base64\n\n@B@--d--",
    ),
    (
        "form data",
        "Content-Type: multipart/form-data; boundary=d\n\n--d\nContent-Disposition: form-data; name=f; filename=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@--d--",
    ),
    (
        "byte ranges",
        "Content-Type: multipart/byteranges; boundary=d\n\n--d\nContent-Type: application/pdf\nContent-Range: bytes 0-1/2\nContent-Transfer-Encoding: base64\n\n@B@--d--",
    ),
    (
        "addresses of every kind in HTML",
        "Content-Type: text/html\n\n<embed src='data:application/pdf;base64,@L@'><iframe srcdoc='@L@'></iframe><div style=\"background:url(data:image/png;base64,@L@)\">y</div><style>a{b:url(data:x;base64,@L@)}</style><svg><image href='data:image/png;base64,@L@'/></svg><script>x='@L@'</script><img srcset='data:image/png;base64,@L@ 2x'><video poster='data:,@L@'></video><meta http-equiv=refresh content='0;url=data:x;base64,@L@'><input value='@L@'><table background='data:;base64,@L@'><tr><td title='@L@'>z</td></tr></table>",
    ),
    ("conditional comment in HTML", "Content-Type: text/html\n\n<p>x</p><!--[if gte mso 9]><xml>@L@</xml><![endif]-->"),
    (
        "calendar with an attachment",
        "Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\nATTACH;ENCODING=BASE64;VALUE=BINARY:@L@\nEND:VCALENDAR",
    ),
    (
        "card with a picture and a key",
        "Content-Type: text/vcard\n\nBEGIN:VCARD\nPHOTO;ENCODING=b;TYPE=JPEG:@L@\nKEY:data:application/pgp-keys;base64,@L@\nEND:VCARD",
    ),
    ("SVG with a picture", "Content-Type: image/svg+xml\n\n<svg><image href='data:image/png;base64,@L@'/></svg>"),
    ("rich text with an object", "Content-Type: text/rtf\n\n{\\rtf1 Hi {\\object\\objemb{\\*\\objdata @H@}}}"),
    (
        "web archive in a text",
        "Content-Type: text/plain\n\nMIME-Version: 1.0\nContent-Type: multipart/related; boundary=m\n\n--m\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@--m--",
    ),
    (
        "opaque S/MIME",
        "Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\nContent-Transfer-Encoding: base64\n\n@B@",
    ),
    (
        "name that climbs",
        "Content-Type: application/octet-stream; name=\"=?utf-8?Q?..=2F..=5C..=2Fetc=2Fpasswd?=\"\nContent-Transfer-Encoding: base64\n\n@B@",
    ),
    (
        "name of words split within a letter",
        "Content-Type: application/pdf; name=\"=?utf-8?Q?a=C3?= =?utf-8?Q?=A9.pdf?=\"\nContent-Transfer-Encoding: base64\n\n@B@",
    ),
    ("text of a type of its own", "Content-Type: text/x-record\nContent-Transfer-Encoding: base64\n\n@B@"),
    (
        "yEnc of two parts",
        "Content-Type: text/plain\n\n=ybegin part=1 total=2 line=128 size=200 name=a.bin\n=ypart begin=1 end=100\n@L@\n=yend size=100 part=1",
    ),
];

/// Whole messages below [`TOP`].
const WHOLES: [(&str, &str); 40] = [
    (
        "boundary twice",
        "Content-Type: multipart/mixed; boundary=a; boundary=b\n\n--a\n\nHello\n--b\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@--b--\n--a--\n",
    ),
    (
        "boundary by RFC 2231",
        "Content-Type: multipart/mixed; boundary=a; boundary*=us-ascii''b\n\n--a\n\nHello\n--b\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@--b--\n--a--\n",
    ),
    (
        "boundary in pieces",
        "Content-Type: multipart/mixed; boundary*0=a; boundary*1=b\n\n--ab\n\nHello\n--ab\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@--ab--\n",
    ),
    (
        "boundary folded",
        "Content-Type: multipart/mixed; boundary=\n \"b\"\n\n--b\n\nHello\n--b\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@--b--\n",
    ),
    (
        "boundary with a space at its end",
        "Content-Type: multipart/mixed; boundary=\"b \"\n\n--b \n\nHello\n--b \nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@--b --\n",
    ),
    (
        "empty boundary",
        "Content-Type: multipart/mixed; boundary=\"\"\n\n--\n\nHello\n--\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@----\n",
    ),
    (
        "boundary with a comment",
        "Content-Type: multipart/mixed; boundary=b(x)\n\n--b\n\nHello\n--b\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@--b--\n",
    ),
    (
        "boundary in single quotes",
        "Content-Type: multipart/mixed; boundary='b'\n\n--b\n\nHello\n--b\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@--b--\n",
    ),
    (
        "boundary in capitals",
        "Content-Type: multipart/mixed; boundary=B\n\n--b\n\nHello\n--b\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@--b--\n",
    ),
    (
        "no boundary",
        "Content-Type: multipart/mixed\n\n--b\n\nHello\n--b\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@--b--\n",
    ),
    (
        "boundary of the parent",
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@--b--\n--b--\n",
    ),
    (
        "boundary that goes on from the parent's",
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=bb\n\n--bb\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@--bb--\n--b--\n",
    ),
    (
        "part behind the end",
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nHello\n--b--\n--b\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@--b--\n",
    ),
    (
        "part before the first boundary",
        "Content-Type: multipart/mixed; boundary=b\n\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@--b\n\nHello\n--b--\n",
    ),
    (
        "part in the epilogue",
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nHello\n--b--\n\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@",
    ),
    (
        "boundary that goes on",
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nHello\n--bx\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@--b--\n",
    ),
    (
        "boundary behind white space",
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nHello\n --b\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@--b--\n",
    ),
    (
        "boundary in mid-line",
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nHello --b\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@--b--\n",
    ),
    (
        "not closed",
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nHello\n--b\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@",
    ),
    (
        "multipart in base64",
        "Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: base64\n\n--b\n\nHello\n--b\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@--b--\n",
    ),
    (
        "multipart without its slash",
        "Content-Type: multipart; boundary=b\n\n--b\n\nHello\n--b\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@--b--\n",
    ),
    (
        "multipart without its semicolon",
        "Content-Type: multipart/mixed boundary=b\n\n--b\n\nHello\n--b\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@--b--\n",
    ),
    (
        "multipart below a blank continuation",
        "X-A: b\n \nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nHello\n--b\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@--b--\n",
    ),
    (
        "multipart with a space before its colon",
        "Content-Type : multipart/mixed; boundary=b\n\n--b\n\nHello\n--b\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@--b--\n",
    ),
    (
        "alternative",
        "Content-Type: multipart/alternative; boundary=b\n\n--b\n\nHello\n--b\nContent-Type: application/pdf\nContent-Transfer-Encoding: base64\n\n@B@--b--\n",
    ),
    (
        "related",
        "Content-Type: multipart/related; boundary=b\n\n--b\nContent-Type: text/html\n\n<img src=\"cid:x\">\n--b\nContent-Type: image/png\nContent-ID: <x>\nContent-Transfer-Encoding: base64\n\n@B@--b--\n",
    ),
    (
        "text that shows a part",
        "Content-Type: text/plain\n\nHello\n--b\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@--b--\n",
    ),
    ("no type, no empty line", "@B@"),
    ("uuencode without MIME", "\nHello\n@U@"),
    (
        "subject as a document",
        "Subject: =?utf-8?B?YQ==?=\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@",
    ),
    (
        "multipart in the preamble",
        "Content-Type: multipart/mixed; boundary=b\n\nContent-Type: multipart/mixed; boundary=c\n\n--c\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@--c--\n--b\n\nHello\n--b--\n",
    ),
    ("uuencode in preamble and epilogue", "Content-Type: multipart/mixed; boundary=b\n\n@U@--b\n\nHello\n--b--\n@U@"),
    (
        "boundary by RFC 2231 alone",
        "Content-Type: multipart/mixed; boundary*=us-ascii''%62\n\n--b\n\nHello\n--b\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@--b--\n",
    ),
    (
        "comment with a boundary in it",
        "Content-Type: multipart/mixed (\"x); boundary=c\" ); boundary=b\n\n--b\n\nHello\n--b\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@--b--\n",
    ),
    (
        "semicolons without parameters",
        "Content-Type: multipart/mixed;;; boundary=b;;\n\n--b\n\nHello\n--b\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n@B@--b--\n",
    ),
    (
        "text beside an encrypted part",
        "Content-Type: multipart/encrypted; boundary=b; protocol=x\n\n--b\nContent-Type: text/plain\n\n@L@\n--b\nContent-Type: text/plain\n\n@L@\n--b--\n",
    ),
    (
        "signed in clear by PGP",
        "Content-Type: text/plain\n\n-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n@U@-----BEGIN PGP SIGNATURE-----\n\nabc\n-----END PGP SIGNATURE-----\n",
    ),
    (
        "second plain form",
        "Content-Type: multipart/alternative; boundary=b\n\n--b\n\nHello\n--b\nContent-Type: text/plain\n\n@L@\n--b\nContent-Type: text/html\n\n<p>Hello</p>\n--b--\n",
    ),
    ("body of sound without a name", "Content-Type: audio/x-wav\nContent-Transfer-Encoding: base64\n\n@B@"),
    (
        "replacing multipart",
        "Content-Type: multipart/x-mixed-replace; boundary=b\n\n--b\n\nHello\n--b\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\n@B@--b--\n",
    ),
];

fn filled(shape: &str) -> Vec<u8> {
    let base64 = BASE64_MIME.encode(PAYLOAD).replace("\r\n", "\n");
    let quoted: String = PAYLOAD
        .iter()
        .map(|octet| format!("={octet:02X}"))
        .collect::<Vec<_>>()
        .chunks(20)
        .map(|line| line.concat() + "=\n")
        .collect();
    let uuencoded = uuencoded(PAYLOAD);
    let lines = uuencoded.split_once('\n').unwrap().1;
    let text = shape
        .replace("@V@", uuencoded.strip_suffix("`\nend\n").unwrap())
        .replace("@W@", lines)
        .replace("@H@", &HEXUPPER.encode(PAYLOAD))
        .replace("@B@", &base64)
        .replace("@L@", &BASE64.encode(PAYLOAD))
        .replace("@Q@", &(quoted + "\n"))
        .replace("@U@", &uuencoded);
    trial::with_crlf(text.as_bytes())
}

fn uuencoded(octets: &[u8]) -> String {
    let character = |six: u8| if six == 0 { '`' } else { char::from(six + 32) };
    let mut text = String::from("begin 644 a.pdf\n");
    for line in octets.chunks(45) {
        text.push(character(line.len() as u8));
        for group in line.chunks(3) {
            let mut three = [0; 3];
            three[..group.len()].copy_from_slice(group);
            let [a, b, c] = three;
            text.extend([a >> 2, (a << 4 | b >> 4) & 63, (b << 2 | c >> 6) & 63, c & 63].map(character));
        }
        text.push('\n');
    }
    text + "`\nend\n"
}

/// Every shape, by its name: the parts below two kinds of text, the wholes as they are.
fn shapes() -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for (name, part) in PARTS {
        let mixed = format!(
            "{TOP}Content-Type: multipart/mixed; boundary=\"=_x\"\n\n--=_x\nContent-Type: text/plain\n\nDear colleague\n--=_x\n{part}\n--=_x--\n"
        );
        all.push((name.to_owned(), filled(&mixed)));
        all.push((format!("{name}, alone"), filled(&format!("{TOP}{part}\n"))));
    }
    for (name, whole) in WHOLES {
        all.push((name.to_owned(), filled(&format!("{TOP}{whole}"))));
    }
    all
}

fn without_lines(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).replace(['\r', '\n'], "")
}

/// Octets of a document that are looked for: in base64, and as they are.
type Piece = (usize, usize);
const LINE: Piece = (45, 40);
/// The same where a message was broken anywhere: less than 120 characters of base64 in a text may be a token, and stay.
const TOGETHER: Piece = (90, 120);

/// What shows that octets are there: pieces of them in each form that they could be written in.
fn forms(octets: &[u8], (coded, plain): Piece) -> Vec<String> {
    let coded = (0..3).map(|skip| BASE64.encode(&octets[skip..skip + coded]));
    let uuencoded = uuencoded(octets).lines().nth(1).unwrap()[1..41].to_owned();
    let plain = String::from_utf8_lossy(&octets[2..2 + plain]).into_owned();
    coded.chain([plain, uuencoded, HEXUPPER.encode(&octets[..30])]).collect()
}

/// What leaves, and each of its parts decoded, one after the other.
fn decoded(delivered: &[u8]) -> Vec<String> {
    let message = MessageParser::default().parse(delivered).expect("what leaves is a message");
    let parts = message.parts.iter().filter_map(|part| match &part.body {
        PartType::Text(text) | PartType::Html(text) => Some(without_lines(text.as_bytes())),
        PartType::Binary(octets) | PartType::InlineBinary(octets) => Some(without_lines(octets)),
        PartType::Message(_) => panic!("a message within what leaves"),
        PartType::Multipart(_) => None,
    });
    parts.chain([without_lines(delivered)]).collect()
}

/// A document without the field of its encoding that it begins with where an empty line stood before that, whole or not: what
/// leaves has such of its own.
fn behind_field(octets: &[u8]) -> &[u8] {
    match memchr::memchr(b'\n', octets) {
        Some(end) if memchr::memmem::find(&octets[..end], b"Transfer-Encoding").is_some() => &octets[end + 1..],
        _ => octets,
    }
}

fn leaks(delivered: &[u8]) -> bool {
    decoded(delivered).iter().any(|text| forms(PAYLOAD, LINE).iter().any(|form| text.contains(form)))
}

/// A change to a message: to which of its lines, and what is done there.
type Change = (prop::sample::Index, u8, prop::sample::Index);

/// What happens to a line: dropped, doubled, moved, broken off, indented, its first or a later octet another one.
fn changed(message: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = message.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
    for (line, what, other) in changes {
        let at = line.index(lines.len());
        let text = lines[at].len().saturating_sub(2);
        match what % 8 {
            0 if lines.len() > 1 => drop(lines.remove(at)),
            // One line of a document that stands in the text, too, is text: sixty characters may be a token.
            1 if text < 60 => lines.insert(at, lines[at].clone()),
            2 => {
                let moved = lines.remove(at);
                lines.insert(other.index(lines.len() + 1), moved);
            }
            3 if text > 0 => drop(lines[at].drain(other.index(text)..text)),
            4 => lines[at].insert(0, b' '),
            5 if text > 0 => lines[at][other.index(text)] = b"\"';:=-( "[usize::from(what / 8) % 8],
            6 => lines.insert(at, b"\r\n".to_vec()),
            _ if text > 0 => lines[at].insert(other.index(text), b"-=\"x;/"[usize::from(what / 8) % 6]),
            _ => {}
        }
    }
    lines.concat()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_delivered_of_a_broken_message_holds_nothing_of_a_deposit_and_is_its_own_form(
        shape in any::<prop::sample::Index>(),
        changes in prop::collection::vec(any::<Change>(), 0..6),
    ) {
        static POLICIES: LazyLock<Policies> =
            LazyLock::new(|| Policies::open(&repository().join("policies")).unwrap());
        let shapes = shapes();
        let message = changed(&shapes[shape.index(shapes.len())].1, &changes);
        let Fate::Secured { octets, documents } = trial::send(&POLICIES, &message) else { return Ok(()) };
        let leaving = decoded(&octets);
        for deposit in documents.iter().map(|deposit| behind_field(deposit)).filter(|deposit| deposit.len() >= 2 + TOGETHER.1) {
            for form in forms(deposit, TOGETHER) {
                prop_assert!(!leaving.iter().any(|text| text.contains(&form)), "{}", String::from_utf8_lossy(&message));
            }
        }
        // Once built, it is understood whole, has no document and nothing to mend, and keeps its text.
        let (_, facts) = assess_octets(&octets, &Limits::default()).unwrap();
        prop_assert!(facts.attachments.is_empty() && facts.mended.is_none(), "{}", String::from_utf8_lossy(&octets));
        let Fate::Secured { octets: again, documents } = trial::send(&POLICIES, &octets) else { panic!("refused") };
        prop_assert!(documents.is_empty());
        let (_, built_again) = assess_octets(&again, &Limits::default()).unwrap();
        prop_assert!(built_again.text.unwrap().starts_with(facts.text.unwrap().trim_end()));
        prop_assert_eq!(built_again.subject, facts.subject);
    }
}

/// The shipped policies, and a rule that secures whole what is not understood.
fn policies_that_secure_whole(folder: &Path) -> PathBuf {
    let to = folder.join("policies");
    copy(&repository().join("policies"), &to);
    let rule = "[[rule]]\nname = \"whole\"\n[rule.set]\nambiguous = \"secure-whole\"\n";
    fs::write(to.join("90-whole.toml"), rule).unwrap();
    to
}

#[test]
fn no_reader_sees_an_attachment_in_what_is_delivered_of_an_evasion() {
    let test = "no_reader_sees_an_attachment_in_what_is_delivered_of_an_evasion";
    let folder = tempfile::tempdir().unwrap();
    let shipped = Policies::open(&repository().join("policies")).unwrap();
    let whole = Policies::open(&policies_that_secure_whole(folder.path())).unwrap();
    let outbox = folder.path().join("outbox");
    fs::create_dir(&outbox).unwrap();
    let mut all = shapes();
    let (mut delivered, mut unclear) = (0, Vec::new());
    let (mut leaked, mut told) = (Vec::new(), String::new());
    let mut take = |at: usize, name: &str, fate: Fate| match fate {
        Fate::Secured { octets, documents } => {
            told += &format!("{name}: {} documents\n", documents.len());
            if leaks(&octets) {
                leaked.push(format!("{name}: {}", String::from_utf8_lossy(&octets)));
            }
            fs::write(outbox.join(format!("{at:03}.eml")), octets).unwrap();
            true
        }
        Fate::Relayed => panic!("{name} is relayed"),
        Fate::Refused { word, .. } => {
            told += &format!("{name}: refused, {word}\n");
            false
        }
    };
    for (at, (name, message)) in all.iter().enumerate() {
        match take(at, name, trial::send(&shipped, message)) {
            true => delivered += 1,
            false => unclear.push((format!("{name}, whole"), message.clone())),
        }
    }
    let shapes = all.len();
    let secured = unclear
        .iter()
        .enumerate()
        .filter(|(at, (name, message))| take(shapes + at, name, trial::send(&whole, message)));
    let secured = secured.count();
    all.extend(unclear);
    println!("{told}{delivered} of {shapes} delivered, {secured} of the others whole");
    assert!(secured * 2 > all.len() - shapes, "most that is refused can be secured whole: {secured}");
    assert!(leaked.is_empty(), "{} leak: {}", leaked.len(), leaked.join("\n==\n"));
    let seen = readers::attachments(&outbox, &folder.path().join("readers"), test);
    let seen: Vec<_> = seen.iter().map(|(file, what)| (&all[file[..3].parse::<usize>().unwrap()].0, what)).collect();
    assert!(seen.is_empty(), "{seen:#?}");
    assert!(delivered * 10 >= shapes * 6, "only {delivered} of {shapes} are delivered");
}
