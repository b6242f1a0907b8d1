//! The configuration that is in force, which follows the files.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use tracing::{error, info};

use crate::config::{WebConfig, read_text};
use crate::error::Error;
use crate::files::{Files, Seen};
use crate::logins::Logins;
use crate::rate_limit::Bucket;
use crate::tls::Tls;

/// How often files are read again, at most, to see what their times might not show.
const DOUBT: Duration = Duration::from_millis(100);

/// A web configuration and what belongs to it for as long as the process runs: the memory of logins and the rate
/// limit, which is fixed at the start as in the original.
///
/// A change is in force for the next connection and the next request after [`Live::refresh`]. What a broken file
/// does:
///
/// - If the configuration file itself cannot be used there is no configuration, and requests have to be refused,
///   as the original does. Keeping the last good one could let somebody in whom the operator just shut out.
/// - If it is the same as before and only a certificate or key that it names is broken, the last good ones stay in
///   force: it is no change of who may enter, but most likely a renewal that is under way.
#[derive(Debug)]
pub struct Live {
    path: PathBuf,
    state: ArcSwap<State>,
    /// Held while files are read, so that one reading is enough for many who ask.
    refreshing: Mutex<()>,
    logins: Logins,
    bucket: Option<Bucket>,
}

struct State {
    seen: Seen,
    read_at: Instant,
    /// The text of the file that `good` was made of.
    text: String,
    good: Arc<WebConfig>,
    /// Whether `good` is in force. Else it is only good for telling clients so by TLS.
    valid: bool,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("good", &self.good).field("valid", &self.valid).finish_non_exhaustive()
    }
}

