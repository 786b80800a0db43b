//! The timeline at a desk: which lines, what is marked in it, and the files that are handed on.

use serde_json::{Value, json};

use crate::desk::{ANNA, BEN, Desk, text};

/// An incident with notes that want to be more than text.
struct Night {
    desk: Desk,
    incident: String,
}

const HOSTILE: &str = "=cmd|'/C calc'!A0 <script>alert(1)</script> \u{202e}fdp.exe";

impl Night {
    fn new() -> Self {
        let desk = Desk::new();
        desk.configure(&json!({
            "provider": {"id": "sit.example", "short": "SIT", "name": "SIT", "land": "NW"},
        }));
        let opened = desk.json(&["incident", "open", HOSTILE, "--as", ANNA]);
        let incident = text(&opened["number"]).to_owned();
        let night = Self { desk, incident };
        night.done(&["note", &night.incident, "It was pc-2", "--at", "2026-01-01T02:00:00Z"]);
        night.done(&["note", &night.incident, HOSTILE]);
        night.done(&["incident", "asset", &night.incident, "host", "pc-2", "affected"]);
        night.done(&[
            "incident",
            "asset",
            &night.incident,
            "mailbox",
            "max@example.org",
            "affected",
        ]);
        night
    }

    /// Something that Anna does.
    fn done(&self, words: &[&str]) -> Value {
        self.desk.json(&[words, &["--as", ANNA]].concat())
    }

    fn lines(&self, words: &[&str]) -> Vec<Value> {
        let lines = self.desk.json(&[&["timeline", &self.incident], words].concat());
        lines.as_array().unwrap().clone()
    }

    /// The name of the line that says this.
    fn line(&self, message: &str) -> String {
        let lines = self.lines(&[]);
        let found = lines.iter().find(|line| text(&line["message"]).contains(message));
        text(&found.unwrap()["line"]).to_owned()
    }

    fn export(&self, words: &[&str]) -> String {
        self.desk.ok(0, &[&["timeline", &self.incident], words].concat())
    }
}

#[test]
fn a_line_is_corrected_starred_and_told_and_stays_as_it_was() {
    let night = Night::new();
    let (incident, wrong) = (night.incident.as_str(), night.line("It was pc-2"));
    let why = ["--corrects", &wrong, "--reason", "misheard"];
    let correct = [&["note", incident, "It was pc-3"], &why[..]].concat();
    assert_eq!(night.done(&correct).get("already"), None);
    assert_eq!(night.done(&correct)["already"], true, "who says it again says nothing");
    let lines = night.lines(&[]);
    let found = |kind: &str| lines.iter().find(|line| line["kind"] == kind).unwrap();
    assert_eq!(found("note-added")["message"], "anna (asserted): It was pc-2");
    assert_eq!(found("note-added")["corrected_by"], found("line-corrected")["line"]);
    assert_eq!(found("line-corrected")["about"], wrong.as_str());
    assert!(found("line-corrected")["late_by_ms"].as_u64() > Some(60_000));

    let star = ["star", incident, &wrong];
    assert_eq!(night.done(&star).get("already"), None);
    assert_eq!(night.done(&star)["already"], true);
    let starred = night.lines(&["--starred"]);
    assert_eq!(starred.len(), 1);
    assert_eq!(starred[0]["starred_by"], ANNA);
    night.desk.ok(0, &["star", incident, &wrong, "--off", "--as", BEN]);
    assert_eq!(night.lines(&["--starred"]).len(), 0);

    let affected = night.line("host pc-2");
    let first = ["--title", "It begins", "--text", "At two", "--place", "1"];
    night.done(&[&["story", "tell", incident, &affected], &first[..]].concat());
    night.done(&["story", "tell", incident, &wrong]);
    let story = night.desk.json(&["story", "show", incident]);
    let titles: Vec<&Value> =
        story["items"].as_array().unwrap().iter().map(|entry| &entry["title"]).collect();
    assert_eq!(titles, [&json!("It begins"), &Value::Null]);
    night.done(&["story", "leave-out", incident, &wrong]);
    assert!(!night.desk.ok(0, &["story", "show", incident]).contains("pc-2 is"));

    for (code, words) in [
        (2, vec!["note", incident, "x", "--corrects", &wrong]),
        (2, vec!["note", incident, "x", "--reason", "y"]),
        (4, vec!["star", incident, "00000000-0000-7000-8000-000000000000"]),
        (4, vec!["story", "leave-out", incident, "zz"]),
        (2, vec!["star", incident, "0"]),
        (2, vec!["timeline", incident, "--lane", "foo"]),
        (2, vec!["timeline", incident, "--zone", "Mars/Base"]),
        (2, vec!["timeline", "--format", "stix"]),
        (2, vec!["timeline", incident, "--metrics", "--format", "csv"]),
    ] {
        night.desk.ok(code, &words);
    }
    night.desk.ok(0, &["verify"]);
}

