//! The thread that accepts connections, and answers everything but pushes.
//!
//! Hundreds of pushes keep the threads of the runtime busy one after the other, and whatever else has to be done there waits
//! behind them. This thread waits for nobody but the system, which sees to it that it has its part of the processor.

use std::future::Future;
use std::io;
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio::select;
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinHandle};

/// Runs a future on a thread of its own, with a runtime of its own, to its end. It is dropped there when the returned future
/// is dropped.
///
/// # Errors
/// When there is no thread, or no runtime, to be had.
pub(super) async fn run<F>(serve: impl FnOnce() -> F + Send + 'static) -> io::Result<()>
where
    F: Future<Output = ()>,
{
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (mut done, is_done) = oneshot::channel::<()>();
    let front = move || {
        runtime.block_on(async {
            select! {
                () = async { serve().await } => {}
                () = done.closed() => {}
            }
        });
        // What it has begun on threads that may block ends first.
        drop(runtime);
    };
    thread::Builder::new().name("front".to_owned()).spawn(front)?;
    // The sender is gone when all is over.
    let _ = is_done.await;
    Ok(())
}

/// Runs a future on another runtime to its end, or as long as somebody waits for it.
///
/// # Errors
/// When it panics.
pub(super) async fn elsewhere<F>(on: &Handle, future: F) -> Result<F::Output, JoinError>
where
    F: Future<Output: Send> + Send + 'static,
{
    WaitedFor(on.spawn(future)).finish().await
}

/// A task that ends when nobody waits for it any more.
struct WaitedFor<T>(JoinHandle<T>);

impl<T> WaitedFor<T> {
    async fn finish(mut self) -> Result<T, JoinError> {
        (&mut self.0).await
    }
}

impl<T> Drop for WaitedFor<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn it_is_another_thread_and_ends_with_its_future() {
        let (tell, told) = oneshot::channel();
        run(move || async move { tell.send(thread::current().id()).unwrap() }).await.unwrap();
        assert_ne!(told.await.unwrap(), thread::current().id());
    }

    #[tokio::test]
    async fn what_nobody_waits_for_is_dropped() {
        let (held, alive) = oneshot::channel::<()>();
        let running = run(move || async move {
            let _held = held;
            pending::<()>().await;
        });
        assert!(timeout(Duration::ZERO, running).await.is_err());
        assert!(alive.await.is_err(), "its end of the channel is gone");

        let (held, alive) = oneshot::channel::<()>();
        let never = async move {
            let _held = held;
            pending::<()>().await;
        };
        let here = Handle::current();
        let waiting = elsewhere(&here, never);
        assert!(timeout(Duration::ZERO, waiting).await.is_err());
        assert!(alive.await.is_err());
    }

    #[tokio::test]
    async fn a_panic_is_told() {
        let here = Handle::current();
        assert_eq!(elsewhere(&here, async { 5 }).await.unwrap(), 5);
        let panicking = elsewhere(&here, async { panic!("as it has to") });
        assert!(panicking.await.is_err());
    }
}
