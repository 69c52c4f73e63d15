//! An event as it goes over the wire to a listener.

/// An event to send: by default with the header that supervisord 4 would write.
#[derive(Clone, Debug)]
pub struct Frame {
    eventname: String,
    payload: String,
    server: String,
    serial: Option<u64>,
    len_in_bytes: bool,
    header: Option<String>,
}

impl Frame {
    /// An event of this name and payload.
    #[must_use]
    pub fn new(eventname: &str, payload: &str) -> Frame {
        Frame {
            eventname: eventname.to_owned(),
            payload: payload.to_owned(),
            server: "supervisor".to_owned(),
            serial: None,
            len_in_bytes: false,
            header: None,
        }
    }

    /// With this serial number instead of the next one.
    #[must_use]
    pub fn serial(mut self, serial: u64) -> Frame {
        self.serial = Some(serial);
        self
    }

    /// From a supervisord with this identifier.
    #[must_use]
    pub fn server(mut self, identifier: &str) -> Frame {
        self.server = identifier.to_owned();
        self
    }

    /// With `len` counted in bytes, as supervisord 3 does; supervisord 4 counts characters.
    #[must_use]
    pub fn len_in_bytes(mut self) -> Frame {
        self.len_in_bytes = true;
        self
    }

    /// With this header line, in which `{len}` stands for the length of the payload.
    #[must_use]
    pub fn header(mut self, line: &str) -> Frame {
        self.header = Some(line.to_owned());
        self
    }

    pub(crate) fn to_text(&self, pool: &str, next_serial: u64) -> String {
        let Frame { eventname, payload, server, .. } = self;
        let len = if self.len_in_bytes { payload.len() } else { payload.chars().count() };
        let serial = self.serial.unwrap_or(next_serial);
        let header = match &self.header {
            Some(header) => header.replace("{len}", &len.to_string()),
            None => format!(
                "ver:3.0 server:{server} serial:{serial} pool:{pool} poolserial:{serial} \
                 eventname:{eventname} len:{len}"
            ),
        };
        format!("{header}\n{payload}")
    }
}

#[cfg(test)]
mod tests {
    use super::Frame;

    #[test]
    fn looks_like_supervisords() {
        assert_eq!(
            Frame::new("TICK_60", "when:1").to_text("memmon", 7),
            "ver:3.0 server:supervisor serial:7 pool:memmon poolserial:7 eventname:TICK_60 \
             len:6\nwhen:1"
        );
    }

    #[test]
    fn counts_characters_or_bytes() {
        let frame = Frame::new("X", "café").header("len:{len}");
        assert_eq!(frame.to_text("p", 0), "len:4\ncafé");
        assert_eq!(frame.len_in_bytes().to_text("p", 0), "len:5\ncafé");
    }
}
