//! The sections and keys that supervisord 4.3.0 and well-known plugins read. Pure.

use superlance_dependent_startup::keys as dependent_startup;

/// Sections by their names, or by the part before a colon, with it.
pub(crate) const SECTIONS: [&str; 12] = [
    "supervisord",
    "supervisorctl",
    "unix_http_server",
    "inet_http_server",
    "include",
    "program:",
    "eventlistener:",
    "fcgi-program:",
    "group:",
    "rpcinterface:",
    "ctlplugin:",
    "DEFAULT",
];

const SUPERVISORD: &[&str] = &[
    "minfds",
    "minprocs",
    "directory",
    "user",
    "umask",
    "logfile",
    "logfile_maxbytes",
    "logfile_backups",
    "loglevel",
    "pidfile",
    "identifier",
    "nodaemon",
    "silent",
    "childlogdir",
    "nocleanup",
    "strip_ansi",
    "environment",
];

const PROGRAM: &[&str] = &[
    "command",
    "process_name",
    "numprocs",
    "numprocs_start",
    "priority",
    "autostart",
    "autorestart",
    "startsecs",
    "startretries",
    "exitcodes",
    "stopsignal",
    "stopwaitsecs",
    "stopasgroup",
    "killasgroup",
    "user",
    "redirect_stderr",
    "stdout_logfile",
    "stdout_logfile_maxbytes",
    "stdout_logfile_backups",
    "stdout_capture_maxbytes",
    "stdout_events_enabled",
    "stdout_syslog",
    "stderr_logfile",
    "stderr_logfile_maxbytes",
    "stderr_logfile_backups",
    "stderr_capture_maxbytes",
    "stderr_events_enabled",
    "stderr_syslog",
    "environment",
    "directory",
    "umask",
    "serverurl",
];

const FCGI: &[&str] = &["socket", "socket_backlog", "socket_owner", "socket_mode"];

const LISTENER: &[&str] = &["events", "buffer_size", "result_handler"];

/// The keys of a section; `None` where every key may mean something.
pub(crate) fn keys(section: &str) -> Option<Vec<&'static str>> {
    let keys: [&[&str]; 3] = match kind(section)? {
        "supervisord" => [SUPERVISORD, &[], &[]],
        "supervisorctl" => {
            [&["serverurl", "username", "password", "prompt", "history_file"], &[], &[]]
        }
        "unix_http_server" => [&["file", "chmod", "chown", "username", "password"], &[], &[]],
        "inet_http_server" => [&["port", "username", "password"], &[], &[]],
        "include" => [&["files"], &[], &[]],
        "program:" => [PROGRAM, &dependent_startup::ALL, &[]],
        "fcgi-program:" => [PROGRAM, FCGI, &dependent_startup::ALL],
        "eventlistener:" => [PROGRAM, LISTENER, &[]],
        "group:" => [&["programs", "priority"], &[], &[]],
        _ => return None,
    };
    Some(keys.concat())
}

/// The entry of [`SECTIONS`] that a section is one of.
pub(crate) fn kind(section: &str) -> Option<&'static str> {
    SECTIONS.into_iter().find(|known| match known.ends_with(':') || known.ends_with("_server") {
        // supervisord takes every section that begins like a server for one.
        true => section.starts_with(known),
        false => section == *known,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_known_by_their_beginnings() {
        for (section, expected) in [
            ("program:x", Some("program:")),
            ("Program:x", None),
            ("supervisord", Some("supervisord")),
            ("supervisord2", None),
            ("inet_http_server:second", Some("inet_http_server")),
        ] {
            assert_eq!(kind(section), expected, "{section}");
        }
        assert!(keys("eventlistener:x").unwrap().contains(&"events"));
        assert!(!keys("program:x").unwrap().contains(&"events"));
        assert_eq!(keys("rpcinterface:x"), None);
    }
}
