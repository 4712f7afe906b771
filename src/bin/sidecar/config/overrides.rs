//! Settings over those of the file: `SIDECAR_GATEWAY__UPSTREAM=…`, and `--set gateway.upstream=…`.

use serde::Deserialize as _;
use toml::{Table, Value};

use super::{
    document::Document,
    path::{Path, Step},
    problem::{Problem, without_values},
};

/// One setting over those of the file.
#[derive(Clone, Debug)]
pub(crate) struct Override {
    path: Path,
    label: String,
    value: String,
}

/// What all variables begin with.
const PREFIX: &str = "SIDECAR_";

/// The variable with the path of the file.
pub(crate) const FILE: &str = "SIDECAR_CONFIG";

/// The settings in the environment, those of a file before those inside of it.
///
/// A variable that begins with `SIDECAR_` and is no setting is an error. The variables that
/// Kubernetes sets for a service with the name `sidecar` are left out.
pub(crate) fn from_environment(
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<Vec<Override>, String> {
    let mut found = Vec::new();
    for (name, value) in variables {
        let Some(rest) = name.strip_prefix(PREFIX) else {
            continue;
        };
        if name == FILE || is_of_kubernetes(rest) {
            continue;
        }
        let path = Path::parse(&rest.to_ascii_lowercase(), "__");
        let Some(path) = path.filter(|_| rest.contains("__")) else {
            return Err(super::one_line(&format!(
                "{name}: unknown variable: write the section, two underscores and the key, such as \
                 SIDECAR_GATEWAY__UPSTREAM"
            )));
        };
        found.push(Override {
            path,
            label: name,
            value,
        });
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// Service links: `SIDECAR_SERVICE_HOST`, `SIDECAR_PORT_8080_TCP_ADDR` and the like.
fn is_of_kubernetes(rest: &str) -> bool {
    let starts = |start: &str| rest == start || rest.starts_with(&format!("{start}_"));
    !rest.contains("__") && (rest == "SERVICE_HOST" || starts("SERVICE_PORT") || starts("PORT"))
}

/// The setting of a flag: `gateway.upstream=http://127.0.0.1:3000`.
pub(crate) fn from_flag(text: &str) -> Result<Override, String> {
    let parsed = text.split_once('=').and_then(|(key, value)| {
        let path = Path::parse(key.trim(), ".")?;
        Some(Override {
            label: format!("--set {path}"),
            path,
            value: value.trim().to_owned(),
        })
    });
    parsed.ok_or_else(|| {
        "--set: expected KEY=VALUE, such as --set gateway.upstream=http://127.0.0.1:3000".to_owned()
    })
}

impl Override {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn label(&self) -> &str {
        &self.label
    }

    /// Sets it in a copy of the table. A value that begins with a bracket, a brace or a quote is
    /// TOML. Any other is text where a key takes text, and TOML elsewhere.
    pub(super) fn set(&self, table: &Table) -> Result<(Table, Document), Problem> {
        let text = Value::String(self.value.clone());
        let parsed = parse(&self.value);
        let is_toml = self.value.starts_with(['[', '{', '"', '\'']);
        let candidates = match (parsed, is_toml) {
            (Some(parsed), true) => vec![parsed],
            (None, true) => return Err(self.problem("the value is not valid TOML")),
            (Some(parsed), false) => vec![text, parsed],
            (None, false) => vec![text],
        };
        let mut first = None;
        for value in candidates {
            let mut table = table.clone();
            put(&mut table, self.path.steps(), value).map_err(|reason| self.problem(reason))?;
            match Document::deserialize(Value::Table(table.clone())) {
                Ok(document) => return Ok((table, document)),
                Err(error) => first = first.or(Some(without_values(error.message()))),
            }
        }
        Err(self.problem(first.unwrap_or_default()))
    }

    fn problem(&self, reason: impl Into<String>) -> Problem {
        Problem::new(self.path.to_string(), reason.into())
    }
}

fn parse(value: &str) -> Option<Value> {
    // As the value of a key, so that a line break ends it.
    let mut table: Table = toml::from_str(&format!("value = {value}")).ok()?;
    let value = table.remove("value")?;
    table.is_empty().then_some(value)
}

/// Puts a value at a path, and makes the tables on the way.
fn put(table: &mut Table, steps: &[Step], value: Value) -> Result<(), String> {
    let [Step::Name(name), rest @ ..] = steps else {
        return Err("expected the name of a key".into());
    };
    match rest {
        [] => {
            table.insert(name.clone(), value);
            Ok(())
        }
        [Step::Name(_), ..] => {
            let inner = table
                .entry(name.clone())
                .or_insert_with(|| Value::Table(Table::new()));
            let Value::Table(inner) = inner else {
                return Err(format!("`{name}` has no keys"));
            };
            put(inner, rest, value)
        }
        [Step::Index(index), rest @ ..] => {
            let list = table
                .entry(name.clone())
                .or_insert_with(|| Value::Array(Vec::new()));
            let Value::Array(list) = list else {
                return Err(format!("`{name}` is not a list"));
            };
            let len = list.len();
            if *index > len {
                return Err(format!("the next one in the list is {name}[{len}]"));
            }
            if *index == len {
                list.push(Value::Table(Table::new()));
            }
            match (&mut list[*index], rest) {
                (place, []) => {
                    *place = value;
                    Ok(())
                }
                (Value::Table(inner), rest) => put(inner, rest, value),
                _ => Err(format!("{name}[{index}] has no keys")),
            }
        }
    }
}
