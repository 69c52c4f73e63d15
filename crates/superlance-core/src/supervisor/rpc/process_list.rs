//! The list of all processes, read in one pass.
//!
//! `getAllProcessInfo` is supervisord's one large answer: 1,300 bytes for each process, of which a
//! listener reads a few numbers. The general parser builds a tree of all of it.
//!
//! This understands what supervisord writes and nothing else. [`decode`] gives up at the first byte that
//! is not as expected, and the general parser then judges the answer and says what is wrong with it.
//! It does not recurse, and what it keeps is smaller than what it reads.

use std::borrow::Cow;
use std::str;

use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::Event;

use crate::supervisor::{ProcessInfo, State};

/// The processes of an answer to `getAllProcessInfo`; `None` for everything else, a fault for example.
pub(crate) fn decode(answer: &[u8]) -> Option<Vec<ProcessInfo>> {
    let mut xml = Xml(Reader::from_str(str::from_utf8(answer).ok()?));
    xml.declaration()?;
    for name in ["methodResponse", "params", "param", "value", "array", "data"] {
        xml.open(name)?;
    }
    let mut processes = Vec::new();
    while xml.another("value", "data")? {
        processes.push(process(&mut xml)?);
        xml.close("value")?;
    }
    for name in ["array", "value", "param", "params", "methodResponse"] {
        xml.close(name)?;
    }
    xml.end()?;
    Some(processes)
}

fn process(xml: &mut Xml<'_>) -> Option<ProcessInfo> {
    let (mut name, mut group) = (None, None);
    let (mut pid, mut state, mut exit_status) = (None, None, None);
    let (mut start, mut stop, mut now) = (None, None, None);
    xml.open("struct")?;
    while xml.another("member", "struct")? {
        xml.open("name")?;
        let key = xml.text("name")?;
        xml.open("value")?;
        let value = xml.scalar()?;
        xml.close("value")?;
        xml.close("member")?;
        match (&*key, value) {
            ("name", Scalar::Text(text)) => name = Some(text.into_owned()),
            ("group", Scalar::Text(text)) => group = Some(text.into_owned()),
            ("pid", Scalar::Number(number)) => pid = Some(u32::try_from(number).ok()?),
            ("state", Scalar::Number(number)) => state = Some(State::from_code(number)),
            ("start", Scalar::Number(number)) => start = Some(number),
            ("stop", Scalar::Number(number)) => stop = Some(number),
            ("exitstatus", Scalar::Number(number)) => exit_status = Some(number),
            ("now", Scalar::Number(number)) => now = Some(number),
            // Not the type it should have; and no key at all is an error to the general parser.
            (
                "name" | "group" | "pid" | "state" | "start" | "stop" | "exitstatus" | "now" | "",
                _,
            ) => return None,
            _ => {}
        }
    }
    Some(ProcessInfo {
        name: name?,
        group: group?,
        pid: pid?,
        state: state?,
        start: start?,
        stop: stop?,
        exit_status: exit_status?,
        now: now?,
    })
}

/// A value that is no list and no structure, in the two types that the answer has.
enum Scalar<'a> {
    Text(Cow<'a, str>),
    Number(i64),
}

/// XML from tag to tag. Each method is `None` where the text does not go on as expected.
struct Xml<'a>(Reader<&'a [u8]>);

impl<'a> Xml<'a> {
    fn declaration(&mut self) -> Option<()> {
        match self.0.read_event() {
            Ok(Event::Decl(declaration)) => (*declaration == *b"xml version='1.0'").then_some(()),
            _ => None,
        }
    }

    fn end(&mut self) -> Option<()> {
        matches!(self.blank_then_tag()?, Event::Eof).then_some(())
    }

    fn open(&mut self, name: &str) -> Option<()> {
        match self.blank_then_tag()? {
            Event::Start(tag) if *tag == *name.as_bytes() => Some(()),
            _ => None,
        }
    }

    fn close(&mut self, name: &str) -> Option<()> {
        match self.blank_then_tag()? {
            Event::End(tag) if *tag == *name.as_bytes() => Some(()),
            _ => None,
        }
    }

    /// Whether another `item` begins (`true`), or the `list` of them ends.
    fn another(&mut self, item: &str, list: &str) -> Option<bool> {
        match self.blank_then_tag()? {
            Event::Start(tag) if *tag == *item.as_bytes() => Some(true),
            Event::End(tag) if *tag == *list.as_bytes() => Some(false),
            _ => None,
        }
    }

    fn scalar(&mut self) -> Option<Scalar<'a>> {
        let Event::Start(tag) = self.blank_then_tag()? else { return None };
        match &*tag {
            b"string" => Some(Scalar::Text(self.text("string")?)),
            b"int" => Some(Scalar::Number(self.text("int")?.parse::<i32>().ok()?.into())),
            b"i8" => Some(Scalar::Number(self.text("i8")?.parse().ok()?)),
            _ => None,
        }
    }

    /// The text up to the end of the element `name`, in which there are no others. Blanks alone count
    /// as nothing, as they do in the general parser.
    fn text(&mut self, name: &str) -> Option<Cow<'a, str>> {
        match self.text_then_tag()? {
            (text, Event::End(tag)) if *tag == *name.as_bytes() => {
                Some(if is_blank(&text) { Cow::Borrowed("") } else { text })
            }
            _ => None,
        }
    }

    fn blank_then_tag(&mut self) -> Option<Event<'a>> {
        self.text_then_tag().and_then(|(text, tag)| is_blank(&text).then_some(tag))
    }

    fn text_then_tag(&mut self) -> Option<(Cow<'a, str>, Event<'a>)> {
        let mut text = Cow::Borrowed("");
        loop {
            match self.0.read_event().ok()? {
                Event::Text(part) => append(&mut text, plain(part.into_inner())?),
                Event::GeneralRef(name) => {
                    let name = str::from_utf8(&name).ok()?;
                    append(&mut text, Cow::Borrowed(resolve_xml_entity(name)?));
                }
                tag @ (Event::Start(_) | Event::End(_) | Event::Eof) => return Some((text, tag)),
                _ => return None,
            }
        }
    }
}

/// Appends without copying where there is nothing to append to.
fn append<'a>(text: &mut Cow<'a, str>, part: Cow<'a, str>) {
    if text.is_empty() { *text = part } else { text.to_mut().push_str(&part) }
}

/// A piece of text in which nothing needs an XML parser's attention: supervisord writes `>` as `&gt;`,
/// and the rest is to be changed or refused.
fn plain(text: Cow<'_, [u8]>) -> Option<Cow<'_, str>> {
    let Cow::Borrowed(bytes) = text else { return None };
    let text = str::from_utf8(bytes).ok()?;
    let special = |c| matches!(c, '>' | '\r' | '\u{FFFE}' | '\u{FFFF}');
    (!text.contains(special)).then_some(Cow::Borrowed(text))
}

fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\n'))
}

#[cfg(test)]
#[path = "process_list_tests.rs"]
mod tests;
