//! The rules of the repository that the compiler does not check.

mod crates;
mod files;
mod weights;

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

/// What is wrong, one line each.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<String>);

impl Problems {
    pub(crate) fn add(&mut self, problem: String) {
        self.0.push(problem);
    }
}

/// Checks everything and names every problem.
pub(crate) fn run() -> Result<()> {
    let problems = check()?;
    println!("tidy: {}", files::lines(&tracked_files()?)?);
    for problem in &problems.0 {
        eprintln!("tidy: {problem}");
    }
    match problems.0.len() {
        0 => {
            println!("tidy: the repository follows its rules");
            Ok(())
        }
        n => bail!("{n} rules of the repository are broken (see above)"),
    }
}

fn check() -> Result<Problems> {
    let tracked = tracked_files()?;
    let mut problems = Problems::default();
    files::check(&tracked, &mut problems)?;
    crates::check(&tracked, &mut problems)?;
    weights::check(&tracked, &mut problems)?;
    crate::licences::check(&mut problems)?;
    Ok(problems)
}

/// A file under version control.
struct Tracked {
    /// Path from the root of the repository, with `/`.
    name: String,
    path: PathBuf,
    bytes: u64,
}

impl Tracked {
    /// The content as text, or `None` for a binary file.
    fn text(&self) -> Result<Option<String>> {
        let bytes = std::fs::read(&self.path).with_context(|| format!("cannot read {}", self.name))?;
        Ok(String::from_utf8(bytes).ok())
    }
}

fn tracked_files() -> Result<Vec<Tracked>> {
    let root = crate::root();
    let output =
        Command::new("git").args(["ls-files", "-z"]).current_dir(&root).output().context("cannot run git")?;
    if !output.status.success() {
        bail!("git ls-files failed: tidy needs a clone of the repository");
    }
    let names = String::from_utf8(output.stdout).context("a file name is not UTF-8")?;
    let mut files = Vec::new();
    for name in names.split('\0').filter(|n| !n.is_empty()) {
        let path = root.join(name);
        // A file that was deleted but not yet committed so is not there any more.
        if let Ok(metadata) = std::fs::metadata(&path) {
            files.push(Tracked { name: name.to_owned(), path, bytes: metadata.len() });
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_repository_follows_its_rules() {
        let problems = super::check().unwrap();
        assert!(problems.0.is_empty(), "{:#?}", problems.0);
    }
}
