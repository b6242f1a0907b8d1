//! Durations, TLS versions, cipher suites and curves as Go's programs name them.

use std::time::Duration;

use rustls::crypto::SupportedKxGroup;
use rustls::crypto::ring::cipher_suite as suite;
use rustls::crypto::ring::kx_group as group;
use rustls::{SupportedCipherSuite, SupportedProtocolVersion, version};

/// The TLS versions that are offered, oldest first.
pub(crate) const VERSIONS: [(&str, &SupportedProtocolVersion); 2] =
    [("TLS12", &version::TLS12), ("TLS13", &version::TLS13)];

/// The cipher suites that are offered. Those of TLS 1.3 cannot be chosen in Go; they are always offered.
pub(crate) static CIPHER_SUITES: [(&str, SupportedCipherSuite); 9] = [
    ("TLS_AES_256_GCM_SHA384", suite::TLS13_AES_256_GCM_SHA384),
    ("TLS_AES_128_GCM_SHA256", suite::TLS13_AES_128_GCM_SHA256),
    ("TLS_CHACHA20_POLY1305_SHA256", suite::TLS13_CHACHA20_POLY1305_SHA256),
    ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384),
    ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
    ("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256),
    ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384),
    ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
    ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256),
];

/// The curves that are offered.
pub(crate) static CURVES: [(&str, &dyn SupportedKxGroup); 3] =
    [("X25519", group::X25519), ("CurveP256", group::SECP256R1), ("CurveP384", group::SECP384R1)];

/// The value that goes by `name`, or what to say to whoever wrote it.
pub(crate) fn named<T: Copy>(name: &str, offered: &[(&str, T)]) -> Result<T, String> {
    match offered.iter().find(|(known, _)| *known == name) {
        Some((_, value)) => Ok(*value),
        None => {
            let names: Vec<_> = offered.iter().map(|(known, _)| *known).collect();
            Err(format!("'{}' is not supported; supported: {}", short(name), names.join(", ")))
        }
    }
}

/// As much of what somebody wrote as a message may repeat.
pub(crate) fn short(text: &str) -> String {
    text.chars().take(64).collect()
}

/// A duration as Go writes it, as in `1m30s`, `1.5h` or `100ms`; a bare number is nanoseconds, and nothing is
/// negative.
pub(crate) fn go_duration(text: &str) -> Option<Duration> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().map(Duration::from_nanos);
    }
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(digits);
        let unit_end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        total = total.checked_add(times(number, unit)?)?;
        rest = tail;
    }
    Some(total)
}

fn times(number: &str, unit: &str) -> Option<Duration> {
    let nanoseconds: u64 = match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let mut part: u64 = 0;
    let mut scale: u64 = 1;
    // What is beyond nine digits is less than a nanosecond of an hour's thousandth.
    for digit in fraction.chars().take(9) {
        part = part * 10 + u64::from(digit.to_digit(10)?);
        scale *= 10;
    }
    let part = u64::try_from(u128::from(part) * u128::from(nanoseconds) / u128::from(scale)).ok()?;
    whole.checked_mul(nanoseconds)?.checked_add(part).map(Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_go() {
        for (text, milliseconds) in [
            ("0", Some(0)),
            ("1s", Some(1_000)),
            ("1m30s", Some(90_000)),
            ("1.5h", Some(5_400_000)),
            (".5s", Some(500)),
            ("1.s", Some(1_000)),
            ("100ms", Some(100)),
            ("1000000", Some(1)),
            ("", None),
            ("s", None),
            (".s", None),
            ("1", Some(0)),
            ("-1s", None),
            ("1d", None),
            ("1.2.3s", None),
            ("1 s", None),
            ("9999999999999h", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(go_duration(text).map(|d| d.as_millis()), milliseconds, "{text}");
        }
    }

    #[test]
    fn a_name_that_is_not_offered_is_answered_with_those_that_are() {
        assert!(named("TLS12", &VERSIONS).is_ok());
        assert_eq!(
            named("TLS10", &VERSIONS).unwrap_err(),
            "'TLS10' is not supported; supported: TLS12, TLS13"
        );
        assert_eq!(
            named("CurveP521", &CURVES).map(drop).unwrap_err(),
            "'CurveP521' is not supported; supported: X25519, CurveP256, CurveP384"
        );
        assert!(named("TLS_RSA_WITH_AES_128_CBC_SHA", &CIPHER_SUITES).is_err());
    }
}
