//! Where a setting comes from: a line of the file, a variable or a flag.

use std::ops::Range;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    overrides::Override,
    path::{Path, Step},
    problem::{Problem, Problems, one_line, without_values},
};

/// The places of all settings.
#[derive(Debug)]
pub(crate) struct Origins {
    name: String,
    text: String,
    overrides: Vec<Override>,
}

impl Origins {
    pub(super) fn new(name: &str, text: &str) -> Self {
        Self {
            name: name.to_owned(),
            text: text.to_owned(),
            overrides: Vec::new(),
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn overridden_by(&mut self, by: Override) {
        self.overrides.push(by);
    }

    /// One line about each problem, `file:line: key: reason`, from the first line of the file to the
    /// last.
    pub(crate) fn lines(&self, problems: &Problems) -> Vec<String> {
        let mut lines: Vec<_> = problems.iter().map(|it| self.line(it)).collect();
        lines.sort_by_key(|(start, _)| *start);
        lines.into_iter().map(|(_, line)| line).collect()
    }

    /// One line, and where in the file it belongs.
    fn line(&self, problem: &Problem) -> (Option<usize>, String) {
        let (key, reason) = (problem.key(), problem.reason());
        let path = Path::parse(key, ".");
        let by = path.as_ref().and_then(|path| {
            let mut last_first = self.overrides.iter().rev();
            last_first.find(|it| path.is_within(it.path()))
        });
        let (start, place) = if let Some(by) = by {
            (None, by.label().to_owned())
        } else {
            let span = path.as_ref().and_then(|path| self.span(path));
            (span.as_ref().map(|span| span.start), self.place(span))
        };
        (start, one_line(&format!("{place}: {key}: {reason}")))
    }

    /// One line about an error of the parser.
    pub(super) fn syntax(&self, error: &toml::de::Error) -> String {
        let reason = without_values(error.message());
        let place = self.place(error.span());
        let key = error.span().and_then(|span| self.key_at(&span));
        let key = key.map_or_else(String::new, |key| format!("{key}: "));
        one_line(&format!("{place}: {key}{reason}"))
    }

    fn place(&self, span: Option<Range<usize>>) -> String {
        match span {
            Some(span) => {
                let before = self.text.as_bytes().get(..span.start).unwrap_or_default();
                let line = before.split(|byte| *byte == b'\n').count();
                format!("{}:{line}", self.name)
            }
            None => self.name.clone(),
        }
    }

    /// The place of a key. If it is missing, the place of what it should be in.
    fn span(&self, path: &Path) -> Option<Range<usize>> {
        let root = DeTable::parse(&self.text).ok()?;
        let mut steps = path.steps().iter();
        let Some(Step::Name(first)) = steps.next() else {
            return None;
        };
        let (key, mut value) = entry(root.get_ref(), first)?;
        let mut span = key;
        for step in steps {
            let next = match (step, value.get_ref()) {
                (Step::Name(name), DeValue::Table(table)) => entry(table, name),
                (Step::Index(index), DeValue::Array(array)) => {
                    array.get(*index).map(|value| (value.span(), value))
                }
                _ => None,
            };
            let Some((at, inner)) = next else { break };
            (span, value) = (at, inner);
        }
        Some(span)
    }

    /// The innermost key whose value, or whose name, is at this place.
    fn key_at(&self, at: &Range<usize>) -> Option<String> {
        let root = DeTable::parse(&self.text).ok()?;
        let found = within(root.get_ref(), at)?;
        Some(found.trim_start_matches('.').to_owned())
    }
}

fn entry<'a, 'i>(
    table: &'a DeTable<'i>,
    name: &str,
) -> Option<(Range<usize>, &'a Spanned<DeValue<'i>>)> {
    table
        .iter()
        .find(|(key, _)| key.get_ref().as_ref() == name)
        .map(|(key, value)| (key.span(), value))
}

fn within(table: &DeTable<'_>, at: &Range<usize>) -> Option<String> {
    table.iter().find_map(|(key, value)| {
        let name = format!(".{}", key.get_ref());
        if key.span() == *at {
            return Some(name);
        }
        let inner = inside(value, at).or_else(|| contains(&value.span(), at).then(String::new));
        inner.map(|inner| name + &inner)
    })
}

fn inside(value: &Spanned<DeValue<'_>>, at: &Range<usize>) -> Option<String> {
    match value.get_ref() {
        DeValue::Table(table) => within(table, at),
        DeValue::Array(array) => array.iter().enumerate().find_map(|(index, value)| {
            let inner = inside(value, at);
            let inner = inner.or_else(|| contains(&value.span(), at).then(String::new));
            inner.map(|inner| format!("[{index}]{inner}"))
        }),
        _ => None,
    }
}

fn contains(outer: &Range<usize>, inner: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}
