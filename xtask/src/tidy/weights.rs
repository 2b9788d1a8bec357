//! Rules about weights: every file has its card, and the card is of that very file.

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use super::{Problems, Tracked};

const FOLDER: &str = "models/weights/";
/// Fields that every card has.
const FIELDS: [&str; 10] =
    ["name", "description", "licence", "data", "seed", "commit", "commands", "training", "scores", "sha256"];

pub(super) fn check(tracked: &[Tracked], problems: &mut Problems) -> Result<()> {
    let with = |end: &str| -> Vec<(&str, &Tracked)> {
        tracked.iter().filter_map(|f| Some((f.name.strip_prefix(FOLDER)?.strip_suffix(end)?, f))).collect()
    };
    let (weights, cards) = (with(".gguf"), with(".toml"));
    for (name, _) in cards.iter().filter(|(name, _)| !weights.iter().any(|(w, _)| w == name)) {
        problems.add(format!("{FOLDER}{name}.toml is the card of no weights"));
    }
    for (name, file) in &weights {
        let Some((_, card)) = cards.iter().find(|(card, _)| card == name) else {
            problems.add(format!("{} has no card {FOLDER}{name}.toml", file.name));
            continue;
        };
        let text = card.text()?.unwrap_or_default();
        let bytes = std::fs::read(&file.path).with_context(|| format!("cannot read {}", file.name))?;
        check_card(&card.name, &text, &sha256(&bytes), problems);
    }
    Ok(())
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

fn check_card(name: &str, text: &str, sum: &str, problems: &mut Problems) {
    let card: toml::Table = match text.parse() {
        Ok(card) => card,
        Err(error) => return problems.add(format!("{name} does not parse: {error}")),
    };
    for field in FIELDS {
        let says_nothing = match card.get(field) {
            None => true,
            Some(toml::Value::String(s)) => s.trim().is_empty(),
            Some(toml::Value::Array(a)) => a.is_empty(),
            Some(_) => false,
        };
        if says_nothing {
            problems.add(format!("{name} does not say its {field}"));
        }
    }
    let written = card.get("sha256").and_then(toml::Value::as_str).unwrap_or("");
    if !written.is_empty() && !written.eq_ignore_ascii_case(sum) {
        problems
            .add(format!("{name} is the card of another file: it says sha256 {written}, the file has {sum}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_must_be_complete_and_of_the_file() {
        let sum = sha256(b"weights");
        let card = format!(
            "name = 'band'\ndescription = 'x'\nlicence = 'MIT'\ndata = ['a']\nseed = 1\ncommit = 'abc'\n\
             commands = ['b']\ntraining = 'c'\nscores = ['d']\nsha256 = '{sum}'"
        );
        let problems = |card: &str, sum: &str| {
            let mut problems = Problems::default();
            check_card("card.toml", card, sum, &mut problems);
            problems.0
        };
        assert_eq!(problems(&card, &sum), [""; 0]);
        assert_eq!(problems(&card, &sha256(b"others")).len(), 1);
        assert_eq!(
            problems(&card.replace("licence = 'MIT'\n", ""), &sum),
            ["card.toml does not say its licence"]
        );
        assert_eq!(problems(&card.replace("scores = ['d']", "scores = []"), &sum).len(), 1);
        assert_eq!(problems("= broken", &sum).len(), 1);
    }
}
