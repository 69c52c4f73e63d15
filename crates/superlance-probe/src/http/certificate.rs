//! What a certificate (RFC 5280) says of itself.

use std::time::{Duration, SystemTime};

use der::asn1::{GeneralizedTime, UtcTime};
use der::{Decode, Header, Reader, Result, SliceReader, Tag};

/// When a certificate expires; `None` if it is malformed.
pub(crate) fn end(certificate: &[u8]) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(not_after(certificate).ok()?)
}

/// The second field of the validity, as a time since 1970.
fn not_after(certificate: &[u8]) -> Result<Duration> {
    let mut fields = inside(&mut inside(&mut SliceReader::new(certificate)?)?)?;
    let has_version = Tag::peek(&fields)? != Tag::Integer;
    // Before it come the number, the algorithm and the issuer.
    for _ in 0..3 + u8::from(has_version) {
        fields.tlv_bytes()?;
    }
    let mut validity = inside(&mut fields)?;
    validity.tlv_bytes()?;
    match Tag::peek(&validity)? {
        Tag::UtcTime => Ok(UtcTime::decode(&mut validity)?.to_unix_duration()),
        _ => Ok(GeneralizedTime::decode(&mut validity)?.to_unix_duration()),
    }
}

/// The fields of a sequence.
fn inside<'a>(reader: &mut SliceReader<'a>) -> Result<SliceReader<'a>> {
    let header = Header::decode(reader)?;
    header.tag().assert_eq(Tag::Sequence)?;
    SliceReader::new(reader.read_slice(header.length())?)
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;
    use superlance_testing::Certificate;

    use super::*;

    #[test]
    fn a_certificate_has_an_end() {
        let der = CertificateDer::from_pem_file(Certificate::expired().certificate()).unwrap();
        let year_2000 = Duration::from_secs(946_684_800);
        assert_eq!(end(&der), Some(SystemTime::UNIX_EPOCH + year_2000));
        assert!((0..der.len()).all(|length| end(&der[..length]).is_none()), "a part of it");
        assert_eq!(end(b"\x30\x03abc"), None);
    }
}
