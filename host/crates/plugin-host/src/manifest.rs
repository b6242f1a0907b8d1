//! What a plugin says of itself.

use crate::bindings::exports::pushgate::plugin::policy;

/// The answer to `describe`.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The plugin's own name; a policy made of it has the name from the configuration.
    pub name: String,
    /// The plugin's version.
    pub version: String,
    /// One line for people.
    pub summary: String,
    /// JSON Schema of the configuration.
    pub config_schema: Option<String>,
    /// Optional columns to fill.
    pub wants: Wants,
    /// Whether it may edit a push.
    pub mutates: bool,
    /// Whether its outcome depends on nothing but the configuration and the columns it wants.
    pub pure: bool,
    /// Every code that its findings may carry.
    pub codes: Vec<Code>,
}

/// A finding's code and what it stands for.
#[derive(Clone, Debug)]
pub struct Code {
    /// `<plugin>/<what-is-wrong>`.
    pub id: String,
    /// For documentation.
    pub meaning: String,
}

/// Columns that only cross the boundary when they are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "named like the columns in wit/types.wit")]
pub struct Wants {
    pub help: bool,
    pub unit: bool,
    pub values: bool,
    pub points: bool,
}

impl Wants {
    /// Reads the names in a manifest; the first unknown one otherwise.
    fn read(names: &[String]) -> Result<Self, String> {
        let mut wants = Self::default();
        for name in names {
            match name.as_str() {
                "help" => wants.help = true,
                "unit" => wants.unit = true,
                "values" => wants.values = true,
                "points" => wants.points = true,
                _ => return Err(name.clone()),
            }
        }
        Ok(wants)
    }
}

impl Manifest {
    /// Takes the generated form over; what is wrong with it otherwise.
    pub(crate) fn read(manifest: policy::Manifest) -> Result<Self, String> {
        let wants = Wants::read(&manifest.wants).map_err(|name| {
            format!("it wants a column {name:?}; this host knows help, unit, values and points")
        })?;
        let code = |code: policy::Code| Code { id: code.id, meaning: code.meaning };
        Ok(Self {
            name: manifest.name,
            version: manifest.version,
            summary: manifest.summary,
            config_schema: manifest.config_schema,
            wants,
            mutates: manifest.mutates,
            pure: manifest.pure,
            codes: manifest.codes.into_iter().map(code).collect(),
        })
    }
}
