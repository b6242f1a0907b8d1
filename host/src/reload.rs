//! Reloads while the gateway runs: whoever asks for one asks here, they are done one at a time, and what came of the
//! last one is remembered. What a reload does is up to who [serves](Wishes::serve) them.

mod files;
mod watch;

use std::convert::Infallible;
use std::fmt;
use std::future;
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

pub use self::files::Files;
pub use self::watch::watch;

/// Wishes that wait for the reload under way to end; more wait to be told. One reload serves all that wait.
const MAX_WAITING: usize = 64;

/// Bytes of a reason that are kept. The log has all of it.
const MAX_REASON: usize = 16 << 10;

/// Where reloads are asked for. Shared by all that ask.
#[derive(Debug, Default)]
pub struct Reloads {
    wishes: Mutex<Option<mpsc::Sender<Wish>>>,
    last: Mutex<Option<Arc<Reload>>>,
}

/// What asked for a reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// The signal.
    Hangup,
    /// A request.
    Request,
    /// Other content of the files.
    Files,
}

/// A reload that was done.
#[derive(Debug)]
pub struct Reload {
    /// When it ended.
    pub at: SystemTime,
    /// What asked for it.
    pub trigger: Trigger,
    /// The keys that have changed and wait for a restart, or why everything is as it was.
    pub outcome: Result<Vec<String>, String>,
}

/// Nobody serves wishes for a reload: this gateway was not made of a file.
#[derive(Debug, PartialEq, Eq)]
pub struct NotServed;

struct Wish {
    trigger: Trigger,
    done: oneshot::Sender<Arc<Reload>>,
}

/// The wishes as they come in, for the one who serves them.
pub struct Wishes(mpsc::Receiver<Wish>);

impl Reloads {
    /// Takes wishes from now on.
    pub fn open(&self) -> Wishes {
        let (sender, receiver) = mpsc::channel(MAX_WAITING);
        *self.wishes.lock() = Some(sender);
        Wishes(receiver)
    }

    /// Asks for a reload that begins after this call, and waits for its end. It is done also when nobody waits any more.
    ///
    /// # Errors
    /// When nobody serves wishes.
    pub async fn ask(&self, trigger: Trigger) -> Result<Arc<Reload>, NotServed> {
        let wishes = self.wishes.lock().clone().ok_or(NotServed)?;
        let (done, outcome) = oneshot::channel();
        wishes.send(Wish { trigger, done }).await.map_err(|_| NotServed)?;
        outcome.await.map_err(|_| NotServed)
    }

    /// The last reload, if there was any since the start.
    pub fn last(&self) -> Option<Arc<Reload>> {
        self.last.lock().clone()
    }

    pub(crate) fn remember(&self, reload: Reload) -> Arc<Reload> {
        let reload = Arc::new(reload);
        *self.last.lock() = Some(Arc::clone(&reload));
        reload
    }
}

impl Wishes {
    /// Has `reload` done whenever somebody wishes, and once more for all who did while it was under way: they may
    /// have changed what it had read already.
    pub async fn serve(
        mut self,
        reloads: &Reloads,
        reload: impl AsyncFn(Trigger) -> anyhow::Result<Vec<String>>,
    ) -> Infallible {
        let mut waiting = Vec::new();
        loop {
            self.0.recv_many(&mut waiting, MAX_WAITING).await;
            let Some(first) = waiting.first() else { return future::pending().await };
            let trigger = first.trigger;
            let outcome = reload(trigger).await.map_err(|error| shortened(format!("{error:#}")));
            let done = reloads.remember(Reload { at: SystemTime::now(), trigger, outcome });
            for wish in waiting.drain(..) {
                // Whoever does not wait any more need not know.
                let _ = wish.done.send(Arc::clone(&done));
            }
        }
    }
}

fn shortened(mut reason: String) -> String {
    if reason.len() > MAX_REASON {
        reason.truncate(reason.floor_char_boundary(MAX_REASON));
        reason.push_str("\n... and more, which the log has");
    }
    reason
}

impl Trigger {
    /// How people know it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hangup => "SIGHUP",
            Self::Request => "/-/reload",
            Self::Files => "changed files",
        }
    }
}

impl fmt::Debug for Wishes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Wishes").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Semaphore;
    use tokio::task::yield_now;

    use super::*;

    /// Reloads that each take a permit, and how many have begun.
    async fn serve(
        reloads: &Reloads,
        wishes: Wishes,
        begun: &AtomicUsize,
        permits: &Semaphore,
    ) -> Infallible {
        let reload = async |_| {
            begun.fetch_add(1, Ordering::Relaxed);
            permits.acquire().await.expect("open").forget();
            Ok(Vec::new())
        };
        wishes.serve(reloads, reload).await
    }

    #[tokio::test]
    async fn wishes_during_a_reload_are_served_by_one_more() {
        let (reloads, begun, permits) = (Reloads::default(), AtomicUsize::new(0), Semaphore::new(0));
        let wishes = reloads.open();
        let ask = || reloads.ask(Trigger::Request);
        let late = async {
            while begun.load(Ordering::Relaxed) == 0 {
                yield_now().await;
            }
            permits.add_permits(2);
            let (a, b, c) = tokio::join!(ask(), ask(), ask());
            assert!(Arc::ptr_eq(&a.unwrap(), b.as_ref().unwrap()) && Arc::ptr_eq(&b.unwrap(), &c.unwrap()));
        };
        tokio::select! {
            never = serve(&reloads, wishes, &begun, &permits) => match never {},
            (first, ()) = async { tokio::join!(ask(), late) } => {
                assert!(!Arc::ptr_eq(&first.unwrap(), &reloads.last().unwrap()));
            }
        }
        assert_eq!(begun.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn a_reload_is_remembered_with_its_trigger_and_why_it_failed() {
        let reloads = Reloads::default();
        let wishes = reloads.open();
        assert!(reloads.last().is_none());
        let failing = async |_| Err(anyhow::anyhow!("é".repeat(MAX_REASON)));
        tokio::select! {
            never = wishes.serve(&reloads, failing) => match never {},
            asked = reloads.ask(Trigger::Hangup) => { asked.unwrap(); }
        }
        let last = reloads.last().unwrap();
        let reason = last.outcome.as_ref().unwrap_err();
        assert_eq!(last.trigger, Trigger::Hangup);
        assert!(reason.len() < MAX_REASON + 100 && reason.ends_with("which the log has"), "{}", reason.len());
    }

    #[tokio::test]
    async fn nobody_waits_for_a_reload_that_nobody_does() {
        let reloads = Reloads::default();
        assert_eq!(reloads.ask(Trigger::Request).await.unwrap_err(), NotServed);
        drop(reloads.open());
        assert_eq!(reloads.ask(Trigger::Request).await.unwrap_err(), NotServed);
    }
}
