//! What is loaded: the plugin as it is released, and an empty one.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Libraries beside this program.
pub(crate) struct Libraries {
    /// The plugin: CLAP and VST3 in one.
    pub(crate) sideman: PathBuf,
    /// `plugin/examples/empty.rs`.
    pub(crate) empty: PathBuf,
}

impl Libraries {
    /// Builds them as cargo would for a release. Run without cargo, takes them as they are.
    pub(crate) fn build() -> Result<Self> {
        let own = std::env::current_exe()?;
        // This program is in a folder of the profile's.
        let profile = own.parent().and_then(|deps| deps.parent()).context("this program is nowhere")?;
        if let Some(cargo) = std::env::var_os("CARGO") {
            for what in [&["--lib"][..], &["--example", "empty"]] {
                let mut build = Command::new(&cargo);
                build.args(["build", "--release", "--package", "sideman-plugin", "--target-dir"]);
                build.arg(profile.parent().context("this program is nowhere")?).args(what);
                ensure!(build.status()?.success(), "the plugin does not build: see above");
            }
        }
        let libraries = Self {
            sideman: profile.join("libsideman_plugin.so"),
            empty: profile.join("examples/libempty.so"),
        };
        for path in [&libraries.sideman, &libraries.empty] {
            ensure!(path.exists(), "{} is missing: run this with cargo bench", path.display());
        }
        Ok(libraries)
    }
}
