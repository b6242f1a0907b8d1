//! RE2 as Go writes it, put into the syntax of the `regex` crate.
//!
//! The two agree on nearly everything. Where a text means something else, or something, to the `regex`
//! crate only (`\d` with Unicode, `[a&&b]`, nested classes, `{,2}`, `\<`), this writes what Go means.
//! <https://github.com/google/re2/wiki/Syntax>

use std::fmt::Write as _;
use std::iter::Peekable;
use std::str::Chars;

/// The largest count that Go takes in a repetition.
const MAX_REPEAT: u32 = 1000;

/// The pattern in the syntax of the `regex` crate, not anchored. What is left to that crate to refuse is
/// refused by both.
pub(super) fn translate(pattern: &str) -> Result<String, String> {
    let mut translator = Translator { rest: pattern.chars().peekable(), out: String::new(), repeated: 1 };
    translator.run()?;
    Ok(translator.out)
}

/// The name of a group as it was written, from the one that the translation has.
pub(super) fn group_name(translated: &str) -> &str {
    translated.split_once('_').map_or(translated, |(_, name)| name)
}

struct Translator<'a> {
    rest: Peekable<Chars<'a>>,
    out: String,
    /// How often what stands last is repeated within itself at most: 6 for `(a{2}){3}`.
    repeated: u32,
}

/// What stood last: Go refuses to repeat a repetition.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Repetition,
    Other,
}

