//! The panel of the genre: what it is, how sure that is, and whether the style follows.

use egui::{Align2, Painter, Rect, Ui, pos2, vec2};
use sideman_engine::genre::{GenreView, PHRASE_BARS, Source, Verdict};

use super::button;
use super::param_access::{Control, choice, is_on};
use super::theme;
use super::touch::Touch;

/// Width of the words.
const WORDS: f32 = 132.0;
/// Width of the names beside the bars, and of the figures behind them.
const NAMES: f32 = 72.0;
const FIGURES: f32 = 34.0;
/// Rows of bars; more genres stand in two columns, where there is room.
const ROWS: usize = 5;

/// Draws the panel.
pub(crate) fn show(ui: &Ui, touch: &mut Touch<'_>, rect: Rect) {
    let painter = ui.painter();
    painter.rect_filled(rect, 4.0, theme::PANEL);
    let inner = rect.shrink2(vec2(8.0, 6.0));
    let words = WORDS.max(inner.width() * 0.3).min(240.0);
    let genre = &touch.scene.genre;
    let line = |top: f32, high: f32| Rect::from_min_size(inner.min + vec2(0.0, top), vec2(words, high));
    let small = theme::font(theme::SMALL);
    theme::line(painter, line(-2.0, 14.0), Align2::LEFT_CENTER, "Genre", small.clone(), theme::DIM);
    let source = match genre.source {
        Source::Piano => "of the piano",
        Source::Audio => "of the sound",
    };
    theme::line(painter, line(-2.0, 14.0), Align2::RIGHT_CENTER, source, small.clone(), theme::DIM);

    let (verdict, sure) = words_of(genre);
    let fits = |size: f32| theme::width(painter, &verdict, theme::font(size)) <= words;
    let size = [19.0, 17.0, 15.0].into_iter().find(|&s| fits(s)).unwrap_or(13.0);
    let colour = if matches!(genre.verdict, Verdict::Genre(_)) { theme::TEXT } else { theme::DIM };
    theme::line(painter, line(12.0, 24.0), Align2::LEFT_CENTER, &verdict, theme::font(size), colour);
    theme::line(painter, line(36.0, 14.0), Align2::LEFT_CENTER, &sure, small.clone(), theme::DIM);

    let tip = "Where the style is Auto, it follows the genre; it changes where a phrase of eight bars ends";
    let low = line(54.0, 22.0);
    let cell = Rect::from_min_size(low.min, vec2(52.0, low.height()));
    button::switch(ui, touch, cell, Control::Follow, "Follow", theme::ACCENT, tip);
    if choice(touch.access, Control::Style) == 0 && !touch.scene.style.is_empty() {
        let place = Rect::from_min_max(pos2(cell.right() + 6.0, low.top()), low.max);
        let colour = if is_on(touch.access, Control::Follow) { theme::TEXT } else { theme::DIM };
        let style = match touch.scene.style.as_str() {
            // The weights' own pick has no name.
            "auto" => "own choice",
            style => style,
        };
        theme::line(painter, place, Align2::LEFT_CENTER, style, small, colour);
    }
    let room = Rect::from_min_max(pos2(inner.left() + words + 10.0, inner.top()), inner.max);
    bars(painter, room, genre);
    ui.interact(room, egui::Id::unique("sideman genres"), egui::Sense::hover())
        .on_hover_text("How likely each genre is, by the last bars; what is shown changes by the phrase");
}

/// The answer, and how sure it is.
fn words_of(genre: &GenreView) -> (String, String) {
    let bars = match (genre.source, genre.bars_to_boundary) {
        (Source::Audio, n) => format!("{n} s"),
        (Source::Piano, 1) => "1 bar".to_owned(),
        (Source::Piano, n) => format!("{n} bars"),
    };
    match (genre.verdict, genre.genre()) {
        (Verdict::Genre(_), Some((name, sure))) => {
            (name.to_owned(), format!("{:.0} % sure · {bars}", (sure * 100.0).min(99.0)))
        }
        (Verdict::Unsure, _) => ("Unsure".to_owned(), format!("again in {bars}")),
        _ if genre.source == Source::Audio => ("Listening…".to_owned(), "to what comes in".to_owned()),
        _ => ("Listening…".to_owned(), format!("{PHRASE_BARS} bars are needed")),
    }
}

/// How likely each genre is.
fn bars(painter: &Painter, room: Rect, genre: &GenreView) {
    let likely = |class: usize| genre.probabilities.get(class).copied().unwrap_or(0.0).clamp(0.0, 1.0);
    let mut order: Vec<usize> = (0..genre.classes.len()).collect();
    let width = |columns: usize| (room.width() - (columns as f32 - 1.0) * 10.0) / columns as f32;
    let mut columns = order.len().div_ceil(ROWS).max(1);
    if columns > 1 && width(columns) < NAMES + 30.0 {
        // No room for all: the likeliest.
        order.sort_by(|&a, &b| likely(b).total_cmp(&likely(a)));
        order.truncate(ROWS);
        columns = 1;
    }
    let (wide, high) = (width(columns), room.height() / ROWS as f32);
    let figures = if wide > NAMES + FIGURES + 40.0 { FIGURES } else { 0.0 };
    for (place, i) in order.into_iter().enumerate() {
        let (name, likely) = (&genre.classes[i], likely(i));
        let cell = Rect::from_min_size(
            room.min + vec2((place / ROWS) as f32 * (wide + 10.0), (place % ROWS) as f32 * high),
            vec2(wide, high),
        );
        let shown = genre.verdict == Verdict::Genre(i);
        let letters = if shown { theme::TEXT } else { theme::DIM };
        let place = Rect::from_min_size(cell.min, vec2(NAMES.min(wide), high));
        theme::line(painter, place, Align2::LEFT_CENTER, name, theme::font(theme::SMALL), letters);
        let bar = Rect::from_min_max(
            pos2(place.right() + 2.0, cell.top() + high * 0.25),
            pos2(cell.right() - figures, cell.bottom() - high * 0.25),
        );
        if bar.width() > 8.0 {
            painter.rect_filled(bar, 2.0, theme::RAISED);
            let full = Rect::from_min_size(bar.min, vec2(bar.width() * likely, bar.height()));
            painter.rect_filled(full, 2.0, if shown { theme::ACCENT } else { theme::EDGE });
        }
        if figures > 0.0 {
            let text = format!("{:.0} %", likely * 100.0);
            theme::line(painter, cell, Align2::RIGHT_CENTER, &text, theme::font(theme::SMALL), letters);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_put_in_words() {
        let mut genre = GenreView { classes: ["Jazz".to_owned()].into(), ..GenreView::default() };
        assert_eq!(words_of(&genre), ("Listening…".into(), "8 bars are needed".into()));
        (genre.verdict, genre.bars_to_boundary) = (Verdict::Unsure, 1);
        assert_eq!(words_of(&genre), ("Unsure".into(), "again in 1 bar".into()));
        genre.verdict = Verdict::Genre(0);
        genre.probabilities[0] = 0.999;
        assert_eq!(words_of(&genre), ("Jazz".into(), "99 % sure · 1 bar".into()), "nothing is quite sure");
        genre.verdict = Verdict::Genre(7);
        assert_eq!(words_of(&genre).0, "Listening…");
    }
}
