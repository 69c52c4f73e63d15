//! SL1xx: the server, and access to it.

use std::path::Path;

use superlance_config::supervisord::Supervisord;
use superlance_config::{Address, Section, Server};

use super::Rule::{self, Whole};
use super::listeners::needs;
use crate::finding::Finding;
use crate::scene::{Item, Scene};
use crate::severity::Severity;

pub(super) const RULES: &[Rule] = &[
    Whole(no_server),
    Whole(no_interface),
    Whole(socket_rights),
    Whole(credentials),
    Whole(temporary),
    Whole(supervisorctl),
    Whole(open),
    Whole(no_password),
];

const SERVER: &str = "[unix_http_server] with file=/run/supervisor.sock and chmod=0700";

const FACTORY: &str = "[rpcinterface:supervisor] with supervisor.rpcinterface_factory = \
                       supervisor.rpcinterface:make_main_rpcinterface";

/// The listeners of ours that ask supervisord.
fn askers<'a>(scene: &'a Scene<'_>) -> impl Iterator<Item = Item<'a>> {
    scene.ours().filter(|(_, ours)| needs(ours).asks).map(|(item, _)| item)
}

fn no_server(scene: &Scene<'_>) -> Vec<Finding> {
    if has_server_section(scene) {
        return Vec::new();
    }
    let finding = |item: Item<'_>| {
        let name = item.ours().map_or("it", |ours| ours.name());
        let message = format!("{name} asks supervisord, which has no server to be asked at");
        scene.at_section("SL101", item.section, message).fix(SERVER)
    };
    askers(scene).map(finding).collect()
}

fn has_server_section(scene: &Scene<'_>) -> bool {
    let sections = scene.loaded.configuration.sections();
    let is_server = |section: &Section| {
        ["unix_http_server", "inet_http_server"].iter().any(|name| section.name.starts_with(name))
    };
    sections.iter().any(is_server)
}

fn no_interface(scene: &Scene<'_>) -> Vec<Finding> {
    let mut sections = scene.loaded.configuration.sections().iter();
    let has_interface = sections.any(|section| section.name.starts_with("rpcinterface:"));
    if !has_server_section(scene) || has_interface {
        return Vec::new();
    }
    let message =
        "there is a server, and nothing to ask it: supervisorctl and listeners get no answer";
    vec![scene.at_file("SL102", message).fix(FACTORY)]
}

fn socket_rights(scene: &Scene<'_>) -> Vec<Finding> {
    let Some(server) = scene.read.server_for_processes() else { return Vec::new() };
    let Address::Unix { mode, owner, file } = &server.address else { return Vec::new() };
    // Without user=, the socket of a supervisord that runs tells whose it is.
    let running = scene.machine.owner(file);
    let master = scene.read.user.as_deref().or(running.as_deref()).unwrap_or("root");
    let (owner_user, owner_group) = match owner.as_deref().map(|owner| owner.split_once(':')) {
        Some(Some((user, group))) => (user, Some(group)),
        Some(None) => (owner.as_deref().unwrap_or(master), None),
        None => (master, None),
    };
    let may = |user: &str| {
        let by_group = owner_group.is_some_and(|group| scene.machine.is_member(user, group));
        ["root", "0", owner_user].contains(&user)
            || mode & 0o002 != 0
            || mode & 0o020 != 0 && by_group
    };
    let finding = |item: Item<'_>| {
        let user = item.program.user.as_deref().unwrap_or(master);
        let message = format!(
            "user {user} may not open {}, which is {owner_user}'s with mode {mode:04o}",
            file.display()
        );
        let fix = format!("chown={user} and chmod=0700 in [{}]", server.section);
        (!may(user)).then(|| scene.at_key("SL103", item.section, "user", message).fix(fix))
    };
    askers(scene).filter_map(finding).collect()
}

fn credentials(scene: &Scene<'_>) -> Vec<Finding> {
    let server = scene.read.server_for_processes();
    let Some(Server { credentials: Some((username, password)), section, .. }) = server else {
        return Vec::new();
    };
    let fix = format!(
        "environment=SUPERVISOR_USERNAME=\"…\",SUPERVISOR_PASSWORD=\"…\", as in [{section}]"
    );
    let finding = |item: Item<'_>| {
        let given = ["SUPERVISOR_USERNAME", "SUPERVISOR_PASSWORD"]
            .map(|name| item.variable(scene, name).unwrap_or_default());
        // supervisord knows no more than the hash of such a password.
        let is_right =
            given[0] == username && (given[1] == password || password.starts_with("{SHA}"));
        let what = match given {
            ["", _] | [_, ""] => "has no user name and password for it",
            _ => "has another user name or password for it",
        };
        let message =
            format!("the server of [{section}] asks for a password, and this listener {what}");
        (!is_right)
            .then(|| scene.at_key("SL104", item.section, "environment", message).fix(fix.as_str()))
    };
    askers(scene).filter_map(finding).collect()
}