impl Translator<'_> {
    fn run(&mut self) -> Result<(), String> {
        // For each group that is open, how often a part of it is repeated at most; the first is the whole.
        let mut groups = vec![1_u32];
        let mut last = Last::Other;
        while let Some(character) = self.rest.next() {
            let before = std::mem::replace(&mut last, Last::Other);
            if !matches!(character, '*' | '+' | '?' | '{') {
                self.repeated = 1;
            }
            match character {
                // `(?i)` is no group: it opens and closes at once.
                '(' => {
                    if self.group()? == Group::Opened {
                        groups.push(1);
                    }
                }
                ')' => {
                    self.repeated =
                        groups.pop().filter(|_| !groups.is_empty()).ok_or("')' closes nothing")?;
                    self.out.push(')');
                }
                '[' => self.class()?,
                '\\' => self.escape()?,
                '*' | '+' | '?' => {
                    self.repetition(before, &character.to_string())?;
                    last = Last::Repetition;
                }
                '{' => match self.count()? {
                    Some(count) => {
                        self.repetition(before, &count)?;
                        last = Last::Repetition;
                    }
                    None => {
                        self.repeated = 1;
                        self.literal('{');
                    }
                },
                '.' | '^' | '$' | '|' => self.out.push(character),
                other => self.literal(other),
            }
            if let Some(group) = groups.last_mut() {
                *group = self.repeated.max(*group);
            }
        }
        Ok(())
    }

    /// Writes an operator, with the `?` that makes it lazy.
    fn repetition(&mut self, before: Last, operator: &str) -> Result<(), String> {
        if before == Last::Repetition {
            return Err("a repetition cannot be repeated".to_owned());
        }
        self.out.push_str(operator);
        if self.rest.next_if_eq(&'?').is_some() {
            self.out.push('?');
        }
        Ok(())
    }

    /// What stands behind a `{`, when that makes it a repetition: `2}`, `2,}` or `2,5}`.
    fn count(&mut self) -> Result<Option<String>, String> {
        let mut ahead = self.rest.clone();
        let mut text = String::from("{");
        loop {
            match ahead.next() {
                Some('}') => break,
                Some(character @ ('0'..='9' | ',')) => text.push(character),
                _ => return Ok(None),
            }
        }
        let (low, high) = text[1..].split_once(',').unwrap_or((&text[1..], "0"));
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let has_leading_zero = |text: &str| text.len() > 1 && text.starts_with('0');
        let high = if high.is_empty() { "0" } else { high };
        if !is_number(low) || !is_number(high) || has_leading_zero(low) || has_leading_zero(high) {
            return Ok(None);
        }
        let is_too_large = |text: &str| text.parse::<u32>().map_or(true, |number| number > MAX_REPEAT);
        let number = |text: &str| text.parse::<u32>().unwrap_or(u32::MAX);
        // `{0}` repeats nothing, whatever is in it.
        self.repeated = match (number(low), number(high)) {
            (0, 0) if text.ends_with(',') => self.repeated,
            (low, high) => self.repeated.saturating_mul(low.max(high)),
        };
        if is_too_large(low) || is_too_large(high) || self.repeated > MAX_REPEAT {
            return Err(format!("a repetition of more than {MAX_REPEAT}"));
        }
        self.rest = ahead;
        text.push('}');
        Ok(Some(text))
    }

    /// What stands behind a `(`.
    fn group(&mut self) -> Result<Group, String> {
        self.out.push('(');
        if self.rest.next_if_eq(&'?').is_none() {
            return Ok(Group::Opened);
        }
        self.out.push('?');
        let mut shown = String::from("(?");
        let is_named = match self.rest.peek() {
            Some('<') => true,
            Some('P') => {
                shown.push('P');
                self.rest.next();
                true
            }
            _ => false,
        };
        if is_named {
            return self.group_name(shown);
        }
        for character in self.rest.by_ref() {
            match character {
                'i' | 'm' | 's' | 'U' | '-' => self.out.push(character),
                // `(?)` sets no flags.
                ')' if self.out.ends_with("(?") => {
                    self.out.push_str(":)");
                    return Ok(Group::FlagsOnly);
                }
                ':' | ')' => {
                    self.out.push(character);
                    return Ok(if character == ':' { Group::Opened } else { Group::FlagsOnly });
                }
                other => {
                    shown.push(other);
                    return Err(format!("'{shown}' is not supported"));
                }
            }
        }
        Err("unclosed group".to_owned())
    }

    fn group_name(&mut self, mut shown: String) -> Result<Group, String> {
        if let Some(other) = self.rest.next_if(|next| *next != '<') {
            shown.push(other);
            return Err(format!("'{shown}' is not supported"));
        }
        self.rest.next();
        // `(?<=` and `(?<!` look behind.
        if let Some(other) = self.rest.next_if(|next| matches!(next, '=' | '!')) {
            return Err(format!("'{shown}<{other}' is not supported"));
        }
        let mut name = String::new();
        while let Some(character) = self.rest.next_if(|next| *next == '_' || next.is_ascii_alphanumeric()) {
            name.push(character);
        }
        match self.rest.next() {
            Some('>') if !name.is_empty() => {
                // Names may occur twice, and begin with a digit.
                let place = self.out.len();
                let _ = write!(self.out, "P<at{place}_{name}>");
                Ok(Group::Opened)
            }
            _ => Err("a group name is letters, digits and '_', closed by '>'".to_owned()),
        }
    }

    /// What stands behind a `\`, outside of a class.
    fn escape(&mut self) -> Result<(), String> {
        match self.rest.peek() {
            Some('A' | 'z') => {
                self.out.push('\\');
                self.out.extend(self.rest.next());
            }
            Some(&boundary @ ('b' | 'B')) => {
                self.rest.next();
                let _ = write!(self.out, "(?-u:\\{boundary})");
            }
            Some('Q') => {
                self.rest.next();
                self.quoted()?;
            }
            Some('p' | 'P') => self.unicode_class()?,
            _ => match self.perl_class()? {
                Some((sign, members)) => {
                    let _ = write!(self.out, "[{sign}{members}]");
                }
                None => {
                    let character = self.escaped_character()?;
                    self.literal(character);
                }
            },
        }
        Ok(())
    }

    /// Everything up to `\E` is itself. It has to be there: what Prometheus puts behind a pattern would be quoted, too.
    fn quoted(&mut self) -> Result<(), String> {
        while let Some(character) = self.rest.next() {
            if character == '\\' && self.rest.next_if_eq(&'E').is_some() {
                return Ok(());
            }
            self.literal(character);
        }
        Err(r"'\Q' is not closed by '\E'".to_owned())
    }

    /// `\d` and its like behind a `\`: `^` when it is negated, and what is in it.
    fn perl_class(&mut self) -> Result<Option<(&'static str, &'static str)>, String> {
        let Some(&name) = self.rest.peek() else { return Err(r"'\' at the end".to_owned()) };
        let members = match name.to_ascii_lowercase() {
            'd' => "0-9",
            's' => r"\t\n\f\r ",
            'w' => "0-9A-Za-z_",
            _ => return Ok(None),
        };
        self.rest.next();
        Ok(Some((if name.is_ascii_uppercase() { "^" } else { "" }, members)))
    }

    /// `\pL`, `\p{Greek}`, `\p{^Greek}` and their negations with `P`.
    fn unicode_class(&mut self) -> Result<(), String> {
        let is_negated = self.rest.next() == Some('P');
        let mut name = String::new();
        if self.rest.next_if_eq(&'{').is_some() {
            loop {
                match self.rest.next() {
                    Some('}') => break,
                    Some(character) => name.push(character),
                    None => return Err(r"'\p{' is not closed".to_owned()),
                }
            }
        } else {
            name.extend(self.rest.next());
        }
        let plain = name.strip_prefix('^').unwrap_or(&name);
        // The `regex` crate reads names in any case and form, and has classes that RE2 does not.
        let is_name = |word: &str| {
            word.starts_with(|first: char| first.is_ascii_uppercase())
                && word[1..].bytes().all(|byte| byte.is_ascii_lowercase())
        };
        if !plain.split('_').all(is_name) {
            return Err(format!("{plain:?} is no Unicode class"));
        }
        let letter = if is_negated != (plain.len() < name.len()) { 'P' } else { 'p' };
        let _ = write!(self.out, "\\{letter}{{{plain}}}");
        Ok(())
    }

    /// The one character that stands behind a `\`.
    fn escaped_character(&mut self) -> Result<char, String> {
        let character = self.rest.next().ok_or(r"'\' at the end")?;
        Ok(match character {
            'a' => '\x07',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            'x' => self.hexadecimal()?,
            '0' => self.octal(0),
            // A single digit would refer back to a group, which RE2 cannot do.
            '1'..='7' if self.rest.peek().is_some_and(|next| matches!(next, '0'..='7')) => {
                self.octal(character as u32 - '0' as u32)
            }
            other if other.is_ascii() && !other.is_ascii_alphanumeric() => other,
            other => return Err(format!(r"unrecognized escape '\{other}'")),
        })
    }

    fn octal(&mut self, mut number: u32) -> char {
        for _ in 0..2 {
            let Some(digit) = self.rest.next_if(|next| matches!(next, '0'..='7')) else { break };
            number = number * 8 + (digit as u32 - '0' as u32);
        }
        char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER)
    }

    fn hexadecimal(&mut self) -> Result<char, String> {
        let in_braces = self.rest.next_if_eq(&'{').is_some();
        let mut digits = String::new();
        while digits.len() < if in_braces { 8 } else { 2 } {
            let Some(digit) = self.rest.next_if(char::is_ascii_hexdigit) else { break };
            digits.push(digit);
        }
        let is_closed = if in_braces { self.rest.next_if_eq(&'}').is_some() } else { digits.len() == 2 };
        u32::from_str_radix(&digits, 16)
            .ok()
            .filter(|_| is_closed)
            .and_then(char::from_u32)
            .ok_or_else(|| r"'\x' needs two hexadecimal digits, or some in braces".to_owned())
    }

    /// What stands behind a `[`. Only `]`, `^`, `-`, `\` and `[:name:]` are special in it.
    fn class(&mut self) -> Result<(), String> {
        const NOT_CLOSED: &str = "a class is not closed by ']'";
        self.out.push('[');
        if self.rest.next_if_eq(&'^').is_some() {
            self.out.push('^');
        }
        let mut is_first = true;
        loop {
            let next = *self.rest.peek().ok_or(NOT_CLOSED)?;
            // A `]` that comes first is itself.
            if next == ']' && !is_first {
                self.rest.next();
                self.out.push(']');
                return Ok(());
            }
            is_first = false;
            if next == '[' && self.posix_class()? {
                continue;
            }
            if next == '\\' {
                let mut behind = self.rest.clone();
                behind.next();
                let before = std::mem::replace(&mut self.rest, behind);
                if matches!(self.rest.peek(), Some('p' | 'P')) {
                    self.unicode_class()?;
                    continue;
                }
                if let Some((sign, members)) = self.perl_class()? {
                    let nested =
                        if sign.is_empty() { members.to_owned() } else { format!("[{sign}{members}]") };
                    self.out.push_str(&nested);
                    continue;
                }
                self.rest = before;
            }
            let low = self.class_character()?.ok_or(NOT_CLOSED)?;
            self.literal(low);
            // A `-` makes a range unless it stands last.
            let mut ahead = self.rest.clone();
            if ahead.next() == Some('-') && ahead.peek().is_some_and(|next| *next != ']') {
                self.rest = ahead;
                let high = self.class_character()?.ok_or(NOT_CLOSED)?;
                self.out.push('-');
                self.literal(high);
            }
        }
    }

    fn class_character(&mut self) -> Result<Option<char>, String> {
        match self.rest.next() {
            Some('\\') => {
                if let Some(class) =
                    self.rest.peek().filter(|next| matches!(next, 'd' | 'D' | 's' | 'S' | 'w' | 'W'))
                {
                    return Err(format!(r"'\{class}' is no single character"));
                }
                self.escaped_character().map(Some)
            }
            other => Ok(other),
        }
    }

    /// `[:name:]`; without the `:]` it is an ordinary `[`.
    fn posix_class(&mut self) -> Result<bool, String> {
        const NAMES: [&str; 14] = [
            "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
            "space", "upper", "word", "xdigit",
        ];
        let rest: String = self.rest.clone().collect();
        let Some((name, _)) = rest.strip_prefix("[:").and_then(|rest| rest.split_once(":]")) else {
            return Ok(false);
        };
        if !NAMES.contains(&name.strip_prefix('^').unwrap_or(name)) {
            return Err(format!("unrecognized POSIX class '[:{name}:]'"));
        }
        let _ = write!(self.out, "[:{name}:]");
        self.rest.nth(name.chars().count() + 3);
        Ok(true)
    }

    /// A character that stands for itself, whatever it means to the `regex` crate.
    fn literal(&mut self, character: char) {
        if character.is_ascii() && !character.is_ascii_alphanumeric() && character != '_' {
            let _ = write!(self.out, "\\x{{{:x}}}", u32::from(character));
        } else {
            self.out.push(character);
        }
    }
}

/// What a parenthesis began.
#[derive(PartialEq, Eq)]
enum Group {
    Opened,
    FlagsOnly,
}
