//! Puts the parts together: wiring only.

use std::future::Future;
use std::net;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use pushgate_exposition::{Limits, Manners, Names, Rules};
use pushgate_plugin_host::Chain;
use pushgate_web_config::Live;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task;
use tracing::{error, info};

use crate::config::{self, Config, Problems};
use crate::expiry;
use crate::http::{self, Http};
use crate::ingest::{Accepted, Consistency, Ingest, IngestError, PushRequest};
use crate::journal::{Acknowledge, FileJournal, InMemory, Journal};
use crate::persistence::Persistence;
use crate::policies::{self, Surroundings};
use crate::rejections::Rejections;
use crate::reload::Reloads;
use crate::store::{self, GroupSnapshot, Store};
use crate::telemetry::{Metrics, Tracer, own_families};

/// A gateway with its plugins loaded, ready to serve.
///
/// ```no_run
/// use pushgate::{config::Config, gateway::Gateway};
///
/// # async fn serve() -> anyhow::Result<()> {
/// let text = std::fs::read_to_string("config.toml")?;
/// let gateway = Gateway::load(Config::examine(&text, "config.toml".as_ref()))?;
/// gateway.restore()?;
/// let listeners = gateway.listen().await?;
/// gateway.run(listeners, async { tokio::signal::ctrl_c().await.unwrap() }).await;
/// # Ok(()) }
/// ```
pub struct Gateway {
    config: Config,
    live: Option<Arc<Live>>,
    http: Arc<Http>,
    store: Arc<Store>,
    surroundings: Surroundings,
    journal: Option<FileJournal>,
    persistence: Option<Persistence>,
    tracer: Option<Arc<Tracer>>,
    ingest: Arc<Ingest>,
    metrics: Arc<Metrics>,
    reloads: Arc<Reloads>,
}

impl Gateway {
    /// Loads the plugins of an examined configuration and puts everything together. Blocks while plugins are
    /// compiled.
    ///
    /// # Errors
    /// [`Problems`], if anything is wrong with the configuration or a plugin: all of it at once. Then
    /// [`pushgate_web_config::Error`], if the file of TLS and users cannot be used.
    pub fn load((config, mut problems): (Config, Problems)) -> anyhow::Result<Self> {
        let metrics = Arc::new(Metrics::of(&config));
        let limits = store::Limits { groups: config.store.max_groups, series: config.store.max_series };
        let journal = journal(&config.store, &metrics);
        let recorder: Box<dyn Journal> = match &journal {
            Some(journal) => Box::new(journal.clone()),
            None => Box::new(InMemory),
        };
        let store = Arc::new(Store::new(limits, own_families(), recorder));
        store.retain(config.store.retention.clone(), seconds_now());
        let surroundings = Surroundings::of(store.clone());
        let loaded = policies::load_after(&Chain::default(), &surroundings, &config, &mut problems)?;
        problems.or(())?;
        let live = config.web.config_file.as_deref().map(Live::load).transpose()?.map(Arc::new);
        let tracer =
            Tracer::start(&config.traces, metrics.clone()).context("cannot start a thread for traces")?;
        let tracer = tracer.map(Arc::new);
        let ingest = Ingest::new(
            loaded,
            store.clone(),
            metrics.clone(),
            Arc::new(Rejections::new(&config.rejections)),
            rules(&config.push),
            if config.push.disable_consistency_check { Consistency::Unchecked } else { Consistency::Checked },
            config.push.max_concurrent,
        );
        let ingest = Arc::new(ingest.traced(tracer.clone()));
        let reloads = Arc::new(Reloads::default());
        let (to, flags) = (ingest.clone(), config.flags().into());
        let http =
            Http::new(&config, live.clone(), to, store.clone(), metrics.clone(), reloads.clone(), flags);
        Ok(Self {
            persistence: Persistence::new(&config.persistence),
            config,
            live,
            http: Arc::new(http),
            ingest,
            metrics,
            store,
            surroundings,
            journal,
            tracer,
            reloads,
        })
    }

    /// Brings back what outlived the process before, and has changes recorded from now on. To be done once, before the
    /// gateway takes pushes. The persistence file is read where there is no journal, or a new one.
    ///
    /// # Errors
    /// When a file can neither be used nor set aside, or the journal is damaged.
    pub fn restore(&self) -> anyhow::Result<()> {
        let rules = rules(&self.config.push);
        let from_file = || match &self.persistence {
            Some(persistence) => persistence.load(&self.store, &rules),
            None => Ok(()),
        };
        match &self.journal {
            Some(journal) => Ok(journal.begin(&self.store, &rules, from_file)?),
            None => from_file(),
        }
    }

    /// Where the gateway is asked to read its configuration again.
    pub fn reloads(&self) -> &Arc<Reloads> {
        &self.reloads
    }

    /// Takes pushes through the plugins of another configuration, and by its rights, from now on, and keeps groups as long as
    /// it says. Returns the keys that differ as well and wait for a restart. Blocks while plugins are compiled.
    ///
    /// # Errors
    /// As for [`load`](Self::load); the plugins in use stay then. The own metrics tell either.
    pub fn reload(&self, examined: anyhow::Result<(Config, Problems)>) -> anyhow::Result<Vec<String>> {
        let replaced = examined.and_then(|(config, mut problems)| {
            let before = self.ingest.policies();
            let loaded = policies::load_after(&before.chain, &self.surroundings, &config, &mut problems)?;
            problems.or(())?;
            let chain = loaded.chain.clone();
            // The rights first: nobody gets to a new policy by an old right.
            self.http.replace_rights(config.rights.clone());
            self.ingest.replace_policies(loaded);
            self.surroundings.settle(&config, &chain);
            self.metrics.settle(&config);
            self.ingest.capture().configure(&config.capture);
            self.store.retain(config.store.retention.clone(), seconds_now());
            let mut waiting = self.config.differences(&config);
            waiting.retain(|key| {
                let is_in_force = |section: &&str| key.starts_with(section);
                !["plugins.", "caller.", "capture."].iter().any(is_in_force) && !RETENTION.contains(&&**key)
            });
            Ok(waiting)
        });
        self.metrics.configured(replaced.is_ok());
        replaced
    }

