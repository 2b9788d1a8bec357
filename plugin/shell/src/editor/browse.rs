//! Choosing a file, a soundfont or a pattern, without leaving the editor.

use std::path::{Path, PathBuf};

use egui::{Key, Rect, RichText, Ui};
use sideman_music::Part;

use super::theme;

/// Most entries of a folder that are listed.
const MOST: usize = 2000;

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A soundfont.
    Soundfont,
    /// A MIDI file with a pattern for a part.
    Pattern(Part),
}

impl Kind {
    fn title(self) -> String {
        match self {
            Self::Soundfont => "Choose a soundfont (.sf2)".to_owned(),
            Self::Pattern(part) => format!("Choose a pattern for the {} (.mid)", part.name().to_lowercase()),
        }
    }

    /// What it is, and how its files end.
    fn words(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::Soundfont => ("soundfont", &["sf2"]),
            Self::Pattern(_) => ("MIDI file", &["mid", "midi"]),
        }
    }

    fn fits(self, path: &Path) -> bool {
        path.extension().is_some_and(|e| self.words().1.iter().any(|w| e.eq_ignore_ascii_case(w)))
    }
}

/// An open list of files.
pub(crate) struct Browser {
    kind: Kind,
    folder: PathBuf,
    /// What the path field says.
    path: String,
    entries: Vec<Entry>,
    /// What went wrong with the folder, or the path.
    error: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    /// Folders come first.
    is_file: bool,
    name: String,
}

/// What became of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Still open.
    Open,
    /// Closed without a choice.
    Closed,
    /// This file.
    Chosen(PathBuf),
}

impl Browser {
    /// Opens where the file that is used lies, or where such files usually are.
    pub(crate) fn open(kind: Kind, used: Option<&Path>) -> Self {
        let beside = used.and_then(Path::parent).map(Path::to_owned).filter(|p| p.is_dir());
        let folder = beside.or_else(|| usual(kind));
        let mut browser =
            Self { kind, folder: PathBuf::new(), path: String::new(), entries: Vec::new(), error: None };
        browser.enter(folder.unwrap_or_else(|| PathBuf::from("/")));
        browser
    }

    /// What is looked for.
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    fn enter(&mut self, folder: PathBuf) {
        match list(&folder, self.kind) {
            Ok(entries) => (self.entries, self.error) = (entries, None),
            Err(e) => {
                self.entries.clear();
                self.error =
                    Some(format!("{} cannot be read ({e}): choose another folder", folder.display()));
            }
        }
        self.path = folder.display().to_string();
        self.folder = folder;
    }

    /// Goes where the path field says: into a folder, or takes a file.
    fn go(&mut self) -> Outcome {
        let path = PathBuf::from(self.path.trim());
        if path.is_dir() {
            self.enter(path);
        } else if path.is_file() && self.kind.fits(&path) {
            return Outcome::Chosen(path);
        } else if path.is_file() {
            let (what, ends) = self.kind.words();
            let ends = ends.join(" or .");
            self.error = Some(format!("{} is no {what}: choose a file that ends in .{ends}", path.display()));
        } else {
            self.error = Some(format!("{} does not exist: check the path", path.display()));
        }
        Outcome::Open
    }

