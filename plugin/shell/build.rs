//! Links the C++ runtime of the VST3 wrapper statically on Linux, where the compiler has it as an archive: the
//! bundles then load on machines without it, and beside hosts that bring another version.

use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=CXX");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("linux") {
        return;
    }
    // The linker looks through the folders one after another, and in each for a shared library, then for an
    // archive. A folder of our own, which comes before the system's, has only the archive.
    let Some(archive) = archive() else {
        println!("cargo:warning=no libstdc++.a was found: the plugin needs libstdc++ where it is loaded");
        return;
    };
    let Some(out) = std::env::var_os("OUT_DIR").map(PathBuf::from) else { return };
    let copy = out.join("libstdc++.a");
    if std::fs::copy(&archive, &copy).is_ok() {
        println!("cargo:rustc-link-search=native={}", out.display());
    }
}

/// The compiler's own archive of the C++ runtime.
fn archive() -> Option<PathBuf> {
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    let output = Command::new(compiler).arg("-print-file-name=libstdc++.a").output().ok()?;
    let path = String::from_utf8(output.stdout).ok()?;
    let path = Path::new(path.trim());
    // A compiler without it says the bare name.
    (path.is_absolute() && path.exists()).then(|| path.to_owned())
}