impl Live {
    /// Reads the file at the start.
    ///
    /// # Errors
    /// With the first thing that is wrong; then nothing should be served at all.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let read_at = Instant::now();
        let mut files = Files::new();
        let at_start = |problem| Error::new(path, problem);
        let text = read_text(path, &mut files).map_err(at_start)?;
        let good = Arc::new(WebConfig::read(&text, path, &mut files)?);
        let logins = Logins::new().map_err(at_start)?;
        let bucket = good.rate_limit().map(Bucket::new);
        let state = State { seen: files.seen(), read_at, text, good, valid: true };
        let refreshing = Mutex::new(());
        Ok(Self { path: path.to_owned(), state: ArcSwap::from_pointee(state), refreshing, logins, bucket })
    }

    /// The configuration for a request; `None` while the file cannot be used, and then nobody may enter.
    pub fn current(&self) -> Option<Arc<WebConfig>> {
        let state = self.state.load();
        state.valid.then(|| Arc::clone(&state.good))
    }

    /// How to speak TLS on the next connection. While the file cannot be used it is as it was last, so that
    /// clients can be told.
    pub fn tls(&self) -> Option<Tls> {
        self.state.load().good.tls().cloned()
    }

    /// Whether [`Live::refresh`] has something to do. Asks the system for the state of each file, which takes
    /// microseconds, so that every request can do it, and a user who was removed is out with the next.
    pub fn is_stale(&self) -> bool {
        let state = self.state.load();
        state.seen.is_changed() || (state.seen.is_uncertain() && state.read_at.elapsed() > DOUBT)
    }

    /// Reads the files again if any changed. Blocks.
    pub fn refresh(&self) {
        let _alone = self.refreshing.lock();
        // Somebody else may have read them while this one waited.
        if self.is_stale() {
            let next = self.read_again(&self.state.load());
            self.state.store(Arc::new(next));
        }
    }

    /// Whether the rate limit lets one more request in at `now`.
    pub fn admit(&self, now: Instant) -> bool {
        self.bucket.as_ref().is_none_or(|bucket| bucket.take(now))
    }

    /// The memory of logins.
    pub fn logins(&self) -> &Logins {
        &self.logins
    }

    fn read_again(&self, last: &State) -> State {
        let read_at = Instant::now();
        let mut files = Files::new();
        let text = read_text(&self.path, &mut files).map_err(|problem| Error::new(&self.path, problem));
        let is_same_text = text.as_ref().is_ok_and(|text| *text == last.text);
        let read = text.and_then(|text| Ok((WebConfig::read(&text, &self.path, &mut files)?, text)));
        let seen = files.seen();
        let is_news = !seen.is_same_content(&last.seen);
        match read {
            // The same objects: with new ones, TLS sessions could not be resumed.
            Ok((_, text)) if !is_news && last.valid => {
                State { seen, read_at, text, good: Arc::clone(&last.good), valid: true }
            }
            Ok((good, text)) => {
                info!(file = %self.path.display(), "web configuration changed");
                State { seen, read_at, text, good: Arc::new(good), valid: true }
            }
            Err(problem) => {
                let valid = last.valid && is_same_text;
                if is_news || valid != last.valid {
                    let effect = if valid {
                        "a file that the web configuration names cannot be used; the last good ones stay in force"
                    } else {
                        "the web configuration cannot be used; requests are refused until it can"
                    };
                    error!(%problem, "{effect}");
                }
                State { seen, read_at, text: last.text.clone(), good: Arc::clone(&last.good), valid }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::testing::{Authority, Folder, SECRET};

    /// What a request meets: how many users there are, or that nobody may enter.
    fn users(live: &Live) -> Option<String> {
        if live.is_stale() {
            live.refresh();
        }
        live.current().map(|config| format!("{:?}", config.users()))
    }

    fn some(count: usize) -> Option<String> {
        Some(format!("Users {{ count: {count}, .. }}"))
    }

    #[test]
    fn a_change_is_in_force_at_once_and_a_broken_file_lets_nobody_in() {
        let folder = Folder::new();
        let one = format!("basic_auth_users:\n  a: {SECRET}\n");
        let path = folder.write("web.yml", &one);
        let live = Live::load(&path).unwrap();
        assert_eq!(users(&live), some(1));
        folder.write("web.yml", &format!("{one}  b: {SECRET}\n"));
        assert_eq!(users(&live), some(2));
        folder.write("web.yml", "foo: [");
        assert_eq!(users(&live), None);
        folder.write("web.yml", "");
        assert_eq!(users(&live), some(0));
        fs::remove_file(&path).unwrap();
        assert_eq!(users(&live), None, "no file is not an empty file");
        fs::create_dir(&path).unwrap();
        assert_eq!(users(&live), None);
        fs::remove_dir(&path).unwrap();
        folder.write("web.yml", &one);
        assert_eq!(users(&live), some(1));
    }

    #[test]
    fn a_swapped_volume_is_in_force_at_once() {
        let folder = Folder::new();
        for (version, text) in [("v1", ""), ("v2", &format!("basic_auth_users:\n  a: {SECRET}\n"))] {
            fs::create_dir(folder.path(version)).unwrap();
            folder.write(&format!("{version}/web.yml"), text);
        }
        std::os::unix::fs::symlink("v1", folder.path("..data")).unwrap();
        std::os::unix::fs::symlink("..data/web.yml", folder.path("web.yml")).unwrap();
        let live = Live::load(&folder.path("web.yml")).unwrap();
        assert_eq!(users(&live), some(0));
        std::os::unix::fs::symlink("v2", folder.path("..new")).unwrap();
        fs::rename(folder.path("..new"), folder.path("..data")).unwrap();
        assert_eq!(users(&live), some(1));
    }

    #[test]
    fn certificates_are_renewed_and_broken_ones_change_nothing() {
        let folder = Folder::new();
        let authority = Authority::new("servers");
        let (old, new) = (authority.localhost(), authority.localhost());
        folder.write("c.pem", &old.certificate);
        folder.write("c.key", &old.key);
        let text = "tls_server_config:\n  cert_file: c.pem\n  key_file: c.key\n";
        let live = Live::load(&folder.write("web.yml", text)).unwrap();
        let tls = || {
            assert_eq!(users(&live), some(0));
            live.tls().unwrap().config().clone()
        };
        let first = tls();
        folder.write("c.pem", &new.certificate);
        assert!(Arc::ptr_eq(&first, &tls()), "the key does not fit yet");
        folder.write("c.key", &new.key);
        let second = tls();
        assert!(!Arc::ptr_eq(&first, &second));
        fs::remove_file(folder.path("c.key")).unwrap();
        assert!(Arc::ptr_eq(&second, &tls()));
        // A new demand that cannot be met is not the same as a renewal.
        folder.write("web.yml", &format!("{text}  client_auth_type: RequireAnyClientCert\n"));
        assert_eq!(users(&live), None);
        assert!(Arc::ptr_eq(&second, live.tls().unwrap().config()), "clients can be told");
        folder.write("web.yml", text);
        assert_eq!(users(&live), None, "what was broken once has to be whole again");
        folder.write("c.key", &new.key);
        assert_eq!(users(&live), some(0));
    }

    #[test]
    fn what_did_not_change_is_kept() {
        let folder = Folder::new();
        let path = folder.write("web.yml", "");
        let live = Live::load(&path).unwrap();
        let first = live.current().unwrap();
        folder.write("web.yml", "");
        assert!(live.is_stale());
        live.refresh();
        assert!(!live.is_stale());
        assert!(Arc::ptr_eq(&first, &live.current().unwrap()));
    }

    #[test]
    fn the_rate_limit_is_that_of_the_start() {
        let folder = Folder::new();
        let live = Live::load(&folder.write("web.yml", "rate_limit:\n  interval: 1h\n  burst: 2\n")).unwrap();
        let now = Instant::now();
        assert!(live.admit(now));
        folder.write("web.yml", "");
        assert_eq!(users(&live), some(0));
        assert!(live.admit(now));
        assert!(!live.admit(now));
        let live = Live::load(&folder.path("web.yml")).unwrap();
        assert!((0..1_000).all(|_| live.admit(now)));
    }
}
