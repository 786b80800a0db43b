//! What a filter lets through, and that it survives being a link.

use super::story::{TEXT, entries};
use super::*;
use crate::model::{LineId, Role};

fn lines() -> Vec<TimelineEntry> {
    let plan = plan(TEXT);
    bound(timeline(&entries(&plan), &plans(&[&plan]), &Scope::ALL, Lang::En))
}

fn read(parts: &[(&str, &str)]) -> Filter {
    let mut filter = Filter::default();
    for (name, value) in parts {
        filter.set(name, value).unwrap();
    }
    filter
}

/// The lines that these parts leave, and that they leave the rest out by what is said of it.
fn check(parts: &[(&str, &str)], wanted: impl Fn(&TimelineEntry) -> bool) {
    let all = lines();
    let left = read(parts).of(all.clone());
    let expected: Vec<TimelineEntry> = all.iter().filter(|line| wanted(line)).cloned().collect();
    assert_eq!(left, expected, "{parts:?}");
    assert!(!left.is_empty() && left.len() < all.len(), "{parts:?}: {} lines", left.len());
}

#[test]
fn each_part_leaves_out_what_it_names() {
    check(&[("lane", "decisions")], |line| line.lane == Lane::Decisions);
    check(&[("person", "Carla")], |line| line.actor == Some("carla".parse().unwrap()));
    check(&[("role", "responder")], |line| line.roles.contains(&Role::Responder));
    check(&[("item", "PC-2")], |line| {
        line.item.as_deref() == Some("pc-2") || line.targets.contains(&"pc-2".to_owned())
    });
    check(&[("step", "cut")], |line| {
        line.path.as_ref().is_some_and(|path| path.as_str().split(['/', '[']).any(|id| id == "cut"))
    });
    check(&[("step", "contain[1]")], |line| {
        line.path.as_ref().is_some_and(|path| path.as_str().starts_with("contain[1]"))
    });
    check(&[("playbook", "ransomware-containment")], |line| line.playbook.is_some());
    check(&[("significant", "true")], |line| !line.detail);
    check(&[("failures", "true")], |line| line.failed);
    check(&[("q", "SRV-9")], |line| line.text.contains("srv-9"));
    let middle = START.to_string();
    check(&[("from", &middle)], |line| line.when() >= START);
    check(&[("to", &middle)], |line| line.when() < START);
    check(&[("lane", "decisions"), ("person", "carla")], |line| {
        line.lane == Lane::Decisions && line.actor == Some("carla".parse().unwrap())
    });
}

#[test]
fn failures_are_what_did_not_work_or_is_late() {
    let failed: Vec<String> =
        lines().into_iter().filter(|line| line.failed).map(|line| line.text).collect();
    let wanted = [
        "Cut off [srv-9]: outcome unknown after attempt 1 through core-router: srv-9 did not answer",
        "Cut off [pc-2]: attempt 1 through core-router failed, not reachable: pc-2: connection refused",
        "Cut off [srv-9]: the commander must find out whether it was done",
    ];
    assert_eq!(failed, wanted);
}

#[test]
fn a_filter_survives_being_a_link() {
    let parts = [
        ("lane", "measures"),
        ("person", "jürgen groß"),
        ("role", "commander"),
        ("item", "a&b=c #?%"),
        ("step", "contain[1]/cut"),
        ("playbook", "ransomware"),
        ("significant", "true"),
        ("failures", "true"),
        ("starred", "true"),
        ("q", "„Größe“ <script>+ü"),
        ("from", "2026-11-21T02:11:04.120Z"),
        ("to", "2026-11-21T05:00:00.000Z"),
    ];
    let filter = read(&parts);
    assert_eq!(filter.active(), parts.len());
    let query = filter.to_query();
    assert!(query.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%=&".contains(&byte)));
    let again: Vec<(String, String)> = query
        .split('&')
        .map(|part| part.split_once('=').unwrap())
        .map(|(name, value)| (name.to_owned(), unescaped(value)))
        .collect();
    let again: Vec<(&str, &str)> = again.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(again, parts);
    assert_eq!(read(&again), filter);
    assert_eq!((Filter::default().active(), Filter::default().to_query()), (0, String::new()));
}

fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'%' {
            bytes.push(u8::from_str_radix(std::str::from_utf8(&tail[..2]).unwrap(), 16).unwrap());
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn what_is_no_part_of_a_filter_is_refused() {
    for (name, value) in [
        ("lanes", "aid"),
        ("lane", "foo"),
        ("starred", "false"),
        ("significant", "1"),
        ("q", ""),
        ("q", "a\0b"),
        ("from", "yesterday"),
        ("to", "2026-11-21"),
        ("step", "a//b"),
        ("role", "king"),
        ("playbook", "A"),
    ] {
        assert!(Filter::default().set(name, value).is_err(), "{name}={value}");
    }
    let said = Filter::default().set("x", "y").unwrap_err().to_string();
    assert!(said.contains("`x`") && said.contains("significant"), "{said}");
}

#[test]
fn a_line_has_its_own_name() {
    let lines = lines();
    let ids: std::collections::BTreeSet<LineId> =
        lines.iter().filter_map(TimelineEntry::line).collect();
    assert!(ids.iter().any(|id| id.event() > 1), "{ids:?}");
}
