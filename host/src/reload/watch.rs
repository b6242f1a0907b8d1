//! Follows the files of the configuration, and asks for a reload when their content has changed.
//!
//! It looks twice a second instead of having the system tell: that costs a few microseconds, works on every file system,
//! and sees whatever way a file is replaced, links above it included.

use std::convert::Infallible;
use std::future;
use std::time::Duration;

use tokio::sync::watch::Receiver;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::files::{Files, Stamp};
use super::{Reloads, Trigger};

/// How often it looks. A change is taken up when it looks the same twice, so that what is half written settles.
const INTERVAL: Duration = Duration::from_millis(500);

/// Asks `reloads` for one whenever the files that were read last have other content, and looks the same since the last
/// look. There is nothing to follow while there are no files.
pub async fn watch(mut read: Receiver<Option<Files>>, reloads: &Reloads) -> Infallible {
    let mut watched = Watched::of(&mut read);
    loop {
        if watched.files.is_none() {
            // Should nobody be left to read anything, it waits for ever.
            if read.changed().await.is_err() {
                return future::pending().await;
            }
            watched = Watched::of(&mut read);
            continue;
        }
        sleep(INTERVAL).await;
        let look = move || {
            let news = watched.look();
            (watched, news)
        };
        let Ok((looked, news)) = spawn_blocking(look).await else { return future::pending().await };
        watched = looked;
        if news == News::Content {
            // What was read for it is what is followed next; its outcome is told where it is done.
            let _ = reloads.ask(Trigger::Files).await;
        }
        if read.has_changed().unwrap_or_default() {
            watched = Watched::of(&mut read);
        }
    }
}

/// The files, and how they looked when they were found changed.
#[derive(Debug)]
struct Watched {
    files: Option<Files>,
    unsettled: Option<Vec<Option<Stamp>>>,
}

#[derive(Debug, PartialEq, Eq)]
enum News {
    None,
    Content,
}

impl Watched {
    fn of(read: &mut Receiver<Option<Files>>) -> Self {
        Self { files: read.borrow_and_update().clone(), unsettled: None }
    }

    fn look(&mut self) -> News {
        let Some(files) = &mut self.files else { return News::None };
        let stamps = files.stamps_now();
        if stamps == files.stamps() {
            self.unsettled = None;
            return News::None;
        }
        if self.unsettled.as_ref() != Some(&stamps) {
            self.unsettled = Some(stamps);
            return News::None;
        }
        self.unsettled = None;
        let now = files.again();
        let news = if now.has_content_of(files) { News::None } else { News::Content };
        *files = now;
        news
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("pushgate-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn write(&self, name: &str, text: &str) -> PathBuf {
            let path = self.0.join(name);
            fs::write(&path, text).unwrap();
            path
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn watched(paths: &[PathBuf]) -> Watched {
        let mut files = Files::default();
        paths.iter().for_each(|path| files.add(path));
        Watched { files: Some(files), unsettled: None }
    }

    #[test]
    fn a_change_is_news_once_when_it_has_settled() {
        let folder = Folder::new("watch-settled");
        let paths = [folder.write("a", "1"), folder.0.join("absent")];
        let mut watched = watched(&paths);
        assert_eq!(watched.look(), News::None);
        for (rule, change) in [
            ("it was written", &(|| drop(folder.write("a", "2 and longer"))) as &dyn Fn()),
            ("it came to be", &|| drop(folder.write("absent", ""))),
            ("it was replaced", &|| fs::rename(folder.write("new", "3"), &paths[0]).unwrap()),
            ("it was removed", &|| fs::remove_file(&paths[0]).unwrap()),
            ("it is a folder", &|| fs::create_dir(&paths[0]).unwrap_or_default()),
        ] {
            change();
            assert_eq!(watched.look(), News::None, "{rule}: it may be half written");
            let expected = if rule == "it is a folder" { News::None } else { News::Content };
            assert_eq!(watched.look(), expected, "{rule}");
            assert_eq!(watched.look(), News::None, "{rule}: it was told");
        }
    }

    #[test]
    fn a_file_that_goes_on_changing_is_waited_for() {
        let folder = Folder::new("watch-growing");
        let path = folder.write("a", "");
        let mut watched = watched(std::slice::from_ref(&path));
        for length in 1..5 {
            folder.write("a", &"x".repeat(length));
            assert_eq!(watched.look(), News::None);
        }
        assert_eq!(watched.look(), News::Content);
    }

    #[test]
    fn the_same_content_is_no_news() {
        let folder = Folder::new("watch-touched");
        let path = folder.write("a", "1");
        let mut watched = watched(std::slice::from_ref(&path));
        fs::rename(folder.write("b", "1"), &path).unwrap();
        assert_eq!([watched.look(), watched.look(), watched.look()], [News::None, News::None, News::None]);
        folder.write("a", "one");
        assert_eq!([watched.look(), watched.look()], [News::None, News::Content]);
    }

    #[test]
    fn a_swapped_link_above_the_file_is_seen() {
        let folder = Folder::new("watch-links");
        for version in ["v1", "v2"] {
            fs::create_dir_all(folder.0.join(version)).unwrap();
            folder.write(&format!("{version}/config.toml"), version);
        }
        let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, folder.0.join(name)).unwrap();
        link("v1", "..data");
        link("..data/config.toml", "config.toml");
        let mut watched = watched(&[folder.0.join("config.toml")]);
        assert_eq!(watched.look(), News::None);
        link("v2", "..new");
        fs::rename(folder.0.join("..new"), folder.0.join("..data")).unwrap();
        assert_eq!([watched.look(), watched.look()], [News::None, News::Content]);
    }
}
