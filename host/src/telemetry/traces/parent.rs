//! The span of a client that pushes, as W3C Trace Context writes it: <https://www.w3.org/TR/trace-context/>.

/// Bytes of version, trace, span and flags, two, 32, 16 and two digits with dashes between them.
const LENGTH: usize = 55;

/// A span that a push is a part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parent {
    pub(super) trace: u128,
    pub(super) span: u64,
    /// Whether it is recorded, and so are its children.
    pub(super) is_sampled: bool,
}

impl Parent {
    /// Reads the header `traceparent`. One that is wrong is as good as none, says the standard.
    pub fn read(header: &[u8]) -> Option<Self> {
        let (known, later) = header.split_at_checked(LENGTH)?;
        let dashes = [known[2], known[35], known[52]] == [b'-'; 3];
        let (version, flags) = (hex(&known[..2])?, hex(&known[53..])?);
        let (trace, span) = (hex(&known[3..35])?, hex(&known[36..52])? as u64);
        // What later versions add stands behind a dash.
        let ends = match version {
            0 => later.is_empty(),
            0xff => false,
            _ => later.is_empty() || later.starts_with(b"-"),
        };
        let is_legal = dashes && ends && trace != 0 && span != 0;
        is_legal.then_some(Self { trace, span, is_sampled: flags & 1 == 1 })
    }
}

/// Digits and small letters only.
fn hex(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |number, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u128::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_or_is_none() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let parent = Parent {
            trace: 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c,
            span: 0xb7ad_6b71_6920_3331,
            is_sampled: true,
        };
        assert_eq!(Parent::read(good.as_bytes()), Some(parent));
        let unsampled = good.replace("-01", "-02");
        assert_eq!(Parent::read(unsampled.as_bytes()), Some(Parent { is_sampled: false, ..parent }));
        for later in [good.replace("00-0", "cc-0"), good.replace("00-0", "cc-0") + "-what-will-come"] {
            assert_eq!(Parent::read(later.as_bytes()), Some(parent), "{later}");
        }
        for wrong in [
            "",
            "00",
            &good[..54],
            &format!("{good}-"),
            &format!("{good}0"),
            &good.replace("00-0", "ff-0"),
            &good.replace("00-0", "cc-0").replace("-01", "-01."),
            &good.replace('a', "A"),
            &good.replace("-b7", "_b7"),
            &good.replace("-0af", "_0af"),
            &good.replace("-01", "_01"),
            &good.replace("-01", "-0g"),
            &good.replace("b7ad6b7169203331", "0000000000000000"),
            &good.replace("0af7651916cd43dd8448eb211c80319c", "00000000000000000000000000000000"),
        ] {
            assert_eq!(Parent::read(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
