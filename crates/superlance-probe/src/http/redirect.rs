//! Where a redirect leads, and whether it is followed.

use superlance_core::options::url::Target;
use ureq::http::{Method, Uri};

/// One request of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) uri: Uri,
    pub(crate) method: Method,
    /// Whether the data of `--data` goes along.
    pub(crate) with_data: bool,
}

/// What follows from an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// It is the answer.
    Stay,
    Follow(Step),
    /// It is no good answer, for this reason.
    Refuse(String),
}

/// What follows from an answer to `step` with this status and `Location`. `left` is how many
/// redirects may be followed, `follow` how many from the beginning.
pub(crate) fn next(step: &Step, status: u16, location: Option<&str>, left: u8, follow: u8) -> Next {
    let keeps = match status {
        301..=303 => false,
        307 | 308 => true,
        _ => return Next::Stay,
    };
    let (Some(location), 1..) = (location, follow) else { return Next::Stay };
    if left == 0 {
        return Next::Refuse(format!("--follow {follow} ends there"));
    }
    let uri = match Target::parse_secret(&join(&step.uri, location.trim())) {
        Ok(target) => target.uri,
        Err(what) => return Next::Refuse(format!("its Location {what}")),
    };
    if !is_here(&step.uri, &uri) {
        return Next::Refuse(format!("leads elsewhere, to {}", origin(&uri)));
    }
    let method = match &step.method {
        method if keeps => method.clone(),
        &Method::HEAD => Method::HEAD,
        _ => Method::GET,
    };
    Next::Follow(Step { uri, method, with_data: step.with_data && keeps })
}

/// Whether both are of one server: host and port, or its http and its https.
fn is_here(from: &Uri, to: &Uri) -> bool {
    let host = |uri: &Uri| uri.host().map(str::to_ascii_lowercase);
    let same_server = from.scheme() == to.scheme() && port(from) == port(to);
    let to_https = from.scheme_str() == Some("http") && to.scheme_str() == Some("https");
    host(from) == host(to) && (same_server || to_https)
}

fn port(uri: &Uri) -> Option<u16> {
    uri.port_u16().or(match uri.scheme_str() {
        Some("https") => Some(443),
        _ => Some(80),
    })
}

/// Scheme, host and port: the rest may be a secret.
fn origin(uri: &Uri) -> String {
    let authority = uri.authority().map(|authority| authority.as_str()).unwrap_or_default();
    format!("{}://{authority}", uri.scheme_str().unwrap_or_default())
}

/// A `Location`, which may be relative (RFC 3986, 5.2).
fn join(base: &Uri, location: &str) -> String {
    let scheme = base.scheme_str().unwrap_or_default();
    let path = base.path();
    if location.split(['/', '?', '#']).next().is_some_and(|start| start.contains(':')) {
        return location.to_owned();
    }
    if location.starts_with("//") {
        return format!("{scheme}:{location}");
    }
    let whole = match location.chars().next() {
        Some('/') => location.to_owned(),
        Some('?') => format!("{path}{location}"),
        None | Some('#') => base.path_and_query().map(ToString::to_string).unwrap_or_default(),
        Some(_) => format!("{}/{location}", path.rsplit_once('/').map_or("", |(folder, _)| folder)),
    };
    let (path, query) = whole.split_at(whole.find(['?', '#']).unwrap_or(whole.len()));
    format!("{}{}{query}", origin(base), without_dots(path))
}

/// A path without `.` and `..`.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.trim_start_matches('/').split('/') {
        match segment {
            "." => {}
            ".." => drop(kept.pop()),
            segment => kept.push(segment),
        }
    }
    let is_folder = path.ends_with("/.") || path.ends_with("/..");
    format!("/{}{}", kept.join("/"), if is_folder && !kept.is_empty() { "/" } else { "" })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn step(method: Method, uri: &str) -> Step {
        Step { uri: uri.parse().unwrap(), method, with_data: true }
    }

    #[track_caller]
    fn leads(from: &str, location: &str) -> String {
        match next(&step(Method::GET, from), 302, Some(location), 1, 1) {
            Next::Follow(step) => step.uri.to_string(),
            Next::Refuse(why) => why,
            Next::Stay => "stays".to_owned(),
        }
    }

    #[test]
    fn locations_may_be_relative() {
        for (location, expected) in [
            ("http://h:1/x?y", "http://h:1/x?y"),
            ("//h:1/x", "http://h:1/x"),
            ("/x", "http://h:1/x"),
            ("x", "http://h:1/a/x"),
            ("../x/./y", "http://h:1/x/y"),
            ("../../..", "http://h:1/"),
            (".", "http://h:1/a/"),
            ("?x=http://y", "http://h:1/a/b?x=http://y"),
            ("#part", "http://h:1/a/b?c=d"),
            ("", "http://h:1/a/b?c=d"),
            (" /x ", "http://h:1/x"),
            ("/a b", "its Location contains blanks; a blank in a URL is written %20"),
            ("http://H:1/x", "http://H:1/x"),
        ] {
            assert_eq!(leads("http://h:1/a/b?c=d", location), expected, "{location}");
        }
    }

    #[test]
    fn only_within_the_server_or_to_its_https() {
        for (from, location, follows) in [
            ("http://h/", "http://h:80/x", true),
            ("http://h/", "https://h/x", true),
            ("http://h:8080/", "https://h:8443/x", true),
            ("https://h/", "https://h:443/x", true),
            ("https://h/", "http://h/x", false),
            ("http://h/", "http://h:8080/x", false),
            ("http://h/", "http://i/x", false),
            ("http://h/", "https://i/x", false),
            ("http://h/", "ftp://h/x", false),
            ("http://h/", "javascript:x", false),
        ] {
            assert_eq!(leads(from, location).starts_with("http"), follows, "{from} {location}");
        }
        let elsewhere = leads("http://h/", "http://u:secret@i:1/secret?secret");
        assert_eq!(elsewhere, "leads elsewhere, to http://i:1");
    }

    #[test]
    fn methods_change_as_browsers_change_them() {
        for (method, status, becomes, with_data) in [
            (Method::POST, 301, Method::GET, false),
            (Method::POST, 302, Method::GET, false),
            (Method::PUT, 303, Method::GET, false),
            (Method::HEAD, 303, Method::HEAD, false),
            (Method::POST, 307, Method::POST, true),
            (Method::PUT, 308, Method::PUT, true),
        ] {
            let found = next(&step(method, "http://h/"), status, Some("/x"), 1, 1);
            let expected = Step { uri: "http://h/x".parse().unwrap(), method: becomes, with_data };
            assert_eq!(found, Next::Follow(expected), "{status}");
        }
    }

    #[test]
    fn what_is_not_followed_is_the_answer() {
        let from = step(Method::GET, "http://h/");
        for (status, location, follow) in
            [(200, Some("/x"), 1), (304, Some("/x"), 1), (302, None, 1), (302, Some("/x"), 0)]
        {
            assert_eq!(next(&from, status, location, follow, follow), Next::Stay, "{status}");
        }
        let end = next(&from, 302, Some("/x"), 0, 3);
        assert_eq!(end, Next::Refuse("--follow 3 ends there".to_owned()));
    }

    proptest! {
        #[test]
        fn nothing_panics_or_leaves_the_server(location in "[./?#:@a-z0-9 é]{0,12}") {
            if let Next::Follow(step) = next(&step(Method::GET, "http://h:1/a/b"), 302, Some(&location), 1, 1) {
                prop_assert_eq!(step.uri.host(), Some("h"));
            }
        }
    }
}
