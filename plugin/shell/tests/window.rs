//! The editor's real window on a virtual screen: a picture of it has its texts where they belong.
//!
//! Needs `Xvfb` and ImageMagick's `import` and `convert`; without them it says so and passes.

#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nice_plug::context::gui::{GuiContext, GuiContextInner};
use nice_plug::editor::{Editor, EditorHandle};
use nice_plug::prelude::{ParamPtr, PluginApi, PluginState};
use sideman_plugin::editor;
use sideman_plugin::instance::Instance;
use sideman_plugin::persist::Look;

struct Nobody;

impl GuiContextInner for Nobody {
    fn plugin_api(&self) -> PluginApi {
        PluginApi::Standalone
    }
    unsafe fn raw_begin_set_parameter(&self, _param: ParamPtr) {}
    unsafe fn raw_set_parameter_normalized(&self, _param: ParamPtr, _normalized: f32) {}
    unsafe fn raw_end_set_parameter(&self, _param: ParamPtr) {}
    fn get_state(&self) -> PluginState {
        unreachable!("the editor asks for no state when it opens")
    }
    fn set_state(&self, _state: PluginState) {}
    fn request_restart(&self) {}
}

/// A virtual screen, which goes away with the test.
struct Screen(Child);

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Screen {
    /// Starts one under a number that is free, and makes it the one that windows open on.
    fn start() -> Self {
        let mut child = Command::new("Xvfb")
            .args(["-displayfd", "1", "-noreset", "-screen", "0", "2300x1500x24", "+extension", "GLX"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb starts");
        let mut number = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut number).unwrap();
        assert!(!number.trim().is_empty(), "Xvfb did not come up");
        // SAFETY: the only test of this program, before any other thread of it reads the environment.
        unsafe {
            std::env::set_var("DISPLAY", format!(":{}", number.trim()));
            std::env::set_var("LIBGL_ALWAYS_SOFTWARE", "1");
        }
        Self(child)
    }
}

/// Threads of this program.
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

/// A picture of the screen's upper left, as RGB.
fn picture(width: usize, height: usize, file: &Path) -> Vec<[u8; 3]> {
    let crop = format!("{width}x{height}+0+0");
    let taken =
        Command::new("import").args(["-window", "root", "-crop", &crop, "+repage"]).arg(file).status();
    assert!(taken.unwrap().success(), "import takes a picture");
    let image = image::open(file).unwrap().to_rgb8();
    assert_eq!(image.dimensions(), (width as u32, height as u32));
    image.pixels().map(|p| p.0).collect()
}

/// Texts of the editor that are not in the picture where they belong.
fn missing(picture: &[[u8; 3]], width: usize, texts: &[editor::texts::Text], pixels: f32) -> Vec<String> {
    let near = |p: [u8; 3], c: egui::Color32| (0..3).all(|i| p[i].abs_diff(c[i]) < 70);
    let seen = |t: &editor::texts::Text| {
        let rect = t.rect * pixels;
        let (mut letters, mut all) = (0, 0);
        for y in rect.top() as usize..rect.bottom().ceil() as usize {
            for x in rect.left() as usize..rect.right().ceil() as usize {
                all += 1;
                letters += usize::from(near(picture[y * width + x], t.colour));
            }
        }
        // Letters, not a filled area.
        let share = letters as f32 / all as f32;
        (0.03..0.8).contains(&share)
    };
    texts.iter().filter(|t| !seen(t)).map(|t| format!("'{}' at {:?}", t.text, t.rect)).collect()
}

#[test]
fn the_window_opens_at_every_size_and_shows_its_texts() {
    for program in ["Xvfb", "import"] {
        let found = std::env::var_os("PATH")
            .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()));
        if !found {
            println!("skipped: {program} is not installed, so there is no screen to open a window on");
            return;
        }
    }
    let _screen = Screen::start();
    let folder = tempfile::tempdir().unwrap();
    for (width, height, scale) in [(1100.0, 680.0, 1.0), (760.0, 480.0, 1.0), (1100.0, 680.0, 2.0)] {
        let before = threads();
        let instance = Instance::new();
        instance.params.look.set(Look { width, height, scale });
        let editor = editor::create(instance.clone()).unwrap();
        let (w, h) = ((width * scale) as usize, (height * scale) as usize);
        let size = editor.size();
        assert_eq!((size.width as usize, size.height as usize), (w, h), "what a host is told");

        let context = GuiContext::new(Arc::new(Nobody));
        let spawned = editor.spawn(None, false, None, context, None).expect("a window opens");
        spawned.handle.show(&spawned.window).unwrap();
        let mut texts = editor::texts::texts_when_opened(width, height, scale);
        // A mere dash fills its place, as letters never do.
        texts.retain(|t| t.text.contains(char::is_alphanumeric));
        assert!(texts.len() > 50);
        let file = folder.path().join("editor.png");
        let begun = Instant::now();
        loop {
            std::thread::sleep(Duration::from_millis(500));
            let picture = picture(w, h, &file);
            let missing = missing(&picture, w, &texts, scale);
            if missing.is_empty() {
                let colours: std::collections::HashSet<[u8; 3]> = picture.into_iter().collect();
                assert!(colours.len() > 200, "only {} colours", colours.len());
                break;
            }
            let waited = begun.elapsed() < Duration::from_secs(60);
            assert!(waited, "{width} x {height} at {scale}: not in the picture: {missing:#?}");
        }
        let look = instance.params.look.get();
        assert!((look.width - width).abs() < 1.0 && (look.height - height).abs() < 1.0, "{look:?}");
        if let Some(keep) = std::env::var_os("SIDEMAN_EDITOR_PICTURES") {
            std::fs::copy(&file, Path::new(&keep).join(format!("window-{w}x{h}.png"))).unwrap();
        }
        drop(spawned.handle);
        drop(spawned.window);
        drop(editor);
        // Nothing goes on once editor and window are gone: hosts unload the library then.
        assert_eq!(threads(), before, "a thread outlives the editor");
    }
}
