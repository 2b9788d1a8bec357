//! Rules about crates: who may depend on whom, and what the audio thread's code may name.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};

use super::{Problems, Tracked};

/// The counting allocator, which the tests of all crates may use, and nothing else.
const ALLOCATOR: &str = "sideman-allocator";
/// What each crate may use of the others. The plugin stands beside the command.
const MAY_USE: [(&str, &[&str]); 13] = [
    (ALLOCATOR, &[]),
    ("sideman-audio", &[]),
    ("sideman-music", &[]),
    ("sideman-inference", &["sideman-audio", "sideman-music"]),
    ("sideman-nets", &["sideman-audio", "sideman-music", "sideman-inference"]),
    ("sideman-engine", &["sideman-music", "sideman-inference"]),
    ("sideman-sound", &["sideman-music"]),
    ("sideman-draw", &["sideman-music"]),
    (
        "sideman-cli",
        &[
            "sideman-audio",
            "sideman-music",
            "sideman-inference",
            "sideman-engine",
            "sideman-draw",
            "sideman-sound",
        ],
    ),
    (
        "sideman-plugin",
        &["sideman-audio", "sideman-music", "sideman-inference", "sideman-engine", "sideman-sound"],
    ),
    (
        "sideman-trainer",
        &[
            "sideman-audio",
            "sideman-music",
            "sideman-inference",
            "sideman-nets",
            "sideman-engine",
            "sideman-draw",
        ],
    ),
    (
        "sideman-tests",
        &[
            "sideman-audio",
            "sideman-music",
            "sideman-inference",
            "sideman-engine",
            "sideman-sound",
            "sideman-cli",
            "sideman-plugin",
            "sideman-trainer",
        ],
    ),
    ("xtask", &[]),
];
/// What users run: crates that must do without the framework that networks are trained with.
const PRODUCT: [&str; 6] =
    ["sideman-inference", "sideman-engine", "sideman-draw", "sideman-sound", "sideman-cli", "sideman-plugin"];
/// The training framework and what only it brings, by the beginnings of their names.
const TRAINING: [&str; 4] = ["candle-", "gemm", "rayon", "tokenizers"];
/// Names of host frameworks and plugin formats, which the engine must do without.
const HOSTS: [&str; 8] =
    ["nice-plug", "nice_plug", "nih-plug", "nih_plug", "clap-wrapper", "clap_wrapper", "vst3", "clack"];
const ENGINE: &str = "plugin/engine/";
/// Folders whose code runs on the audio thread.
const REAL_TIME: [&str; 1] = ["plugin/engine/src/audio_thread/"];
/// What allocates, locks, waits, writes or asks for the time. Clippy's lists see through names; these
/// words also catch what a macro or an alias would hide from them.
const NOT_IN_REAL_TIME: [&str; 29] = [
    "Vec<",
    "Vec::",
    "vec!",
    "Box<",
    "Box::",
    "String",
    "Rc<",
    "Rc::",
    "Arc<",
    "Arc::",
    "HashMap",
    "BTreeMap",
    "VecDeque",
    ".to_vec(",
    ".to_string(",
    ".to_owned(",
    ".collect(",
    "format!",
    "print!",
    "println!",
    "log::",
    "Mutex",
    "RwLock",
    "Condvar",
    "std::thread",
    " thread::",
    "Instant",
    "std::fs",
    "std::env",
];

pub(super) fn check(tracked: &[Tracked], problems: &mut Problems) -> Result<()> {
    for file in tracked.iter().filter(|f| f.name.ends_with("Cargo.toml")) {
        let text = file.text()?.unwrap_or_default();
        let manifest: toml::Table = text.parse().with_context(|| format!("{} does not parse", file.name))?;
        check_manifest(&file.name, &manifest, problems);
    }
    for file in tracked.iter().filter(|f| f.name.starts_with(ENGINE)) {
        let text = file.text()?.unwrap_or_default();
        for host in HOSTS.iter().filter(|h| text.contains(**h)) {
            problems.add(format!("{}: the engine must not name a host framework: {host}", file.name));
        }
    }
    for folder in REAL_TIME {
        for file in tracked.iter().filter(|f| f.name.starts_with(folder) && f.name.ends_with(".rs")) {
            check_real_time(&file.name, &file.text()?.unwrap_or_default(), problems);
        }
        let module = format!("{folder}mod.rs");
        let guarded = tracked.iter().find(|f| f.name == module).map(Tracked::text).transpose()?;
        let denies = guarded.flatten().is_some_and(|t| {
            let deny = t.lines().find(|l| l.starts_with("#![deny(")).unwrap_or_default();
            ["disallowed_types", "disallowed_methods", "disallowed_macros"].iter().all(|l| deny.contains(l))
        });
        if !denies {
            problems.add(format!("{module} must deny clippy's disallowed types, methods and macros"));
        }
    }
    for product in PRODUCT {
        let tree = crate::cargo(&[
            "tree",
            "-p",
            product,
            "--all-features",
            "-e",
            "normal,build",
            "--prefix",
            "none",
        ])
        .output()
        .context("cannot run cargo tree")?;
        if !tree.status.success() {
            bail!("cargo tree -p {product} failed: {}", String::from_utf8_lossy(&tree.stderr).trim());
        }
        check_product(product, &String::from_utf8_lossy(&tree.stdout), problems);
    }
    Ok(())
}

/// `tree` has a package a line, its name first.
fn check_product(product: &str, tree: &str, problems: &mut Problems) {
    let names: BTreeSet<&str> = tree.lines().filter_map(|l| l.split(' ').next()).collect();
    for name in names.iter().filter(|n| TRAINING.iter().any(|t| n.starts_with(t))) {
        problems.add(format!(
            "{product} depends on {name}, which only training may use: `cargo tree -p {product} -i {name}` says by whom"
        ));
    }
}

