//! Strings as PromQL has them: in double or single quotes with Go's escapes, or in backticks as they are.

/// What is wrong with a string.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadString {
    #[error("has no end")]
    NoEnd,
    #[error("has the escape '\\{0}', which there is not; write a backslash as '\\\\'")]
    Escape(String),
    #[error("has an escape that stands for no character")]
    NoCharacter,
    #[error("is not UTF-8, which the name of a label is")]
    NotUtf8,
}

/// The string that a text begins with, which is a quote: its bytes, and how many bytes of the text it takes.
pub(super) fn read(text: &str) -> Result<(Vec<u8>, usize), BadString> {
    let mut rest = text.chars();
    let quote = rest.next().ok_or(BadString::NoEnd)?;
    let mut value = Vec::new();
    loop {
        match rest.next().ok_or(BadString::NoEnd)? {
            end if end == quote => return Ok((value, text.len() - rest.as_str().len())),
            '\\' if quote != '`' => escape(&mut rest, quote, &mut value)?,
            '\n' if quote != '`' => return Err(BadString::NoEnd),
            plain => push(&mut value, plain),
        }
    }
}

/// What stands behind a backslash.
fn escape(rest: &mut std::str::Chars<'_>, quote: char, value: &mut Vec<u8>) -> Result<(), BadString> {
    let kind = rest.next().ok_or(BadString::NoEnd)?;
    let byte = match kind {
        'a' => 7,
        'b' => 8,
        'f' => 12,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 11,
        '\\' => b'\\',
        same if same == quote => quote as u8, // '"' or '\'', a byte each
        'x' => u8::try_from(digits(rest, "x", 2, 16)?).map_err(|_| BadString::NoCharacter)?,
        '0'..='7' => {
            let first = kind.to_digit(8).unwrap_or_default();
            let number = first * 64 + digits(rest, &kind.to_string(), 2, 8)?;
            u8::try_from(number).map_err(|_| BadString::NoCharacter)?
        }
        'u' | 'U' => {
            let count = if kind == 'u' { 4 } else { 8 };
            let number = digits(rest, &kind.to_string(), count, 16)?;
            push(value, char::from_u32(number).ok_or(BadString::NoCharacter)?);
            return Ok(());
        }
        other => return Err(BadString::Escape(other.escape_debug().to_string())),
    };
    value.push(byte);
    Ok(())
}

/// A number of just so many digits; `kind` stands before them.
fn digits(rest: &mut std::str::Chars<'_>, kind: &str, count: usize, radix: u32) -> Result<u32, BadString> {
    let mut number: u32 = 0;
    for _ in 0..count {
        let digit = rest.next().ok_or(BadString::NoEnd)?.to_digit(radix);
        let digit = digit.ok_or_else(|| BadString::Escape(kind.to_owned()))?;
        number = number.wrapping_mul(radix).wrapping_add(digit); // Eight digits of four bits fit.
    }
    Ok(number)
}

fn push(value: &mut Vec<u8>, character: char) {
    value.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_read_as_in_promql() {
        for (text, expected) in [
            (r#""x" rest"#, &b"x"[..]),
            (r#"'x' rest"#, b"x"),
            (r#"`x\q"'` rest"#, b"x\\q\"'"),
            ("`a\nb` rest", b"a\nb"),
            (r#""" rest"#, b""),
            (r#""\a\b\f\n\r\t\v\\\"" rest"#, b"\x07\x08\x0c\n\r\t\x0b\\\""),
            (r#"'\'"' rest"#, b"'\""),
            (r#""\x41\101\u0041\U00000041" rest"#, b"AAAA"),
            (r#""\xff\377" rest"#, b"\xff\xff"),
            (r#""\u00e4ä\U0001f600" rest"#, "ää😀".as_bytes()),
        ] {
            let (value, length) = read(text).unwrap();
            assert_eq!((&*value, &text[length..]), (expected, " rest"), "{text}");
        }
    }

    #[test]
    fn what_is_no_string_is_told() {
        use BadString as Bad;
        let escape = |text: &str| Bad::Escape(text.to_owned());
        for (text, expected) in [
            ("\"x", Bad::NoEnd),
            ("`x\"", Bad::NoEnd),
            ("\"a\nb\"", Bad::NoEnd),
            ("\"\\", Bad::NoEnd),
            ("\"\\x4", Bad::NoEnd),
            (r#""\q""#, escape("q")),
            (r#""\'""#, escape("\\'")),
            (r#"'\"'"#, escape("\\\"")),
            (r#""\x4""#, escape("x")),
            (r#""\u12""#, escape("u")),
            (r#""\18""#, escape("1")),
            (r#""\400""#, Bad::NoCharacter),
            (r#""\ud800""#, Bad::NoCharacter),
            (r#""\U00110000""#, Bad::NoCharacter),
            (r#""\Uffffffff""#, Bad::NoCharacter),
        ] {
            assert_eq!(read(text), Err(expected), "{text}");
        }
    }
}