fn temporary(scene: &Scene<'_>) -> Vec<Finding> {
    let finding = |server: &Server| {
        let Address::Unix { file, .. } = &server.address else { return None };
        let is_temporary = |path: &Path| path.starts_with("/tmp") || path.starts_with("/var/tmp");
        let message = format!(
            "{} may be removed by what cleans up {}, and then supervisord is not reached any more",
            file.display(),
            file.parent().unwrap_or(file).display()
        );
        let section = scene.section(&server.section)?;
        // A configuration that is there itself is a trial.
        let is_trial = is_temporary(&scene.machine.working_folder().join(&scene.main.file));
        (is_temporary(file) && !is_trial).then(|| {
            scene.at_key("SL105", section, "file", message).fix("file=/run/supervisor.sock")
        })
    };
    scene.read.servers.iter().filter_map(finding).collect()
}

fn supervisorctl(scene: &Scene<'_>) -> Vec<Finding> {
    let servers = &scene.read.servers;
    let Some(first) = scene.read.server_for_processes() else { return Vec::new() };
    let fix = format!("serverurl={}", first.url());
    let Some(section) = scene.section("supervisorctl") else {
        let message = "without [supervisorctl], supervisorctl does not read this file";
        let finding = scene.at_file("SL106", message).severity(Severity::Info);
        return vec![finding.fix(format!("[supervisorctl] with {fix}"))];
    };
    let written = scene.text("supervisorctl", "serverurl").unwrap_or("http://localhost:9001");
    // What is not the same everywhere is compared where it is.
    let Some(url) = plain_url(written, scene) else { return Vec::new() };
    if servers.iter().any(|server| is_at(&url, server)) || is_elsewhere(&url) {
        return Vec::new();
    }
    let message = format!("supervisorctl asks at {url}, and the server is at {}", first.url());
    vec![scene.at_key("SL106", section, "serverurl", message).fix(fix)]
}

/// A URL with its names expanded, if that needs no variable.
fn plain_url(written: &str, scene: &Scene<'_>) -> Option<String> {
    let here = superlance_config::paths::normal(
        scene.machine.working_folder().join(&scene.main.file).parent()?,
    );
    let url = written.replace("%(here)s", &here.display().to_string());
    if url.contains("%(") {
        return None;
    }
    Some(match url.strip_prefix("unix://") {
        Some(path) => {
            let path = scene.machine.working_folder().join(path);
            format!("unix://{}", superlance_config::paths::normal(&path).display())
        }
        None => url,
    })
}

/// Host and port of a URL.
fn host_and_port(url: &str) -> Option<(&str, &str)> {
    let rest = url.strip_prefix("http://")?;
    let authority = rest.split('/').next()?;
    let address = authority.rsplit('@').next()?;
    Some(address.rsplit_once(':').unwrap_or((address, "80")))
}

fn is_local(host: &str) -> bool {
    host == "localhost" || host.starts_with("127.") || host == "[::1]" || host == "::1"
}

/// Whether supervisorctl is meant for a supervisord of another machine.
fn is_elsewhere(url: &str) -> bool {
    host_and_port(url).is_some_and(|(host, _)| !is_local(host) && host != "0.0.0.0")
}

fn is_at(url: &str, server: &Server) -> bool {
    match &server.address {
        Address::Unix { .. } => server.url() == url,
        Address::Inet { host, port } => host_and_port(url).is_some_and(|(asked, asked_port)| {
            let port = port.to_string();
            let is_any = host.is_empty() || host == "0.0.0.0";
            let is_same = asked == host || is_local(asked) && is_local(host);
            asked_port == port && (is_any || is_same)
        }),
    }
}

fn open(scene: &Scene<'_>) -> Vec<Finding> {
    let finding = |server: &Server| {
        let Address::Inet { host, port } = &server.address else { return None };
        let is_open = server.credentials.is_none() && !is_local(host);
        let at = match host.is_empty() {
            true => "every address of this machine".to_owned(),
            false => host.clone(),
        };
        let message = format!(
            "every host that reaches port {port} at {at} may start and stop programs: the server has no \
             password"
        );
        let section = scene.section(&server.section)?;
        let fix = format!("port=127.0.0.1:{port}, or username= and password=");
        is_open.then(|| scene.at_key("SL107", section, "port", message).fix(fix))
    };
    scene.read.servers.iter().filter_map(finding).collect()
}

fn no_password(scene: &Scene<'_>) -> Vec<Finding> {
    let Supervisord { servers, .. } = &scene.read;
    let finding = |server: &Server| {
        let Address::Unix { mode, .. } = &server.address else { return None };
        let message = format!(
            "supervisord logs a CRIT line about the missing password, which means nothing as long as \
             the socket has mode {mode:04o}"
        );
        let section = scene.section(&server.section)?;
        server.credentials.is_none().then(|| scene.at_section("SL108", section, message))
    };
    servers.iter().filter_map(finding).collect()
}
