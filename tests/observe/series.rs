//! The code, the descriptions and the documentation have the same series.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::Mutex,
};

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use tower_revocation::observe::{BUCKETS, describe_metrics};

const PREFIX: &str = "tower_revocation_";

/// The kind and the labels of a series.
type Shape = (String, BTreeSet<String>);

/// The texts of the Rust files below a folder. A program has series of its own.
fn sources(folder: &Path, texts: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("src/bin") {
            continue;
        }
        if path.is_dir() {
            sources(&path, texts);
        } else if path.extension().is_some_and(|it| it == "rs") {
            texts.push(fs::read_to_string(path).unwrap());
        }
    }
}

fn library() -> Vec<String> {
    let mut texts = Vec::new();
    sources(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut texts,
    );
    texts
}

/// Lines of code, without comments.
fn code(text: &str) -> String {
    let lines = text.lines();
    let lines = lines.filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// All names in a text that look like a series.
fn names(text: &str) -> BTreeSet<String> {
    let parts = text.split(PREFIX).skip(1);
    let is_name = |it: &char| it.is_ascii_lowercase() || *it == '_';
    let names = parts.map(|rest| rest.chars().take_while(is_name).collect::<String>());
    names.map(|name| format!("{PREFIX}{name}")).collect()
}

/// The arguments of all calls of a macro.
fn calls<'t>(text: &'t str, name: &str) -> Vec<&'t str> {
    let begins = text.split(name).skip(1);
    let arguments = begins.map(|rest| {
        let mut depth = 1;
        let end = rest.find(|it| {
            depth += i32::from(it == '(') - i32::from(it == ')');
            depth == 0
        });
        &rest[..end.expect("parentheses are balanced")]
    });
    arguments.collect()
}

/// The series that the code emits.
fn emitted() -> BTreeMap<String, Shape> {
    let mut emitted = BTreeMap::new();
    for text in library().iter().map(|text| code(text)) {
        for kind in ["counter", "gauge", "histogram"] {
            for call in calls(&text, &format!("metrics::{kind}!(")) {
                // Every second part is between quotes.
                let pieces: Vec<_> = call.split('"').collect();
                let name = pieces[1].to_owned();
                assert!(name.starts_with(PREFIX), "{name}");
                let labels = pieces.windows(2).filter(|it| it[1].starts_with(" =>"));
                let labels = labels.map(|it| it[0].to_owned()).collect();
                let shape: Shape = (kind.to_owned(), labels);
                let before = emitted.insert(name.clone(), shape.clone());
                assert!(before.is_none_or(|before| before == shape), "{name}");
            }
        }
    }
    emitted
}

/// The series in the tables of the documentation.
fn documented() -> BTreeMap<String, Shape> {
    let text = include_str!("../../src/observe/mod.rs");
    let rows = text.lines().filter_map(|line| line.strip_prefix("//! | `"));
    let rows = rows.map(|row| {
        let mut cells = row.split('|').map(|cell| cell.trim().replace('`', ""));
        let [name, kind, labels, help] = std::array::from_fn(|_| cells.next().unwrap());
        assert!(help.ends_with('.'), "{row}");
        let labels = labels.split(", ").filter(|label| !label.is_empty());
        (name, (kind, labels.map(str::to_owned).collect()))
    });
    rows.collect()
}

/// Records the descriptions.
#[derive(Default)]
struct Described(Mutex<BTreeMap<String, (String, Option<Unit>)>>);

impl Described {
    fn keep(&self, kind: &str, name: &KeyName, unit: Option<Unit>, help: &SharedString) {
        assert!(help.ends_with('.'), "{help}");
        let described = (kind.to_owned(), unit);
        let twice = self
            .0
            .lock()
            .unwrap()
            .insert(name.as_str().to_owned(), described);
        assert!(twice.is_none(), "{}", name.as_str());
    }
}

impl Recorder for Described {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.keep("counter", &name, unit, &help);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.keep("gauge", &name, unit, &help);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.keep("histogram", &name, unit, &help);
    }

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::noop()
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

fn described() -> BTreeMap<String, (String, Option<Unit>)> {
    let described = Described::default();
    metrics::with_local_recorder(&described, describe_metrics);
    described.0.into_inner().unwrap()
}

#[test]
fn every_series_is_documented_with_its_labels() {
    let emitted = emitted();
    assert!(emitted.len() > 10, "{emitted:?}");
    assert_eq!(emitted, documented());
}

#[test]
fn every_series_is_described_with_its_unit() {
    let kinds = |(name, (kind, _)): (String, Shape)| (name, kind);
    let emitted: BTreeMap<_, _> = emitted().into_iter().map(kinds).collect();
    let described = described();
    let kinds = described.iter();
    let kinds: BTreeMap<_, _> = kinds
        .map(|(name, (kind, _))| (name.clone(), kind.clone()))
        .collect();
    assert_eq!(emitted, kinds);
    for (name, (kind, unit)) in described {
        assert_eq!(name.ends_with("_total"), kind == "counter", "{name}");
        let seconds = name.ends_with("_seconds");
        assert_eq!(seconds, unit == Some(Unit::Seconds), "{name}");
        if kind == "histogram" {
            assert!(name.ends_with("_duration_seconds"), "{name}");
        }
    }
}

/// Finds names in constants, which the tests above miss, and outdated documents.
#[test]
fn every_name_in_the_documents_is_a_series() {
    let known: BTreeSet<_> = emitted().into_keys().collect();
    let mut texts = library();
    texts.push(include_str!("../../README.md").to_owned());
    texts.push(include_str!("../../CHANGELOG.md").to_owned());
    for name in texts.iter().flat_map(|text| queried(text)) {
        assert!(known.contains(&name), "{name} is not emitted");
    }
}

#[test]
fn buckets_ascend() {
    let bounds: &[f64] = BUCKETS;
    assert!(bounds.is_sorted_by(|one, next| one < next));
}

/// A histogram is queried by its buckets.
fn queried(text: &str) -> BTreeSet<String> {
    let names = names(text).into_iter();
    names
        .map(|name| match name.strip_suffix("_seconds_bucket") {
            Some(name) => format!("{name}_seconds"),
            None => name,
        })
        .collect()
}

#[test]
fn dashboard_shows_every_series_and_no_other() {
    let dashboard = include_str!("../../examples/grafana/tower-revocation.json");
    let panels: serde_json::Value = serde_json::from_str(dashboard).unwrap();
    let panels = panels["panels"].as_array().unwrap().iter();
    let targets = panels.filter_map(|panel| panel["targets"].as_array());
    let expressions: Vec<_> = targets
        .flatten()
        .map(|target| target["expr"].as_str().unwrap())
        .collect();
    let documented: BTreeSet<String> = documented().into_keys().collect();
    assert_eq!(queried(&expressions.join(" ")), documented);
}
