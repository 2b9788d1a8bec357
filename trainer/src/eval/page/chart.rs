//! Charts: figures with intervals by group, and small panels of lines.

use image::RgbImage;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::eval::interval::Estimate;
use crate::report::canvas::{Area, COLOURS, FINE, GRID, INK, PALE, canvas, letters, px, smoothed};
use crate::report::picture;

const SHADE: RGBColor = RGBColor(232, 244, 238);
const WIDTH: u32 = 1232;
/// Width of a letter of the small print.
const LETTER: i32 = 8;

/// A band's figures, one a group.
pub(super) struct Series {
    pub(super) name: String,
    pub(super) values: Vec<Option<Estimate>>,
}

/// A dot and its interval for each band in each group.
pub(super) struct Dots {
    pub(super) title: String,
    pub(super) groups: Vec<String>,
    pub(super) series: Vec<Series>,
    /// Least and greatest value; wider where a value lies beyond.
    pub(super) range: (f64, f64),
    /// Where values should lie.
    pub(super) shaded: Option<(f64, f64)>,
    /// A value to compare with.
    pub(super) line: Option<f64>,
}

fn centred(size: i32, colour: RGBColor) -> TextStyle<'static> {
    letters(size, colour).pos(Pos::new(HPos::Center, VPos::Top))
}

/// The names of bands in their colours, from left to right.
fn legend(area: &Area<'_>, names: &[&str], y: i32) -> anyhow::Result<()> {
    let mut x = 16;
    for (name, colour) in names.iter().zip(COLOURS.iter().cycle()) {
        area.draw(&Circle::new((px(x + 4), px(y + 4)), px(4), colour.filled()))?;
        area.draw(&Text::new((*name).to_owned(), (px(x + 14), px(y)), letters(8, INK)))?;
        x += 14 + name.chars().count() as i32 * LETTER + 24;
    }
    Ok(())
}

impl Dots {
    /// The chart as an HTML figure; nothing where there is no figure at all.
    pub(super) fn figure(&self) -> anyhow::Result<String> {
        if self.series.is_empty() {
            return Ok(String::new());
        }
        picture::figure(&self.draw()?, &self.title)
    }

    pub(super) fn draw(&self) -> anyhow::Result<RgbImage> {
        let mut paper = canvas(WIDTH, 320);
        {
            let root = (&mut paper).into_drawing_area();
            root.draw(&Text::new(self.title.clone(), (px(16), px(10)), letters(8, INK)))?;
            let names: Vec<&str> = self.series.iter().map(|s| s.name.as_str()).collect();
            legend(&root, &names, 32)?;
            let ends = self.series.iter().flat_map(|s| s.values.iter().flatten());
            let (low, high) = ends.fold(self.range, |(l, h), e| (l.min(e.value), h.max(e.value)));
            let groups = self.groups.len() as f64;
            let (_, body) = root.split_vertically(px(48));
            let mut chart = ChartBuilder::on(&body)
                .margin_top(px(10))
                .margin_right(px(16))
                .x_label_area_size(px(28))
                .y_label_area_size(px(56))
                .build_cartesian_2d(0.0..groups, low..high)?;
            if let Some((from, to)) = self.shaded {
                let corners = [(0.0, from.max(low)), (groups, to.min(high))];
                chart.draw_series([Rectangle::new(corners, SHADE.filled())])?;
            }
            chart
                .configure_mesh()
                .disable_x_mesh()
                .x_labels(0)
                .y_labels(7)
                .light_line_style(TRANSPARENT)
                .bold_line_style(GRID)
                .axis_style(PALE)
                .label_style(letters(8, INK))
                .y_label_formatter(&|v| format!("{v:.2}"))
                .draw()?;
            if let Some(at) = self.line {
                let ends = [(0.0, at), (groups, at)];
                chart.draw_series(LineSeries::new(ends, PALE.stroke_width(FINE)))?;
            }
            let (left, top) = body.get_base_pixel();
            let bottom = chart.backend_coord(&(0.0, low)).1 - top;
            for (g, name) in self.groups.iter().enumerate() {
                let x = chart.backend_coord(&(g as f64 + 0.5, low)).0 - left;
                body.draw(&Text::new(name.clone(), (x, bottom + px(8)), centred(8, INK)))?;
                if g > 0 {
                    let edge = [(g as f64, low), (g as f64, high)];
                    chart.draw_series(LineSeries::new(edge, GRID.stroke_width(FINE)))?;
                }
            }
            let count = self.series.len() as f64;
            for (k, (series, colour)) in self.series.iter().zip(COLOURS.iter().cycle()).enumerate() {
                for (g, e) in series.values.iter().enumerate() {
                    let Some(e) = e else { continue };
                    // Side by side in the middle four fifths of the group.
                    let x = g as f64 + 0.1 + 0.8 * (k as f64 + 0.5) / count;
                    let ends = [(x, e.low.clamp(low, high)), (x, e.high.clamp(low, high))];
                    chart.draw_series(LineSeries::new(ends, colour.stroke_width(2 * FINE)))?;
                    chart.draw_series([Circle::new((x, e.value), px(4), colour.filled())])?;
                }
            }
        }
        Ok(smoothed(&paper))
    }
}

