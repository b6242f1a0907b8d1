//! Who may log in, and with what password.

use std::fmt;

use ring::hmac;
use ring::rand::SystemRandom;
use subtle::ConstantTimeEq as _;

use crate::error::Problem;
use crate::hash::Hash;
use crate::table::Table;

/// The users of one reading of the file. Without any, everybody may enter.
pub struct Users {
    /// Random for each reading: nobody can tell how a name is stored.
    key: hmac::Key,
    users: Vec<User>,
}

struct User {
    name: hmac::Tag,
    hash: Hash,
}

/// What a name's password is to be compared with.
pub(crate) struct Found<'u> {
    pub(crate) hash: &'u Hash,
    /// Whether the hash is the user's own. Else it stands in so that the comparison takes the time it would have
    /// taken, and nobody may enter whatever comes of it.
    pub(crate) known: bool,
}

impl Users {
    pub(crate) fn read(table: Option<&Table<'_>>) -> Result<Self, Problem> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())
            .map_err(|_| Problem::of_file("the system gives no random numbers"))?;
        let mut users = Vec::new();
        for (name, field) in table.into_iter().flat_map(Table::fields) {
            let hash = Hash::parse(field.text()?).map_err(|told| field.problem(told))?;
            users.push(User { name: hmac::sign(&key, name.as_bytes()), hash });
        }
        Ok(Self { key, users })
    }

    /// Whether everybody may enter.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// The hash for a name. It takes the same steps for every name: each stored one is compared, in constant
    /// time, and a stand-in is always chosen. The same name gets the same stand-in, as it would get its own hash,
    /// so hashes of different costs do not tell who exists.
    pub(crate) fn find(&self, name: &[u8]) -> Option<Found<'_>> {
        let name = hmac::sign(&self.key, name);
        let is = |user: &User| bool::from(user.name.as_ref().ct_eq(name.as_ref()));
        // To the end, also when the user is found.
        let own = self.users.iter().fold(None, |own, user| if is(user) { Some(user) } else { own });
        let number = name.as_ref().iter().take(4).fold(0, |number, byte| (number << 8) | usize::from(*byte));
        let stand_in = self.users.get(number.checked_rem(self.users.len())?)?;
        Some(Found { hash: &own.unwrap_or(stand_in).hash, known: own.is_some() })
    }
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Users").field("count", &self.users.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::testing::SECRET;
    use crate::yaml;

    pub(crate) fn users(text: &str) -> Result<Users, Problem> {
        let node = yaml::read(text)?;
        Users::read(Some(&Table::root(&node)?))
    }

    #[test]
    fn a_name_finds_its_hash_and_any_other_a_stand_in() {
        let other = SECRET.replace("$04$", "$05$");
        let users = users(&format!("alice: {SECRET}\nbob: {other}\n1234: {SECRET}")).unwrap();
        let found = |name: &str| users.find(name.as_bytes()).map(|f| (f.hash.as_bytes(), f.known)).unwrap();
        assert_eq!(found("alice"), (SECRET.as_bytes(), true));
        assert_eq!(found("bob"), (other.as_bytes(), true));
        assert!(found("1234").1);
        for name in ["", "Alice", "alice ", "alic", "eve"] {
            assert!(!found(name).1, "{name}");
            assert_eq!(found(name), found(name), "always the same one");
        }
        let stand_ins: Vec<_> = (0..200).map(|n| found(&n.to_string()).0).collect();
        assert!(stand_ins.contains(&SECRET.as_bytes()) && stand_ins.contains(&other.as_bytes()));
    }

    #[test]
    fn without_users_nobody_is_found() {
        assert!(Users::read(None).unwrap().is_empty());
        assert!(users("{}").unwrap().find(b"alice").is_none());
    }

    #[test]
    fn a_bad_hash_is_told_by_its_user_and_never_shown() {
        let told = users("a: x\n").unwrap_err().to_string();
        assert!(told.starts_with(":1: a: is not a bcrypt hash; "), "{told}");
        let told = users(&format!("\nbob: [{SECRET}]")).unwrap_err().to_string();
        assert_eq!(told, ":2: bob: must be text");
        let shown = format!("{:?}", users(&format!("alice: {SECRET}")).unwrap());
        assert_eq!(shown, "Users { count: 1, .. }");
    }
}
