//! Files as they are written: first beside their place, then moved there all at once.

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use tempfile::NamedTempFile;

/// The files of one run. Nothing takes its place before [`Outputs::commit`], so a run that fails leaves
/// what was there before as it was.
#[derive(Default)]
pub(crate) struct Outputs {
    staged: Vec<(PathBuf, NamedTempFile)>,
}

impl Outputs {
    /// Writes a file to be. `write` gets a buffered file that it may seek in. Where the path is a device
    /// or a pipe the bytes go there at once.
    pub(crate) fn write(
        &mut self,
        path: &Path,
        write: impl FnOnce(&mut BufWriter<&mut File>) -> Result<()>,
    ) -> Result<()> {
        let explain = || format!("cannot write {}", path.display());
        // A link's target is replaced, not the link.
        let place = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        match std::fs::metadata(&place) {
            Ok(m) if m.is_dir() => bail!("{} is a folder: name a file in it", path.display()),
            Ok(m) if !m.is_file() => {
                // Devices cannot seek back, so the bytes are made elsewhere first.
                let mut made = tempfile::tempfile().with_context(explain)?;
                fill(&mut made, write).with_context(explain)?;
                made.seek(SeekFrom::Start(0))?;
                let mut device = File::options().write(true).open(&place).with_context(explain)?;
                std::io::copy(&mut made, &mut device).map_err(hint).with_context(explain)?;
                return Ok(());
            }
            _ => {}
        }
        if self.staged.iter().any(|(p, _)| *p == place) {
            bail!("{} is named twice: give every output its own file", path.display());
        }
        let folder = place.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !folder.is_dir() {
            bail!("{} does not exist: create the folder first", folder.display());
        }
        let mut temp = beside(&place, folder).map_err(hint).with_context(explain)?;
        fill(temp.as_file_mut(), write).with_context(explain)?;
        self.staged.push((place, temp));
        Ok(())
    }

    /// Moves every file to its place.
    pub(crate) fn commit(self) -> Result<()> {
        for (path, temp) in self.staged {
            temp.persist(&path)
                .map_err(|e| e.error)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }
}

/// A new file in `folder`, with the rights of the one it will replace, or else the usual ones.
fn beside(place: &Path, folder: &Path) -> std::io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".sideman-").suffix(".part");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let temp = builder.tempfile_in(folder)?;
    if let Ok(existing) = std::fs::metadata(place) {
        temp.as_file().set_permissions(existing.permissions())?;
    }
    Ok(temp)
}

fn fill(file: &mut File, write: impl FnOnce(&mut BufWriter<&mut File>) -> Result<()>) -> Result<()> {
    let mut buffered = BufWriter::with_capacity(1 << 16, file);
    write(&mut buffered).map_err(|e| match e.downcast::<std::io::Error>() {
        Ok(io) => hint(io).into(),
        Err(e) => e,
    })?;
    buffered.flush().map_err(hint)?;
    // Some file systems only find out that they are full when the data is really written.
    buffered.get_ref().sync_data().map_err(hint)?;
    Ok(())
}

/// Adds what to do about the failures that a user can repair.
fn hint(error: std::io::Error) -> std::io::Error {
    use std::io::ErrorKind as Kind;
    let advice = match error.kind() {
        Kind::StorageFull | Kind::QuotaExceeded => "free some space, or choose another place",
        Kind::PermissionDenied | Kind::ReadOnlyFilesystem => "choose a place that you may write to",
        _ => return error,
    };
    std::io::Error::new(error.kind(), format!("{error}: {advice}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_changes_before_the_commit() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (dir.path().join("a"), dir.path().join("b"));
        std::fs::write(&a, "old").unwrap();
        let mut outputs = Outputs::default();
        outputs.write(&a, |w| Ok(w.write_all(b"new")?)).unwrap();
        assert!(outputs.write(&b, |_| bail!("no")).is_err());
        drop(outputs);
        assert_eq!(std::fs::read(&a).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "no leftovers");

        let mut outputs = Outputs::default();
        outputs.write(&a, |w| Ok(w.write_all(b"new")?)).unwrap();
        outputs.commit().unwrap();
        assert_eq!(std::fs::read(&a).unwrap(), b"new");
    }

    #[test]
    fn mistakes_about_the_place_are_explained() {
        let dir = tempfile::tempdir().unwrap();
        let mut outputs = Outputs::default();
        let fails = |outputs: &mut Outputs, path: &Path| {
            format!("{:#}", outputs.write(path, |w| Ok(w.write_all(b"x")?)).unwrap_err())
        };
        assert!(fails(&mut outputs, dir.path()).contains("is a folder"));
        assert!(fails(&mut outputs, &dir.path().join("no/a")).contains("create the folder first"));
        let twice = dir.path().join("twice");
        outputs.write(&twice, |_| Ok(())).unwrap();
        assert!(fails(&mut outputs, &twice).contains("named twice"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_said_plainly() {
        let error = Outputs::default().write(Path::new("/dev/full"), |w| Ok(w.write_all(&[0; 9000])?));
        let text = format!("{:#}", error.unwrap_err());
        assert!(text.contains("free some space"), "{text}");
    }

    #[cfg(unix)]
    #[test]
    fn the_rights_of_a_replaced_file_stay() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        std::fs::write(&path, "old").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let mut outputs = Outputs::default();
        outputs.write(&path, |w| Ok(w.write_all(b"new")?)).unwrap();
        outputs.commit().unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    }
}
