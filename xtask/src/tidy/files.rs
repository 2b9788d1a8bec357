//! Rules about files: what must be there, how big they may be, what must not stand in them.

use anyhow::Result;

use super::{Problems, Tracked};

/// Files that every copy of the project needs.
const NEEDED: [&str; 7] =
    ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE", "deny.toml", ".ci/run"];
/// Longest Rust source file in lines.
const MOST_LINES: usize = 600;
/// Lines of Rust that all files together are to keep to.
const MOST_LINES_IN_ALL: usize = 90_000;
/// Biggest file and biggest repository in bytes.
const MOST_BYTES: u64 = 8 << 20;
const MOST_BYTES_IN_ALL: u64 = 100 << 20;

/// Words of one machine. They are put together here, or this file would break its own rule.
const MACHINE: [&str; 6] = [
    concat!("/wo", "rk/"),
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/Us", "ers/"),
    concat!("C:", "\\Users"),
    concat!("127.0", ".0.1"),
];
/// Calls that must not stay in the code.
const UNFINISHED: [&str; 3] = [concat!("dbg", "!("), concat!("to", "do!("), concat!("unimple", "mented!(")];

pub(super) fn check(tracked: &[Tracked], problems: &mut Problems) -> Result<()> {
    for name in NEEDED {
        match tracked.iter().find(|f| f.name == name) {
            None => problems.add(format!("{name} is missing")),
            Some(file) if file.bytes == 0 => problems.add(format!("{name} is empty")),
            Some(_) => {}
        }
    }
    let all: u64 = tracked.iter().map(|f| f.bytes).sum();
    if all > MOST_BYTES_IN_ALL {
        problems.add(format!("all files together have {} MB; 100 are allowed", all >> 20));
    }
    for file in tracked {
        if file.bytes > MOST_BYTES {
            problems.add(format!("{} has {} MB; 8 are allowed", file.name, file.bytes >> 20));
        }
        if let Some(text) = file.text()? {
            check_text(&file.name, &text, problems);
            if file.name == "README.md" {
                for path in paths_of_tree(&text) {
                    if !tracked.iter().any(|f| f.name == path || f.name.starts_with(&format!("{path}/"))) {
                        problems.add(format!("README.md shows {path}, which is not there"));
                    }
                }
            }
        }
    }
    Ok(())
}

/// Says how many lines of Rust there are.
pub(super) fn lines(tracked: &[Tracked]) -> Result<String> {
    let (mut files, mut lines) = (0, 0);
    for file in tracked.iter().filter(|f| f.name.ends_with(".rs")) {
        files += 1;
        lines += file.text()?.map_or(0, |text| text.lines().count());
    }
    Ok(format!("{lines} lines of Rust in {files} files, to be {MOST_LINES_IN_ALL} at most"))
}

/// The paths of the tree under "What is where": a line each, two spaces deeper than the folder that it is in.
fn paths_of_tree(readme: &str) -> Vec<String> {
    let tree = readme.split_once("## What is where").and_then(|(_, rest)| rest.split("```").nth(1));
    let mut folders: Vec<&str> = Vec::new();
    let mut paths = Vec::new();
    for line in tree.unwrap_or_default().lines().filter(|l| !l.trim().is_empty()) {
        let name = line.split_whitespace().next().unwrap_or_default().trim_end_matches('/');
        folders.truncate((line.len() - line.trim_start().len()) / 2);
        folders.push(name);
        paths.push(folders.join("/"));
    }
    paths
}

fn check_text(name: &str, text: &str, problems: &mut Problems) {
    for (i, line) in text.lines().enumerate() {
        for word in MACHINE.iter().filter(|w| line.contains(**w)) {
            problems.add(format!("{name}:{}: '{word}' belongs to one machine", i + 1));
        }
    }
    if name == "Cargo.lock" {
        for line in text.lines().filter(|l| l.starts_with("source = ")) {
            if line != "source = \"registry+https://github.com/rust-lang/crates.io-index\"" {
                problems.add(format!("Cargo.lock: {line} is not the public registry"));
            }
        }
    }
    if name.ends_with(".toml") && name.contains(".cargo/") {
        for section in ["[source", "[registr", "replace-with"] {
            if text.lines().any(|l| l.trim_start().starts_with(section)) {
                problems.add(format!("{name}: {section} sends cargo to a registry of one machine"));
            }
        }
    }
    if !name.ends_with(".rs") {
        return;
    }
    let lines = text.lines().count();
    if lines > MOST_LINES {
        problems.add(format!("{name} has {lines} lines; {MOST_LINES} are allowed: split it"));
    }
    for (i, line) in text.lines().enumerate() {
        for call in UNFINISHED.iter().filter(|c| line.contains(**c)) {
            problems.add(format!("{name}:{}: {call}) is unfinished work", i + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(name: &str, text: &str) -> Vec<String> {
        let mut problems = Problems::default();
        check_text(name, text, &mut problems);
        problems.0
    }

    #[test]
    fn the_tree_of_the_readme_is_read() {
        let readme = "# X\n## What is where\n\n```\na/     x\n  b/c  y\n    d.rs\n  e/\nf.md  z\n```\n## Y\n```\ng\n```\n";
        assert_eq!(paths_of_tree(readme), ["a", "a/b/c", "a/b/c/d.rs", "a/e", "f.md"]);
        assert_eq!(paths_of_tree("# X"), [""; 0]);
    }

    #[test]
    fn each_rule_about_text_finds_its_breach() {
        assert_eq!(problems("a.md", "see /tmp and ./work"), [""; 0]);
        assert_eq!(problems("a.md", &format!("see {}x", MACHINE[0])).len(), 1);
        assert_eq!(problems("a.rs", &"\n".repeat(600)), [""; 0]);
        assert_eq!(problems("a.rs", &"\n".repeat(601)).len(), 1);
        assert_eq!(problems("a.rs", &format!("x();\n{}1);", UNFINISHED[0])).len(), 1);
        assert_eq!(problems("Cargo.lock", "source = \"registry+https://mirror.example/index\"").len(), 1);
        assert_eq!(problems(".cargo/config.toml", "[alias]\n[source.crates-io]").len(), 1);
    }
}
