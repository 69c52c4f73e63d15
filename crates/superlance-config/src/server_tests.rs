//! Configurations in files, and what the command line makes of them.

use tempfile::TempDir;

use super::*;

/// A root with nothing in it but what the test puts there; the working folder is `work`.
struct World(TempDir);

impl World {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn with(self, path: &str, text: &str) -> Self {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn find(&self, options: ServerOptions) -> Result<Server, String> {
        let root = self.0.path();
        let environment = Environment {
            program_folder: Some(root.join("opt/bin")),
            working_folder: root.join("work"),
            root,
            variables: [("HOME", "/home/bob"), ("PORT", "9002")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
        };
        find(options, &environment)
    }

    fn url(&self) -> String {
        self.find(ServerOptions::default()).unwrap().url
    }

    /// What is said, with the root left out.
    fn complaint(&self, options: ServerOptions) -> String {
        self.find(options).unwrap_err().replace(&self.0.path().display().to_string(), "")
    }
}

fn at(url: &str) -> String {
    format!("[supervisorctl]\nserverurl={url}\n")
}

#[test]
fn configurations_are_searched_where_supervisorctl_searches() {
    let mut places = vec![
        "opt/etc/supervisord.conf",
        "opt/supervisord.conf",
        "work/supervisord.conf",
        "work/etc/supervisord.conf",
        "etc/supervisord.conf",
        "etc/supervisor/supervisord.conf",
    ];
    while let Some(first) = places.first() {
        let world = places.iter().fold(World::new(), |world, place| world.with(place, &at(place)));
        assert_eq!(world.url(), *first);
        places.remove(0);
    }
    let server = World::new().find(ServerOptions::default()).unwrap();
    assert_eq!((server.url.as_str(), server.username.as_str()), ("http://localhost:9001", ""));
    assert!(server.origin.contains("no configuration was found in"), "{server:?}");
    assert_eq!(server.origin.matches("supervisord.conf").count(), 6);
}

#[test]
fn a_file_says_url_and_credentials_and_options_overrule_it() {
    let text = "[supervisorctl]\nserverurl=http://h:%(ENV_PORT)s\nusername=bob\npassword=%%x\n";
    let world = World::new().with("work/c.conf", text);
    let options =
        || ServerOptions { configuration: Some("c.conf".into()), ..ServerOptions::default() };
    let server = world.find(options()).unwrap();
    assert_eq!((server.url.as_str(), server.username.as_str()), ("http://h:9002", "bob"));
    assert_eq!(server.password.expose(), "%x");
    assert!(server.origin.ends_with("work/c.conf"), "{server:?}");
    let server = world
        .find(ServerOptions {
            url: Some("http://o".into()),
            password: Some("y".into()),
            ..options()
        })
        .unwrap();
    assert_eq!((server.url.as_str(), server.username.as_str()), ("http://o", "bob"));
    assert_eq!((server.password.expose(), server.origin.as_str()), ("y", "from -s"));
}

#[test]
fn paths_of_sockets_are_made_absolute() {
    for (path, expected) in [
        ("/run/s.sock", "/run/s.sock"),
        ("%(here)s/../run/./s.sock", "ROOT/run/s.sock"),
        ("s.sock", "ROOT/work/s.sock"),
        ("~/s.sock", "/home/bob/s.sock"),
        ("~eve/s.sock", "ROOT/work/~eve/s.sock"),
        ("/../s.sock", "/s.sock"),
    ] {
        let world = World::new().with("etc/supervisord.conf", &at(&format!("unix://{path}")));
        let expected = expected.replace("ROOT", &world.0.path().display().to_string());
        assert_eq!(world.url(), format!("unix://{expected}"), "{path}");
    }
    assert_eq!(World::new().with("etc/supervisord.conf", "[supervisorctl]").url(), DEFAULT_URL);
}

#[test]
fn what_is_wrong_with_a_configuration_is_said() {
    let named = || ServerOptions {
        configuration: Some("/nowhere/x.conf".into()),
        ..ServerOptions::default()
    };
    assert_eq!(World::new().complaint(named()), "/nowhere/x.conf: there is no such configuration");
    // Not even a URL makes up for a file that was named.
    let with_url = ServerOptions { url: Some("http://h".into()), ..named() };
    assert!(World::new().find(with_url).is_err());

    let folder = World::new().with("work/supervisord.conf/x", "");
    let said = folder.complaint(ServerOptions::default());
    assert!(said.starts_with("/work/supervisord.conf: cannot read the configuration: "), "{said}");
    for (text, expected) in [
        ("[supervisord]", "the configuration has no [supervisorctl] section, which would say"),
        ("x", "line 1: expected a [section] before anything else"),
        (
            "[supervisorctl]\nusername=%(here)s",
            "username=: %(here)s is not known here; there is only %(ENV_X)s",
        ),
        ("[supervisorctl]\npassword=50%", "password=: a % that is not part of"),
        ("[supervisorctl]\nserverurl=%(ENV_X)s", "serverurl=: %(ENV_X)s needs the environment"),
    ] {
        let world = World::new().with("work/supervisord.conf", text);
        let said = world.complaint(ServerOptions::default());
        assert!(said.starts_with(&format!("/work/supervisord.conf: {expected}")), "{said}");
        // With a URL, it does not matter.
        let options = ServerOptions { url: Some("http://h".into()), ..ServerOptions::default() };
        assert_eq!(world.find(options).unwrap().url, "http://h");
    }
}
