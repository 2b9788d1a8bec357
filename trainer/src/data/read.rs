//! Reads a collection over all cores.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;

/// Where the items of a collection go; `false` ends the visit.
pub(crate) type Visit<'a, I> = &'a mut dyn FnMut(I) -> bool;

/// Parses all items of a collection, in no certain order: one thread fetches, all cores parse. Also returns the
/// warnings of `visit`. `unit` names the items in the progress bar, which there is only with a `len`.
pub(crate) fn read_all<I: Send, O: Send>(
    len: Option<usize>,
    unit: &str,
    visit: impl FnOnce(Visit<'_, I>) -> Vec<String> + Send,
    parse: impl Fn(I) -> O + Sync,
) -> (Vec<O>, Vec<String>) {
    let bar = len.map_or_else(ProgressBar::hidden, |n| ProgressBar::new(n as u64));
    let template = format!("{{bar:30}} {{pos}}/{{len}} {unit}, {{per_sec}}, {{eta}} left");
    bar.set_style(ProgressStyle::with_template(&template).expect("a valid template"));
    let (send, receive) = crossbeam::channel::bounded::<I>(64);
    let both = std::thread::scope(|scope| {
        let fetcher = scope.spawn(move || visit(&mut |item| send.send(item).is_ok()));
        let parsed = receive.into_iter().par_bridge().map(|item| {
            let parsed = parse(item);
            bar.inc(1);
            parsed
        });
        let parsed = parsed.collect();
        (parsed, fetcher.join().expect("fetching does not panic"))
    });
    bar.finish_and_clear();
    both
}

/// Finds items with the same content.
#[derive(Default)]
pub(crate) struct Repeats(HashMap<[u8; 32], String>);

impl Repeats {
    /// The id of the first item with this digest; `None` when it is this one.
    pub(crate) fn earlier(&mut self, digest: [u8; 32], id: &str) -> Option<String> {
        match self.0.entry(digest) {
            Entry::Occupied(first) => Some(first.get().clone()),
            Entry::Vacant(entry) => {
                entry.insert(id.to_owned());
                None
            }
        }
    }
}
