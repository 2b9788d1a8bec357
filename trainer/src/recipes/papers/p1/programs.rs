//! Which pitches instruments play, and which are alike in that (P1, section 3.3 and Figure 4): histograms of pitch
//! weighted by duration for each of the 128 programs, clustered by Ward's criterion on Euclidean distances. The paper
//! does not name its criterion. Drums are left out, as there: their pitches are instruments.

use sideman_music::Score;

/// How long a program plays a pitch in a piece.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sounding {
    pub(super) program: u8,
    pub(super) pitch: u8,
    pub(super) seconds: f32,
}

/// What the programs of a score play, in the order of program and pitch.
pub(super) fn soundings(score: &Score) -> Vec<Sounding> {
    let mut sums = std::collections::BTreeMap::<(u8, u8), f64>::new();
    for track in score.tracks.iter().filter(|t| !t.is_drums) {
        for n in &track.notes {
            let seconds = score.tempos.seconds_at(n.end()) - score.tempos.seconds_at(n.onset);
            *sums.entry((track.program & 127, n.pitch & 127)).or_default() += seconds;
        }
    }
    sums.into_iter().map(|((program, pitch), s)| Sounding { program, pitch, seconds: s as f32 }).collect()
}

/// Seconds by program and pitch.
pub(super) struct Programs(Vec<[f64; 128]>);

impl Programs {
    /// Of many pieces.
    pub(super) fn sum<'a>(pieces: impl Iterator<Item = &'a [Sounding]>) -> Self {
        let mut sums = vec![[0.0; 128]; 128];
        for s in pieces.flatten() {
            sums[usize::from(s.program)][usize::from(s.pitch)] += f64::from(s.seconds);
        }
        Self(sums)
    }

    /// Programs that play at all.
    pub(super) fn used(&self) -> Vec<u8> {
        (0..128u8).filter(|&p| self.seconds(p) > 0.0).collect()
    }

    /// Seconds that a program plays.
    pub(super) fn seconds(&self, program: u8) -> f64 {
        self.0[usize::from(program)].iter().sum()
    }

    /// The histogram of a program: shares of its time by pitch.
    pub(super) fn histogram(&self, program: u8) -> Vec<f64> {
        let all = self.seconds(program).max(1e-12);
        self.0[usize::from(program)].iter().map(|s| s / all).collect()
    }
}

/// Two clusters become one. Clusters are numbered: first the points, then the merges in their order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Merge {
    /// The two clusters.
    pub(super) of: [usize; 2],
    /// Their distance by Ward's criterion: that of their centres times sqrt(2 m n / (m + n)), never falling.
    pub(super) height: f64,
}

/// Clusters points from the bottom up, always those two whose union adds least to the squared distances within
/// (Ward 1963), with distances kept up by the rule of Lance & Williams (1967).
pub(super) fn ward(points: &[Vec<f64>]) -> Vec<Merge> {
    let n = points.len();
    let square = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| (x - y).powi(2)).sum::<f64>();
    // Squared distances between the clusters that are left; `number` and `size` of each.
    let mut d: Vec<Vec<f64>> = points.iter().map(|a| points.iter().map(|b| square(a, b)).collect()).collect();
    let (mut number, mut size): (Vec<usize>, Vec<f64>) = ((0..n).collect(), vec![1.0; n]);
    let mut merges = Vec::new();
    while number.len() > 1 {
        let (mut a, mut b) = (0, 1);
        for i in 0..number.len() {
            for j in i + 1..number.len() {
                if d[i][j] < d[a][b] {
                    (a, b) = (i, j);
                }
            }
        }
        let height = d[a][b];
        merges.push(Merge { of: [number[a], number[b]], height: height.max(0.0).sqrt() });
        for k in (0..number.len()).filter(|&k| k != a && k != b) {
            let (na, nb, nk) = (size[a], size[b], size[k]);
            let next = ((na + nk) * d[a][k] + (nb + nk) * d[b][k] - nk * height) / (na + nb + nk);
            (d[a][k], d[k][a]) = (next, next);
        }
        (number[a], size[a]) = (n + merges.len() - 1, size[a] + size[b]);
        d.remove(b);
        for row in &mut d {
            row.remove(b);
        }
        number.remove(b);
        size.remove(b);
    }
    merges
}

