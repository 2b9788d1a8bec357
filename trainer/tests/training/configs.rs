//! Configurations, good and senseless, and the schedule.

use std::path::Path;

use sideman_trainer::recipes::band::TrainConfig;

use crate::bench::{CONFIG, message};

fn read(text: &str) -> anyhow::Result<TrainConfig> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    TrainConfig::read(file.path())
}

#[test]
fn the_configurations_that_come_with_the_trainer_are_sound() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        TrainConfig::read(&entry.unwrap().path()).unwrap();
        count += 1;
    }
    assert!(count > 0);
    read(CONFIG).unwrap();
}

#[test]
fn unknown_and_missing_fields_are_named() {
    let cases = [
        (CONFIG.replace("clip = 1.0", "clip = 1.0\nclipp = 1.0"), "unknown field `clipp`"),
        (CONFIG.replace("clip = 1.0", ""), "missing field `clip`"),
        (CONFIG.replace("hidden = 16", "hidden = 16\nlayers = 2"), "unknown field `layers`"),
        (CONFIG.replace("weight = 1.0", "weight = 1.0\nshare = 2"), "unknown field `share`"),
        (CONFIG.replace("drop_hit = 0.05", "drop_hit = 0.05\ndrop = 1"), "unknown field `drop`"),
        (CONFIG.replace("\"research\"", "\"secret\""), "unknown variant `secret`"),
        (CONFIG.replace("lanes = 2", "lanes = -2"), "lanes"),
        (CONFIG.replace("seed = 1", "seed = "), "line 2"),
        (String::new(), "missing field"),
    ];
    for (text, says) in cases {
        assert_ne!(text, CONFIG, "nothing was replaced for {says}");
        let error = message(read(&text));
        assert!(error.contains("is not a training configuration") && error.contains(says), "{says}: {error}");
    }
    let error = message(TrainConfig::read(Path::new("no/such/file.toml")));
    assert!(error.contains("no/such/file.toml") && error.contains("trainer/configs"), "{error}");
}

#[test]
fn senseless_values_are_named() {
    let cases = [
        ("lanes = 2", "lanes = 0", "lanes and steps must be at least 1"),
        ("steps = 64", "steps = 0", "lanes and steps must be at least 1"),
        ("batches = 6", "batches = 0", "segment and batches must be at least 1"),
        ("segment = 3", "segment = 0", "segment and batches must be at least 1"),
        ("patience = 8", "patience = 0", "patience must be at least 1"),
        ("hidden = 16", "hidden = 0", "every size in [network] must be at least 1"),
        ("learning_rate = 5e-3", "learning_rate = 0.0", "learning_rate must be above 0"),
        ("learning_rate = 5e-3", "learning_rate = nan", "learning_rate must be above 0"),
        ("learning_rate = 5e-3", "learning_rate = inf", "learning_rate must be above 0"),
        ("clip = 1.0", "clip = 0.0", "clip must be above 0"),
        ("weight_decay = 0.01", "weight_decay = -0.01", "weight_decay must be at least 0"),
        ("divergence = 2e-4", "divergence = nan", "divergence must be at least 0"),
        ("dropout = 0.1", "dropout = 1.0", "dropout must be at least 0 and below 1"),
        ("weight = 1.0", "weight = 0.0", "every weight in [[mix]] must be above 0"),
        ("blank = 0.0025", "blank = 1.5", "the chances in [spoil] must be between 0 and 1"),
        ("[[mix]]\ntier = \"research\"\nweight = 1.0", "", "missing field `mix`"),
    ];
    for (old, new, says) in cases {
        let text = CONFIG.replace(old, new);
        assert_ne!(text, CONFIG, "{old} is not in the configuration");
        let error = message(read(&text));
        assert!(error.contains(says), "{new}: {error}");
    }
    let none =
        CONFIG.replace("[[mix]]\ntier = \"research\"\nweight = 1.0", "").replace("seed", "mix = []\nseed");
    assert!(message(read(&none)).contains("at least one [[mix]]"));
}

#[test]
fn the_learning_rate_rises_falls_and_never_ends() {
    let config = TrainConfig { batches: 1000, warmup: 100, learning_rate: 0.002, ..read(CONFIG).unwrap() };
    let near = |batch: usize, expected: f64| {
        let rate = config.learning_rate_at(batch);
        assert!((rate / expected - 1.0).abs() < 1e-5, "batch {batch}: {rate} instead of {expected}");
    };
    near(0, 0.002 * 0.01);
    near(50, 0.002 * 0.51 * 0.964732);
    near(500, 0.002 * 0.615572);
    near(999, 0.002 * 0.03);
    near(5000, 0.002 * 0.03);
    for batch in 100..999 {
        assert!(config.learning_rate_at(batch + 1) <= config.learning_rate_at(batch));
    }
    // Without a rise it begins at the top.
    assert_eq!(TrainConfig { warmup: 0, ..config }.learning_rate_at(0), 0.002);
}
