use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Result<Configuration, String> {
    Configuration::parse(text, Path::new("f")).map_err(|error| error.to_string())
}

fn url(text: &str) -> Option<String> {
    parse(text).unwrap().get("supervisorctl", "serverurl").map(|value| value.text.clone())
}

#[test]
fn a_value_is_found_as_configparser_finds_it() {
    for (text, expected) in [
        ("[supervisorctl]\nserverurl=u", "u"),
        ("\n; c\n[supervisorctl] ; c\n serverurl : u ; c\n", "u"),
        ("[supervisorctl]\nSERVERURL = u#no;comment # c\r\n", "u#no;comment"),
        ("[supervisorctl]\nserverurl=a\nserverurl=u", "u"),
        ("[supervisorctl]\nserverurl=u\n[x]\nserverurl=a\n[supervisorctl]\nusername=b", "u"),
        ("[supervisorctl]\nserverurl=http://h:9001/?a=b", "http://h:9001/?a=b"),
        ("[supervisorctl]\nserverurl=u\n\n  v\n#c\n  w", "u\n\nv\nw"),
        ("[supervisorctl]\nserverurl=u\n  # c\nx=\n  [x]\n", "u"),
        ("[x]\ncommand=y\n  [supervisorctl]\n[supervisorctl]\nserverurl=u", "u"),
        ("[DEFAULT]\nserverurl=u\n[supervisorctl]", "u"),
        ("[DEFAULT]\nserverurl=a\n[supervisorctl]\nserverurl=u", "u"),
        ("[supervisorctl]\rserverurl=u\r", "u"),
        ("[supervisorctl]\nserverurl=a;b ;c #d", "a;b ;c"),
    ] {
        assert_eq!(url(text).as_deref(), Some(expected), "{text:?}");
    }
    for text in ["", "[supervisord]\nserverurl=u", "[Supervisorctl]\nserverurl=u"] {
        assert_eq!(url(text), None, "{text:?}");
    }
    assert!(parse("[supervisorctl]").unwrap().section("supervisorctl").is_some());
}

#[test]
fn places_of_all_values_are_kept() {
    let text = "[a]\n; c\nx=1\n  2\nx = 3 ; was 1\n\n[DEFAULT]\ny=4\n[b]\n[a]\n";
    let configuration = parse(text).unwrap();
    let x = configuration.get("a", "x").unwrap();
    let earlier: Vec<_> = x.earlier.iter().map(|place| place.line).collect();
    assert_eq!((x.text.as_str(), x.place.line, earlier), ("3", 5, vec![3]), "the last one counts");
    assert_eq!(x.comment.as_deref(), Some("; was 1"));
    assert_eq!(configuration.get("a", "y").unwrap().place.line, 8);
    assert_eq!((configuration.get("a", "z"), configuration.get("c", "x")), (None, None));
    let places = |name| configuration.section(name).unwrap().places.iter().map(|place| place.line);
    assert_eq!(places("a").collect::<Vec<_>>(), [1, 10]);
    let names: Vec<_> = configuration.sections().iter().map(|section| &section.name).collect();
    assert_eq!(names, ["a", "b"]);
}

#[test]
fn what_is_no_configuration_says_where() {
    for (text, said) in [
        ("serverurl=u", "line 1: expected a [section] before anything else"),
        ("[a]\n\nserverurl", "line 3: expected a [section] or key=value"),
        ("[a]\n=u", "line 2: expected a [section] or key=value"),
        ("[a]\n[]", "line 2: expected a [section] or key=value"),
    ] {
        assert_eq!(parse(text).unwrap_err(), said, "{text:?}");
    }
}

#[test]
fn here_is_replaced_where_it_stands_and_where_it_is_inherited() {
    let text = "[DEFAULT]\nd=%(here)s/d\ne=%(here)s/e\n[a]\nx=%(here)s/x\ne=own\n";
    let mut configuration = parse(text).unwrap();
    configuration.expand_here("/etc");
    let get = |key| configuration.get("a", key).unwrap().text.as_str();
    assert_eq!((get("x"), get("d"), get("e")), ("/etc/x", "/etc/d", "own"));
}

proptest! {
    #[test]
    fn nothing_panics(text in "\\PC*", lines in "([\\[\\]a=:;# \n%()s]|é){0,60}") {
        let _ = parse(&text);
        let _ = parse(&lines);
    }
}
