//! What the commands do. With `main`, the only place that prints.

use std::convert::Infallible;
use std::fs::File;
use std::future;
use std::io::{BufWriter, Read, Write as _};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use sd_notify::NotifyState;
use tokio::runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task;
use tracing::{error, info, warn};

use crate::author::{self, Answer, Check, Conditions};
use crate::cli::{self, Command, Invocation, Place, PluginCommand, Settings, UsageError};
use crate::config::{Config, KeyLines, Level, Log, Policy, Problems};
use crate::convert;
use crate::gateway::Gateway;
use crate::http;
use crate::import::{self, Source, Target};
use crate::policies;
use crate::reload::{self, Files, Reloads, Trigger, Wishes};
use crate::remote::GatewayUrl;
use crate::replay;
use crate::telemetry::start_log;
use crate::token;

/// A file of more is no configuration.
const MAX_CONFIG: u64 = 4 << 20;

/// Does what the program is asked to do, and says how it is to end.
pub fn run(invocation: Invocation) -> ExitCode {
    match invocation.command.map_err(anyhow::Error::from).and_then(obey) {
        Ok(code) => code,
        Err(error) => {
            report(&error);
            ExitCode::from(invocation.failure)
        }
    }
}

fn obey(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(settings) => serve(settings)?,
        Command::CheckConfig { settings, show } => check_config(&settings, show)?,
        Command::Lock(settings) => lock(&settings)?,
        Command::Import { source, target } => import(&source, target)?,
        Command::Replay { captures, settings, form } => return replay(&captures, &settings, form),
        Command::Check { settings, check } => return self::check(&settings, &check),
        Command::Token(name) => print(&token::issue(&name)?)?,
        Command::ConvertRelabel(file) => convert_relabel(file.as_deref())?,
        Command::Plugin(command) => return plugin(command),
        Command::Help => print(&cli::help())?,
        Command::Version => print(&cli::version())?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Serves until it is asked to stop by SIGINT or SIGTERM. SIGHUP has the configuration read again.
fn serve(settings: Settings) -> anyhow::Result<()> {
    let (examined, files) = examine(&settings);
    let (config, problems) = examined?;
    let watch = config.plugins.watch;
    start_log(&config.log);
    info!(version = env!("CARGO_PKG_VERSION"), plugins = config.chain.len(), "starting pushgate");
    for name in &settings.unknown_variables {
        warn!(name, "unknown variable in the environment; --help tells those that there are");
    }
    // Before there are threads.
    let inherited = config.web.systemd_socket.then(http::inherit).transpose()?;
    let runtime =
        runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    let served = runtime.block_on(async {
        // Before the plugins are compiled, which takes seconds in which one may be asked to stop as well.
        let mut asked_to_stop = pin!(asked_to_stop()?);
        // From here on a SIGHUP does not end the process; one that comes too early is remembered.
        let hangup = signal(SignalKind::hangup()).context("cannot wait for signals")?;
        let loading = task::spawn_blocking(|| {
            let gateway = Gateway::load((config, problems))?;
            gateway.restore()?;
            anyhow::Ok(gateway)
        });
        let gateway = tokio::select! {
            gateway = loading => gateway.context("the plugins could not be loaded")??,
            () = &mut asked_to_stop => {
                info!("stopped");
                return Ok(());
            }
        };
        let listeners = match inherited {
            Some(sockets) => gateway.adopt(sockets)?,
            None => gateway.listen().await?,
        };
        let wishes = gateway.reloads().open();
        notify(&[NotifyState::Ready]);
        let stopping = async {
            asked_to_stop.await;
            notify(&[NotifyState::Stopping]);
        };
        let gateway = Arc::new(gateway);
        let followed = watch::Sender::new(watch.then_some(files));
        tokio::select! {
            () = gateway.run(listeners, stopping) => {}
            never = reload(&gateway, Arc::new(settings), wishes, &followed) => match never {},
            never = reload::watch(followed.subscribe(), gateway.reloads()) => match never {},
            never = ask_for_each(hangup, gateway.reloads()) => match never {},
        }
        info!("stopped");
        Ok(())
    });
    // Whoever asked for the end does not wait for plugins that are being compiled, nor for what nobody is to be told any
    // more. A journal that is being opened is left as in a crash, which costs nothing.
    runtime.shutdown_background();
    served
}

/// Tells systemd, if it is what started this, and its unit says `Type=notify` or `notify-reload`.
fn notify(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        warn!(%error, "cannot tell systemd how the gateway is");
    }
}

/// Completes with the first signal to stop.
fn asked_to_stop() -> anyhow::Result<impl Future<Output = ()>> {
    let listen = |kind| signal(kind).context("cannot wait for signals");
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        info!("received SIGINT/SIGTERM; exiting gracefully...");
    })
}