    /// Draws the list into a rectangle.
    pub(crate) fn show(&mut self, ui: &mut Ui, rect: Rect) -> Outcome {
        ui.painter().rect_filled(rect, 4.0, theme::PANEL);
        let inner = rect.shrink(10.0);
        let mut outcome = Outcome::Open;
        let builder = egui::UiBuilder::new().scope_id(egui::Id::unique("sideman browser")).max_rect(inner);
        ui.scope_builder(builder, |ui| {
            ui.set_clip_rect(rect);
            ui.horizontal(|ui| {
                ui.label(RichText::new(self.kind.title()).strong());
                ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                    if ui.button("Cancel").clicked() || ui.input(|i| i.key_pressed(Key::Escape)) {
                        outcome = Outcome::Closed;
                    }
                });
            });
            ui.horizontal(|ui| {
                if ui.button("Up").on_hover_text("The folder above").clicked()
                    && let Some(parent) = self.folder.parent()
                {
                    self.enter(parent.to_owned());
                }
                let wide = (ui.available_width() - 50.0).max(80.0);
                let field = ui.add(
                    egui::TextEdit::singleline(&mut self.path)
                        .desired_width(wide)
                        .align(egui::Align2::LEFT_CENTER),
                );
                let entered = field.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
                if ui.button("Go").clicked() || entered {
                    outcome = self.go();
                }
            });
            if let Some(error) = &self.error {
                ui.label(RichText::new(error).color(theme::BAD));
            }
            if self.entries.is_empty() && self.error.is_none() {
                ui.label(
                    RichText::new(format!("No folders and no {}s here", self.kind.words().0))
                        .color(theme::DIM),
                );
            }
            let mut entered = None;
            egui::ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
                for entry in &self.entries {
                    let (mark, colour) = if entry.is_file { ("", theme::TEXT) } else { ("/", theme::DIM) };
                    let text = RichText::new(format!("{}{mark}", entry.name)).color(colour);
                    if ui.selectable_label(false, text).clicked() {
                        entered = Some(entry.clone());
                    }
                }
            });
            if let Some(entry) = entered {
                let path = self.folder.join(&entry.name);
                if entry.is_file { outcome = Outcome::Chosen(path) } else { self.enter(path) }
            }
        });
        outcome
    }
}

/// Folders and what is looked for in a folder, without the hidden ones.
fn list(folder: &Path, kind: Kind) -> std::io::Result<Vec<Entry>> {
    let mut entries: Vec<Entry> = std::fs::read_dir(folder)?
        .filter_map(Result::ok)
        .filter_map(|e| {
            let name = e.file_name().into_string().ok()?;
            let is_file = !e.path().is_dir();
            let shown = !name.starts_with('.') && (!is_file || kind.fits(&e.path()));
            shown.then_some(Entry { is_file, name })
        })
        .take(MOST)
        .collect();
    entries.sort();
    Ok(entries)
}

/// Where such files usually are, else the user's home.
fn usual(kind: Kind) -> Option<PathBuf> {
    let system = ["/usr/share/sounds/sf2", "/usr/share/soundfonts", "/Library/Audio/Sounds/Banks"];
    let home = std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE")).map(PathBuf::from);
    let system = system.into_iter().filter(|_| kind == Kind::Soundfont);
    system.map(PathBuf::from).chain(home).find(|p| p.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_come_first_and_only_soundfonts_are_listed() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.SF2", "a.sf2", "x.wav", ".hidden.sf2"] {
            std::fs::write(folder.path().join(name), b"").unwrap();
        }
        std::fs::create_dir(folder.path().join("more")).unwrap();
        let mut browser = Browser::open(Kind::Soundfont, Some(&folder.path().join("a.sf2")));
        let names: Vec<&str> = browser.entries.iter().map(|e| e.name.as_str()).collect();
        assert_eq!(names, ["more", "a.sf2", "b.SF2"]);

        browser.path = folder.path().join("x.wav").display().to_string();
        assert_eq!(browser.go(), Outcome::Open);
        assert!(browser.error.as_ref().unwrap().contains("ends in .sf2"));
        browser.path = folder.path().join("nowhere").display().to_string();
        assert_eq!(browser.go(), Outcome::Open);
        assert!(browser.error.as_ref().unwrap().contains("does not exist"));
        browser.path = folder.path().join("a.sf2").display().to_string();
        assert_eq!(browser.go(), Outcome::Chosen(folder.path().join("a.sf2")));

        let mut browser = Browser::open(Kind::Pattern(Part::Bass), Some(&folder.path().join("a.sf2")));
        assert_eq!(browser.entries.len(), 1, "folders alone");
        browser.path = folder.path().join("a.sf2").display().to_string();
        assert_eq!(browser.go(), Outcome::Open);
        assert!(browser.error.as_ref().unwrap().contains(".mid or .midi"));
    }
}
