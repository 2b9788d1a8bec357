//! Licences of everything that is compiled in, against the list in deny.toml.

use std::collections::BTreeSet;

use anyhow::{Context, Result};

use crate::tidy::Problems;

/// Names every package whose licence is covered neither by `licenses.allow` of deny.toml nor by
/// `licenses.exceptions` for that package.
pub(crate) fn check(problems: &mut Problems) -> Result<()> {
    let deny: toml::Table = std::fs::read_to_string(crate::root().join("deny.toml"))?.parse()?;
    let licences = deny.get("licenses").and_then(toml::Value::as_table);
    let licences = licences.context("deny.toml has no licenses")?;
    let allowed = names(licences.get("allow"));
    anyhow::ensure!(!allowed.is_empty(), "deny.toml has no licenses.allow");
    let exceptions = exceptions(licences);
    let output = crate::cargo(&["metadata", "--format-version", "1", "--locked"])
        .stderr(std::process::Stdio::inherit())
        .output()
        .context("cannot run cargo metadata")?;
    anyhow::ensure!(output.status.success(), "cargo metadata failed: is Cargo.lock up to date?");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    for package in metadata["packages"].as_array().context("cargo metadata lists no packages")? {
        let name = package["name"].as_str().unwrap_or("?");
        let licence = package["license"].as_str().unwrap_or("");
        let special = |l: &str| exceptions.contains(&(name.to_owned(), l.to_owned()));
        if !permits(licence, &|l| allowed.contains(l) || special(l)) {
            problems.add(format!("{name} has the licence '{licence}', which deny.toml does not allow"));
        }
    }
    Ok(())
}

/// The texts of a list.
fn names(list: Option<&toml::Value>) -> BTreeSet<String> {
    let list = list.and_then(toml::Value::as_array).into_iter().flatten();
    list.filter_map(|l| l.as_str().map(str::to_owned)).collect()
}

/// What single packages may have besides: pairs of package and licence.
fn exceptions(licences: &toml::Table) -> BTreeSet<(String, String)> {
    let list = licences.get("exceptions").and_then(toml::Value::as_array).into_iter().flatten();
    let of_one = |exception: &toml::Value| {
        let package = exception.get("crate").and_then(toml::Value::as_str).unwrap_or_default().to_owned();
        names(exception.get("allow")).into_iter().map(move |licence| (package.clone(), licence))
    };
    list.flat_map(of_one).collect()
}

/// Whether an SPDX expression can be met with licences that are allowed. The slash of older manifests
/// means OR. An expression that is not understood permits nothing.
fn permits(expression: &str, allowed: &dyn Fn(&str) -> bool) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words: Vec<&str> = Vec::new();
    let mut joined: Vec<String> = Vec::new();
    for word in spaced.split_whitespace() {
        words.push(word);
    }
    // "A WITH b" is one name.
    let mut i = 0;
    while i < words.len() {
        if words.get(i + 1) == Some(&"WITH") && i + 2 < words.len() {
            joined.push(words[i..i + 3].join(" "));
            i += 3;
        } else {
            joined.push(words[i].to_owned());
            i += 1;
        }
    }
    let mut at = 0;
    any_of(&joined, &mut at, allowed).is_some_and(|ok| ok && at == joined.len())
}

fn any_of(words: &[String], at: &mut usize, allowed: &dyn Fn(&str) -> bool) -> Option<bool> {
    let mut ok = all_of(words, at, allowed)?;
    while words.get(*at).is_some_and(|w| w == "OR") {
        *at += 1;
        ok |= all_of(words, at, allowed)?;
    }
    Some(ok)
}

fn all_of(words: &[String], at: &mut usize, allowed: &dyn Fn(&str) -> bool) -> Option<bool> {
    let mut ok = one(words, at, allowed)?;
    while words.get(*at).is_some_and(|w| w == "AND") {
        *at += 1;
        ok &= one(words, at, allowed)?;
    }
    Some(ok)
}

fn one(words: &[String], at: &mut usize, allowed: &dyn Fn(&str) -> bool) -> Option<bool> {
    let word = words.get(*at)?;
    *at += 1;
    match word.as_str() {
        "(" => {
            let inner = any_of(words, at, allowed)?;
            let closed = words.get(*at).is_some_and(|w| w == ")");
            *at += 1;
            closed.then_some(inner)
        }
        ")" | "OR" | "AND" | "WITH" => None,
        name => Some(allowed(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_are_for_one_package() {
        let table: toml::Table =
            "exceptions = [{ crate = 'a', allow = ['X', 'Y'] }, { crate = 'b', allow = [] }]"
                .parse()
                .unwrap();
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(exceptions(&table), BTreeSet::from([pair("a", "X"), pair("a", "Y")]));
        assert!(exceptions(&toml::Table::new()).is_empty());
    }

    #[test]
    fn expressions_are_met_as_spdx_has_it() {
        let ok = |e: &str| permits(e, &|l| ["MIT", "Apache-2.0", "Unicode-3.0"].contains(&l));
        assert!(ok("MIT") && ok("GPL-3.0 OR MIT") && ok("MIT/Apache-2.0") && ok("Apache-2.0 / MIT"));
        assert!(ok("(MIT OR Apache-2.0) AND Unicode-3.0"));
        assert!(!ok("MIT AND GPL-3.0") && !ok("(MIT OR GPL-3.0) AND GPL-3.0"));
        assert!(!ok("Apache-2.0 WITH LLVM-exception"), "the exception is another licence");
        assert!(!ok("") && !ok("(MIT") && !ok("MIT MIT") && !ok("OR MIT"));
    }
}
