//! What is written where, without a window: for tests that look at pictures of the editor.

use std::sync::Arc;

use egui::{Color32, Context, FullOutput, Pos2, RawInput, Rect, Shape, ViewportId, vec2};
use nice_plug::context::gui::{GuiContext, GuiContextInner};
use nice_plug::prelude::{ParamPtr, PluginApi, PluginState};

use super::live_params::LiveParams;
use super::surface::Surface;
use super::theme;
use crate::instance::Instance;
use crate::presets::Own;

/// A text that was drawn.
#[derive(Debug, Clone)]
pub struct Text {
    /// Its letters.
    pub text: String,
    /// Where they are, in points.
    pub rect: Rect,
    /// What of the window it may be drawn into.
    pub clip: Rect,
    /// Size of the letters in points.
    pub size: f32,
    /// Their colour.
    pub colour: Color32,
    /// Whether it was shortened to fit.
    pub elided: bool,
}

/// The texts of an editor that was just opened, of a size in points and with so many pixels a point, in the
/// order in which they are drawn.
pub fn texts_when_opened(width: f32, height: f32, pixels: f32) -> Vec<Text> {
    let ctx = Context::default();
    theme::apply(&ctx);
    let instance = Instance::new();
    let mut access = LiveParams::new(instance.params.clone(), GuiContext::new(Arc::new(Nobody)));
    let mut surface = Surface::new(instance, Ok(Own::in_folder("")));
    let mut texts = Vec::new();
    // The first frame makes the letters; what moves has come to rest by the last.
    for i in 0..4 {
        let mut input = RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, vec2(width, height))),
            time: Some(f64::from(i)),
            ..RawInput::default()
        };
        input.viewports.entry(ViewportId::ROOT).or_default().native_pixels_per_point = Some(pixels);
        let output = ctx.run_ui(input, |ui| surface.show(ui, &mut access));
        texts = texts_of(&output);
        output.drop_without_applying_deltas();
    }
    texts
}

/// The texts of a frame that can be seen.
pub(crate) fn texts_of(output: &FullOutput) -> Vec<Text> {
    let mut texts = Vec::new();
    for clipped in &output.shapes {
        collect(&clipped.shape, clipped.clip_rect, &mut texts);
    }
    texts
}

fn collect(shape: &Shape, clip: Rect, into: &mut Vec<Text>) {
    match shape {
        Shape::Vec(shapes) => shapes.iter().for_each(|s| collect(s, clip, into)),
        Shape::Text(t) => {
            let Some(section) = t.galley.job.sections.first() else { return };
            let rect = t.visual_bounding_rect();
            if rect.is_positive() && clip.intersects(rect) {
                into.push(Text {
                    text: t.galley.job.text.clone(),
                    rect,
                    clip,
                    size: section.format.font_id.size,
                    colour: section.format.color,
                    elided: t.galley.elided,
                });
            }
        }
        _ => {}
    }
}

/// A host that does nothing.
struct Nobody;

impl GuiContextInner for Nobody {
    fn plugin_api(&self) -> PluginApi {
        PluginApi::Standalone
    }

    unsafe fn raw_begin_set_parameter(&self, _param: ParamPtr) {}

    unsafe fn raw_set_parameter_normalized(&self, _param: ParamPtr, _normalized: f32) {}

    unsafe fn raw_end_set_parameter(&self, _param: ParamPtr) {}

    fn get_state(&self) -> PluginState {
        PluginState { version: String::new(), params: Default::default(), fields: Default::default() }
    }

    fn set_state(&self, _state: PluginState) {}

    fn request_restart(&self) {}
}
