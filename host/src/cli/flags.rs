//! Flags, and the table of those that are settings. Such a flag is a line here; what it means and what it may be stands
//! with its key in the configuration.

/// A flag, and what it says.
#[derive(Debug)]
pub(super) struct Flag {
    /// The name without the hyphens.
    pub(super) name: &'static str,
    pub(super) meaning: Meaning,
    pub(super) value: Value,
    pub(super) help: &'static str,
}

/// What a flag is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Meaning {
    /// A key of the configuration, behind its section.
    Setting(&'static str, &'static str),
    /// The name of the configuration's file.
    ConfigFile,
    /// The command that it is given to, which says in its own help what it does there.
    Command,
}

/// What stands behind a flag.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Value {
    /// Nothing: it is on, or off with `--no-`.
    Switch,
    /// One value, which help calls this.
    One(&'static str),
    /// One value each time that it is given.
    Many(&'static str),
}

impl Flag {
    /// The variable of the environment that stands for the flag: `PUSHGATE_WEB_LISTEN_ADDRESS`.
    pub(super) fn variable(&self) -> String {
        format!("PUSHGATE_{}", self.name.to_ascii_uppercase().replace(['.', '-'], "_"))
    }
}

const fn flag(
    name: &'static str,
    (section, key): (&'static str, &'static str),
    value: Value,
    help: &'static str,
) -> Flag {
    Flag { name, meaning: Meaning::Setting(section, key), value, help }
}

/// All flags that are settings, in the order of the help: those of the original in its order, after pushgate's own.
pub(super) const FLAGS: [Flag; 16] = [
    Flag {
        name: "config.file",
        meaning: Meaning::ConfigFile,
        value: Value::One("FILE"),
        help: "pushgate's own configuration, TOML; without one, the defaults and no plugins.",
    },
    flag(
        "locked",
        ("plugins", "locked"),
        Value::Switch,
        "Use no plugin that is not in the lock file exactly as it is.",
    ),
    flag(
        "web.systemd-socket",
        ("web", "systemd_socket"),
        Value::Switch,
        "Use the sockets that systemd hands over instead of listening on an address.",
    ),
    flag(
        "web.listen-address",
        ("web", "listen_address"),
        Value::Many("ADDRESS"),
        "Address to listen on, such as 127.0.0.1:9091 or :9091. May be repeated.",
    ),
    flag(
        "web.config.file",
        ("web", "config_file"),
        Value::One("FILE"),
        "File with TLS, users and headers, in the format that all Prometheus programs share.",
    ),
    flag("web.telemetry-path", ("web", "telemetry_path"), Value::One("PATH"), "Path that is scraped."),
    flag(
        "web.external-url",
        ("web", "external_url"),
        Value::One("URL"),
        "URL that the gateway is known by; its path is the route prefix unless that is set.",
    ),
    flag(
        "web.route-prefix",
        ("web", "route_prefix"),
        Value::One("PATH"),
        "What the path of every URL begins with; / is nothing.",
    ),
    flag(
        "web.enable-lifecycle",
        ("web", "enable_lifecycle"),
        Value::Switch,
        "Let PUT or POST to /-/quit end the gateway, and to /-/reload reload it.",
    ),
    flag(
        "web.enable-admin-api",
        ("web", "enable_admin_api"),
        Value::Switch,
        "Let PUT to /api/v1/admin/wipe delete everything that is stored.",
    ),
    flag(
        "persistence.file",
        ("persistence", "file"),
        Value::One("FILE"),
        "File that what is stored is kept in; without one it is lost with the process.",
    ),
    flag(
        "persistence.interval",
        ("persistence", "interval"),
        Value::One("DURATION"),
        "Least time between two times of writing that file.",
    ),
    flag(
        "push.disable-consistency-check",
        ("push", "disable_consistency_check"),
        Value::Switch,
        "Take pushes without looking whether they fit what is stored. DANGEROUS.",
    ),
    flag(
        "push.enable-utf8-names",
        ("push", "utf8_names"),
        Value::Switch,
        "Take names of metrics and labels that are any UTF-8.",
    ),
    flag(
        "log.level",
        ("log", "level"),
        Value::One("LEVEL"),
        "Least severe lines to log: debug, info, warn or error.",
    ),
    flag(
        "log.format",
        ("log", "format"),
        Value::One("FORMAT"),
        "How a line of the log looks: logfmt or json.",
    ),
];
