//! The plugin as hosts want to find it: builds, lays out, installs.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The plugin's package.
pub(crate) const PACKAGE: &str = "sideman-plugin";
/// The standalone program.
pub(crate) const STANDALONE: &str = "sideman-live";

/// A file of a bundle: where it goes, and what it is.
#[derive(Debug, PartialEq, Eq)]
enum Content {
    /// The library.
    Library,
    /// A text.
    Text(String),
}

/// A bundle: its name, what is in it by path from the folder that holds it, and its kind.
#[derive(Debug, PartialEq, Eq)]
struct Bundle {
    name: String,
    kind: Kind,
    files: Vec<(PathBuf, Content)>,
}

/// A plugin format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Clap,
    Vst3,
    /// The Audio Unit, version 2.
    Component,
}

/// What a system is, as far as bundles care.
#[derive(Debug, Clone, Copy)]
struct System<'a> {
    os: &'a str,
    arch: &'a str,
}

const HERE: System<'static> = System { os: std::env::consts::OS, arch: std::env::consts::ARCH };

/// Builds the bundles into `target/bundled/`.
pub(crate) fn bundle(debug: bool) -> Result<()> {
    made(debug).map(|_| ())
}

/// Builds the bundles and puts them into the user's plugin folders.
pub(crate) fn install(debug: bool) -> Result<()> {
    for (kind, from) in made(debug)? {
        let folder = folder(kind, HERE, variable)
            .context("the system does not say where your folder is: set HOME (on Windows LOCALAPPDATA)")?;
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let to = folder.join(from.file_name().context("a bundle has a name")?);
        replace(&from, &to)
            .with_context(|| format!("cannot put {} in place: is a host using it?", to.display()))?;
        println!("installed {}", to.display());
    }
    println!("Let your host scan its plugins again, and look for {} among the instruments.", name()?);
    Ok(())
}

/// Builds the standalone program into `target/bundled/`.
pub(crate) fn standalone(debug: bool) -> Result<PathBuf> {
    if HERE.os == "linux"
        && let Some(advice) = advice(&Libraries::here(), &release())
    {
        bail!("{advice}");
    }
    let target = build(&["--bin", STANDALONE, "--features", "standalone"], debug)?;
    let file = format!("{STANDALONE}{}", std::env::consts::EXE_SUFFIX);
    let (from, folder) = (target.join(profile(debug)).join(&file), target.join("bundled"));
    std::fs::create_dir_all(&folder)?;
    let to = folder.join(&file);
    replace(&from, &to).with_context(|| format!("cannot write {}", to.display()))?;
    println!("built {}", to.display());
    Ok(to)
}

/// Builds a part of the plugin's package; returns cargo's target folder.
fn build(what: &[&str], debug: bool) -> Result<PathBuf> {
    let mut command = crate::cargo(&["build", "--package", PACKAGE]);
    command.args(what).args((!debug).then_some("--release"));
    let status = command.status().context("cannot run cargo build")?;
    if !status.success() {
        bail!("{PACKAGE} does not build: see above");
    }
    target()
}

fn made(debug: bool) -> Result<Vec<(Kind, PathBuf)>> {
    let target = build(&["--lib"], debug)?;
    let library = target.join(profile(debug)).join(library(PACKAGE));
    let made = lay_out(&library, &target.join("bundled"))?;
    if HERE.os == "linux" {
        report_needed(&library);
    }
    Ok(made)
}

/// Makes the bundles of a built library in a folder.
pub(crate) fn lay_out(library: &Path, folder: &Path) -> Result<Vec<(Kind, PathBuf)>> {
    let mut paths = Vec::new();
    for bundle in layout(&name()?, env!("CARGO_PKG_VERSION"), HERE) {
        let path = folder.join(&bundle.name);
        let new = folder.join(format!(".{}.new", bundle.name));
        remove(&new)?;
        for (file, content) in &bundle.files {
            let to = within(&new, file, &bundle.name);
            std::fs::create_dir_all(to.parent().context("a file has a folder")?)?;
            match content {
                Content::Library => std::fs::copy(library, &to).map(|_| ()),
                Content::Text(text) => std::fs::write(&to, text),
            }
            .with_context(|| format!("cannot write {}", to.display()))?;
        }
        if HERE.os == "macos" {
            sign(&new);
        }
        swap(&new, &path).with_context(|| format!("cannot write {}", path.display()))?;
        println!("built {}", path.display());
        paths.push((bundle.kind, path));
    }
    Ok(paths)
}

