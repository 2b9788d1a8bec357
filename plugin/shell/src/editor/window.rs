//! The editor as the framework sees it: a window, its size and scale, its opening and closing.

use std::cell::RefCell;
use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::{Duration, Instant};

use nice_plug::context::gui::GuiContext;
use nice_plug::editor::dpi::{LogicalSize, NativeSize, Size};
use nice_plug::editor::{
    self as framework, EditorHandle, HostMethods, Modifiers, ParentWindowHandle, ResizeHint, SpawnedEditor,
    VirtualKeyCode,
};
use nice_plug_egui::baseview::{self, HandlerError, WindowSize};
use nice_plug_egui::{
    EguiEditor, EguiEditorHandle, EguiEditorState, EguiNiceSettings, Frame, NiceEguiApp, RepaintNotifier,
    create_egui_editor,
};

use super::live_params::LiveParams;
use super::surface::{SMALLEST, Surface};
use super::theme;
use crate::instance::Instance;
use crate::persist::Look;
use crate::presets::Own;

/// An editor that can be opened and closed any number of times.
///
/// The framework's own editor tells the host a size that leaves out the scale that the user chose, never says
/// when its window closes, and keeps the size nowhere: this one wraps it and does.
pub struct Editor {
    instance: Arc<Instance>,
    open: Arc<Mutex<Option<Open>>>,
    /// State of the window that is or was open last.
    window: Mutex<Option<Arc<EguiEditorState>>>,
    /// Held by every thread that runs a window as well.
    threads: Arc<()>,
}

/// Longest wait for the thread of a window that was closed.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long the clipboard's thread may outlive its window's.
const CLIPBOARD: Duration = Duration::from_millis(20);

thread_local! {
    /// Kept by the thread of a window, on X11, until it ends.
    static ALIVE: RefCell<Vec<Arc<()>>> = const { RefCell::new(Vec::new()) };
}

impl Drop for Editor {
    /// Waits until the window's thread has ended. A window that is dropped ought to do that, but asks its thread
    /// to show it first, and goes without waiting when the thread is ending already; and nobody waits for the
    /// clipboard's. A host may unload the library as soon as the instance is gone.
    fn drop(&mut self) {
        let opened = lock(&self.window).is_some();
        if !opened || !cfg!(target_os = "linux") {
            return;
        }
        let begun = Instant::now();
        while Arc::strong_count(&self.threads) > 1 && begun.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(2));
        }
        std::thread::sleep(CLIPBOARD);
    }
}

/// What lives as long as a window. The host's context is among it: kept longer, it would keep the instance
/// alive for ever.
struct Open {
    surface: Surface,
    access: LiveParams,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|e| e.into_inner())
}

/// The editor of an instance.
pub fn create(instance: Arc<Instance>) -> Option<Editor> {
    Some(Editor { instance, open: Arc::default(), window: Mutex::new(None), threads: Arc::default() })
}

/// Freely resizable, down to what can still be read.
fn hint(scale: f32) -> ResizeHint {
    ResizeHint::resizable().with_min_logical_size(LogicalSize::new(SMALLEST.x * scale, SMALLEST.y * scale))
}

impl Editor {
    /// The framework's editor, at the size and scale that are kept.
    fn framed(&self) -> Option<EguiEditor<App>> {
        let look = self.instance.params.look.get().clamped();
        let state = EguiEditorState::from_size(LogicalSize::new(look.width, look.height), look.scale);
        let settings = EguiNiceSettings::new().with_tile("Sideman").with_resize_hint(hint(look.scale));
        let app = App {
            instance: self.instance.clone(),
            open: self.open.clone(),
            threads: Arc::downgrade(&self.threads),
        };
        *lock(&self.window) = Some(state.clone());
        create_egui_editor(state, RepaintNotifier::new(), settings, app)
    }

    /// Width and height in points at scale 1, the user's scale, and the screen's.
    fn measures(&self) -> (f32, f32, f32, f64) {
        let window = lock(&self.window);
        // The screen's scale is known through a window only, and the framework keeps it to itself.
        let screen = window.as_ref().map_or(1.0, |state| {
            f64::from(state.physical_size().width) / f64::from(state.logical_size().width.max(1.0))
        });
        let screen = if (0.25..=16.0).contains(&screen) { screen } else { 1.0 };
        match window.as_ref().filter(|state| state.is_open()) {
            Some(state) => {
                let size = state.logical_size();
                (size.width, size.height, state.user_scale_factor(), screen)
            }
            None => {
                let look = self.instance.params.look.get().clamped();
                (look.width, look.height, look.scale, screen)
            }
        }
    }
}

impl framework::Editor for Editor {
    type Handle = Handle;

    fn spawn(
        &self,
        parent: Option<ParentWindowHandle>,
        wait_for_parent: bool,
        fallback_scale_factor: Option<f64>,
        gui_context: GuiContext,
        host: Option<HostMethods>,
    ) -> Result<SpawnedEditor<Handle>, Box<dyn Error>> {
        let framed = self.framed().ok_or("the editor cannot be made")?;
        let spawned = framed.spawn(parent, wait_for_parent, fallback_scale_factor, gui_context, host)?;
        let instance = self.instance.clone();
        let handle = Handle { inner: spawned.handle, instance, open: self.open.clone() };
        Ok(SpawnedEditor { handle, window: spawned.window })
    }

