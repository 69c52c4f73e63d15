//! The floors: what a listener cannot do without, and nothing more. The bench starts itself as these.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write, stdin, stdout};
use std::os::unix::net::UnixStream;

/// Acknowledges events, and with a server `url` makes a check at each: the answer of supervisord read
/// to its end, one small read for each process, one line of log.
pub(crate) fn run(url: Option<&str>) {
    let mut server = url.map(|url| BufReader::new(connect(url)));
    let (mut input, mut output) = (BufReader::new(stdin()), stdout());
    output.write_all(b"READY\n").unwrap();
    let mut header = String::new();
    while input.read_line(&mut header).unwrap() > 0 {
        let length = header.trim_end().rsplit_once("len:").unwrap().1.parse().unwrap();
        input.read_exact(&mut vec![0; length]).unwrap();
        header.clear();
        if let Some(server) = &mut server {
            check(server);
        }
        output.write_all(b"RESULT 2\nOKREADY\n").unwrap();
        output.flush().unwrap();
    }
}

fn connect(url: &str) -> UnixStream {
    UnixStream::connect(url.strip_prefix("unix://").unwrap()).unwrap()
}

fn check(server: &mut BufReader<UnixStream>) {
    let body = "<?xml version='1.0'?><methodCall><methodName>supervisor.getAllProcessInfo\
                </methodName><params></params></methodCall>";
    let request = format!(
        "POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    server.get_mut().write_all(request.as_bytes()).unwrap();
    let (mut line, mut length) = (String::new(), 0);
    while line != "\r\n" {
        line.clear();
        server.read_line(&mut line).unwrap();
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut answer = vec![0; length];
    server.read_exact(&mut answer).unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let mut pages = 0u64;
    for rest in answer.split("<name>pid</name>\n<value><int>").skip(1) {
        let statm = fs::read_to_string(format!("/proc/{}/statm", rest.split_once('<').unwrap().0));
        let statm = statm.unwrap_or_default();
        pages += statm.split(' ').nth(1).map_or(0, |pages| pages.parse().unwrap());
    }
    eprintln!("RSS of all is {pages} pages");
}
