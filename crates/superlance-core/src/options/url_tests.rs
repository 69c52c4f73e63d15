//! URLs, good and bad.

use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(given: &str, uri: &str) {
    let target = Target::parse(given).unwrap();
    assert_eq!((target.uri.to_string().as_str(), target.shown.as_str()), (uri, given));
    assert_eq!(target.authorization, None);
}

#[test]
fn urls_without_user_info_are_shown_as_given() {
    check("http://localhost:8080/tasty/service", "http://localhost:8080/tasty/service");
    check("HTTP://Localhost", "http://Localhost/");
    check("https://h?a=b&c=/d", "https://h/?a=b&c=/d");
    check("http://h/a%20b|c\\{d}'(e)!*;p=1,$+~", "http://h/a%20b|c\\{d}'(e)!*;p=1,$+~");
    check("http://h/x?y#part", "http://h/x?y");
    check("http://h:/", "http://h/");
    check("http://[::1]:8080/x", "http://[::1]:8080/x");
    check("http://[fe80::1]", "http://[fe80::1]/");
    check("http://127.0.0.1:65535/", "http://127.0.0.1:65535/");
    check("http://my_host/", "http://my_host/");
    check("http://h/café<>\"`?ü", "http://h/caf%C3%A9%3C%3E%22%60?%C3%BC");
    check("http://h/a@b:c", "http://h/a@b:c");
    check("http://h//double", "http://h//double");
}

#[test]
fn user_info_becomes_basic_authentication_and_its_password_is_not_shown() {
    for (given, plain, shown) in [
        ("http://u:p@h/", "u:p", "http://u:***@h/"),
        ("HTTPS://u:p%40s%3As%@h:1/x?y", "u:p@s:s%", "HTTPS://u:***@h:1/x?y"),
        ("http://u:a:b@c@h/", "u:a:b@c", "http://u:***@h/"),
        ("http://caf%C3%A9@h/", "café:", "http://caf%C3%A9@h/"),
        ("http://:p@h/", ":p", "http://:***@h/"),
    ] {
        let target = Target::parse(given).unwrap();
        let expected = format!("Basic {}", STANDARD.encode(plain));
        assert_eq!(target.authorization, Some(expected.into()), "{given}");
        assert_eq!(target.shown, shown);
        assert!(!target.uri.to_string().contains('@'), "{}", target.uri);
    }
}

#[test]
fn what_is_no_url_says_what_was_expected() {
    for (given, expected) in [
        ("localhost:8080/x", "has no scheme; expected http:// or https:// before it"),
        ("/x", "has no scheme"),
        ("", "has no scheme"),
        ("ftp://h/", "has a scheme other than http and https"),
        ("http://h/a b", "contains blanks; a blank in a URL is written %20"),
        (" http://h/", "contains blanks"),
        ("http://h/\n", "contains blanks"),
        ("http://", "has no host"),
        ("http:///x", "has no host"),
        ("http://:80/", "has no host"),
        ("http://h:x/", "has a port that is not a number"),
        ("http://::1/", "has no host"),
        ("http://fe80::1/", "(an IPv6 address is written in brackets: [::1])"),
        ("http://h:0/", "has a port that is not between 1 and 65535"),
        ("http://h:65536/", "has a port that is not between 1 and 65535"),
        ("http://h:+80/", "has a port that is not a number"),
        ("http://[::1/", "has no IPv6 address between [ and ]"),
        ("http://[x]/", "has no IPv6 address between [ and ]"),
        ("http://[::1]x/", "has a port that is not a number"),
        ("http://café/", "neither a name in ASCII nor an address"),
        ("http://a%2e/", "neither a name in ASCII nor an address"),
    ] {
        let message = Target::parse(given).unwrap_err();
        assert!(message.contains(expected), "{given}: {message}");
    }
    for given in ["http://u:secret@h:x/", "http:/u:secret@h/", "u:secret@h", "http://u:secret/x@h/"]
    {
        let message = Target::parse(given).unwrap_err();
        assert!(!message.contains("secret"), "{message}");
    }
}

proptest! {
    #[test]
    fn nothing_panics_and_no_password_is_shown(text in "\\PC*", password in "[A-Z]{8}") {
        let _ = Target::parse(&text);
        let text = format!("http://u:{password}@{text}");
        match Target::parse(&text) {
            Ok(target) => prop_assert!(!target.shown.contains(&password)),
            Err(message) => prop_assert!(!message.contains(&password)),
        }
    }

    #[test]
    fn decoding_undoes_encoding(bytes in prop::collection::vec(any::<u8>(), 0..20)) {
        let encoded: String = bytes.iter().map(|byte| format!("%{byte:02x}")).collect();
        prop_assert_eq!(decode(&encoded), bytes);
    }
}

#[test]
fn a_password_is_no_part_of_messages() {
    for (text, shown) in [
        ("http://u:s@cr:et@host:1/x", "http://u:***@host:1/x"),
        ("smtp://u:secret@host", "smtp://u:***@host"),
        ("u:secret@host", "u:***@host"),
        ("http:/u:secret@host", "http:***@host"),
        ("http://:secret@host", "http://:***@host"),
        ("http://host:1/x", "http://host:1/x"),
        ("bob@example.com", "bob@example.com"),
        ("unix:///run/a:b@c", "unix:///run/a:b@c"),
    ] {
        assert_eq!(without_password(text), shown);
    }
}
