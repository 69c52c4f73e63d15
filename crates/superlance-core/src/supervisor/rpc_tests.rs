//! Addresses, answers and refusals.

use proptest::prelude::*;

use std::path::PathBuf;

use super::answer::{MAX_DEPTH, depth};
use super::*;
use crate::supervisor::State;

fn tcp(host: &str, port: u16) -> Option<Endpoint> {
    Some(Endpoint::Tcp(host.to_owned(), port))
}

#[test]
fn server_urls() {
    let unix = Some(Endpoint::Unix(PathBuf::from("/run/s.sock")));
    assert_eq!(endpoint("unix:///run/s.sock"), unix);
    assert_eq!(endpoint("http://localhost:9001"), tcp("localhost", 9001));
    assert_eq!(endpoint("http://localhost"), tcp("localhost", 80));
    assert_eq!(endpoint("http://[::1]:9001/"), tcp("::1", 9001));
    for bad in ["", "unix://", "localhost:9001", "ftp://x", "https://x", "http://", "http://a b"] {
        let message =
            RpcClient::new(bad, "", &Secret::default()).map(drop).unwrap_err().to_string();
        assert!(message.contains("is not a server URL"), "{message}");
    }
    for bad in ["https://u:secret@x", "u:secret@x"] {
        let message =
            RpcClient::new(bad, "", &Secret::default()).map(drop).unwrap_err().to_string();
        assert!(message.contains("u:***@x"), "{message}");
    }
}

#[test]
fn addresses_of_this_machine() {
    let here = |url: &str| RpcClient::new(url, "", &Secret::default()).unwrap().is_here();
    for url in ["unix:///run/s.sock", "http://127.0.0.1:9001", "http://localhost"] {
        assert!(here(url), "{url}");
    }
    // An address that is set aside for documentation (RFC 5737), and a name that cannot be one.
    for url in ["http://192.0.2.1:9001", "http://nowhere.invalid"] {
        assert!(!here(url), "{url}");
    }
}

/// A process that waits for a dead disk never ends, and so supervisord never answers.
#[test]
fn a_call_without_an_answer_is_given_up_after_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.sock");
    let _silent = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let url = format!("unix://{}", path.display());
    let client = RpcClient::new(&url, "", &Secret::default()).unwrap();
    let mut client = client.within(Duration::from_secs(1));
    let expected = RpcError::NoAnswer(format!("no answer from supervisord at {url} within 1s"));
    assert_eq!(client.stop("g:p"), Err(expected.clone()));
    assert_eq!(client.all(), Err(expected));
}

#[test]
fn a_process_needs_its_fields_in_their_types() {
    let fields = |pid: Value| {
        let mut fields = std::collections::BTreeMap::new();
        for key in ["state", "start", "stop", "exitstatus", "now"] {
            fields.insert(key.to_owned(), Value::Int(20));
        }
        for key in ["name", "group"] {
            fields.insert(key.to_owned(), Value::from("café"));
        }
        fields.insert("pid".to_owned(), pid);
        Value::Struct(fields)
    };
    let info = process_info(&fields(Value::Int64(1 << 31))).unwrap();
    assert_eq!((info.namespec().as_str(), info.pid), ("café:café", 1 << 31));
    assert_eq!(info.state, State::Running);
    for wrong in [Value::Int(-1), Value::from("7"), Value::Nil, Value::Double(7.0)] {
        assert_eq!(process_info(&fields(wrong)), None);
    }
    assert_eq!(process_info(&Value::Nil), None);
}

#[test]
fn an_answer_is_made_fit_for_the_parser() {
    let mut answer = *b"a\x1b[1m\tb\r\n";
    control::replace_control_characters(&mut answer);
    assert_eq!(answer, *b"a?[1m\tb\r\n");
    assert_eq!(depth(b"<?xml version='1.0'?><a><b/><c>x</c></a>"), 2);
    assert_eq!(depth(b"<a/>text/><a></a>"), 1);
    assert_eq!(depth("<value>/>".repeat(200).as_bytes()), 200);
    assert_eq!(depth(b"<?xml version='1.0'?>\n<a></a>"), 1);
    assert!(depth(b"<a><?x </a>?></a>") > MAX_DEPTH);
    assert!(depth(b"<a><![CDATA[</a>]]></a>") > MAX_DEPTH);
    assert_eq!(depth("<value>".repeat(20_000).as_bytes()), 20_000);
    let deep = "<value>".repeat(MAX_DEPTH + 1).into_bytes();
    let error = parse(&Request::new("x"), deep).unwrap_err();
    assert!(matches!(&error, CallError::Answer(what) if what.contains("nested")), "{error:?}");
}

proptest! {
    #[test]
    fn nothing_panics(bytes: Vec<u8>, url in "\\PC*") {
        let _ = depth(&bytes);
        let _ = endpoint(&url);
    }
}
