//! The configurations of docs/examples under a real supervisord, with other programs, paths and mail
//! servers in them, and ticks of five seconds: each listener does what it is for.

use std::fs;

use superlance_testing::{
    Ballast, Builder, Channel, HttpAnswer, HttpServer, Mailbox, SOON, Scratch, SmtpServer,
    Supervisord, try_wait,
};

use crate::docs::file;
use crate::{links, ours};

/// What the builder writes itself, for its own folder.
const OWN: [&str; 4] =
    ["supervisord", "unix_http_server", "rpcinterface:supervisor", "supervisorctl"];

/// A program that ends badly as soon as it runs, and is not started again.
const CRASHING: (&str, &[(&str, &str)]) =
    ("/bin/sh -c 'exit 3'", &[("startsecs", "0"), ("autorestart", "false")]);

type Section = (String, Vec<(String, String)>);

fn read(path: &str) -> String {
    fs::read_to_string(file("docs/examples").join(path)).unwrap()
}

/// The sections of a configuration, in which only whole lines are comments.
fn sections(text: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with(';')) {
        match line.strip_prefix('[').and_then(|title| title.strip_suffix(']')) {
            Some(title) => sections.push((title.to_owned(), Vec::new())),
            None => {
                let (key, value) = line.split_once('=').unwrap();
                let lines = &mut sections.last_mut().unwrap().1;
                lines.push((key.to_owned(), value.to_owned()));
            }
        }
    }
    sections
}

