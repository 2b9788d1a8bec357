//! Help texts, wrong usage and exit codes.

use super::{Bench, song_bytes};

#[test]
fn every_command_has_a_complete_help() {
    let bench = Bench::new();
    let main = bench.run(&["--help"]).ok();
    for word in ["demo", "render", "classify", "morph", "inspect", "Examples:", "Exit codes:"] {
        assert!(main.text().contains(word), "{word}");
    }
    let render = bench.run(&["render", "--help"]).ok();
    for option in [
        "--output",
        "--style",
        "--seed",
        "--parts",
        "--temperature",
        "--intensity",
        "--swing",
        "--humanize",
        "--piano-track",
        "--stems",
        "--wav",
        "--soundfont",
        "--png",
        "--json",
        "--engine",
        "--weights",
        "--morph-to",
        "--sections",
        "--dynamics",
        "--redraw",
        "--pattern",
        "--quiet",
        "bossa",
        "Examples:",
    ] {
        assert!(render.text().contains(option), "{option}");
    }
    for command in ["demo", "classify", "morph", "inspect"] {
        let help = bench.run(&[command, "--help"]).ok();
        assert!(help.text().contains("Examples:") && help.text().contains("Usage: sideman"), "{command}");
    }
    assert!(bench.run(&["--version"]).ok().text().starts_with("sideman 0."));
}

#[test]
fn options_and_their_help_are_what_they_were() {
    let bench = Bench::new();
    for (command, known) in
        [("demo", include_str!("help/demo.txt")), ("render", include_str!("help/render.txt"))]
    {
        let help = bench.run(&[command, "--help"]).ok();
        let help: String = help.text().lines().map(|line| format!("{}\n", line.trim_end())).collect();
        assert_eq!(help.trim_end(), known.trim_end(), "{command}\n{help}");
    }
}

#[test]
fn wrong_usage_exits_with_2_and_says_what_is_right() {
    let bench = Bench::new();
    bench.put("a.mid", &song_bytes(2));
    let cases: &[(&[&str], &[&str])] = &[
        (&[], &["Usage"]),
        (&["play"], &["unrecognized subcommand"]),
        (&["render", "a.mid"], &["--output", "--wav", "--png", "--stems"]),
        (&["render", "-o", "b.mid"], &["PIANO.mid"]),
        (&["render", "a.mid", "-o", "b.mid", "--style", "polka"], &["polka", "bossa"]),
        (&["render", "a.mid", "-o", "b.mid", "--parts", "drums,tuba"], &["tuba", "strings"]),
        (&["render", "a.mid", "-o", "b.mid", "--temperature", "7"], &["from 0.1 to 2"]),
        (&["render", "a.mid", "-o", "b.mid", "--swing", "NaN"], &["from 0 to 1"]),
        (&["render", "a.mid", "-o", "b.mid", "--seed", "one"], &["--seed"]),
        (&["render", "a.mid", "-o", "b.mid", "--engine", "magic"], &["neural", "rules"]),
        (&["render", "a.mid", "-o", "-", "--json"], &["standard output"]),
        (&["render", "a.mid", "-o", "b.mid", "--wav", "-"], &["name a file"]),
        (&["render", "a.mid", "-o", "b.mid", "--soundfont", "x.sf2"], &["--wav", "Usage: sideman render"]),
        (&["demo", "--engine", "rules", "--weights", "w.gguf"], &["no weights", "Usage: sideman demo"]),
        (&["render", "a.mid", "-o", "b.mid", "--engine", "rules", "--weights", "w"], &["no weights"]),
        (&["render", "a.mid", "-o", "b.mid", "--engine", "neural", "--weights", "rules"], &["no rules"]),
        (&["render", "a.mid", "-o", "b.mid", "--morph", "0.5"], &["--morph-to"]),
        (&["render", "a.mid", "-o", "b.mid", "--morph-to", "polka", "--morph", "1"], &["polka", "bossa"]),
        (&["render", "a.mid", "-o", "b.mid", "--sections", "2"], &["from 0 to 1"]),
        (&["render", "a.mid", "-o", "b.mid", "--redraw", "bass"], &["bass=2"]),
        (&["render", "a.mid", "-o", "b.mid", "--pattern", "x.mid"], &["drums=beat.mid"]),
    ];
    for (args, says) in cases {
        bench.run(args).fails(2, says);
    }
    assert_eq!(bench.names(), ["a.mid"], "wrong usage leaves nothing behind");
}

#[test]
fn failures_exit_with_1_and_say_what_to_do() {
    let bench = Bench::new();
    bench.put("a.mid", &song_bytes(2));
    bench.put("text.mid", b"this is not a MIDI file at all");
    let rules = ["--engine", "rules"];
    let fails = |args: &[&str], says: &[&str]| {
        bench.run(&[args, &rules].concat()).fails(1, &[&["error: "], says].concat());
    };
    fails(&["render", "missing.mid", "-o", "b.mid"], &["cannot read missing.mid", "No such file"]);
    fails(&["render", ".", "-o", "b.mid"], &["is a folder"]);
    fails(&["render", "text.mid", "-o", "b.mid"], &["text.mid"]);
    fails(&["render", "a.mid", "-o", "no/b.mid"], &["create the folder first"]);
    fails(&["render", "a.mid", "-o", "b.mid", "--piano-track", "Oboe"], &["Oboe", "Keys", "Flute"]);
    fails(&["render", "a.mid", "-o", "b.mid", "--piano-track", "9"], &["9", "Keys"]);
    fails(&["render", "a.mid", "-o", "b.mid", "--wav", "b.mid"], &["named twice"]);
    fails(
        &["render", "a.mid", "-o", "b.mid", "--pattern", "bass=text.mid"],
        &["text.mid", "no pattern", "MIDI"],
    );
    fails(
        &["render", "a.mid", "-o", "b.mid", "--pattern", "drums=a.mid"],
        &["a.mid", "no notes for the drums"],
    );
    bench.run(&["inspect", "text.mid"]).fails(1, &["text.mid"]);
    bench.run(&["inspect", "missing"]).fails(1, &["cannot read missing"]);
    assert_eq!(bench.names(), ["a.mid", "text.mid"]);
}

#[test]
fn a_closed_pipe_is_no_panic() {
    let bench = Bench::new();
    bench.put("a.mid", &song_bytes(2));
    for args in [&["inspect", "a.mid"][..], &["render", "a.mid", "-o", "-", "--engine", "rules"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = bench
            .command(args)
            .stdout(writer)
            .stderr(std::process::Stdio::piped())
            .spawn()
            .and_then(std::process::Child::wait_with_output)
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains("cannot write to standard output"), "{stderr}");
    }
}
