//! A suffix automaton (Blumer et al. 1985, "The smallest automaton recognizing the subwords of a text") of
//! many strings, through which other strings are streamed to find the longest matches.
//!
//! The automaton is of what is to be checked, which is small; the training music, which is large, only passes
//! through and is kept nowhere.

/// A token. Those from [`SEPARATOR`] on are used inside.
pub(super) type Token = u32;
/// First of the tokens that keep strings apart.
const SEPARATOR: Token = 1 << 31;
const ROOT: usize = 0;

#[derive(Clone)]
struct State {
    /// Length of the longest substring of its class.
    len: u32,
    /// State of the longest suffix in another class.
    link: usize,
    /// Ascending by token.
    next: Vec<(Token, u32)>,
    /// Longest match that ended here, and in which text; 0 where none did.
    best: (u32, u32),
}

impl State {
    fn to(&self, token: Token) -> Option<usize> {
        self.next.binary_search_by_key(&token, |n| n.0).ok().map(|i| self.next[i].1 as usize)
    }

    fn set(&mut self, token: Token, to: usize) {
        match self.next.binary_search_by_key(&token, |n| n.0) {
            Ok(i) => self.next[i].1 = to as u32,
            Err(i) => self.next.insert(i, (token, to as u32)),
        }
    }
}

/// A match that ends at a token of a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Match {
    /// Index of its last token.
    pub(super) last: usize,
    /// Number of tokens.
    pub(super) len: usize,
    /// Number of the text that it was found in.
    pub(super) text: u32,
}

/// All substrings of some strings.
pub(super) struct Automaton {
    states: Vec<State>,
    last: usize,
    separators: u32,
}

impl Automaton {
    /// Without strings.
    pub(super) fn new() -> Self {
        let root = State { len: 0, link: ROOT, next: Vec::new(), best: (0, 0) };
        Self { states: vec![root], last: ROOT, separators: 0 }
    }

    /// Adds a string.
    pub(super) fn add(&mut self, string: &[Token]) {
        for &token in string {
            self.push(token);
        }
        // No match goes across the end of a string.
        self.push(SEPARATOR + self.separators);
        self.separators += 1;
    }

    fn push(&mut self, token: Token) {
        let len = self.states[self.last].len + 1;
        let new = self.states.len();
        self.states.push(State { len, link: ROOT, next: Vec::new(), best: (0, 0) });
        let mut at = Some(self.last);
        self.last = new;
        while let Some(s) = at {
            let Some(to) = self.states[s].to(token) else {
                self.states[s].set(token, new);
                at = (s != ROOT).then(|| self.states[s].link);
                continue;
            };
            if self.states[to].len == self.states[s].len + 1 {
                self.states[new].link = to;
                return;
            }
            let copy = self.states.len();
            let twin = State { len: self.states[s].len + 1, ..self.states[to].clone() };
            self.states.push(twin);
            self.states[to].link = copy;
            self.states[new].link = copy;
            let mut back = Some(s);
            while let Some(b) = back.filter(|&b| self.states[b].to(token) == Some(to)) {
                self.states[b].set(token, copy);
                back = (b != ROOT).then(|| self.states[b].link);
            }
            return;
        }
    }

    /// Remembers the longest match that ends at each token of a text.
    pub(super) fn stream(&mut self, text: &[Token], number: u32) {
        let (mut s, mut len) = (ROOT, 0);
        for &token in text {
            while s != ROOT && self.states[s].to(token).is_none() {
                s = self.states[s].link;
                len = self.states[s].len;
            }
            match self.states[s].to(token) {
                Some(to) => (s, len) = (to, len + 1),
                None => continue,
            }
            let best = &mut self.states[s].best;
            if len > best.0 {
                *best = (len, number);
            }
        }
    }

    /// What matches a class matches its suffixes: to be called once all texts have passed.
    pub(super) fn settle(&mut self) {
        let mut order: Vec<u32> = (1..self.states.len() as u32).collect();
        order.sort_unstable_by_key(|&s| std::cmp::Reverse(self.states[s as usize].len));
        for s in order {
            let State { link, best, .. } = self.states[s as usize];
            let suffix = &mut self.states[link];
            let reach = best.0.min(suffix.len);
            if reach > suffix.best.0 {
                suffix.best = (reach, best.1);
            }
        }
    }

    /// The longest match that ends at each token of a string that was added; tokens without any are left out.
    pub(super) fn matches(&self, string: &[Token]) -> Vec<Match> {
        let mut out = Vec::new();
        let mut s = ROOT;
        for (last, &token) in string.iter().enumerate() {
            let Some(to) = self.states[s].to(token) else { break };
            s = to;
            let mut at = s;
            while at != ROOT && self.states[at].best.0 == 0 {
                at = self.states[at].link;
            }
            let (best, text) = self.states[at].best;
            let len = (best as usize).min(last + 1);
            if len > 0 {
                out.push(Match { last, len, text });
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};
    use rand_pcg::Pcg64;

    /// The same by trying everything.
    fn slow(string: &[Token], texts: &[Vec<Token>]) -> Vec<(usize, usize)> {
        (0..string.len())
            .filter_map(|last| {
                let found = |len: &usize| {
                    let piece = &string[last + 1 - len..=last];
                    texts.iter().any(|t| t.windows(*len).any(|w| w == piece))
                };
                (1..=last + 1).rev().find(found).map(|len| (last, len))
            })
            .collect()
    }

    #[test]
    fn matches_are_those_of_trying_everything() {
        let mut rng = Pcg64::seed_from_u64(3);
        for letters in [2, 3, 8] {
            for _ in 0..30 {
                let mut draw =
                    |n: usize| -> Vec<Token> { (0..n).map(|_| rng.random_range(0..letters)).collect() };
                let strings: Vec<Vec<Token>> = (0..4).map(|_| draw(30)).collect();
                let texts: Vec<Vec<Token>> = (0..3).map(|_| draw(25)).collect();
                let mut automaton = Automaton::new();
                strings.iter().for_each(|s| automaton.add(s));
                texts.iter().enumerate().for_each(|(i, t)| automaton.stream(t, i as u32));
                automaton.settle();
                for s in &strings {
                    let fast: Vec<(usize, usize)> =
                        automaton.matches(s).iter().map(|m| (m.last, m.len)).collect();
                    assert_eq!(fast, slow(s, &texts));
                    for m in automaton.matches(s) {
                        let piece = &s[m.last + 1 - m.len..=m.last];
                        assert!(texts[m.text as usize].windows(m.len).any(|w| w == piece));
                    }
                }
            }
        }
    }
}