fn check_manifest(name: &str, manifest: &toml::Table, problems: &mut Problems) {
    let Some(package) = manifest.get("package") else { return };
    let krate = package.get("name").and_then(toml::Value::as_str).unwrap_or("?");
    let lints = manifest.get("lints").and_then(|l| l.get("workspace")).and_then(toml::Value::as_bool);
    if lints != Some(true) {
        problems.add(format!("{name}: the lints of the workspace are missing ([lints] workspace = true)"));
    }
    let rules: BTreeMap<&str, &[&str]> = MAY_USE.into_iter().collect();
    let Some(may_use) = rules.get(krate) else {
        problems.add(format!("{name}: {krate} has no place in the order of the crates (xtask, MAY_USE)"));
        return;
    };
    for table in ["dependencies", "dev-dependencies", "build-dependencies"] {
        let used = manifest.get(table).and_then(toml::Value::as_table).into_iter().flatten();
        for (used, _) in used.filter(|(d, _)| rules.contains_key(d.as_str())) {
            // A crate may name itself in its tests, to turn on a feature.
            let tests_only = used == ALLOCATOR && table == "dev-dependencies";
            if used != krate && !tests_only && !may_use.contains(&used.as_str()) {
                problems.add(format!("{name}: {krate} must not use {used}"));
            }
        }
    }
}

/// Looks at the code, not at comments, up to the tests at the end of the file. An exception is the item, field or
/// statement that follows `#[allow(clippy::disallowed_...)] // why`.
fn check_real_time(name: &str, text: &str, problems: &mut Problems) {
    // Open brackets of the exception, from its first line on.
    let mut exception: Option<i32> = None;
    for (i, line) in text.lines().enumerate() {
        if line.trim() == "#[cfg(test)]" {
            break;
        }
        let (code, comment) = line.split_once("//").unwrap_or((line, ""));
        if code.trim_start().starts_with("#[allow(clippy::disallowed_") {
            if comment.trim().is_empty() {
                problems.add(format!("{name}:{}: an exception on the audio thread needs a reason", i + 1));
            }
            exception = Some(0);
            continue;
        }
        if let Some(open) = &mut exception {
            *open += code
                .chars()
                .map(|c| i32::from("([{".contains(c)) - i32::from(")]}".contains(c)))
                .sum::<i32>();
            if *open <= 0 && code.trim_end().ends_with([';', ',', '}']) {
                exception = None;
            }
            continue;
        }
        for word in NOT_IN_REAL_TIME.iter().filter(|w| code.contains(**w)) {
            problems.add(format!("{name}:{}: the audio thread must do without {word}", i + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest_problems(text: &str) -> Vec<String> {
        let mut problems = Problems::default();
        check_manifest("Cargo.toml", &text.parse().unwrap(), &mut problems);
        problems.0
    }

    #[test]
    fn dependencies_point_one_way() {
        let manifest = |name: &str, uses: &str| {
            format!("[package]\nname = \"{name}\"\n[lints]\nworkspace = true\n[dependencies]\n{uses} = {{}}")
        };
        assert_eq!(manifest_problems(&manifest("sideman-engine", "sideman-inference")), [""; 0]);
        assert_eq!(manifest_problems(&manifest("sideman-music", "midly")), [""; 0]);
        assert_eq!(manifest_problems(&manifest("sideman-inference", "sideman-engine")).len(), 1);
        assert_eq!(manifest_problems(&manifest("sideman-engine", "sideman-trainer")).len(), 1);
        assert_eq!(manifest_problems(&manifest("newcomer", "midly")).len(), 1);
        let tests = manifest("sideman-music", ALLOCATOR).replace("[dep", "[dev-dep");
        assert_eq!(manifest_problems(&tests), [""; 0]);
        assert_eq!(manifest_problems(&manifest("sideman-music", ALLOCATOR)).len(), 1);
        assert_eq!(manifest_problems("[package]\nname = \"sideman-music\"").len(), 1, "no lints");
        assert_eq!(manifest_problems("[workspace]"), [""; 0]);
    }

    #[test]
    fn the_product_does_without_the_training_framework() {
        let found = |tree: &str| {
            let mut problems = Problems::default();
            check_product("sideman-cli", tree, &mut problems);
            problems.0.len()
        };
        assert_eq!(found("sideman-cli v0.1.0\nmidly v0.5.3\nrand v0.9.0\n\n"), 0);
        assert_eq!(found("sideman-cli v0.1.0\ngemm-f32 v0.19.0\nrayon v1.12.0\nrayon v1.12.0 (*)"), 2);
    }

    #[test]
    fn real_time_code_is_kept_clean_and_its_tests_are_not() {
        let found = |text: &str| {
            let mut problems = Problems::default();
            check_real_time("rt.rs", text, &mut problems);
            problems.0.len()
        };
        assert_eq!(
            found("let x = [0; 4]; // not a Vec<u8>\n#[cfg(test)]\nmod tests { let v = vec![1]; }"),
            0
        );
        assert_eq!(found("let v = vec![1];\nlet b = Box::new(1);"), 2);
        let allowed = |reason: &str| {
            format!(
                "#[allow(clippy::disallowed_types)]{reason}\nfn new(\n) -> Box<u8> {{\n    Box::new(1)\n}}\nlet b = Box::new(1);"
            )
        };
        assert_eq!(found(&allowed(" // The main thread.")), 1, "the exception ends with its item");
        assert_eq!(found(&allowed("")), 2, "an exception without a reason");
    }
}
