//! The configuration in the words of the original: its flags, each with its value as the original shows it.

use super::{Config, duration};

impl Config {
    /// The flags that the original knows, sorted, with the values that hold, wherever those come from.
    pub fn flags(&self) -> Vec<(&'static str, String)> {
        let path = |path: &Option<std::path::PathBuf>| {
            path.as_ref().map(|path| path.display().to_string()).unwrap_or_default()
        };
        let addresses: Vec<_> = self.web.listen_address.iter().map(ToString::to_string).collect();
        vec![
            ("log.format", self.log.format.as_str().to_owned()),
            ("log.level", self.log.level.as_str().to_owned()),
            ("persistence.file", path(&self.persistence.file)),
            ("persistence.interval", duration::show_go(self.persistence.interval)),
            ("push.disable-consistency-check", self.push.disable_consistency_check.to_string()),
            ("push.enable-utf8-names", self.push.utf8_names.to_string()),
            ("web.config.file", path(&self.web.config_file)),
            ("web.enable-admin-api", self.web.enable_admin_api.to_string()),
            ("web.enable-lifecycle", self.web.enable_lifecycle.to_string()),
            ("web.external-url", self.web.external_url.clone().unwrap_or_default()),
            ("web.listen-address", addresses.join(",")),
            ("web.route-prefix", self.web.prefix()),
            ("web.systemd-socket", self.web.systemd_socket.to_string()),
            ("web.telemetry-path", self.web.telemetry_path.clone()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_values_are_shown_as_the_original_does() {
        let text = "[web]\nlisten_address = [':1', '[::1]:2']\nexternal_url = 'https://example.org/push/'\n\
                    enable_lifecycle = true\n[persistence]\nfile = 'data'\ninterval = '90m'\n\
                    [push]\nutf8_names = true\n[log]\nlevel = 'debug'\nformat = 'json'\n";
        let config = Config::parse(text, Path::new("/etc/c.toml")).unwrap();
        let shown: Vec<_> = config.flags().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let expected = [
            "log.format=json",
            "log.level=debug",
            "persistence.file=/etc/data",
            "persistence.interval=1h30m0s",
            "push.disable-consistency-check=false",
            "push.enable-utf8-names=true",
            "web.config.file=",
            "web.enable-admin-api=false",
            "web.enable-lifecycle=true",
            "web.external-url=https://example.org/push/",
            "web.listen-address=:1,[::1]:2",
            "web.route-prefix=/push",
            "web.systemd-socket=false",
            "web.telemetry-path=/metrics",
        ];
        assert_eq!(shown, expected);
        assert!(shown.is_sorted());
    }
}
