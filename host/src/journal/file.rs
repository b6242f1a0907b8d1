//! The file of the journal: a redb database of two tables, the times of each group and the families of each group.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use pushgate_exposition::protobuf;
use redb::{
    Builder, Database, DatabaseError, ReadTransaction, ReadableDatabase as _, ReadableTable as _,
    TableDefinition, WriteTransaction,
};

use super::pending::{GroupChange, Pending};
use super::{key, row};
use crate::persistence::{GroupParts, encode, set_aside, sync_folder};
use crate::store::Times;

/// By the bytes of a grouping key.
const GROUPS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("groups");
/// By the bytes of a grouping key, and the name of a family.
const FAMILIES: TableDefinition<'_, (&[u8], &str), &[u8]> = TableDefinition::new("families");
/// What the tables hold, by name: `format`, and `begun` once anything was written.
const ABOUT: TableDefinition<'_, &str, u64> = TableDefinition::new("about");
/// Of the format before, rows of groups have no wish; they are read as such. A file is of this one once it was opened.
const FORMAT: u64 = 2;
const FORMAT_BEFORE: u64 = 1;

/// Bytes that the database keeps of its file. The store has everything in memory already.
const CACHE: usize = 16 << 20;

/// A file below this size is not worth making smaller.
const SMALL: u64 = 16 << 20;

/// How many times as large as its data a file may be. A new one may be four times as large: a value has a page whose size is
/// a power of two, and a page that was split is half empty.
const MOST_TO_DATA: u64 = 5;

/// The open file. Only one process can have it open.
pub(super) struct JournalFile {
    path: PathBuf,
    database: Database,
    is_new: bool,
}

/// Why a journal cannot be used. The file is as it was, or set aside.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error(
        "the journal '{0}' is used by another process; stop that one, or name another file in [store] path"
    )]
    InUse(PathBuf),
    /// It is from another version.
    #[error(
        "the journal '{path}' has the format {format}, and this version of pushgate writes {FORMAT}; use the version that \
         wrote it, or name another file in [store] path"
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: u64,
    },
    /// It is not what was written.
    #[error(
        "the journal '{path}' is damaged ({reason}) and was set aside as '{aside}'; put a good copy in its place, or start \
         again to begin with nothing"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
        /// Where it is now.
        aside: PathBuf,
    },
    /// It cannot be read or written.
    #[error("the journal '{path}' cannot be opened: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It is damaged, and cannot even be set aside.
    #[error(transparent)]
    NotSetAside(#[from] anyhow::Error),
}

/// What is wrong with a file, before it is set aside.
#[derive(Debug, thiserror::Error)]
pub(super) enum Flaw {
    #[error("{0}")]
    Damaged(String),
    #[error("another process has it open")]
    InUse,
    #[error("it has the format {0}")]
    Format(u64),
    #[error(transparent)]
    Io(io::Error),
}

/// A group that was stored.
pub(super) struct Kept {
    pub(super) parts: GroupParts,
    pub(super) times: Times,
}

impl JournalFile {
    /// Opens the file, or makes one, and reads what is in it.
    pub(super) fn open(path: &Path) -> Result<(Self, Vec<Kept>), OpenError> {
        let opened = Self::connect(path, Builder::create).and_then(|file| {
            let kept = guarded(|| read(&file.database))?;
            Ok((file, kept))
        });
        opened.map_err(|flaw| match flaw {
            Flaw::InUse => OpenError::InUse(path.to_owned()),
            Flaw::Format(format) => OpenError::Format { path: path.to_owned(), format },
            Flaw::Io(source) => OpenError::Io { path: path.to_owned(), source },
            Flaw::Damaged(reason) => match set_aside(path) {
                Ok(aside) => OpenError::Damaged { path: path.to_owned(), reason, aside },
                Err(error) => error.into(),
            },
        })
    }

    /// Opens the file anew, after a write that failed. One that is gone is not made: it would lack all that was in it.
    pub(super) fn reopen(path: &Path) -> Result<Self, Flaw> {
        Self::connect(path, Builder::open)
    }

    fn connect(
        path: &Path,
        open: impl FnOnce(&Builder, PathBuf) -> Result<Database, DatabaseError>,
    ) -> Result<Self, Flaw> {
        guarded(|| {
            let database = open(Builder::new().set_cache_size(CACHE), path.to_owned())?;
            let is_new = make_tables(&database)?;
            Ok(Self { path: path.to_owned(), database, is_new })
        })
    }

