//! Frames in characters and in bytes, whole and in pieces.

use std::io;

use proptest::prelude::*;

use super::*;
use crate::fuzz::Wire;

fn frame(name: &str, len: usize, payload: &str) -> Vec<u8> {
    format!("ver:3.0 server:s serial:7 pool:p poolserial:1 eventname:{name} len:{len}\n{payload}")
        .into_bytes()
}

fn in_characters(name: &str, payload: &str) -> Vec<u8> {
    frame(name, payload.chars().count(), payload)
}

fn in_bytes(name: &str, payload: &str) -> Vec<u8> {
    frame(name, payload.len(), payload)
}

#[track_caller]
fn check(reader: &mut FrameReader, wire: &mut Wire, name: &str, payload: &str) {
    let expected = Frame {
        name: name.to_owned(),
        serial: Some(7),
        pool_serial: Some(1),
        payload: payload.to_owned(),
    };
    assert_eq!(reader.read(wire).unwrap(), Some(expected));
}

#[test]
fn both_readings_of_len_are_understood() {
    let payload = "processname:café groupname:café 日本 😀";
    for bytes in [in_characters("X", payload), in_bytes("X", payload)] {
        let mut reader = FrameReader::default();
        check(&mut reader, &mut Wire::whole(&bytes), "X", payload);
        check(
            &mut reader,
            &mut Wire::whole(&in_characters("TICK_5", "when:1")),
            "TICK_5",
            "when:1",
        );
    }
}

#[test]
fn the_end_is_clean_only_between_frames() {
    let mut reader = FrameReader::default();
    assert_eq!(reader.read(&mut Wire::whole(b"")).unwrap(), None);
    for cut in ["ver:3.0 eventname:X", "ver:3.0 eventname:X len:5\nabc"] {
        let error = reader.read(&mut Wire::whole(cut.as_bytes())).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{cut}");
    }
}

#[test]
fn a_header_that_cannot_be_followed_is_an_error_that_shows_it() {
    for (line, what) in [
        ("ver:3.0 eventname:X", "no `len`"),
        ("ver:3.0 eventname:X len:ten", "`len` is no number"),
        ("ver:3.0 eventname:X len:99999999999999", "an incredible `len`"),
        ("ver:3.0 len:0", "no `eventname`"),
    ] {
        let error = FrameReader::default().read(&mut Wire::whole(format!("{line}\n").as_bytes()));
        let message = error.unwrap_err().to_string();
        assert!(message.starts_with(what) && message.contains(line), "{message}");
    }
}

/// Refused, it would come again for ever.
#[test]
fn of_a_large_payload_the_beginning_is_kept_and_the_rest_is_dropped() {
    let payload = format!("processname:é {}", "x".repeat(70 << 20) + "é");
    for bytes in [in_characters("X", &payload), in_bytes("X", &payload)] {
        let mut reader = FrameReader::default();
        let mut wire = Wire::new(bytes.chunks(64 << 10).map(<[u8]>::to_vec));
        let frame = reader.read(&mut wire).unwrap().unwrap();
        assert!(frame.payload.starts_with("processname:é ") && frame.payload.len() <= KEPT + 2);
        assert!(!wire.more_is_coming().unwrap());
        check(&mut reader, &mut Wire::whole(&in_bytes("TICK_5", "when:1")), "TICK_5", "when:1");
    }
}

#[test]
fn what_a_misread_payload_left_behind_is_skipped() {
    let mut bytes = "fé".as_bytes().to_vec();
    bytes.extend(in_characters("TICK_5", "when:1"));
    check(&mut FrameReader::default(), &mut Wire::whole(&bytes), "TICK_5", "when:1");
}

#[test]
fn an_endless_header_is_refused() {
    let bytes = vec![b'x'; 2 * MAX_HEADER as usize];
    assert!(FrameReader::default().read(&mut Wire::whole(&bytes)).is_err());
}

/// Two events of one supervisord, each cut in two at every place; it is the second that shows whether
/// the first was read to its end.
#[test]
fn frames_survive_every_cut() {
    let payload = "processname:café groupname:日本 from_state:😀 expected:0 pid:7";
    for write in [in_characters, in_bytes] {
        let bytes = write("X", payload);
        for cut in 0..=bytes.len() {
            let mut reader = FrameReader::default();
            let mut wire = Wire::new([bytes[..cut].to_vec(), bytes[cut..].to_vec()]);
            check(&mut reader, &mut wire, "X", payload);
            assert!(!wire.more_is_coming().unwrap(), "cut at {cut}");
            check(&mut reader, &mut Wire::whole(&bytes), "X", payload);
        }
        // Byte by byte.
        let mut wire = Wire::new(bytes.iter().map(|byte| vec![*byte]));
        check(&mut FrameReader::default(), &mut wire, "X", payload);
    }
}

proptest! {
    /// supervisord sends the next event only after the answer, so a wire holds one frame.
    #[test]
    fn frames_survive_the_wire(payload in "\\PC{0,40}", cut in 0usize..200, characters: bool) {
        let bytes = if characters { in_characters("X", &payload) } else { in_bytes("X", &payload) };
        let cut = cut.min(bytes.len());
        let mut wire = Wire::new([bytes[..cut].to_vec(), bytes[cut..].to_vec()]);
        let frame = FrameReader::default().read(&mut wire).unwrap().unwrap();
        prop_assert_eq!(frame.payload, payload);
        prop_assert!(!wire.more_is_coming().unwrap());
    }

    #[test]
    fn nothing_makes_the_reader_panic(bytes: Vec<u8>) {
        let _ = FrameReader::default().read(&mut Wire::whole(&bytes));
    }
}
