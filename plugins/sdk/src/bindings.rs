//! What wit-bindgen makes of `wit/`: the records that cross the boundary, as they are there.
//!
//! Everything else in this crate is a comfortable view of these types. Nothing here is part of the
//! SDK's interface; [`register!`](crate::register) needs to reach it from a plugin's crate.
//!
//! Lifting and lowering by the canonical ABI is pointer work, so the generated code is unsafe. It is the
//! only unsafe code of the guests: as the expansion of another crate's macro it is exempt from
//! `forbid(unsafe_code)`, which holds for every line written here.

#[expect(missing_docs, reason = "generated: its documentation is in wit/")]
pub mod generated {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "plugin",
        pub_export_macro: true,
        export_macro_name: "__export",
        default_bindings_module: "pushgate_plugin::bindings::generated",
        runtime_path: "pushgate_plugin::bindings::rt",
    });
}

pub use generated::exports::pushgate::plugin::policy::{self, Guest};
pub use generated::pushgate::plugin::{cardinality, clock, log, metrics, state, stored, types};
pub use wit_bindgen::rt;