/// Asks for a reload for each signal. Those that come while one is under way count as one.
async fn ask_for_each(mut hangup: Signal, reloads: &Reloads) -> Infallible {
    while hangup.recv().await.is_some() {
        // Its outcome is told where it is done.
        let _ = reloads.ask(Trigger::Hangup).await;
    }
    future::pending().await
}

/// Reads the configuration again whenever that is wished. One that is wrong changes nothing.
///
/// `followed` gets to know the files that it was made of, if they are to be followed.
async fn reload(
    gateway: &Arc<Gateway>,
    settings: Arc<Settings>,
    wishes: Wishes,
    followed: &watch::Sender<Option<Files>>,
) -> Infallible {
    let reload = async |trigger: Trigger| {
        let by = trigger.as_str();
        // systemd takes what follows for the reload that it asked for only with the time at which it began.
        match NotifyState::monotonic_usec_now() {
            Ok(now) => notify(&[NotifyState::Reloading, now]),
            Err(error) => warn!(%error, "cannot tell systemd of a reload"),
        }
        let (gateway, settings, followed) = (gateway.clone(), settings.clone(), followed.clone());
        let reloading = task::spawn_blocking(move || {
            let (examined, files) = examine(&settings);
            let follow = match &examined {
                Ok((config, problems)) if problems.is_empty() => config.plugins.watch,
                // It goes on as it was, so that the mistake can be mended.
                _ => followed.borrow().is_some(),
            };
            followed.send_replace(follow.then_some(files));
            gateway.reload(examined)
        });
        let reloaded = reloading.await.map_err(anyhow::Error::from).flatten();
        let told = match &reloaded {
            Ok(waiting) if waiting.is_empty() => {
                info!(by, "configuration reloaded");
                "Configuration reloaded"
            }
            Ok(waiting) => {
                let keys = waiting.join(",");
                warn!(by, keys, "configuration reloaded, but for changes that wait for a restart");
                "Configuration reloaded, but for changes that wait for a restart"
            }
            Err(error) => {
                error!(by, err = format!("{error:#}"), "configuration not reloaded; the one in use stays");
                "Configuration not reloaded; the one in use stays"
            }
        };
        // A unit has no failed reload: its status says what came of it, and that the gateway serves either way.
        notify(&[NotifyState::Ready, NotifyState::Status(told)]);
        reloaded
    };
    wishes.serve(gateway.reloads(), reload).await
}

/// Says that a configuration and its plugins can be used, or shows the configuration.
fn check_config(settings: &Settings, show: bool) -> anyhow::Result<()> {
    let text = read(settings)?;
    let (config, problems) = settings.examine(&text);
    for name in &settings.unknown_variables {
        print_error(&format!("pushgate: warning: unknown variable '{name}' in the environment"));
    }
    let file = settings.config_file.as_deref().unwrap_or(Path::new("")).display();
    let answer = if show {
        let lines = KeyLines::of(&text);
        config.show(|section, key| match settings.origin(section, key) {
            Some(origin) => Some(origin.to_owned()),
            None => lines.line(section, key).map(|line| format!("{file}:{line}")),
        })
    } else {
        let plugins = config.chain.len();
        format!("{file}: good, with {plugins} plugin{}\n", if plugins == 1 { "" } else { "s" })
    };
    Gateway::load((config, problems))?;
    print(&answer)
}

/// Writes down which files the plugins are, and says what is new.
fn lock(settings: &Settings) -> anyhow::Result<()> {
    print(&policies::lock(settings.examine(&read(settings)?))?)
}

/// Copies groups, and says how many.
fn import(source: &Source, target: GatewayUrl) -> anyhow::Result<()> {
    let summary = import::import(source, &Target::new(target))?;
    for reason in &summary.refused {
        print_error(&format!("pushgate: not imported: {reason}"));
    }
    let mut line = format!("{} groups imported", summary.imported);
    if summary.present > 0 {
        line.push_str(&format!(", {} were there already", summary.present));
    }
    if summary.refused.is_empty() {
        return print(&format!("{line}\n"));
    }
    print(&format!("{line}, {} refused\n", summary.refused.len()))?;
    anyhow::bail!("not all groups could be imported");
}

/// The configuration, and the files that it is made of as they were when it was read.
fn examine(settings: &Settings) -> (anyhow::Result<(Config, Problems)>, Files) {
    let mut files = Files::default();
    settings.config_file.iter().for_each(|file| files.add(file));
    let examined = read(settings).map(|text| settings.examine(&text));
    if let Ok((config, _)) = &examined {
        files.add(&config.plugins.lock_file);
        config.chain.iter().flat_map(Policy::files).for_each(|file| files.add(file));
    }
    (examined, files)
}

