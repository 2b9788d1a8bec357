//! A page that needs nothing else: text, tables and pictures in one file of HTML.

use image::RgbImage;

use super::picture;
use super::table::{Table, escaped};

/// How pages look.
const STYLE_SHEET: &str = "
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #282c34; margin: 0 auto; max-width: 1280px; padding: 24px; }
h1 { font-size: 26px; margin: 0 0 4px; } h2 { font-size: 20px; margin: 40px 0 8px; border-top: 2px solid #e4e6ea;
padding-top: 20px; } h3 { font-size: 14px; margin: 22px 0 6px; font-weight: 600; }
p, figcaption { color: #5a5e66; max-width: 80ch; } nav a { margin-right: 14px; } a { color: #005faa; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: 3px 10px; text-align: right; white-space: nowrap; border-bottom: 1px solid #eceef1; }
th:first-child, .name { text-align: left; } tr:first-child th { color: #5a5e66; font-weight: 500; }
th { font-weight: 500; } small { color: #8a8e96; margin-left: 5px; font-size: 11px; }
.met, .open, .missed { text-align: left; font-weight: 600; } .met { color: #00875f; } .open { color: #966f00; }
.missed { color: #c83c28; } figure { margin: 18px 0; } img { max-width: 100%; height: auto; display: block; }
";

/// A page that is being filled.
#[derive(Debug)]
pub(crate) struct Page {
    title: String,
    /// A line under the title.
    lead: String,
    /// Links to the sections that have a name.
    links: String,
    body: String,
}

impl Page {
    /// An empty page; titles and text of pages are not HTML.
    pub(crate) fn new(title: &str) -> Self {
        Self { title: title.to_owned(), lead: String::new(), links: String::new(), body: String::new() }
    }

    /// The same with a line under its title.
    pub(crate) fn with_lead(self, lead: &str) -> Self {
        Self { lead: lead.to_owned(), ..self }
    }

    /// Adds HTML.
    pub(crate) fn push(&mut self, html: &str) {
        self.body += html;
    }

    /// A heading and text under it; empty lines part paragraphs.
    pub(crate) fn section(&mut self, title: &str, text: &str) {
        self.body += &format!("<h2>{}</h2>\n", escaped(title));
        for paragraph in text.split("\n\n").map(str::trim).filter(|p| !p.is_empty()) {
            self.body += &format!("<p>{}</p>\n", escaped(paragraph));
        }
    }

    /// A section that the top of the page links to by `id`, unless it is empty.
    pub(crate) fn linked_section(&mut self, id: &str, title: &str, text: &str, html: &str) {
        if html.is_empty() {
            return;
        }
        self.links += &format!("<a href=\"#{id}\">{}</a>", escaped(title));
        self.body += &format!("<section id=\"{id}\">");
        self.section(title, text);
        self.body += html;
        self.body += "</section>\n";
    }

    /// A table.
    pub(crate) fn table(&mut self, table: &Table) {
        self.body += &table.html();
    }

    /// A picture.
    pub(crate) fn figure(&mut self, picture: &RgbImage, caption: &str) -> anyhow::Result<()> {
        self.body += &picture::figure(picture, caption)?;
        Ok(())
    }

    /// The page as HTML.
    pub(crate) fn html(&self) -> String {
        let (title, body) = (escaped(&self.title), &self.body);
        let some = |tag: &str, html: &str| match html {
            "" => String::new(),
            _ => format!("<{tag}>{html}</{tag}>\n"),
        };
        let (lead, links) = (some("p", &escaped(&self.lead)), some("nav", &self.links));
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<title>{title}</title>\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<style>{STYLE_SHEET}</style></head><body>\n\
             <h1>{title}</h1>\n{lead}{links}{body}</body></html>\n"
        )
    }
}