    /// Whether nothing was ever written to it.
    pub(super) fn is_new(&self) -> bool {
        self.is_new
    }

    /// Writes changes in one step; when this returns, they are on disk. After an error nothing more can be written: the
    /// file is to be [opened anew](Self::reopen).
    pub(super) fn write(&self, pending: &Pending) -> Result<(), Flaw> {
        guarded(|| {
            let transaction = self.database.begin_write().map_err(redb::Error::from)?;
            if pending.wiped {
                transaction.delete_table(GROUPS).map_err(redb::Error::from)?;
                transaction.delete_table(FAMILIES).map_err(redb::Error::from)?;
            }
            if self.is_new {
                let mut about = transaction.open_table(ABOUT).map_err(redb::Error::from)?;
                about.insert("begun", 1).map_err(redb::Error::from)?;
            }
            for (key, change) in &pending.groups {
                write_group(&transaction, key, change)?;
            }
            transaction.commit().map_err(redb::Error::from)?;
            Ok(())
        })
    }

    /// Bytes that the file has.
    pub(super) fn size(&self) -> u64 {
        fs::metadata(&self.path).map_or(0, |metadata| metadata.len())
    }

    /// Makes the file smaller if little of it is data: that is copied to a new file, which takes the place of this one once it
    /// is on disk. Blocks, for as long as copying takes. After an error nothing is lost.
    pub(super) fn compact(&mut self) -> Result<(), Flaw> {
        let size = self.size();
        if size < SMALL || size <= MOST_TO_DATA * guarded(|| self.data())? {
            return Ok(());
        }
        // A link goes on leading to it.
        let path = self.path.canonicalize().map_err(Flaw::Io)?;
        let new = path.with_added_extension("compact");
        let copied = guarded(|| {
            // One that was left behind by a crash would not be empty.
            match fs::remove_file(&new) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Flaw::Io(error)),
                _ => {}
            }
            let database = Builder::new().set_cache_size(CACHE).create(&new)?;
            let permissions = fs::metadata(&path).map_err(Flaw::Io)?.permissions();
            fs::set_permissions(&new, permissions).map_err(Flaw::Io)?;
            copy(&self.database, &database)?;
            fs::rename(&new, &path).map_err(Flaw::Io)?;
            Ok(database)
        });
        match copied {
            Ok(database) => self.database = database,
            Err(flaw) => {
                let _ = fs::remove_file(&new); // There may be none.
                return Err(flaw);
            }
        }
        // Whatever comes of this, it is the new file that has the name and is to be written.
        sync_folder(&path).map_err(Flaw::Io)
    }

    /// Bytes of the file that are data, with what it takes to find them.
    fn data(&self) -> Result<u64, Flaw> {
        let transaction = self.database.begin_write().map_err(redb::Error::from)?;
        let stats = transaction.stats().map_err(redb::Error::from)?;
        transaction.abort().map_err(redb::Error::from)?;
        Ok(stats.stored_bytes() + stats.metadata_bytes())
    }
}

/// Of a damaged file the database may panic, which is no reason to end without a word.
fn guarded<T>(work: impl FnOnce() -> Result<T, Flaw>) -> Result<T, Flaw> {
    let nonsense = |_| Err(Flaw::Damaged("the database cannot make sense of it".to_owned()));
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(nonsense)
}

/// Makes the tables that are not there. Answers whether nothing was ever written to them.
fn make_tables(database: &Database) -> Result<bool, Flaw> {
    let transaction = database.begin_write().map_err(redb::Error::from)?;
    let is_new = {
        let mut about = transaction.open_table(ABOUT).map_err(redb::Error::from)?;
        let format = about.get("format").map_err(redb::Error::from)?.map(|format| format.value());
        match format {
            Some(FORMAT) => {}
            Some(FORMAT_BEFORE) => drop(about.insert("format", FORMAT).map_err(redb::Error::from)?),
            Some(format) => return Err(Flaw::Format(format)),
            None => drop(about.insert("format", FORMAT).map_err(redb::Error::from)?),
        }
        transaction.open_table(GROUPS).map_err(redb::Error::from)?;
        transaction.open_table(FAMILIES).map_err(redb::Error::from)?;
        about.get("begun").map_err(redb::Error::from)?.is_none()
    };
    transaction.commit().map_err(redb::Error::from)?;
    Ok(is_new)
}