/// Where a bundle's file is while the bundle is made under another name.
fn within(new: &Path, file: &Path, name: &str) -> PathBuf {
    match file.strip_prefix(name) {
        Ok(rest) if !rest.as_os_str().is_empty() => new.join(rest),
        // The bundle is a file.
        _ => new.to_path_buf(),
    }
}

/// Says which libraries must be there for the plugin to load.
fn report_needed(library: &Path) {
    let Ok(output) = std::process::Command::new("readelf").arg("-d").arg(library).output() else { return };
    let needed = needed(&String::from_utf8_lossy(&output.stdout));
    println!("needs {}", needed.join(", "));
    if needed.iter().any(|n| n.starts_with("libstdc++")) {
        println!(
            "note: libstdc++ is linked dynamically, because there is no libstdc++.a here; the bundles load only \
             where it is installed"
        );
    }
}

/// The libraries that `readelf -d` names as needed.
fn needed(readelf: &str) -> Vec<String> {
    readelf
        .lines()
        .filter(|l| l.contains("(NEEDED)"))
        .filter_map(|l| Some(l.split_once('[')?.1.split_once(']')?.0.to_owned()))
        .collect()
}

/// What is in the bundles.
fn layout(name: &str, version: &str, system: System<'_>) -> Vec<Bundle> {
    let bundle = |extension: &str, kind, files: Vec<(String, Content)>| {
        let own = format!("{name}.{extension}");
        let files = files.into_iter().map(|(f, c)| (Path::new(&own).join(f), c)).collect();
        Bundle { name: own, kind, files }
    };
    let file = |extension: &str, kind| {
        let own = format!("{name}.{extension}");
        Bundle { files: vec![(PathBuf::from(&own), Content::Library)], name: own, kind }
    };
    match system.os {
        "macos" => {
            let contents = |unit: bool| {
                vec![
                    (format!("Contents/MacOS/{name}"), Content::Library),
                    ("Contents/PkgInfo".to_owned(), Content::Text("BNDL????".to_owned())),
                    ("Contents/Info.plist".to_owned(), Content::Text(plist(name, version, unit))),
                ]
            };
            vec![
                bundle("clap", Kind::Clap, contents(false)),
                bundle("vst3", Kind::Vst3, contents(false)),
                bundle("component", Kind::Component, contents(true)),
            ]
        }
        os => {
            let arch = match (system.arch, os) {
                ("aarch64", "windows") => "arm64",
                ("x86", "linux") => "i386",
                (arch, _) => arch,
            };
            let binary = match os {
                "windows" => format!("Contents/{arch}-win/{name}.vst3"),
                _ => format!("Contents/{arch}-linux/{name}.so"),
            };
            vec![file("clap", Kind::Clap), bundle("vst3", Kind::Vst3, vec![(binary, Content::Library)])]
        }
    }
}

/// What macOS wants to know of a bundle; of an Audio Unit also how it is made.
fn plist(name: &str, version: &str, unit: bool) -> String {
    let component = if unit {
        "\n  <key>AudioComponents</key><array><dict>\
         \n    <key>name</key><string>The Sideman project: Sideman</string>\
         \n    <key>description</key><string>A band that plays along</string>\
         \n    <key>factoryFunction</key><string>GetPluginFactoryAUV2</string>\
         \n    <key>manufacturer</key><string>Sdmn</string>\
         \n    <key>subtype</key><string>Sdm1</string>\
         \n    <key>type</key><string>aumu</string>\
         \n    <key>version</key><integer>65536</integer>\
         \n    <key>sandboxSafe</key><true/>\
         \n  </dict></array>"
    } else {
        ""
    };
    let format = if unit { "component" } else { "plugin" };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \
         \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n<plist version=\"1.0\"><dict>\
         \n  <key>CFBundleExecutable</key><string>{name}</string>\
         \n  <key>CFBundleIdentifier</key><string>org.sideman.{format}</string>\
         \n  <key>CFBundleName</key><string>{name}</string>\
         \n  <key>CFBundleDisplayName</key><string>{name}</string>\
         \n  <key>CFBundlePackageType</key><string>BNDL</string>\
         \n  <key>CFBundleSignature</key><string>????</string>\
         \n  <key>CFBundleShortVersionString</key><string>{version}</string>\
         \n  <key>CFBundleVersion</key><string>{version}</string>\
         \n  <key>NSHighResolutionCapable</key><true/>{component}\n</dict></plist>\n"
    )
}