/// The points of a cluster, from left to right in the dendrogram.
pub(super) fn members(merges: &[Merge], points: usize, cluster: usize) -> Vec<usize> {
    let mut found = vec![];
    let mut open = vec![cluster];
    while let Some(c) = open.pop() {
        match c.checked_sub(points) {
            None => found.push(c),
            Some(m) => open.extend([merges[m].of[1], merges[m].of[0]]),
        }
    }
    found
}

/// The smallest cluster that holds all of some points: its points, its height, and at which height it becomes part of
/// a larger one.
pub(super) fn smallest_with(merges: &[Merge], points: usize, wanted: &[usize]) -> (usize, [f64; 2]) {
    let joins = |cluster: usize, height: f64| {
        merges.iter().find(|m| m.of.contains(&cluster)).map_or(height, |m| m.height)
    };
    if let [one] = wanted {
        return (1, [0.0, joins(*one, 0.0)]);
    }
    for (m, merge) in merges.iter().enumerate().filter(|_| !wanted.is_empty()) {
        let inside = members(merges, points, points + m);
        if wanted.iter().all(|w| inside.contains(w)) {
            return (inside.len(), [merge.height, joins(points + m, merge.height)]);
        }
    }
    (0, [0.0; 2])
}

/// Share of some points whose nearest other point is one of them, too.
pub(super) fn nearest_within(points: &[Vec<f64>], group: &[usize]) -> f64 {
    let square =
        |a: usize, b: usize| -> f64 { points[a].iter().zip(&points[b]).map(|(x, y)| (x - y).powi(2)).sum() };
    let near = group.iter().filter(|&&a| {
        let others = (0..points.len()).filter(|&b| b != a);
        others.min_by(|&x, &y| square(a, x).total_cmp(&square(a, y))).is_some_and(|b| group.contains(&b))
    });
    near.count() as f64 / group.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use sideman_music::{Note, TempoMap, Track};

    #[test]
    fn near_points_merge_first() {
        let points: Vec<Vec<f64>> = [0.0, 1.0, 10.0, 12.0].iter().map(|&x| vec![x, 0.0]).collect();
        let merges = ward(&points);
        assert_eq!(merges.iter().map(|m| m.of).collect::<Vec<_>>(), [[0, 1], [2, 3], [4, 5]]);
        assert_eq!((merges[0].height, merges[1].height), (1.0, 2.0));
        // Centres 0.5 and 11 apart, times sqrt(2 * 2 * 2 / 4).
        assert!((merges[2].height - 10.5 * 2f64.sqrt()).abs() < 1e-9);
        assert_eq!(members(&merges, 4, 6), [0, 1, 2, 3]);
        assert_eq!(smallest_with(&merges, 4, &[2, 3]), (2, [2.0, merges[2].height]));
        assert_eq!(smallest_with(&merges, 4, &[0]), (1, [0.0, 1.0]));
        assert_eq!(smallest_with(&merges, 4, &[]), (0, [0.0; 2]));
        assert_eq!(smallest_with(&merges, 4, &[1, 3]).0, 4);
        assert_eq!((nearest_within(&points, &[0, 1]), nearest_within(&points, &[0, 2])), (1.0, 0.0));
        assert!(ward(&points[..1]).is_empty() && ward(&[]).is_empty());
    }

    #[test]
    fn histograms_weigh_by_seconds() {
        let note = |onset, pitch, length| Note { onset, pitch, length, velocity: 80 };
        let track = |program, is_drums, notes| Track { program, is_drums, notes, ..Track::default() };
        let score = Score {
            // The second beat lasts a second, the first half of one.
            tempos: TempoMap::new(&[(480, 1_000_000)]),
            tracks: vec![
                track(33, false, vec![note(0, 40, 480), note(480, 43, 480)]),
                track(0, true, vec![note(0, 36, 480)]),
            ],
            ..Score::default()
        };
        let sounding = soundings(&score);
        let programs = Programs::sum([&sounding[..], &sounding[..]].into_iter());
        assert_eq!(programs.used(), [33]);
        assert_eq!(programs.seconds(33), 3.0);
        let histogram = programs.histogram(33);
        assert!((histogram[40] - 1.0 / 3.0).abs() < 1e-9 && (histogram[43] - 2.0 / 3.0).abs() < 1e-9);
    }
}
