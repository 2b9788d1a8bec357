//! Metre and tempo maps.

use proptest::prelude::*;
use sideman_music::time::pulse_to_tick;
use sideman_music::{Meter, MeterMap, Pulse, TempoMap};

fn meter() -> impl Strategy<Value = Meter> {
    (1u8..=255, 0u8..=6).prop_map(|(numerator, power)| Meter { numerator, denominator: 1 << power })
}

/// Metres in bars of sensible length, at any pulse, several at one among them.
pub(crate) fn meter_changes() -> impl Strategy<Value = Vec<(Pulse, Meter)>> {
    let at = prop_oneof![0i64..20_000, (0i64..40).prop_map(|b| b * 480)];
    proptest::collection::vec((at, prop_oneof![meter(), Just(Meter::COMMON)]), 0..12)
}

pub(crate) fn tempo_changes() -> impl Strategy<Value = Vec<(Pulse, u32)>> {
    let at = prop_oneof![0i64..20_000, (0i64..40).prop_map(|b| b * 480)];
    proptest::collection::vec((at, prop_oneof![1u32..=0xFF_FFFF, Just(500_000)]), 0..12)
}

proptest! {
    #![proptest_config(crate::config())]

    #[test]
    fn bars_follow_one_another(changes in meter_changes(), pulse in -5000i64..40_000) {
        let map = MeterMap::new(&changes);
        let here = map.position(pulse);
        prop_assert_eq!(here.bar_start + here.offset, pulse);
        prop_assert!((0..here.meter.bar_pulses()).contains(&here.offset));
        let start = map.position(here.bar_start);
        prop_assert_eq!((start.bar, start.offset, start.meter), (here.bar, 0, here.meter));
        // The next pulse lies in the same bar, or begins the next one.
        let next = map.position(pulse + 1);
        if next.bar == here.bar {
            prop_assert_eq!((next.offset, next.meter), (here.offset + 1, here.meter));
        } else {
            prop_assert_eq!((next.bar, next.offset), (here.bar + 1, 0));
        }
        if pulse >= 0 {
            prop_assert!(here.bar >= 0);
        }
        prop_assert_eq!(map.position(0).bar, 0);
    }

    #[test]
    fn a_meter_map_is_made_of_its_changes(changes in meter_changes()) {
        let map = MeterMap::new(&changes);
        let own: Vec<_> = map.changes().collect();
        prop_assert_eq!(own[0].0, 0);
        prop_assert!(own.windows(2).all(|w| w[0].0 < w[1].0));
        prop_assert_eq!(&MeterMap::new(&own), &map);
        // At each asked-for pulse the last metre asked for there holds.
        for &(at, _) in &changes {
            let asked = changes.iter().rev().find(|c| c.0 == at).map(|c| c.1);
            prop_assert_eq!(Some(map.position(at).meter), asked);
            prop_assert_eq!(map.position(at).offset, 0);
        }
    }

    #[test]
    fn a_tempo_map_is_made_of_its_changes(changes in tempo_changes(), pulse in 0i64..30_000) {
        let map = TempoMap::new(&changes);
        let own: Vec<_> = map.changes().collect();
        prop_assert_eq!(own[0].0, 0);
        prop_assert!(own.windows(2).all(|w| w[0].0 < w[1].0 && w[0].1 != w[1].1));
        prop_assert_eq!(&TempoMap::new(&own), &map);
        for &(at, _) in &changes {
            let asked = changes.iter().rev().find(|c| c.0 == at).map_or(0, |c| c.1);
            prop_assert!((map.bpm_at(at) - 60e6 / f64::from(asked)).abs() < 1e-9 * map.bpm_at(at));
        }
        // Time is the sum of the pulses at their tempos.
        let sum: f64 = (0..pulse).map(|p| 60.0 / map.bpm_at(p) / 480.0).sum();
        let seconds = map.seconds_at(pulse);
        prop_assert!((seconds - sum).abs() <= 1e-7 * sum.max(1e-3), "{} {}", seconds, sum);
        prop_assert!(map.seconds_at(pulse + 1) > seconds);
    }

    #[test]
    fn the_nearest_tick_is_at_most_half_a_tick_away(pulse in -100_000i64..100_000) {
        let back = pulse_to_tick(pulse) * 20;
        prop_assert!((-9..=10).contains(&(back - pulse)), "{} {}", pulse, back);
    }
}

#[test]
fn the_median_tempo_is_weighted_by_beats() {
    let map = TempoMap::new(&[(0, 1_000_000), (480, 500_000), (480 * 11, 250_000)]);
    assert_eq!(map.median_bpm(0, 480 * 12), 120.0);
    assert_eq!(map.median_bpm(0, 480), 60.0);
    assert_eq!(map.median_bpm(0, 0), 60.0);
    assert_eq!(map.median_bpm(480 * 11, 480 * 12), 240.0);
}