/// Takes the comment away from a line such as `;events=TICK_60`, and from no explanation.
fn uncommented(text: &str) -> String {
    let lines = text.lines().map(|line| match line.strip_prefix(';') {
        Some(code) if code.starts_with(|first: char| first == '[' || first.is_lowercase()) => code,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn value<'a>((_, lines): &'a Section, key: &str) -> Option<&'a str> {
    lines.iter().find(|(name, _)| name == key).map(|(_, value)| &**value)
}

/// An example with what the test has in the place of what a server has.
struct Example {
    text: String,
    mailbox: Mailbox,
    folder: Scratch,
    links: Scratch,
}

impl Example {
    fn new(text: String) -> Example {
        let text = text.replace("TICK_60", "TICK_5");
        Example { text, mailbox: Mailbox::new(), folder: Scratch::new(), links: links().0 }
    }

    /// Replaces what must be there.
    #[track_caller]
    fn with(mut self, theirs: &str, ours: &str) -> Example {
        assert!(self.text.contains(theirs), "{theirs:?} is not in\n{}", self.text);
        self.text = self.text.replace(theirs, ours);
        self
    }

    /// A supervisord to be, with every program of 40 MB and every mail in the mailbox.
    fn builder(&self) -> Builder {
        let weight = Ballast::new(30).command(&self.folder);
        let mut builder = Supervisord::builder().first_in_path(self.links.path());
        for (title, lines) in sections(&self.text) {
            if OWN.contains(&&*title) {
                continue;
            }
            let mails = format!(" -s \"{}\"", self.mailbox.command());
            let lines: Vec<_> = lines
                .into_iter()
                // The logs are read by the test; its user has no right to become another one.
                .filter(|(key, _)| !key.contains("_logfile") && key != "user" && key != "directory")
                .map(|(key, value)| match &*key {
                    "command" if title.starts_with("program:") => (key, weight.clone()),
                    "command" if value.contains(" -m ") => (key, with_option(&value, &mails)),
                    _ => (key, value),
                })
                .collect();
            let lines: Vec<_> = lines.iter().map(|(key, value)| (&**key, &**value)).collect();
            builder = builder.section(&title, &lines);
        }
        builder
    }
}

/// A command with one option more, before the words that belong to none.
fn with_option(command: &str, option: &str) -> String {
    let (name, rest) = command.split_once(' ').unwrap();
    format!("{name}{option} {rest}")
}

#[track_caller]
fn wait_for_each(parts: &[&str], text: impl Fn() -> String) {
    for part in parts {
        let there = try_wait(SOON, || text().contains(part).then_some(()));
        assert!(there.is_some(), "{part:?} is not in\n{}", text());
    }
}

#[track_caller]
fn run(supervisord: &Supervisord, listeners: &[&str]) {
    for name in listeners {
        assert_eq!(supervisord.state_of(name), "RUNNING", "{name}");
    }
}

/// What answers well at first, and where it is.
fn server() -> (HttpServer, String) {
    let server = HttpServer::new();
    let address = format!("127.0.0.1:{}/", server.port());
    (server, address)
}

#[test]
fn nginx_and_gunicorn_are_restarted() {
    let ((gunicorn, behind), (nginx, front)) = (server(), server());
    let example = Example::new(read("nginx-gunicorn/supervisord.conf"))
        .with("gunicorn=1GB --for 3 --max-restarts 3/1h", "gunicorn=1MB --max-restarts 1/1h")
        .with("127.0.0.1:8000/", &behind)
        .with("127.0.0.1:80/", &front);
    let supervisord = example.builder().start();
    let mails = || example.mailbox.mails().concat();
    wait_for_each(&["Subject: memmon: process gunicorn:gunicorn restarted"], mails);
    gunicorn.usually(HttpAnswer::status(500));
    nginx.usually(HttpAnswer::status(500));
    let about_gunicorn = format!("Subject: httpok: http://{behind}health: ");
    let about_nginx = format!("Subject: httpok [nginx]: http://{front}nginx-health: ");
    wait_for_each(&[&about_gunicorn, &about_nginx, "gunicorn restarted", "nginx restarted"], mails);
    run(&supervisord, &["memmon", "httpok", "httpok-nginx"]);
}

#[test]
fn a_container_tells_a_chat() {
    let ((chat, _), (web, address), (crashing, once)) = (server(), server(), CRASHING);
    let example = Example::new(read("container/supervisord.conf"))
        .with("web=80%%", "web=0.001%% --max-restarts 1/1h")
        .with("127.0.0.1:8080/", &address);
    let supervisord =
        example.builder().env("ALERT_URL", &chat.url()).program("crashing", crashing, once).start();
    let told = || chat.requests().into_iter().map(|request| request.body).collect();
    wait_for_each(&["memmon: process web:web restarted", "crashing crashed at "], told);
    web.usually(HttpAnswer::status(500));
    wait_for_each(&[&format!("httpok: http://{address}health: "), "web restarted"], told);
    run(&supervisord, &["memmon", "httpok", "crashmail"]);
}

#[test]
fn every_listener_of_conf_d_does_its_work_when_uncommented() {
    let commented = read("conf.d/superlance.conf");
    assert_eq!(sections(&commented), [], "everything is commented out");
    let ((web, address), smtp, (crashing, once)) = (server(), SmtpServer::new(), CRASHING);
    let example = Example::new(uncommented(&commented))
        .with("web=500MB", "web=1MB --max-restarts 1/1h")
        .with("127.0.0.1:8080/", &address)
        .with("-f supervisord@example.com", "-f supervisord@example.com -e TICK_5 -i 0.01")
        .with("mail.example.com", &smtp.address())
        .with("=superlance metrics", &format!("={} metrics", ours().display()))
        .with("/var/lib/prometheus/node-exporter/", "%(here)s/");
    let titles: Vec<_> = sections(&example.text).into_iter().map(|(title, _)| title).collect();
    let mut listeners = superlance_testing::listeners(ours());
    listeners.push("metrics".to_owned());
    assert_eq!(titles.len(), listeners.len(), "{titles:?}");
    for name in &listeners {
        assert!(titles.contains(&format!("eventlistener:{name}")), "{name} is not in {titles:?}");
    }
    let supervisord = example
        .builder()
        .program("web", &Ballast::new(30).command(&example.folder), &[])
        .program("crashing", crashing, once)
        .program("hopeless", "/bin/sh -c 'exit 3'", &[("startretries", "0")])
        .start();
    let mails = || example.mailbox.mails().concat();
    wait_for_each(&["Subject: memmon: process web:web restarted", " crashing crashed at "], mails);
    web.usually(HttpAnswer::status(500));
    wait_for_each(&[&format!("Subject: httpok: http://{address}health: "), "web restarted"], mails);
    let crash = "Process crashing:crashing (pid ";
    let short = "[crashing:crashing](";
    let fatal = "hopeless:hopeless failed to start";
    wait_for_each(&[crash, short, fatal], || {
        smtp.mails().into_iter().map(|mail| mail.body).collect()
    });
    let metrics = supervisord.scratch().join("supervisord.prom");
    let state = "superlance_listener_state{group=\"memmon\",name=\"memmon\"} 20";
    wait_for_each(&[state], || fs::read_to_string(&metrics).unwrap_or_default());
    run(&supervisord, &listeners.iter().map(String::as_str).collect::<Vec<_>>());
}

/// The block of a document that begins with this line.
fn block(document: &str, first: &str) -> String {
    let text = fs::read_to_string(file(document)).unwrap();
    let block = text
        .split("\n```")
        .find(|block| block.split_once('\n').is_some_and(|(_, text)| text.starts_with(first)));
    block
        .unwrap_or_else(|| panic!("{document} has no {first}"))
        .split_once('\n')
        .unwrap()
        .1
        .to_owned()
}

/// A supervisord with the programs and listeners of a document, and logs that a test can read.
fn with_sections(mut builder: Builder, all: &[Section]) -> Builder {
    for (title, lines) in all.iter().filter(|(title, _)| !OWN.contains(&&**title)) {
        let lines = lines.iter().filter(|(key, _)| !key.contains("_logfile"));
        let lines: Vec<_> = lines.map(|(key, value)| (&**key, &**value)).collect();
        builder = builder.section(title, &lines);
    }
    builder
}

/// The container ends as docs/containers.md says, by its entry point and its configuration.
#[test]
fn a_container_ends_with_the_signal_of_its_program() {
    let path = "docs/containers.md";
    let crash = "/bin/sh -c 'ulimit -c 0; sleep 1.5; kill -SEGV $$'";
    let all = sections(&block(path, "[supervisord]").replace("/app/web", crash));
    let dockerfile = block(path, "COPY --from=superlance");
    assert!(dockerfile.contains(r#"ENTRYPOINT ["superlance", "run", "--"]"#), "{dockerfile}");
    let links = links().0;
    let builder = Supervisord::builder().first_in_path(links.path());
    let builder = builder.started_by([ours().as_os_str(), "run".as_ref(), "--".as_ref()]);
    let mut supervisord = with_sections(builder, &all).start();
    assert_eq!(supervisord.wait_exit(), Some(139), "{}", supervisord.output());
    let said = [supervisord.process_log("exitmon", Channel::Stderr), supervisord.output()].concat();
    for line in block(path, "web:web exited unexpectedly").lines() {
        let line = line.strip_suffix("(pid 1) was asked to end").unwrap_or(line);
        assert!(said.contains(line), "{line}\n{said}");
    }
}

/// The first minute: its program leaks, and the log has what the reader is told to expect.
#[test]
fn the_readme_leads_to_a_restarted_program() {
    let (links, all) = (links().0, sections(&block("README.md", "[supervisord]")));
    let titles: Vec<_> = all.iter().map(|(title, _)| &**title).collect();
    assert_eq!(titles, [&OWN[..], &["program:leak", "eventlistener:memmon"]].concat());
    let builder = Supervisord::builder().first_in_path(links.path());
    let supervisord = with_sections(builder, &all).start();
    let log = block("README.md", "memmon (superlance");
    assert!(log.ends_with("\nRestarting leak:leak"), "{log}");
    let lines: Vec<_> = log.lines().map(|line| line.trim_end_matches(char::is_numeric)).collect();
    wait_for_each(&lines, || supervisord.process_log("memmon", Channel::Stderr));
}

#[test]
fn no_event_of_a_process_is_lost_for_want_of_a_buffer() {
    let configurations = ["nginx-gunicorn/supervisord.conf", "container/supervisord.conf"];
    let texts = configurations.map(read).into_iter();
    for text in texts.chain([uncommented(&read("conf.d/superlance.conf"))]) {
        for section in
            sections(&text).iter().filter(|(title, _)| title.starts_with("eventlistener:"))
        {
            if value(section, "events").unwrap().contains("PROCESS_STATE") {
                assert_eq!(value(section, "buffer_size"), Some("256"), "{}", section.0);
            }
        }
    }
}

/// What an image is built of is in its folder, but for the program itself.
#[test]
fn what_the_dockerfile_copies_is_there() {
    let dockerfile = read("container/Dockerfile");
    let copies: Vec<_> = dockerfile.lines().filter_map(|line| line.strip_prefix("COPY ")).collect();
    let sources = copies.iter().filter(|copy| !copy.starts_with("--from="));
    let sources: Vec<_> = sources.filter_map(|copy| copy.split(' ').next()).collect();
    assert_eq!(sources, ["superlance", "supervisord.conf", "supervisord.conf"]);
}