/// A panel of lines over the places of a control.
pub(super) struct Lines {
    pub(super) title: String,
    pub(super) places: Vec<f32>,
    /// Name and value at each place.
    pub(super) lines: Vec<(String, Vec<f64>)>,
}

/// Small panels, four in a row, as an HTML figure.
pub(super) fn panels(title: &str, panels: &[Lines]) -> anyhow::Result<String> {
    if panels.is_empty() {
        return Ok(String::new());
    }
    picture::figure(&draw_panels(title, panels)?, title)
}

pub(super) fn draw_panels(title: &str, panels: &[Lines]) -> anyhow::Result<RgbImage> {
    const COLUMNS: usize = 4;
    const PANEL: u32 = 170;
    let rows = panels.len().div_ceil(COLUMNS);
    let mut paper = canvas(WIDTH, 52 + PANEL * rows as u32);
    {
        let root = (&mut paper).into_drawing_area();
        root.draw(&Text::new(title.to_owned(), (px(16), px(10)), letters(8, INK)))?;
        let names: Vec<&str> = panels[0].lines.iter().map(|l| l.0.as_str()).collect();
        legend(&root, &names, 32)?;
        let (_, body) = root.split_vertically(px(52));
        for (area, panel) in body.split_evenly((rows, COLUMNS)).iter().zip(panels) {
            draw_panel(area, panel)?;
        }
    }
    Ok(smoothed(&paper))
}

/// A number with two decimals at most.
fn short(v: &f64) -> String {
    let text = format!("{v:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn draw_panel(area: &Area<'_>, panel: &Lines) -> anyhow::Result<()> {
    area.draw(&Text::new(panel.title.clone(), (px(16), px(8)), letters(8, INK)))?;
    let values = || panel.lines.iter().flat_map(|l| l.1.iter().copied());
    let (low, high) = values().fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(v), h.max(v)));
    let room = ((high - low) * 0.08).max(high.abs() * 0.02).max(1e-6);
    let (first, last) = (panel.places[0], panel.places[panel.places.len() - 1]);
    let mut chart = ChartBuilder::on(area)
        .margin_top(px(24))
        .margin_right(px(14))
        .x_label_area_size(px(24))
        .y_label_area_size(px(52))
        .build_cartesian_2d(f64::from(first)..f64::from(last), low - room..high + room)?;
    chart
        .configure_mesh()
        .x_labels(5)
        .y_labels(4)
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(PALE)
        .label_style(letters(8, INK))
        .x_label_formatter(&short)
        .y_label_formatter(&short)
        .draw()?;
    for ((_, values), colour) in panel.lines.iter().zip(COLOURS.iter().cycle()) {
        let points: Vec<(f64, f64)> =
            panel.places.iter().zip(values).map(|(&p, &v)| (f64::from(p), v)).collect();
        chart.draw_series(LineSeries::new(points.iter().copied(), colour.stroke_width(2 * FINE)))?;
        chart.draw_series(points.iter().map(|&p| Circle::new(p, px(3), colour.filled())))?;
    }
    Ok(())
}