fn read(database: &Database) -> Result<Vec<Kept>, Flaw> {
    let transaction = database.begin_read().map_err(redb::Error::from)?;
    let groups = transaction.open_table(GROUPS).map_err(redb::Error::from)?;
    let families = transaction.open_table(FAMILIES).map_err(redb::Error::from)?;
    let mut kept = BTreeMap::new();
    for group in groups.iter().map_err(redb::Error::from)? {
        let (bytes, times) = group.map_err(redb::Error::from)?;
        let times = row::read_group(bytes.value(), times.value()).map_err(damaged)?;
        let key = key::decode(bytes.value()).map_err(damaged)?;
        let parts = GroupParts { key, body: Vec::new(), pushed_at: BTreeMap::new() };
        kept.insert(bytes.value().to_owned(), Kept { parts, times });
    }
    for family in families.iter().map_err(redb::Error::from)? {
        let (key, value) = family.map_err(redb::Error::from)?;
        let (group, name) = key.value();
        let Some(Kept { parts, .. }) = kept.get_mut(group) else {
            return Err(Flaw::Damaged("a family has no group".to_owned()));
        };
        let (pushed_at, message) = row::read_family(group, name, value.value()).map_err(damaged)?;
        protobuf::delimit(&mut parts.body, message);
        parts.pushed_at.insert(name.to_owned(), pushed_at);
    }
    Ok(kept.into_values().collect())
}

/// Copies all tables to a database that has none.
fn copy(from: &Database, to: &Database) -> Result<(), Flaw> {
    let from = from.begin_read().map_err(redb::Error::from)?;
    let to = to.begin_write().map_err(redb::Error::from)?;
    copy_table(&from, &to, ABOUT)?;
    copy_table(&from, &to, GROUPS)?;
    copy_table(&from, &to, FAMILIES)?;
    Ok(to.commit().map_err(redb::Error::from)?)
}

fn copy_table<K: redb::Key, V: redb::Value>(
    from: &ReadTransaction,
    to: &WriteTransaction,
    table: TableDefinition<'_, K, V>,
) -> Result<(), Flaw> {
    let from = from.open_table(table).map_err(redb::Error::from)?;
    let mut to = to.open_table(table).map_err(redb::Error::from)?;
    for row in from.iter().map_err(redb::Error::from)? {
        let (key, value) = row.map_err(redb::Error::from)?;
        to.insert(key.value(), value.value()).map_err(redb::Error::from)?;
    }
    Ok(())
}

fn damaged(error: impl std::error::Error) -> Flaw {
    Flaw::Damaged(error.to_string())
}

fn write_group(transaction: &WriteTransaction, key: &[u8], change: &GroupChange) -> Result<(), Flaw> {
    let mut groups = transaction.open_table(GROUPS).map_err(redb::Error::from)?;
    let mut families = transaction.open_table(FAMILIES).map_err(redb::Error::from)?;
    if change.is_cleared {
        // Other families of the group stand between these two, whatever they are called; the last one ends it.
        let next = [key, &[0]].concat();
        families.retain_in((key, "")..(next.as_slice(), ""), |_, _| false).map_err(redb::Error::from)?;
    }
    if change.is_gone {
        groups.remove(key).map_err(redb::Error::from)?;
        return Ok(());
    }
    let before = match groups.get(key).map_err(redb::Error::from)? {
        Some(before) if !change.is_new => row::read_group(key, before.value()).map_err(damaged)?,
        _ => Times::default(),
    };
    let times = Times {
        push: change.push.unwrap_or(before.push),
        failure: change.failure.unwrap_or(before.failure),
        wish: change.wish.unwrap_or(before.wish),
    };
    groups.insert(key, row::of_group(key, times).as_slice()).map_err(redb::Error::from)?;
    for (name, family) in &change.families {
        let message = encode(family).map_err(Flaw::Io)?;
        let value = row::of_family(key, name, family.chunk.pushed_at(), &message);
        families.insert((key, &**name), value.as_slice()).map_err(redb::Error::from)?;
    }
    Ok(())
}

impl From<DatabaseError> for Flaw {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => Self::InUse,
            error => redb::Error::from(error).into(),
        }
    }
}