/// Tells what a configuration would have made of captured pushes. The exit code is 0 if that is the same, 1 if it is not.
fn replay(captures: &[PathBuf], settings: &Settings, form: replay::Form) -> anyhow::Result<ExitCode> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    let summary = replay::replay(captures, settings.examine(&read(settings)?), form, &mut out)?;
    summary.left_out.iter().for_each(|what| print_error(&format!("pushgate: warning: {what}")));
    Ok(ExitCode::from(u8::from(summary.has_changes())))
}

/// Takes a payload through the configured chain.
fn check(settings: &Settings, check: &Check) -> anyhow::Result<ExitCode> {
    log_warnings();
    let examined = settings.examine(&read(settings)?);
    Ok(exit_code(check.run(examined, &mut std::io::stdout())?))
}

/// Makes rules of the plugin `relabel` of those of a Prometheus configuration.
fn convert_relabel(file: Option<&Path>) -> anyhow::Result<()> {
    let name = file.map_or("standard input".into(), Path::to_string_lossy);
    let text = match file {
        Some(path) => File::open(path).and_then(read_bounded),
        None => read_bounded(std::io::stdin()),
    };
    let text = text.with_context(|| format!("cannot read {name}"))?;
    let rules = convert::relabel(&text).with_context(|| format!("{name}: no relabelling rules"))?;
    print(&rules)
}

/// Helps an author.
fn plugin(command: PluginCommand) -> anyhow::Result<ExitCode> {
    log_warnings();
    let out = &mut std::io::stdout();
    match command {
        PluginCommand::New(folder) => {
            let name = author::create(&folder)?;
            let folder = folder.display();
            print(&format!(
                "made the plugin '{name}'; next:\n\n    cd {folder}\n    pushgate plugin test\n"
            ))?;
        }
        PluginCommand::Build(folder) => {
            author::build(&folder, out)?;
        }
        PluginCommand::Test { subject, cases, expectations, place } => {
            let conditions = conditions(place)?;
            return author::test(&subject, cases.as_deref(), expectations, &conditions, out).map(exit_code);
        }
        PluginCommand::Inspect { plugin, layout, place } => {
            author::inspect(&plugin, layout, &conditions(place)?, out)?;
        }
        PluginCommand::Bench { plugin, config, place } => {
            author::bench(&plugin, config.as_deref(), &conditions(place)?, out)?;
        }
        PluginCommand::Explain { settings, code } => {
            let examined = settings.examine(&read(&settings)?);
            return author::explain(&code, examined, out).map(exit_code);
        }
        PluginCommand::ExplainRejection { gateway, id } => {
            return author::explain_rejection(&gateway, &id, out).map(exit_code);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What a plugin may use that is tried in the place of a policy; everything, if it is in none.
fn conditions(place: Option<Place>) -> anyhow::Result<Conditions> {
    match place {
        Some(Place { settings, policy }) => {
            Conditions::of_policy(&policy, settings.examine(&read(&settings)?))
        }
        None => Ok(Conditions::default()),
    }
}

/// What plugins log goes to standard error, and why one trapped.
fn log_warnings() {
    start_log(&Log { level: Level::Warn, ..Log::default() });
}

fn exit_code(answer: Answer) -> ExitCode {
    match answer {
        Answer::Yes => ExitCode::SUCCESS,
        Answer::No => ExitCode::FAILURE,
    }
}

/// The text of the configuration file; empty if there is none.
fn read(settings: &Settings) -> anyhow::Result<String> {
    let mut text = String::new();
    if let Some(path) = &settings.config_file {
        let cannot_read = || format!("cannot read the configuration '{}'", path.display());
        text = File::open(path).and_then(read_bounded).with_context(cannot_read)?;
    }
    Ok(text)
}

fn read_bounded(from: impl Read) -> std::io::Result<String> {
    let mut text = String::new();
    let length = from.take(MAX_CONFIG + 1).read_to_string(&mut text)?;
    if length as u64 > MAX_CONFIG {
        return Err(std::io::Error::other("it has more than 4 MiB"));
    }
    Ok(text)
}

/// Tells the person who started the program why it ends.
fn report(error: &anyhow::Error) {
    // Problems of a configuration are lines of their own, each beginning with its place.
    match error.downcast_ref::<Problems>() {
        Some(problems) => print_error(&problems.to_string()),
        None if error.is::<UsageError>() => print_error(&format!("pushgate: error: {error}")),
        None => print_error(&format!("pushgate: {error:#}")),
    }
}

/// Prints what was asked for. Unlike with `println!`, a reader that has gone is no panic.
fn print(text: &str) -> anyhow::Result<()> {
    std::io::stdout().write_all(text.as_bytes()).context("cannot print")
}

#[expect(clippy::print_stderr, reason = "why the program ends")]
fn print_error(line: &str) {
    eprintln!("{}", line.trim_end());
}
