//! What the commands do. With `main`, the only place that prints.

use std::fs;
use std::path::Path;
use std::pin::pin;

use anyhow::Context as _;
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task;
use tracing::info;

use crate::cli::{CheckConfig, Serve};
use crate::config::{Config, Problems};
use crate::gateway::Gateway;
use crate::telemetry::start_log;

/// A file of more is no configuration.
const MAX_CONFIG: u64 = 4 << 20;

/// Serves until it is asked to stop by SIGINT or SIGTERM.
///
/// # Errors
/// When it cannot start.
pub fn serve(serve: Serve) -> anyhow::Result<()> {
    let (mut config, problems) = match &serve.config_file {
        Some(file) => examine(file)?,
        None => (Config::default(), Problems::of(Path::new("pushgate"))),
    };
    serve.overrides.apply(&mut config);
    start_log(&config.log);
    info!(version = env!("CARGO_PKG_VERSION"), plugins = config.chain.len(), "starting pushgate");
    let runtime =
        runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    runtime.block_on(async {
        // Before the plugins are compiled, which takes seconds in which one may be asked to stop as well.
        let mut asked_to_stop = pin!(asked_to_stop()?);
        let loading = task::spawn_blocking(|| Gateway::load((config, problems)));
        let gateway = tokio::select! {
            gateway = loading => gateway.context("the plugins could not be loaded")??,
            () = &mut asked_to_stop => return Ok(()),
        };
        let listeners = gateway.listen().await?;
        gateway.run(listeners, asked_to_stop).await;
        info!("stopped");
        Ok(())
    })
}

/// Completes with the first signal to stop.
fn asked_to_stop() -> anyhow::Result<impl Future<Output = ()>> {
    let listen = |kind| signal(kind).context("cannot wait for signals");
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    Ok(async move {
        let name = tokio::select! {
            _ = interrupt.recv() => "SIGINT",
            _ = terminate.recv() => "SIGTERM",
        };
        info!(signal = name, "stopping");
    })
}

/// Says that a configuration file and its plugins can be used.
///
/// # Errors
/// With everything that is wrong.
pub fn check_config(check: &CheckConfig) -> anyhow::Result<()> {
    let (config, problems) = examine(&check.file)?;
    let plugins = config.chain.len();
    Gateway::load((config, problems))?;
    print(&format!("{}: good, with {plugins} plugins", check.file.display()));
    Ok(())
}

fn examine(file: &Path) -> anyhow::Result<(Config, Problems)> {
    let cannot_read = || format!("cannot read the configuration '{}'", file.display());
    let size = fs::metadata(file).with_context(cannot_read)?.len();
    anyhow::ensure!(size <= MAX_CONFIG, "{}: it has more than 4 MiB", cannot_read());
    let text = fs::read_to_string(file).with_context(cannot_read)?;
    Ok(Config::examine(&text, file))
}

/// Tells the person who started the program why it ends.
pub fn report(error: &anyhow::Error) {
    // Problems of a configuration are lines of their own, each beginning with its place.
    match error.downcast_ref::<Problems>() {
        Some(problems) => print_error(&problems.to_string()),
        None => print_error(&format!("pushgate: {error:#}")),
    }
}

#[expect(clippy::print_stdout, reason = "the answer of a command")]
fn print(line: &str) {
    println!("{line}");
}

#[expect(clippy::print_stderr, reason = "why the program ends")]
fn print_error(line: &str) {
    eprintln!("{}", line.trim_end());
}
