//! What is stored already. Needs the grant `stored`.

use crate::Push;

/// The group under the grouping key of the push, with what it was before the push, as the push that would store it; its
/// id is empty, and it has all columns. Nothing if there is no such group.
///
/// Each call copies the whole group and takes fuel for it. Natively it is what
/// [`testing::set_stored`](crate::testing::set_stored) has set.
///
/// ```
/// use pushgate_plugin::{stored, testing};
///
/// testing::set_stored(Some(testing::push(r#"PUT {job="backup"}"#, "runs 1\n")?));
/// let before = stored::own_group().expect("there is one");
/// assert_eq!(before.families().map(|family| family.name()).collect::<Vec<_>>(), ["runs"]);
/// # Ok::<(), testing::CaseError>(())
/// ```
pub fn own_group() -> Option<Push> {
    host::own_group()
}

#[cfg(target_arch = "wasm32")]
mod host {
    use crate::Push;
    use crate::bindings::{stored, types};

    pub(super) fn own_group() -> Option<Push> {
        let stored::Group { symbols, grouping, families, series } = stored::own_group()?;
        let text = |sym: u32| {
            let end = |sym: u32| symbols.ends.get(sym as usize).map_or(0, |&end| end as usize);
            let start = if sym == 0 { 0 } else { end(sym - 1) };
            symbols.bytes.get(start..end(sym)).unwrap_or_default()
        };
        let (job, others): (Vec<_>, Vec<_>) =
            grouping.into_iter().partition(|label| text(label.name) == b"job");
        let request = types::Request {
            id: String::new(),
            method: types::Method::Put,
            job: job.first().map_or(0, |job| job.value),
            grouping: others,
            received_ms: 0,
            attributes: Vec::new(),
        };
        Some(Push::from_wire(types::Push { request, symbols, families, series }))
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod host {
    use crate::Push;

    pub(super) fn own_group() -> Option<Push> {
        crate::testing::host(|host| host.stored.as_ref().map(crate::testing::TestPush::as_group))
    }
}
