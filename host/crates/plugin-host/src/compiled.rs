//! Compiled components that are in use, so that a chain which follows another compiles only what is new in it.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use wasmtime::component::Component;

use crate::Digest;

/// The components of one engine, by the digests of their files. It keeps none alive: plugins do.
#[derive(Clone, Default)]
pub(crate) struct Compiled(Arc<Mutex<HashMap<Digest, Weak<Component>>>>);

impl Compiled {
    /// The component of a file, compiled unless a plugin has it already. Two that are new and alike may both be
    /// compiled: waiting for one another would not be quicker.
    pub(crate) fn get_or<E>(
        &self,
        file: Digest,
        compile: impl FnOnce() -> Result<Component, E>,
    ) -> Result<Arc<Component>, E> {
        let known = self.0.lock().get(&file).and_then(Weak::upgrade);
        if let Some(component) = known {
            return Ok(component);
        }
        let component = Arc::new(compile()?);
        let mut compiled = self.0.lock();
        compiled.retain(|_, component| component.strong_count() > 0);
        compiled.insert(file, Arc::downgrade(&component));
        Ok(component)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_is_compiled_once_while_it_is_in_use() {
        let engine = wasmtime::Engine::default();
        let compiled = Compiled::default();
        let file = Digest::of(b"one");
        let empty = b"\0asm\x0d\0\x01\0";
        let compile = || Component::from_binary(&engine, empty).map_err(|_| "it can be compiled");
        let never = || Err("it was compiled already");
        let first = compiled.get_or(file, compile).unwrap();
        assert!(Arc::ptr_eq(&first, &compiled.get_or(file, never).unwrap()));
        assert!(compiled.get_or(Digest::of(b"other"), never).is_err());
        drop(first);
        assert!(compiled.get_or(file, never).is_err(), "nobody has it any more");
        compiled.get_or(Digest::of(b"other"), compile).unwrap();
        assert_eq!(compiled.0.lock().len(), 1, "what nobody has is forgotten");
    }
}