/// An environment variable that is set.
fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Where a user's plugins are.
fn folder(kind: Kind, system: System<'_>, variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    match system.os {
        "windows" => {
            let common = variable("LOCALAPPDATA")?.join("Programs").join("Common");
            Some(common.join(if kind == Kind::Clap { "CLAP" } else { "VST3" }))
        }
        "macos" => Some(variable("HOME")?.join("Library/Audio/Plug-Ins").join(match kind {
            Kind::Clap => "CLAP",
            Kind::Vst3 => "VST3",
            Kind::Component => "Components",
        })),
        _ => Some(variable("HOME")?.join(if kind == Kind::Clap { ".clap" } else { ".vst3" })),
    }
}

/// Copies a file or a folder over what is there, so that at no time half of it is there.
fn replace(from: &Path, to: &Path) -> Result<()> {
    let name = to.file_name().context("a name")?.to_string_lossy().into_owned();
    let new = to.with_file_name(format!(".{name}.new"));
    remove(&new)?;
    copy(from, &new)?;
    swap(&new, to)
}

/// Puts a file or a folder in another's place.
fn swap(new: &Path, to: &Path) -> Result<()> {
    let name = to.file_name().context("a name")?.to_string_lossy().into_owned();
    let old = to.with_file_name(format!(".{name}.old"));
    remove(&old)?;
    let there = to.symlink_metadata().is_ok();
    if there {
        std::fs::rename(to, &old)?;
    }
    if let Err(error) = std::fs::rename(new, to) {
        if there {
            std::fs::rename(&old, to)?;
        }
        return Err(error.into());
    }
    // On Windows a host may hold the old one; it goes at the next time.
    let _ = remove(&old);
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    if from.is_dir() {
        std::fs::create_dir_all(to)?;
        for entry in std::fs::read_dir(from)? {
            let entry = entry?;
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    std::fs::copy(from, to).map(|_| ()).with_context(|| format!("cannot copy {}", from.display()))
}

fn remove(path: &Path) -> Result<()> {
    match path.symlink_metadata() {
        Err(_) => Ok(()),
        Ok(m) if m.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
    }
    .with_context(|| format!("cannot remove {}", path.display()))
}

/// Signs a bundle as one of this machine: macOS runs nothing else.
fn sign(path: &Path) {
    let signed =
        std::process::Command::new("codesign").args(["--force", "--deep", "--sign", "-"]).arg(path).status();
    if !signed.is_ok_and(|s| s.success()) {
        println!("note: {} could not be signed; macOS may refuse it", path.display());
    }
}

/// What is there of what the standalone program is built against.
struct Libraries {
    pkg_config: bool,
    alsa: bool,
    jack: bool,
}

impl Libraries {
    fn here() -> Self {
        let there = |arguments: &[&str]| {
            let run = std::process::Command::new("pkg-config").args(arguments).output();
            run.is_ok_and(|o| o.status.success())
        };
        Self {
            pkg_config: there(&["--version"]),
            alsa: there(&["--exists", "alsa"]),
            jack: there(&["--exists", "jack"]),
        }
    }
}

/// Whether the standalone program can be built here.
pub(crate) fn can_build_standalone() -> bool {
    HERE.os != "linux" || advice(&Libraries::here(), "").is_none()
}

/// The system's `/etc/os-release`; empty where there is none.
fn release() -> String {
    std::fs::read_to_string("/etc/os-release").unwrap_or_default()
}

/// What to install, on a system with this `/etc/os-release`.
fn advice(found: &Libraries, release: &str) -> Option<String> {
    // Debian, Fedora, Arch.
    let packages = [
        (found.pkg_config, "pkg-config", ["pkg-config", "pkgconf-pkg-config", "pkgconf"]),
        // Without pkg-config nobody knows whether they are there.
        (found.alsa, "ALSA's headers", ["libasound2-dev", "alsa-lib-devel", "alsa-lib"]),
        (
            found.jack,
            "JACK's headers",
            ["libjack-jackd2-dev", "pipewire-jack-audio-connection-kit-devel", "jack2"],
        ),
    ];
    let missing: Vec<_> = packages.into_iter().filter(|(there, ..)| !there).collect();
    if missing.is_empty() {
        return None;
    }
    let what: Vec<&str> = missing.iter().map(|(_, what, _)| *what).collect();
    let like: Vec<String> = release
        .lines()
        .filter_map(|l| l.strip_prefix("ID=").or_else(|| l.strip_prefix("ID_LIKE=")))
        .flat_map(|v| v.trim_matches('"').split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let is = |names: &[&str]| like.iter().any(|l| names.contains(&l.as_str()));
    let commands = ["sudo apt install", "sudo dnf install", "sudo pacman -S"];
    let systems = [&["debian", "ubuntu"][..], &["fedora", "rhel"], &["arch"]];
    let chosen: Vec<usize> = match systems.iter().position(|names| is(names)) {
        Some(i) => vec![i],
        None => vec![0, 1, 2],
    };
    let lines: Vec<String> = chosen
        .into_iter()
        .map(|i| {
            let names: Vec<&str> = missing.iter().map(|(.., names)| names[i]).collect();
            format!("  {} {}", commands[i], names.join(" "))
        })
        .collect();
    Some(format!(
        "the standalone program is built against {}, missing here. Install:\n{}",
        what.join(" and "),
        lines.join("\n")
    ))
}

/// The plugin's display name, from bundler.toml.
fn name() -> Result<String> {
    let table: toml::Table = std::fs::read_to_string(crate::root().join("bundler.toml"))
        .context("bundler.toml is missing")?
        .parse()
        .context("bundler.toml cannot be read")?;
    let name = table.get(PACKAGE).and_then(|p| p.get("name")).and_then(toml::Value::as_str);
    name.map(str::to_owned).with_context(|| format!("bundler.toml has no name for [{PACKAGE}]"))
}

/// File name of a package's library.
fn library(package: &str) -> String {
    format!("{}{}{}", std::env::consts::DLL_PREFIX, package.replace('-', "_"), std::env::consts::DLL_SUFFIX)
}

fn profile(debug: bool) -> &'static str {
    if debug { "debug" } else { "release" }
}

/// Where cargo builds.
fn target() -> Result<PathBuf> {
    let output = crate::cargo(&["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .output()
        .context("cannot run cargo metadata")?;
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).context("cargo metadata failed")?;
    let target = metadata["target_directory"].as_str().context("cargo says no target directory")?;
    Ok(PathBuf::from(target))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(system: System<'_>) -> Vec<String> {
        let bundles = layout("Sideman", "1.2.3", system);
        bundles.iter().flat_map(|b| &b.files).map(|(p, _)| p.to_string_lossy().replace('\\', "/")).collect()
    }

    #[test]
    fn bundles_are_laid_out_as_each_system_wants_them() {
        let linux = paths(System { os: "linux", arch: "x86_64" });
        assert_eq!(linux, ["Sideman.clap", "Sideman.vst3/Contents/x86_64-linux/Sideman.so"]);
        let windows = paths(System { os: "windows", arch: "aarch64" });
        assert_eq!(windows, ["Sideman.clap", "Sideman.vst3/Contents/arm64-win/Sideman.vst3"]);
        let mac = layout("Sideman", "1.2.3", System { os: "macos", arch: "aarch64" });
        assert_eq!(mac.len(), 3);
        for bundle in &mac {
            let texts: String = bundle
                .files
                .iter()
                .filter_map(|(_, c)| match c {
                    Content::Text(text) => Some(text.as_str()),
                    Content::Library => None,
                })
                .collect();
            assert!(texts.contains("<string>1.2.3</string>") && texts.contains("BNDL????"), "{texts}");
            assert_eq!(texts.contains("GetPluginFactoryAUV2"), bundle.kind == Kind::Component);
            assert!(bundle.files[0].0.ends_with("Contents/MacOS/Sideman"));
        }
    }

    #[test]
    fn files_are_made_under_the_new_name() {
        let new = Path::new("/b/.X.vst3.new");
        assert_eq!(within(new, Path::new("X.vst3/Contents/a.so"), "X.vst3"), new.join("Contents/a.so"));
        assert_eq!(within(new, Path::new("X.vst3"), "X.vst3"), new);
    }

    #[test]
    fn each_system_has_its_folders() {
        let variable = |name: &str| Some(PathBuf::from(format!("/{name}")));
        let of = |os, kind| folder(kind, System { os, arch: "x86_64" }, variable).unwrap();
        assert_eq!(of("linux", Kind::Vst3), Path::new("/HOME/.vst3"));
        assert_eq!(of("linux", Kind::Clap), Path::new("/HOME/.clap"));
        assert_eq!(of("macos", Kind::Component), Path::new("/HOME/Library/Audio/Plug-Ins/Components"));
        assert_eq!(of("windows", Kind::Vst3), Path::new("/LOCALAPPDATA/Programs/Common/VST3"));
        assert_eq!(folder(Kind::Clap, System { os: "linux", arch: "" }, |_| None), None);
    }

    #[test]
    fn what_is_installed_replaces_what_was_there() {
        let folder = std::env::temp_dir().join(format!("sideman-xtask-{}", std::process::id()));
        let (from, to) = (folder.join("from/X.vst3"), folder.join("to/X.vst3"));
        std::fs::create_dir_all(from.join("Contents/a")).unwrap();
        std::fs::create_dir_all(to.join("Contents/stale")).unwrap();
        std::fs::write(from.join("Contents/a/lib.so"), "new").unwrap();
        replace(&from, &to).unwrap();
        replace(&from, &to).unwrap();
        assert_eq!(std::fs::read_to_string(to.join("Contents/a/lib.so")).unwrap(), "new");
        assert!(!to.join("Contents/stale").exists());
        assert_eq!(std::fs::read_dir(folder.join("to")).unwrap().count(), 1, "nothing is left beside it");
        std::fs::write(folder.join("file"), "1").unwrap();
        replace(&folder.join("file"), &folder.join("to/file")).unwrap();
        replace(&folder.join("file"), &folder.join("to/file")).unwrap();
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_to_install_is_said_for_the_system_at_hand() {
        let nothing = Libraries { pkg_config: false, alsa: false, jack: false };
        let said = advice(&nothing, "NAME=x\nID=\"linuxmint\"\nID_LIKE=\"ubuntu debian\"\n").unwrap();
        assert!(said.contains("sudo apt install pkg-config libasound2-dev libjack-jackd2-dev"), "{said}");
        assert!(!said.contains("dnf"), "{said}");
        let no_jack = Libraries { pkg_config: true, alsa: true, jack: false };
        let said = advice(&no_jack, "ID=fedora").unwrap();
        assert!(said.contains("JACK") && !said.contains("ALSA") && said.contains("dnf"), "{said}");
        assert!(advice(&no_jack, "").unwrap().contains("pacman -S jack2"));
        assert!(advice(&Libraries { pkg_config: true, alsa: true, jack: true }, "").is_none());
    }

    #[test]
    fn libraries_are_read_from_readelf() {
        let text =
            " 0x01 (NEEDED)  Shared library: [libm.so.6]\n 0x0e (SONAME) [x]\n 0x01 (NEEDED) : [libc.so.6]\n";
        assert_eq!(needed(text), ["libm.so.6", "libc.so.6"]);
    }
}
