//! Values with intervals by group, and small panels of lines.

use image::RgbImage;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use crate::chart::{
    Area, COLOURS, FINE, GRID, INK, PALE, Result, anchored, draw, legend, letters, px, rgb, short, text,
};

const SHADE: RGBColor = RGBColor(232, 244, 238);
const WIDTH: i32 = 1232;

/// A value and its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The value.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The values of one system, one a group.
#[derive(Debug, Clone)]
pub struct Series {
    /// Name of the system.
    pub name: String,
    /// `None`: not measured.
    pub values: Vec<Option<Interval>>,
}

/// A dot and its interval for each system in each group.
#[derive(Debug, Clone)]
pub struct Dots {
    /// Heading.
    pub title: String,
    /// Names of the groups.
    pub groups: Vec<String>,
    /// One colour each.
    pub series: Vec<Series>,
    /// Least and greatest value; wider where a value lies beyond.
    pub range: (f64, f64),
    /// Where values should lie.
    pub shaded: Option<(f64, f64)>,
    /// A value to compare with.
    pub line: Option<f64>,
}

impl Dots {
    /// Draws the chart.
    ///
    /// # Errors
    /// Never for a picture in memory.
    pub fn draw(&self) -> Result<RgbImage> {
        draw(WIDTH, 320, |root| {
            text(root, (16, 10), &self.title, letters(8, INK))?;
            legend(root, self.series.iter().map(|s| s.name.as_str()).zip(COLOURS.into_iter().cycle()), 32)?;
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
                let style = anchored(INK, HPos::Center, VPos::Top);
                body.draw(&Text::new(name.clone(), (x, bottom + px(8)), style))?;
                if g > 0 {
                    let edge = [(g as f64, low), (g as f64, high)];
                    chart.draw_series(LineSeries::new(edge, GRID.stroke_width(FINE)))?;
                }
            }
            let count = self.series.len() as f64;
            for (k, (series, colour)) in self.series.iter().zip(COLOURS.into_iter().cycle()).enumerate() {
                for (g, e) in series.values.iter().enumerate() {
                    let Some(e) = e else { continue };
                    // Side by side in the middle four fifths of the group.
                    let x = g as f64 + 0.1 + 0.8 * (k as f64 + 0.5) / count;
                    let ends = [(x, e.low.clamp(low, high)), (x, e.high.clamp(low, high))];
                    chart.draw_series(LineSeries::new(ends, rgb(colour).stroke_width(2 * FINE)))?;
                    chart.draw_series([Circle::new((x, e.value), px(4), rgb(colour).filled())])?;
                }
            }
            Ok(())
        })
    }
}

/// A panel of lines over the values of a setting.
#[derive(Debug, Clone)]
pub struct SmallPanel {
    /// Above the axes.
    pub title: String,
    /// Values of the setting.
    pub settings: Vec<f32>,
    /// Name, and value at each setting.
    pub lines: Vec<(String, Vec<f64>)>,
}

/// Small panels, four in a row, with one legend.
///
/// # Errors
/// Never for a picture in memory.
pub fn small_panels(title: &str, panels: &[SmallPanel]) -> Result<RgbImage> {
    const COLUMNS: usize = 4;
    let rows = panels.len().div_ceil(COLUMNS);
    draw(WIDTH, 52 + 170 * rows as i32, |root| {
        text(root, (16, 10), title, letters(8, INK))?;
        let names = panels.first().into_iter().flat_map(|p| &p.lines).map(|l| l.0.as_str());
        legend(root, names.zip(COLOURS.into_iter().cycle()), 32)?;
        let (_, body) = root.split_vertically(px(52));
        for (area, panel) in body.split_evenly((rows, COLUMNS)).iter().zip(panels) {
            draw_panel(area, panel)?;
        }
        Ok(())
    })
}

fn draw_panel(area: &Area<'_>, panel: &SmallPanel) -> Result {
    text(area, (16, 8), &panel.title, letters(8, INK))?;
    let values = || panel.lines.iter().flat_map(|l| l.1.iter().copied());
    let (low, high) = values().fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(v), h.max(v)));
    let room = ((high - low) * 0.08).max(high.abs() * 0.02).max(1e-6);
    let (first, last) = (panel.settings[0], panel.settings[panel.settings.len() - 1]);
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
    for ((_, values), colour) in panel.lines.iter().zip(COLOURS.into_iter().cycle()) {
        let points: Vec<(f64, f64)> =
            panel.settings.iter().zip(values).map(|(&s, &v)| (f64::from(s), v)).collect();
        chart.draw_series(LineSeries::new(points.iter().copied(), rgb(colour).stroke_width(2 * FINE)))?;
        chart.draw_series(points.iter().map(|&p| Circle::new(p, px(3), rgb(colour).filled())))?;
    }
    Ok(())
}
