//! How often parts rest, enter and leave: what sections are drawn from.

/// Places at which a part may enter or leave: where eight bars begin, where four begin, and any other bar.
pub const TURNS: usize = 3;

/// How the parts of a band come and go, bar by bar; in the order of [`sideman_music::Part::ALL`]. All are shares, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Activity {
    /// Share of the bars in which each part plays.
    pub share: [f32; 4],
    /// How likely a part that plays is to rest from a bar on, by the bar's place in the phrase.
    pub leave: [[f32; TURNS]; 4],
    /// How likely a part that rests is to play from a bar on, by the bar's place in the phrase.
    pub enter: [[f32; TURNS]; 4],
}

impl Default for Activity {
    /// As bands are on the whole: the drums and the bass hardly ever rest, the strings every other phrase.
    fn default() -> Self {
        Self {
            share: [0.94, 0.88, 0.8, 0.55],
            leave: [[0.14, 0.05, 0.003], [0.2, 0.1, 0.008], [0.3, 0.16, 0.012], [0.48, 0.3, 0.03]],
            enter: [[0.9, 0.8, 0.25], [0.85, 0.7, 0.15], [0.8, 0.6, 0.1], [0.6, 0.35, 0.045]],
        }
    }
}

impl Activity {
    /// Coming and going by which parts play such shares of the bars. In the web-collected songs a part changes
    /// between playing and resting in one bar of seven or so were it to rest half the time; here most of the
    /// changes lie where phrases begin.
    pub fn of_share(share: [f32; 4]) -> Self {
        const MOVES: [f32; TURNS] = [0.6, 0.3, 0.04];
        // People's bands also play where the piano is silent, ours rests there; and sections begin with parts that
        // hold back. So much of their rest is left.
        const LEFT: [f32; 4] = [0.3, 0.3, 0.8, 0.8];
        let share = share.map(|s| if s.is_finite() { s.clamp(0.05, 1.0) } else { 1.0 });
        let share: [f32; 4] = std::array::from_fn(|p| 1.0 - LEFT[p] * (1.0 - share[p]));
        Self {
            share,
            leave: share.map(|s| MOVES.map(|m| m * (1.0 - s))),
            enter: share.map(|s| MOVES.map(|m| m * s)),
        }
    }
}
