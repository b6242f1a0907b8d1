//! Plugins written as WebAssembly text: what no toolchain would make of a plugin, but an attacker would.

use std::path::PathBuf;

use wit_component::StringEncoding;
use wit_parser::Resolve;
use xtask::workspace;

use crate::Folder;

/// The bodies of a plugin's functions. Those that [`RawGuest::HARMLESS`] has make a plugin that accepts every push.
#[derive(Clone, Copy, Debug)]
pub struct RawGuest<'a> {
    /// Further items of the module, behind its memory.
    pub items: &'a str,
    /// The start section.
    pub start: &'a str,
    /// Pages of 64 KiB.
    pub pages: u32,
    /// `cabi_realloc`, by which the host gets memory for what it hands over: `$old`, `$old_size`, `$align`, `$size`.
    pub realloc: &'a str,
    /// Answers the address of a manifest.
    pub describe: &'a str,
    /// Answers the address of a result.
    pub configure: &'a str,
    /// Answers the address of an outcome.
    pub evaluate: &'a str,
    /// What the host calls when it has read the outcome.
    pub post_evaluate: &'a str,
}

/// Where nothing but zeros is: the answers "it can be configured like that" and "the push is accepted".
const ZEROS: &str = "i32.const 4096";

impl RawGuest<'_> {
    /// A plugin that does nothing wrong.
    pub const HARMLESS: Self = Self {
        items: "",
        start: "",
        pages: 16,
        realloc:
            "global.get $next  local.get $align  i32.add  i32.const 1  i32.sub  i32.const 0  local.get $align
                  i32.sub  i32.and  global.set $next
                  global.get $next  global.get $next  local.get $size  i32.add  global.set $next",
        describe: "i32.const 1024",
        configure: ZEROS,
        evaluate: "i32.const 65536  global.set $next  i32.const 4096",
        post_evaluate: "",
    };

    /// Its text. The manifest at 1024 says that it is called `raw`, of version 1, and makes edits.
    fn text(&self) -> String {
        let Self { items, start, pages, realloc, describe, configure, evaluate, post_evaluate } = self;
        let policy = "pushgate:plugin/policy@0.1.0";
        let manifest: [u32; 16] = [16, 3, 19, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];
        let manifest: String =
            manifest.iter().flat_map(|word| word.to_le_bytes()).map(|byte| format!("\\{byte:02x}")).collect();
        format!(
            r#"(module
              (import "pushgate:plugin/log@0.1.0" "log" (func $log (param $level i32) (param $at i32) (param $size i32)))
              (memory (export "memory") {pages})
              (global $next (mut i32) (i32.const 65536))
              (data (i32.const 16) "raw1")
              (data (i32.const 1024) "{manifest}")
              {items}
              (func (export "cabi_realloc")
                (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
                {realloc})
              (func (export "{policy}#describe") (result i32) {describe})
              (func (export "{policy}#configure") (param $at i32) (param $size i32) (result i32) {configure})
              (func (export "{policy}#evaluate") (param $push i32) (result i32) {evaluate})
              (func (export "cabi_post_{policy}#evaluate") (param $outcome i32) {post_evaluate})
              {start})"#
        )
    }

    /// Writes it as a core module into a folder, where a configuration finds it under that name.
    pub fn build(&self, folder: &Folder, name: &str) -> PathBuf {
        let mut module = wat::parse_str(self.text()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut contract = Resolve::default();
        let (package, _) = contract.push_dir(workspace::path("wit")).unwrap();
        let world = contract.select_world(&[package], Some("plain-plugin")).unwrap();
        wit_component::embed_component_metadata(&mut module, &contract, world, StringEncoding::UTF8).unwrap();
        folder.write(&format!("{name}.wasm"), module)
    }
}
