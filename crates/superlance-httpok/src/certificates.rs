//! Certificates that expire soon (`--cert-days`). Pure.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use superlance_core::system::clock::utc_day;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What was told of certificates.
#[derive(Debug)]
pub(crate) struct Certificates {
    /// How many days before the end it is told.
    days: u16,
    /// When it was told last, by URL.
    told: HashMap<String, SystemTime>,
}

/// What is to be told of a certificate.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// It expires soon, or has expired.
    Soon(String),
    /// There is another one.
    Renewed(String),
}

impl Certificates {
    pub(crate) fn new(days: u16) -> Self {
        Self { days, told: HashMap::new() }
    }

    /// What is to be told now of the certificate of this URL, which expires at `end`. That it expires
    /// soon is told once a day.
    pub(crate) fn news(&mut self, url: &str, end: SystemTime, now: SystemTime) -> Option<News> {
        let day = utc_day(end);
        let left = end.duration_since(now);
        if left.as_ref().is_ok_and(|left| *left > DAY * u32::from(self.days)) {
            let text = format!("The certificate of {url} is another one, which expires on {day}");
            return self.told.remove(url).map(|_| News::Renewed(text));
        }
        // A clock may be set back a little.
        let is_told = |told: &SystemTime| match now.duration_since(*told) {
            Ok(ago) => ago < DAY,
            Err(ahead) => ahead.duration() < DAY,
        };
        if self.told.get(url).is_some_and(is_told) {
            return None;
        }
        self.told.insert(url.to_owned(), now);
        let when = match left {
            Ok(left) => format!("expires on {day}, in {}", days(left)),
            Err(ago) => format!("expired on {day}, {} ago", days(ago.duration())),
        };
        Some(News::Soon(format!("The certificate of {url} {when} (--cert-days {})", self.days)))
    }
}

fn days(time: Duration) -> String {
    match time.as_secs() / DAY.as_secs() {
        0 => "less than a day".to_owned(),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn soon(when: &str) -> Option<News> {
        Some(News::Soon(format!("The certificate of https://h/ {when} (--cert-days 7)")))
    }

    #[test]
    fn that_it_expires_is_told_once_a_day_until_there_is_another_one() {
        let mut certificates = Certificates::new(7);
        let end = SystemTime::UNIX_EPOCH + DAY * 20_000;
        let mut news = |hours: u32| {
            let before = Duration::from_secs(60 * 60) * hours;
            certificates.news("https://h/", end, end - before)
        };
        assert_eq!(news(8 * 24), None);
        assert_eq!(news(7 * 24), soon("expires on 2024-10-04, in 7 days"));
        assert_eq!(news(6 * 24 + 1), None);
        assert_eq!(news(6 * 24), soon("expires on 2024-10-04, in 6 days"));
        assert_eq!(news(23), soon("expires on 2024-10-04, in less than a day"));
        let renewed = "The certificate of https://h/ is another one, which expires on 2025-10-04";
        let (later, now) = (end + DAY * 365, end - DAY / 2);
        let news = certificates.news("https://h/", later, now);
        assert_eq!(news, Some(News::Renewed(renewed.to_owned())));
        assert_eq!(certificates.news("https://h/", later, now), None);
    }

    #[test]
    fn one_that_has_expired_is_told_too_and_each_url_by_itself() {
        let mut certificates = Certificates::new(7);
        let end = SystemTime::UNIX_EPOCH + DAY * 20_000;
        let expired = soon("expired on 2024-10-04, 1 day ago");
        assert_eq!(certificates.news("https://h/", end, end + DAY), expired);
        assert!(certificates.news("https://i/", end, end + DAY).is_some());
        // A clock that was set back.
        assert!(certificates.news("https://h/", end, end - DAY).is_some());
    }
}