    /// Takes one push in, as if it had come over HTTP.
    ///
    /// # Errors
    /// When it is refused.
    pub fn take(&self, push: &PushRequest) -> Result<Accepted, IngestError> {
        self.ingest.take(push)
    }

    /// Everything that is stored, by group.
    pub fn stored(&self) -> Vec<GroupSnapshot> {
        self.store.groups().iter().filter_map(|group| self.store.group(&group.key)).collect()
    }

    /// Listens where the configuration says, and logs where that is: port 0 is any that is free.
    ///
    /// # Errors
    /// When an address cannot be had.
    pub async fn listen(&self) -> anyhow::Result<Vec<TcpListener>> {
        self.announce(http::listen(&self.config.web.listen_address).await?)
    }

    /// Listens on sockets that are bound already, from [`http::inherit`].
    ///
    /// # Errors
    /// When one cannot be used.
    pub fn adopt(&self, listeners: Vec<net::TcpListener>) -> anyhow::Result<Vec<TcpListener>> {
        let listeners: Result<_, _> = listeners.into_iter().map(TcpListener::from_std).collect();
        self.announce(listeners.context("cannot use a socket of systemd's")?)
    }

    fn announce(&self, listeners: Vec<TcpListener>) -> anyhow::Result<Vec<TcpListener>> {
        let tls = self.live.as_ref().and_then(|live| live.tls());
        for listener in &listeners {
            let address = listener.local_addr().context("cannot tell the address that is listened on")?;
            info!(%address, "Listening on");
            match &tls {
                Some(tls) => {
                    let http2 = tls.config().alpn_protocols.iter().any(|protocol| protocol == b"h2");
                    info!(http2, %address, "TLS is enabled.");
                }
                None => info!(http2 = false, %address, "TLS is disabled."),
            }
        }
        Ok(listeners)
    }

    /// Serves until `shutdown` ends or a request asks for the end, where that is switched on; then finishes what is under
    /// way within the drain timeout, and writes what is stored to its file.
    pub async fn run(&self, listeners: Vec<TcpListener>, shutdown: impl Future<Output = ()>) {
        self.ingest.capture().configure(&self.config.capture);
        let (stop, stopped) = oneshot::channel();
        let persistence =
            self.persistence.clone().map(|persistence| persistence.keep(self.store.clone(), stopped));
        let keeping = persistence.map(task::spawn);
        let shutdown = async {
            tokio::select! {
                () = shutdown => {}
                () = self.http.asked_to_quit() => {}
            }
        };
        let answer = {
            let http = self.http.clone();
            move |request, peer| http.clone().answer(request, peer)
        };
        let (web, limits) = (&self.config.web, self.metrics.limits().clone());
        tokio::select! {
            served = http::serve(listeners, web, self.live.clone(), limits, answer, shutdown) => {
                if let Err(error) = served {
                    error!(%error, "cannot serve");
                }
            }
            never = expiry::expire(self.store.clone(), self.metrics.clone()) => match never {},
        }
        drop(stop);
        // What was acknowledged comes first: whoever asked for the end may lose patience.
        if let Some(journal) = self.journal.clone()
            && let Err(error) = task::spawn_blocking(move || journal.close()).await
        {
            error!(%error, "the journal was not written at the end");
        }
        if let Some(keeping) = keeping
            && let Err(error) = keeping.await
        {
            error!(%error, "the persistence file was not written at the end");
        }
        let ingest = self.ingest.clone();
        if let Err(error) = task::spawn_blocking(move || ingest.capture().stop()).await {
            error!(%error, "the capture was not written at the end");
        }
        if let Some(tracer) = self.tracer.clone() {
            let _ = task::spawn_blocking(move || tracer.close()).await;
        }
    }
}

/// The keys of the configuration that say how long groups are kept, which a reload changes.
const RETENTION: [&str; 4] = ["store.ttl", "store.max_ttl", "store.stale_after", "store.jobs"];

fn seconds_now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// The journal that is configured, if one is.
fn journal(store: &config::Store, metrics: &Metrics) -> Option<FileJournal> {
    let acknowledge = match store.durability {
        config::Durability::None => return None,
        config::Durability::Interval => Acknowledge::AtOnce(store.interval),
        config::Durability::Always => Acknowledge::Written,
    };
    Some(FileJournal::new(store.path.as_deref()?, acknowledge, metrics.journal()))
}

/// The rules that bodies are read by.
pub(crate) fn rules(push: &config::Push) -> Rules {
    Rules {
        limits: Limits {
            series: push.max_series,
            labels: push.max_labels,
            name_length: push.max_name_length,
            value_length: push.max_label_value_length,
        },
        names: if push.utf8_names { Names::Utf8 } else { Names::Classic },
        manners: if push.lenient { Manners::Lenient } else { Manners::Strict },
    }
}
