//! The trait that a plugin implements, and the macro that exports it.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::{Manifest, Outcome, Problems, Push};

/// A plugin. Once configured it is a policy, and one instance judges many pushes, one at a time.
///
/// See the [crate](crate) documentation for a whole plugin.
///
/// ```
/// use pushgate_plugin::{Manifest, Outcome, Plugin, Problems, Push};
///
/// /// Accepts everything.
/// struct Open;
///
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// struct NoOptions {}
///
/// impl Plugin for Open {
///     type Config = NoOptions;
///     const MANIFEST: Manifest = Manifest::new("open", "1.0.0", "Accepts everything.").pure();
///
///     fn configure(_: NoOptions) -> Result<Self, Problems> {
///         Ok(Self)
///     }
///
///     fn evaluate(&self, _: &Push) -> Outcome {
///         Outcome::accept()
///     }
/// }
/// ```
pub trait Plugin: Sized + 'static {
    /// The `[plugin.config]` table. Keys that it does not have are refused by the SDK, with or without
    /// `deny_unknown_fields`; the JSON Schema in the manifest is made from it, doc comments included.
    type Config: DeserializeOwned + JsonSchema;

    /// What the plugin is.
    const MANIFEST: Manifest;

    /// Checks a configuration beyond its types and makes the policy of it.
    ///
    /// # Errors
    /// Everything that is wrong, at once, each with its place; nothing is evaluated then.
    fn configure(config: Self::Config) -> Result<Self, Problems>;

    /// What is legal but probably not meant; shown to the operator when a configuration is loaded.
    fn warnings(&self) -> Problems {
        Problems::default()
    }

    /// Judges one push.
    ///
    /// A DELETE comes without families: only its grouping key can be judged or edited.
    fn evaluate(&self, push: &Push) -> Outcome;
}

/// Exports a [`Plugin`] from the crate, which must be a `cdylib`. Use it once, at the root.
///
/// Natively it only checks that the type is a plugin, so that tests link.
///
/// ```
/// # use pushgate_plugin::{Manifest, Outcome, Plugin, Problems, Push};
/// # struct Open;
/// # #[derive(serde::Deserialize, schemars::JsonSchema)]
/// # struct NoOptions {}
/// # impl Plugin for Open {
/// #     type Config = NoOptions;
/// #     const MANIFEST: Manifest = Manifest::new("open", "1.0.0", "Accepts everything.").pure();
/// #     fn configure(_: NoOptions) -> Result<Self, Problems> { Ok(Self) }
/// #     fn evaluate(&self, _: &Push) -> Outcome { Outcome::accept() }
/// # }
/// pushgate_plugin::register!(Open);
/// ```
#[macro_export]
macro_rules! register {
    ($plugin:ty) => {
        const _: () = {
            // An instance of a component has one thread and one configuration.
            ::std::thread_local! {
                static POLICY: $crate::guest::Slot<$plugin> = const { $crate::guest::Slot::new() };
            }

            struct Component;

            impl $crate::bindings::Guest for Component {
                fn describe() -> $crate::bindings::policy::Manifest {
                    $crate::guest::describe::<$plugin>()
                }

                fn configure(
                    json: ::std::string::String,
                ) -> ::std::result::Result<
                    ::std::vec::Vec<$crate::bindings::policy::ConfigProblem>,
                    ::std::vec::Vec<$crate::bindings::policy::ConfigProblem>,
                > {
                    POLICY.with(|slot| $crate::guest::configure(slot, &json))
                }

                fn evaluate(push: $crate::bindings::types::Push) -> $crate::bindings::types::Outcome {
                    POLICY.with(|slot| $crate::guest::evaluate(slot, push))
                }
            }

            // Natively nothing is exported, and a plugin that is not public would look unused.
            #[cfg(not(target_arch = "wasm32"))]
            const _: fn(
                <$plugin as $crate::Plugin>::Config,
            ) -> ::std::result::Result<$plugin, $crate::Problems> = <$plugin as $crate::Plugin>::configure;

            #[cfg(target_arch = "wasm32")]
    $crate::__export_plugin_impl!(Component with_types_in $crate::bindings::generated);
        };
    };
}
