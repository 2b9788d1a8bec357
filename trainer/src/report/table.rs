//! Tables of a report, as aligned text and as HTML.

use crate::eval::interval::Estimate;

/// Columns of text: names to the left, figures to the right.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Table {
    /// What it shows.
    pub title: String,
    /// The head, then the lines.
    pub rows: Vec<Vec<String>>,
    /// How many columns are names.
    pub names: usize,
}

impl Table {
    /// A table without lines yet; its first column is a name.
    pub fn new<S: Into<String>>(title: impl Into<String>, head: impl IntoIterator<Item = S>) -> Self {
        Self { title: title.into(), rows: vec![head.into_iter().map(Into::into).collect()], names: 1 }
    }

    /// The same with so many columns of names.
    pub fn names(mut self, names: usize) -> Self {
        self.names = names;
        self
    }

    /// Adds a line.
    pub fn push<S: Into<String>>(&mut self, row: impl IntoIterator<Item = S>) {
        self.rows.push(row.into_iter().map(Into::into).collect());
    }

    /// Whether there is nothing under the head.
    pub fn is_empty(&self) -> bool {
        self.rows.len() < 2
    }

    /// As text, all columns as wide as they need to be.
    pub fn text(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |c: usize| {
            self.rows.iter().filter_map(|r| r.get(c)).map(|s| s.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut out = format!("{}\n", self.title);
        for row in &self.rows {
            let cells: Vec<String> = row
                .iter()
                .zip(&widths)
                .enumerate()
                .map(
                    |(c, (text, &w))| {
                        if c < self.names { format!("{text:<w$}") } else { format!("{text:>w$}") }
                    },
                )
                .collect();
            out.push_str(&format!("  {}\n", cells.join("  ").trim_end()));
        }
        out
    }

    /// As an HTML table under a heading.
    pub fn html(&self) -> String {
        let mut out = format!("<h3>{}</h3>\n<div class=\"wide\"><table>\n", escaped(&self.title));
        for (r, row) in self.rows.iter().enumerate() {
            out.push_str("<tr>");
            for (c, text) in row.iter().enumerate() {
                let tag = if r == 0 || c == 0 { "th" } else { "td" };
                let class = match text.as_str() {
                    "met" => " class=\"met\"",
                    "missed" => " class=\"missed\"",
                    "within chance" => " class=\"open\"",
                    _ if c < self.names => " class=\"name\"",
                    _ => "",
                };
                // The interval is smaller print.
                let shown = match text.split_once(" [") {
                    Some((value, interval)) => {
                        format!("{}<small>[{}</small>", escaped(value), escaped(interval))
                    }
                    None => escaped(text),
                };
                out.push_str(&format!("<{tag}{class}>{shown}</{tag}>"));
            }
            out.push_str("</tr>\n");
        }
        out + "</table></div>\n"
    }
}

/// Text with the letters that HTML gives a meaning to written out.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A figure with three significant digits or so.
pub fn number(value: f64) -> String {
    format!("{value:.*}", digits(value))
}

fn digits(value: f64) -> usize {
    if value.abs() >= 10.0 {
        1
    } else if value.abs() >= 2.0 {
        2
    } else {
        3
    }
}

/// A figure with its interval; a dash where there is none.
pub fn estimate(e: Option<&Estimate>) -> String {
    let Some(e) = e else { return "-".to_owned() };
    let digits = digits(e.value);
    format!("{:.digits$} [{:.digits$} {:.digits$}]", e.value, e.low, e.high)
}

/// A share as a percentage.
pub fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut t = Table::new("Title", ["band", "x"]);
        assert!(t.is_empty());
        t.push(["people", "0.500"]);
        assert_eq!(t.text(), "Title\n  band        x\n  people  0.500\n");
        let e = |value| Estimate { value, low: value / 2.0, high: value * 2.0, songs: 3 };
        assert_eq!(estimate(Some(&e(0.75))), "0.750 [0.375 1.500]");
        assert_eq!(estimate(Some(&e(12.5))), "12.5 [6.2 25.0]");
        assert_eq!(estimate(None), "-");
    }

    #[test]
    fn names_from_files_do_no_harm_in_html() {
        let mut t = Table::new("a < b", ["song"]);
        t.push(["<script>\"&"]);
        t.push(["1.0 [0.5 2.0]"]);
        let html = t.html();
        assert!(html.contains("a &lt; b") && html.contains("&lt;script&gt;&quot;&amp;"), "{html}");
        assert!(html.contains("1.0<small>[0.5 2.0]</small>"));
        assert_eq!(html.matches("<tr>").count(), 3);
    }
}