#[test]
fn a_timeline_is_narrowed_down_counted_and_drawn() {
    let night = Night::new();
    let lines = night.lines(&[]);
    let matters = |line: &&Value| line["detail"] == false;
    let (all, drawn) = (lines.len(), lines.iter().filter(matters).count());
    let annas = lines.iter().filter(matters).filter(|line| line["actor"] == ANNA).count();
    assert!(0 < annas && annas < all, "{annas} of {all}");
    for (words, left) in [
        (&["--item", "PC-2"][..], 1),
        (&["--search", "it was"], 1),
        (&["--lane", "aid"], 0),
        (&["--person", ANNA, "--significant"], annas),
        (&["--failures"], 0),
        (&["--to", "2026-01-01T03:00:00Z"], 1),
        (&["--from", "2026-01-01T03:00:00Z"], all - 1),
    ] {
        assert_eq!(night.lines(words).len(), left, "{words:?}");
    }
    let lines = night.lines(&[]);
    assert_eq!(lines[0]["message"], "anna (asserted): It was pc-2", "what happened first is first");
    let figures = night.done(&["timeline", &night.incident, "--metrics"]);
    assert!(figures["detect_ms"].as_u64() > Some(0), "{figures}");
    assert_eq!((&figures["contain_ms"], &figures["late"]), (&Value::Null, &json!(1)));
    assert!(night.export(&["--metrics"]).contains("contain: -"));
    let review = night.done(&["timeline", &night.incident, "--review"]);
    let points = review["lanes"].as_array().unwrap().iter();
    let points: usize = points.map(|lane| lane["points"].as_array().unwrap().len()).sum();
    assert_eq!(points, drawn, "a mark for each line that is more than a detail");
    assert_eq!(review["gaps"].as_array().unwrap().len(), 1, "{review}");
    let shown = night.export(&["--ids", "--utc"]);
    assert!(shown.contains(&night.line("It was pc-2")), "{shown}");
}

#[test]
fn what_is_handed_on_says_what_it_is_and_nobody_is_named_who_should_not_be() {
    let night = Night::new();
    let away = Desk::new();
    for format in ["jsonl", "html"] {
        for more in [&[][..], &["--without-personal-data"], &["--lane", "detection"]] {
            let words = [&["--format", format, "--zone", "America/New_York"], more].concat();
            let file = night.export(&words);
            away.write("export", &file);
            let checked = away.json(&["verify", "export"]);
            assert!(checked["entries"].as_u64() > Some(3), "{checked}");
            assert!(file.contains("America/New_York"), "{format}");
            assert_eq!(file.matches("<script>").count(), 0, "{format}");
        }
    }
    let title = "alert(1)";
    for format in ["jsonl", "html", "csv", "stix"] {
        let words = ["--format", format, "--without-personal-data", "--all"];
        let file = night.export(&words);
        for word in [ANNA, "max@", title, "It was pc-2"] {
            assert!(!file.contains(word), "{format} has {word}: {file}");
        }
        assert!(file.contains("person 1") && file.contains("pc-2"), "{format}: {file}");
        assert!(night.export(&["--format", format]).contains(ANNA), "{format}");
        assert!(!file.contains('\u{202e}'), "{format}");
    }
    let csv = night.export(&["--format", "csv"]);
    for row in csv.lines().skip(1) {
        assert!(!row.contains(",=cmd") && !row.contains("\"=cmd"), "{row}");
    }
    let bundle: Value = serde_json::from_str(&night.export(&["--format", "stix"])).unwrap();
    assert_eq!(bundle["type"], "bundle");
    let up_to = ["timeline", &night.incident, "--format", "csv", "--up-to"];
    night.desk.ok(2, &[&up_to[..], &["GREEN"]].concat());
    night.desk.ok(0, &[&up_to[..], &["AMBER"]].concat());
}