    fn size(&self) -> NativeSize<u32> {
        let (width, height, scale, screen) = self.measures();
        NativeSize::from_size(Size::Logical(scaled(width, height, scale)), screen)
    }

    fn resize_hint(&self) -> ResizeHint {
        hint(self.measures().2)
    }

    unsafe fn assume_standalone_in_process(&self) {
        if let Some(framed) = self.framed() {
            // SAFETY: the same contract.
            unsafe { framed.assume_standalone_in_process() }
        }
    }
}

fn scaled(width: f32, height: f32, scale: f32) -> LogicalSize<f64> {
    LogicalSize::new(f64::from(width * scale), f64::from(height * scale))
}

/// An open window, for the host.
pub struct Handle {
    inner: EguiEditorHandle,
    instance: Arc<Instance>,
    open: Arc<Mutex<Option<Open>>>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.instance.set_watched(false);
        if let Some(mut open) = lock(&self.open).take() {
            open.surface.close(&mut open.access);
        }
    }
}

impl EditorHandle for Handle {
    type Window = baseview::Window;
    type Error = baseview::Error;

    fn run_until_closed(window: Self::Window) -> Result<(), Self::Error> {
        EguiEditorHandle::run_until_closed(window)
    }

    fn set_parent(&self, parent: ParentWindowHandle, window: &Self::Window) -> Result<(), Self::Error> {
        self.inner.set_parent(parent, window)
    }

    fn show(&self, window: &Self::Window) -> Result<(), Self::Error> {
        self.inner.show(window)
    }

    fn hide(&self, window: &Self::Window) -> Result<(), Self::Error> {
        self.inner.hide(window)
    }

    fn host_main_thread_callback(&self, window: &Self::Window) {
        self.inner.host_main_thread_callback(window);
    }

    fn set_size(&self, new_size: NativeSize<u32>, window: &Self::Window) -> Result<(), Self::Error> {
        self.inner.set_size(new_size, window)
    }

    fn set_fallback_scale_factor(&self, scale: f64, window: &Self::Window) -> Result<(), Self::Error> {
        self.inner.set_fallback_scale_factor(scale, window)
    }

    fn adjust_size(&self, new_size: NativeSize<u32>, window: &Self::Window) -> Option<NativeSize<u32>> {
        let now = window.size();
        let native = NativeSize::from_logical_or_physical(now.logical, now.physical);
        Some(hint(self.instance.params.look.get().clamped().scale).adjust_size(
            new_size,
            native,
            now.scale_factor,
        ))
    }

    fn on_virtual_key_from_host(&self, key: VirtualKeyCode, is_down: bool, modifiers: Modifiers) -> bool {
        self.inner.on_virtual_key_from_host(key, is_down, modifiers)
    }

    fn state_changed(&self) {
        self.inner.state_changed();
    }

    fn param_value_changed(&self, id: &str, normalized_value: f32) {
        self.inner.param_value_changed(id, normalized_value);
    }

    fn param_modulation_changed(&self, id: &str, modulation_offset: f32) {
        self.inner.param_modulation_changed(id, modulation_offset);
    }
}

/// What the framework calls at every frame.
pub(crate) struct App {
    instance: Arc<Instance>,
    open: Arc<Mutex<Option<Open>>>,
    threads: Weak<()>,
}

impl App {
    fn keep(&self, change: impl FnOnce(&mut Look)) {
        let mut look = self.instance.params.look.get();
        change(&mut look);
        self.instance.params.look.set(look.clamped());
    }
}

impl NiceEguiApp for App {
    fn build(
        &mut self,
        egui_ctx: egui::Context,
        nice_gui_ctx: GuiContext,
        frame: &mut Frame,
    ) -> Result<(), HandlerError> {
        if let (true, Some(alive)) = (cfg!(target_os = "linux"), self.threads.upgrade()) {
            ALIVE.with_borrow_mut(|all| all.push(alive));
        }
        theme::apply(&egui_ctx);
        frame.set_clear_color(theme::BACK.into());
        let access = LiveParams::new(self.instance.params.clone(), nice_gui_ctx);
        self.instance.set_watched(true);
        let surface = Surface::new(self.instance.clone(), Own::of_user());
        *lock(&self.open) = Some(Open { surface, access });
        Ok(())
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut Frame) {
        if let Some(open) = &mut *lock(&self.open) {
            open.surface.show(ui, &mut open.access);
        }
    }

    fn resized(&mut self, new_size: WindowSize) {
        // Points at scale 1, which is how they are kept and asked for.
        let (width, height) = (new_size.logical.width as f32, new_size.logical.height as f32);
        self.keep(|look| (look.width, look.height) = (width, height));
    }

    fn zoom_factor_changed(&mut self, zoom_factor: f32) {
        self.keep(|look| look.scale = zoom_factor);
    }
}
