//! The floors: what a listener cannot do without, and nothing more. The bench starts itself as these.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write, stdin, stdout};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;

/// Acknowledges events. At a tick it makes a look at the processes of the supervisord at an argument
/// `unix://PATH`, or mails what it has got until then by the server at an argument `HOST:PORT`.
pub(crate) fn run(work: Option<&str>) {
    let socket = work.and_then(|url| url.strip_prefix("unix://"));
    let mut look = socket.map(|path| Look::new(&UnixStream::connect(path).unwrap()));
    let smtp = work.filter(|_| socket.is_none());
    let (mut input, mut output) = (BufReader::new(stdin()), stdout());
    output.write_all(b"READY\n").unwrap();
    let (mut header, mut payload, mut lines) = (String::new(), Vec::new(), Vec::new());
    while input.read_line(&mut header).unwrap() > 0 {
        let length = header.trim_end().rsplit_once("len:").unwrap().1.parse().unwrap();
        payload.resize(length, 0);
        input.read_exact(&mut payload).unwrap();
        let is_tick = header.contains("eventname:TICK");
        header.clear();
        if let (Some(look), true) = (&mut look, is_tick) {
            look.once();
        }
        output.write_all(b"RESULT 2\nOKREADY\n").unwrap();
        output.flush().unwrap();
        match smtp {
            Some(address) if is_tick => mail(address, &lines),
            Some(_) => {
                lines.extend_from_slice(&payload);
                lines.extend_from_slice(b"\r\n");
            }
            None => {}
        }
    }
}

/// The exchange with supervisord, one small read for each process, and one line of log; everything in
/// the same buffers each time.
struct Look {
    server: UnixStream,
    request: String,
    answer: Vec<u8>,
}

impl Look {
    fn new(server: &UnixStream) -> Look {
        let body = "<?xml version='1.0'?><methodCall><methodName>supervisor.getAllProcessInfo\
                    </methodName><params></params></methodCall>";
        let length = body.len();
        let request = format!(
            "POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        );
        Look { server: server.try_clone().unwrap(), request, answer: vec![0; 64 << 10] }
    }

    fn once(&mut self) {
        self.server.write_all(self.request.as_bytes()).unwrap();
        let answer = self.answer();
        let (mut pages, mut statm) = (0u64, [0; 128]);
        for rest in answer.split("<name>pid</name>\n<value><int>").skip(1) {
            let path = format!("/proc/{}/statm", rest.split_once('<').unwrap().0);
            let length = File::open(path).unwrap().read(&mut statm).unwrap();
            let text = std::str::from_utf8(&statm[..length]).unwrap();
            pages += text.split(' ').nth(1).unwrap().parse::<u64>().unwrap();
        }
        eprintln!("RSS of all is {pages} pages");
    }

    /// The answer with its head.
    fn answer(&mut self) -> &str {
        let (mut got, mut wanted) = (0, usize::MAX);
        while got < wanted {
            if got == self.answer.len() {
                self.answer.resize(2 * got, 0);
            }
            got += self.server.read(&mut self.answer[got..]).unwrap();
            let end = self.answer[..got].windows(4).position(|bytes| bytes == b"\r\n\r\n");
            if let (Some(end), usize::MAX) = (end, wanted) {
                let head = String::from_utf8_lossy(&self.answer[..end]).to_lowercase();
                let length = head.split("content-length:").nth(1).unwrap();
                wanted = end + 4 + length.lines().next().unwrap().trim().parse::<usize>().unwrap();
            }
        }
        std::str::from_utf8(&self.answer[..got]).unwrap()
    }
}

/// One exchange by SMTP.
fn mail(address: &str, lines: &[u8]) {
    let mut server = BufReader::new(TcpStream::connect(address).unwrap());
    expect(&mut server, "220");
    let commands = ["HELO x", "MAIL FROM:<b@example.com>", "RCPT TO:<a@example.com>", "DATA"];
    for (command, code) in commands.iter().zip(["250", "250", "250", "354"]) {
        server.get_mut().write_all(format!("{command}\r\n").as_bytes()).unwrap();
        expect(&mut server, code);
    }
    server.get_mut().write_all(&[b"Subject: x\r\n\r\n", lines, b".\r\n"].concat()).unwrap();
    expect(&mut server, "250");
    server.get_mut().write_all(b"QUIT\r\n").unwrap();
    expect(&mut server, "221");
}

fn expect(server: &mut BufReader<TcpStream>, code: &str) {
    let mut line = String::new();
    while !line.starts_with(&format!("{code} ")) {
        line.clear();
        assert!(server.read_line(&mut line).unwrap() > 0, "no {code} from the server");
    }
}
