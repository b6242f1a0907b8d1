//! The Rust side of `wit/`, generated: types that borrow on the way in, so that a push is copied once,
//! from its columns into the guest's memory.

wasmtime::component::bindgen!({
    path: "../../../wit",
    world: "plugin",
    ownership: Borrowing { duplicate_if_necessary: true },
});