impl From<redb::Error> for Flaw {
    /// Only what can but be the fault of the file sets it aside: of all else it is left where it is, and the start refused.
    fn from(error: redb::Error) -> Self {
        use io::ErrorKind::{InvalidData, UnexpectedEof};
        match error {
            redb::Error::Io(error) if ![InvalidData, UnexpectedEof].contains(&error.kind()) => {
                Self::Io(error)
            }
            error @ (redb::Error::Io(_)
            | redb::Error::Corrupted(_)
            | redb::Error::TableTypeMismatch { .. }
            | redb::Error::TableIsMultimap(_)
            | redb::Error::TypeDefinitionChanged { .. }
            | redb::Error::TableDoesNotExist(_)) => Self::Damaged(error.to_string()),
            error => Self::Io(io::Error::other(error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use io::ErrorKind::{InvalidData, PermissionDenied, StorageFull, UnexpectedEof};

    use pushgate_exposition::GroupingKey;

    use super::*;
    use crate::store::{Arrival, Change, GroupName, Mode};

    #[test]
    fn only_what_is_the_fault_of_the_file_sets_it_aside() {
        let io = |kind: io::ErrorKind| redb::Error::Io(kind.into());
        let is_damaged = |error: redb::Error| matches!(Flaw::from(error), Flaw::Damaged(_));
        assert!(is_damaged(io(InvalidData)) && is_damaged(io(UnexpectedEof)));
        assert!(is_damaged(redb::Error::Corrupted("page 7".to_owned())));
        assert!(!is_damaged(io(StorageFull)) && !is_damaged(io(PermissionDenied)));
        for error in [redb::Error::PreviousIo, redb::Error::DatabaseClosed, redb::Error::UpgradeRequired(1)] {
            assert!(!is_damaged(error));
        }
        assert!(matches!(Flaw::from(DatabaseError::LockProtocolMismatch), Flaw::InUse));
    }

    /// A file with one group, in a folder of its own.
    struct Fixture {
        folder: PathBuf,
        path: PathBuf,
    }

    impl Drop for Fixture {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }

    impl Fixture {
        fn new(name: &str, wish: Option<Duration>) -> Self {
            let folder = std::env::temp_dir().join(format!("pushgate-journal-{}-{name}", std::process::id()));
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir_all(&folder).unwrap();
            let fixture = Self { path: folder.join("journal.redb"), folder };
            let (file, kept) = JournalFile::open(&fixture.path).unwrap();
            assert!(kept.is_empty() && file.is_new());
            let mut pending = Pending::default();
            let group = GroupName::from(GroupingKey::new([("job", "x")]).unwrap());
            let arrival = Arrival { at: 5.0, wish };
            let (mode, families) = (Mode::Replace, Vec::new());
            pending.add(&Change::Push { group, mode, families, arrival, template: None });
            file.write(&pending).unwrap();
            fixture
        }

        /// Makes the file one of that format.
        fn set_format(&self, format: u64) {
            let database = Builder::new().open(&self.path).unwrap();
            let transaction = database.begin_write().unwrap();
            transaction.open_table(ABOUT).unwrap().insert("format", format).unwrap();
            transaction.commit().unwrap();
        }

        fn format(&self) -> u64 {
            let database = Builder::new().open(&self.path).unwrap();
            let transaction = database.begin_read().unwrap();
            transaction.open_table(ABOUT).unwrap().get("format").unwrap().unwrap().value()
        }

        fn times(&self) -> Times {
            let (_, kept) = JournalFile::open(&self.path).unwrap();
            assert_eq!(kept.len(), 1);
            kept[0].times
        }
    }

    #[test]
    fn the_wish_of_a_push_is_kept() {
        let wish = Some(Duration::from_secs(7_200));
        let fixture = Fixture::new("wish", wish);
        assert_eq!(fixture.times(), Times { push: 5.0, failure: 0.0, wish });
    }

    #[test]
    fn a_file_of_the_first_format_is_read_and_then_of_this_one() {
        let fixture = Fixture::new("first", None);
        fixture.set_format(1);
        assert_eq!(fixture.times(), Times { push: 5.0, failure: 0.0, wish: None });
        assert_eq!(fixture.format(), FORMAT);
    }

    #[test]
    fn a_file_of_a_format_to_come_is_refused_and_left_alone() {
        let fixture = Fixture::new("next", None);
        for format in [FORMAT + 1, 0, u64::MAX] {
            fixture.set_format(format);
            let told = JournalFile::open(&fixture.path).err().unwrap().to_string();
            let expected =
                format!("has the format {format}, and this version of pushgate writes {FORMAT}; use the");
            assert!(told.contains(&expected), "{told}");
            assert_eq!(fixture.format(), format);
        }
    }
}
