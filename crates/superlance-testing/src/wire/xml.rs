//! XML-RPC as supervisord writes it: values to XML, and calls from XML.

use std::fmt::{self, Display, Formatter};

/// A value of XML-RPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Int(i64),
    Bool(bool),
    Text(String),
    Array(Vec<Value>),
    Struct(Vec<(&'static str, Value)>),
}

/// What is called, with the arguments as texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) args: Vec<String>,
}

impl Display for Value {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Value::Int(int) => write!(f, "<value><int>{int}</int></value>"),
            Value::Bool(bool) => {
                write!(f, "<value><boolean>{}</boolean></value>", i32::from(*bool))
            }
            Value::Text(text) => write!(f, "<value><string>{}</string></value>", escape(text)),
            Value::Array(values) => {
                writeln!(f, "<value><array><data>")?;
                values.iter().try_for_each(|value| writeln!(f, "{value}"))?;
                write!(f, "</data></array></value>")
            }
            Value::Struct(members) => {
                writeln!(f, "<value><struct>")?;
                for (name, value) in members {
                    write!(f, "<member>\n<name>{name}</name>\n{value}\n</member>\n")?;
                }
                write!(f, "</struct></value>")
            }
        }
    }
}

/// The document that answers a call; the value is given in XML.
pub(crate) fn response(value: &str) -> String {
    format!(
        "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n{value}\n</param>\n\
         </params>\n</methodResponse>\n"
    )
}

/// The document that refuses a call.
pub(crate) fn fault(code: i64, text: &str) -> String {
    let members =
        vec![("faultCode", Value::Int(code)), ("faultString", Value::Text(text.to_owned()))];
    format!(
        "<?xml version='1.0'?>\n<methodResponse>\n<fault>\n{}\n</fault>\n</methodResponse>\n",
        Value::Struct(members)
    )
}

impl Call {
    /// Understands calls whose arguments are no arrays and no structs, as all of supervisor's.
    pub(crate) fn from_xml(document: &str) -> Option<Call> {
        let method = between(document, "<methodName>", "</methodName>")?.trim().to_owned();
        let values = document.split("<value>").skip(1);
        let args = values.map(|rest| rest.split_once("</value>").map(|(value, _)| plain(value)));
        Some(Call { method, args: args.collect::<Option<_>>()? })
    }

    pub(crate) fn to_xml(&self) -> String {
        let param = |arg: &String| format!("<param>\n{}\n</param>\n", Value::Text(arg.clone()));
        format!(
            "<?xml version='1.0'?>\n<methodCall>\n<methodName>{}</methodName>\n<params>\n{}\
             </params>\n</methodCall>\n",
            self.method,
            self.args.iter().map(param).collect::<String>()
        )
    }
}

/// As a test writes it: without supervisor's namespace.
impl Display for Call {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let method = self.method.strip_prefix("supervisor.").unwrap_or(&self.method);
        write!(f, "{method}({})", self.args.join(", "))
    }
}

/// The text of a member of the first struct that has one of this name.
pub(crate) fn member(document: &str, name: &str) -> Option<String> {
    let (_, rest) = document.split_once(&format!("<name>{name}</name>"))?;
    Some(plain(between(rest, "<value>", "</value>")?))
}

/// The text of a scalar, with or without an element for its type.
fn plain(value: &str) -> String {
    let typed = value.trim_start().strip_prefix('<').and_then(|rest| rest.split_once('>'));
    let text = match typed {
        Some((_, rest)) => rest.rsplit_once("</").map_or("", |(text, _)| text),
        None => value,
    };
    unescape(text)
}

fn between<'a>(text: &'a str, open: &str, close: &str) -> Option<&'a str> {
    Some(text.split_once(open)?.1.split_once(close)?.0)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn unescape(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    text.replace("&apos;", "'").replace("&amp;", "&")
}
