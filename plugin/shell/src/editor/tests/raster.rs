//! Frames as pictures: a plain rasteriser for what egui would hand to the graphics card.

use egui::epaint::{Primitive, Vertex};
use egui::{Color32, Context, FullOutput, ImageData, TextureId};
use std::collections::HashMap;

use super::stage::{SIZES, Stage, song};

/// Textures as they stand after the frames so far.
#[derive(Default)]
pub(super) struct Raster {
    textures: HashMap<TextureId, (usize, usize, Vec<Color32>)>,
}

impl Raster {
    /// Draws a frame; every frame must come by, as textures change from one to the next.
    pub(super) fn draw(
        &mut self,
        ctx: &Context,
        mut output: FullOutput,
        width: usize,
        height: usize,
    ) -> Vec<[u8; 3]> {
        let deltas = std::mem::take(&mut output.textures_delta);
        self.update(&deltas);
        // They were applied; the list complains when it is dropped full.
        deltas_done(deltas);
        let scale = output.pixels_per_point;
        let mut out = vec![[0.0_f32; 3]; width * height];
        for job in ctx.tessellate(output.shapes, scale) {
            let Primitive::Mesh(mesh) = job.primitive else { continue };
            let clip = job.clip_rect * scale;
            let texture = &self.textures[&mesh.texture_id];
            for t in mesh.indices.chunks_exact(3) {
                let corner = |i: u32| mesh.vertices[i as usize];
                let triangle = [corner(t[0]), corner(t[1]), corner(t[2])];
                fill(&triangle, scale, clip, texture, &mut out, width, height);
            }
        }
        out.iter().map(|p| p.map(|v| v.clamp(0.0, 255.0).round() as u8)).collect()
    }

    fn update(&mut self, deltas: &egui::TexturesDelta) {
        for (id, delta) in deltas.set.iter().flat_map(|(id, all)| all.iter().map(move |d| (id, d))) {
            let ImageData::Color(image) = &delta.image;
            let [w, h] = image.size;
            match delta.pos {
                None => drop(self.textures.insert(*id, (w, h, image.pixels.clone()))),
                Some([x, y]) => {
                    let (wide, _, pixels) = self.textures.get_mut(id).expect("a texture to change");
                    for row in 0..h {
                        let to = (y + row) * *wide + x;
                        pixels[to..to + w].copy_from_slice(&image.pixels[row * w..(row + 1) * w]);
                    }
                }
            }
        }
    }
}

fn deltas_done(deltas: egui::TexturesDelta) {
    FullOutput { textures_delta: deltas, ..FullOutput::default() }.drop_without_applying_deltas();
}

fn fill(
    triangle: &[Vertex; 3],
    scale: f32,
    clip: egui::Rect,
    (tw, th, texture): &(usize, usize, Vec<Color32>),
    out: &mut [[f32; 3]],
    width: usize,
    height: usize,
) {
    let p = triangle.map(|v| v.pos * scale);
    let area = (p[1].x - p[0].x) * (p[2].y - p[0].y) - (p[2].x - p[0].x) * (p[1].y - p[0].y);
    if area.abs() < 1e-6 {
        return;
    }
    let low = |v: f32, c: f32| v.max(c).max(0.0).floor() as usize;
    let (x0, y0) =
        (low(p[0].x.min(p[1].x).min(p[2].x), clip.left()), low(p[0].y.min(p[1].y).min(p[2].y), clip.top()));
    let x1 = (p[0].x.max(p[1].x).max(p[2].x).min(clip.right()).ceil().max(0.0) as usize).min(width);
    let y1 = (p[0].y.max(p[1].y).max(p[2].y).min(clip.bottom()).ceil().max(0.0) as usize).min(height);
    for y in y0..y1 {
        for x in x0..x1 {
            let q = egui::pos2(x as f32 + 0.5, y as f32 + 0.5);
            let edge = |a: egui::Pos2, b: egui::Pos2| (b.x - a.x) * (q.y - a.y) - (q.x - a.x) * (b.y - a.y);
            let w = [edge(p[1], p[2]) / area, edge(p[2], p[0]) / area, edge(p[0], p[1]) / area];
            if w.iter().any(|&w| w < 0.0) {
                continue;
            }
            let blend = |f: &dyn Fn(&Vertex) -> f32| (0..3).map(|i| w[i] * f(&triangle[i])).sum::<f32>();
            let (u, v) = (blend(&|t| t.uv.x), blend(&|t| t.uv.y));
            let (tx, ty) = ((u * *tw as f32) as usize, (v * *th as f32) as usize);
            let texel = texture[ty.min(th - 1) * tw + tx.min(tw - 1)];
            let alpha = blend(&|t| f32::from(t.color.a())) * f32::from(texel.a()) / 255.0;
            let pixel = &mut out[y * width + x];
            for c in 0..3 {
                let colour = blend(&|t| f32::from(t.color[c])) * f32::from(texel[c]) / 255.0;
                pixel[c] = colour + pixel[c] * (1.0 - alpha / 255.0);
            }
        }
    }
}

#[test]
fn the_picture_has_all_five_colours_and_light_letters_where_the_texts_are() {
    for (i, size) in SIZES.into_iter().enumerate() {
        let pixels = if i == 1 { 2.0 } else { 1.0 };
        let mut stage = Stage::new(size, pixels).with_scene(song);
        let mut raster = Raster::default();
        let (w, h) = ((size.x * pixels) as usize, (size.y * pixels) as usize);
        let mut picture = Vec::new();
        for _ in 0..3 {
            let output = stage.after(0.4, Vec::new());
            picture = raster.draw(&stage.ctx, output, w, h);
        }
        if let Some(folder) = std::env::var_os("SIDEMAN_EDITOR_PICTURES") {
            let path = std::path::PathBuf::from(folder).join(format!("editor-{w}x{h}.png"));
            let bytes: Vec<u8> = picture.iter().flatten().copied().collect();
            image::save_buffer(path, &bytes, w as u32, h as u32, image::ColorType::Rgb8).unwrap();
        }
        // Every colour is seen at the edge of its strip at least, and in the notes.
        let near = |c: Color32| picture.iter().filter(|p| (0..3).all(|i| p[i].abs_diff(c[i]) < 48)).count();
        for voice in sideman_music::Part::ALL.map(sideman_engine::live::Voice::Part) {
            assert!(near(crate::editor::theme::voice(voice)) > 150, "{voice:?} at {size:?}");
        }
        assert!(near(crate::editor::theme::voice(sideman_engine::live::Voice::Piano)) > 150);
        let texts = stage.texts();
        for name in ["Sideman", "Drums", "Strings", "Am7", "Host", "Tempo"] {
            let text =
                texts.iter().find(|t| t.text == name).unwrap_or_else(|| panic!("no {name} at {size:?}"));
            let mut light = 0;
            let rect = text.rect * pixels;
            for y in rect.top() as usize..rect.bottom() as usize {
                for x in rect.left() as usize..rect.right() as usize {
                    let p = picture[y * w + x];
                    light += usize::from((0..3).all(|i| p[i].abs_diff(text.colour[i]) < 60));
                }
            }
            assert!(light as f32 > rect.area() * 0.04, "{name} at {size:?}: {light} of {}", rect.area());
        }
    }
}
