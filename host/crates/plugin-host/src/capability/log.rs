//! `log`: lines for the gateway's log.

use wasmtime::StoreContextMut;
use wasmtime::component::LinkerInstance;

use super::{Flood, charge};
use crate::bindings::pushgate::plugin::log::Level;
use crate::instance::{State, one_line};
use crate::limits::LOG_LINE_LENGTH;

pub(super) fn link(instance: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    instance.func_wrap("log", |mut store: StoreContextMut<'_, State>, (level, message): (Level, String)| {
        charge(&mut store, message.len())?;
        store.data_mut().log(level, message)
    })
}

impl State {
    fn log(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        let Some(left) = self.log_lines_left.checked_sub(1) else {
            if self.log_lines_dropped == self.max_log_lines_dropped {
                return Err(Flood(self.log_lines_dropped).into());
            }
            self.log_lines_dropped += 1;
            return Ok(());
        };
        self.log_lines_left = left;
        let plugin = self.plugin.as_str();
        let message = one_line(message, LOG_LINE_LENGTH);
        match level {
            Level::Debug => tracing::debug!(plugin, message, "plugin says"),
            Level::Info => tracing::info!(plugin, message, "plugin says"),
            Level::Warn => tracing::warn!(plugin, message, "plugin says"),
            Level::Error => tracing::error!(plugin, message, "plugin says"),
        }
        Ok(())
    }
}
