//! Explanations of system errors and of TLS errors.

use std::io;
use std::time::{Duration, UNIX_EPOCH};

use nix::errno::Errno;
use rustls::CertificateError::{self, *};
use rustls::pki_types::UnixTime;

use crate::system::clock::utc_day;

/// Whether `error` means that a thread, a process, a descriptor or memory was not available: the
/// same may work later.
///
/// It is for calls that start or open something: a read returns EAGAIN for another reason.
#[must_use]
pub fn is_shortage(error: &io::Error) -> bool {
    matches!(errno(error), Some(Errno::EAGAIN | Errno::ENOMEM | Errno::EMFILE | Errno::ENFILE))
}

/// Explains an error: which resource is short and where it is limited, or what is wrong with TLS.
#[must_use]
pub fn explain(error: &io::Error) -> String {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref());
    if let Some(error) = tls {
        return explain_tls(error);
    }
    let advice = match errno(error) {
        Some(Errno::EAGAIN) => "no further process or thread (see ulimit -u and pids.max)",
        Some(Errno::EMFILE) => "too many open files (see ulimit -n and minfds in supervisord.conf)",
        Some(Errno::ENFILE) => "too many open files on this machine (see fs.file-max)",
        Some(Errno::ENOMEM) => "out of memory",
        _ => return error.to_string(),
    };
    advice.to_owned()
}

fn errno(error: &io::Error) -> Option<Errno> {
    error.raw_os_error().map(Errno::from_raw)
}

/// Explains a TLS error.
#[must_use]
pub fn explain_tls(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(why) => format!("its certificate {}", certificate(why)),
        rustls::Error::InvalidMessage(_) => "what it says is not TLS".to_owned(),
        rustls::Error::PeerIncompatible(_) => {
            format!("it speaks no version of TLS, or no cipher, that is secure ({error})")
        }
        rustls::Error::AlertReceived(alert) => format!("it ended TLS with the alert {alert:?}"),
        _ => error.to_string(),
    }
}

fn certificate(why: &CertificateError) -> String {
    let text = match why {
        ExpiredContext { not_after, .. } => return format!("expired on {}", day(*not_after)),
        Expired => "has expired",
        NotValidYetContext { not_before, .. } => {
            return format!("is not valid before {}", day(*not_before));
        }
        NotValidYet => "is not valid yet",
        NotValidForNameContext { expected, presented } => {
            // `DnsName("x")`
            let names = presented.iter().map(|name| name.split('"').nth(1).unwrap_or(name));
            let names: Vec<_> = names.collect();
            return format!("is not for {} but for {}", expected.to_str(), names.join(", "));
        }
        NotValidForName => "is for another name",
        UnknownIssuer => "is not issued by an authority that is trusted",
        Revoked => "was revoked",
        BadSignature => "has a wrong signature",
        InvalidPurpose | InvalidPurposeContext { .. } => "is not one for servers",
        Other(error) => match error.to_string().as_str() {
            "CaUsedAsEndEntity" => "is one of an authority (CA:TRUE), and not of a server",
            "UnsupportedCertVersion" => "is of X.509 version 1, and not of version 3",
            other => return format!("is not valid ({other})"),
        },
        other => return format!("is not valid ({other})"),
    };
    text.to_owned()
}

fn day(time: UnixTime) -> String {
    UNIX_EPOCH.checked_add(Duration::from_secs(time.as_secs())).map(utc_day).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::pki_types::ServerName;
    use rustls::{Error, OtherError};

    use super::*;

    #[test]
    fn what_is_short_is_named_with_its_limit() {
        for (errno, text) in [
            (Errno::EMFILE, "too many open files (see ulimit -n and minfds in supervisord.conf)"),
            (Errno::EAGAIN, "no further process or thread (see ulimit -u and pids.max)"),
            (Errno::ENOMEM, "out of memory"),
        ] {
            let error = io::Error::from(errno);
            assert!(is_shortage(&error));
            assert_eq!(explain(&error), text);
        }
        let other = io::Error::from(Errno::ENOENT);
        assert!(!is_shortage(&other));
        assert_eq!(explain(&other), "No such file or directory (os error 2)");
    }

    #[test]
    fn what_is_wrong_with_a_certificate_is_said_in_words() {
        let time = |days: u64| UnixTime::since_unix_epoch(Duration::from_secs(days * 86_400));
        let other = |text: &str| Other(OtherError(Arc::new(io::Error::other(text.to_owned()))));
        let expected = ServerName::try_from("mail.example.com").unwrap();
        for (why, text) in [
            (other("CaUsedAsEndEntity"), "is one of an authority (CA:TRUE), and not of a server"),
            (other("UnsupportedCertVersion"), "is of X.509 version 1, and not of version 3"),
            (other("Odd"), "is not valid (Odd)"),
            (UnknownIssuer, "is not issued by an authority that is trusted"),
            (ExpiredContext { time: time(9), not_after: time(1) }, "expired on 1970-01-02"),
            (
                NotValidForNameContext { expected, presented: vec!["DnsName(\"x\")".to_owned()] },
                "is not for mail.example.com but for x",
            ),
        ] {
            let error = io::Error::other(Error::InvalidCertificate(why));
            assert_eq!(explain(&error), format!("its certificate {text}"));
        }
    }
}
