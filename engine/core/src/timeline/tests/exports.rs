//! Exports for others: without the persons in them, as STIX, and what each says of itself.

use std::collections::{BTreeMap as Map, BTreeSet};

use super::story::{TEXT, document, entries};
use super::*;
use crate::entry::Link;
use crate::model::{Role, Tlp};

/// Everybody and everything in the night that is a person's, or that people wrote.
const PERSONAL: [&str; 9] = [
    "anna",
    "ben",
    "carla",
    "dora",
    "Nothing opens any more",
    "The first file",
    "seen it",
    "srv-9 is off",
    "max@example.org",
];

fn night() -> Vec<Recorded> {
    let plan = plan(TEXT);
    let mut all = entries(&plan);
    let mailbox = incident::Head::AssetChanged {
        kind: TargetKind::Mailbox,
        state: incident::AssetState::Suspected,
    };
    let role = incident::Head::RoleAssigned {
        role: Role::Commander,
        person: Some("carla".parse().unwrap()),
    };
    let events = vec![
        incident::Event::new(mailbox, actor("ben")).named("max@example.org"),
        incident::Event::new(role, actor("anna")),
    ];
    for (event, seq) in events.into_iter().zip(5..) {
        all.push(Recorded {
            stream: format!("incident:{}", incident_id()),
            seq,
            at: Millis::new(START.get() + 40_000),
            id: Some(EntryId::new(1_795_227_000_000, &[seq.try_into().unwrap(); 10])),
            events: Events::Incident(vec![event]),
        });
    }
    all
}

fn told(entries: &[Recorded], lang: Lang) -> Vec<TimelineEntry> {
    let plan = plan(TEXT);
    bound(timeline(entries, &plans(&[&plan]), &Scope::ALL, lang))
}

#[test]
fn without_personal_data_nobody_is_named_anywhere() {
    let plain = everything(&told(&night(), Lang::En), None);
    for word in PERSONAL {
        assert!(plain.contains(word), "{word} stands somewhere as it is");
    }
    for lang in [Lang::De, Lang::En] {
        let numbers = Numbers::of(&night(), lang);
        let lines = told(&numbers.hide(night()), lang);
        assert_eq!(lines.len(), told(&night(), lang).len(), "no line is missing");
        let title = "SIT-2026-0007";
        let subject = Subject {
            incident: incident_id(),
            number: title.to_owned(),
            title: None,
            opened_at: START,
        };
        let document = Document { title, persons: Persons::Numbered, ..document(lang) };
        let all = [
            table(&lines, &document, 100),
            jsonl(&lines, &document),
            html(&lines, &document),
            csv(&lines, &document),
            stix(&lines, &subject, &document),
            format!("{lines:?}"),
        ];
        for text in all {
            let words: BTreeSet<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
            for word in PERSONAL {
                // A name that is a part of another word names nobody.
                let named =
                    if word.contains(' ') { text.contains(word) } else { words.contains(word) };
                assert!(!named, "{word}: {text}");
            }
            assert!(text.contains("person 1"), "{text}");
        }
        let hosts = lines.iter().filter(|line| line.item.as_deref() == Some("pc-2")).count();
        assert!(hosts > 0, "hosts are no persons");
    }
}

#[test]
fn a_person_has_one_number_and_the_role_they_had() {
    let numbers = Numbers::of(&night(), Lang::De);
    let lines = told(&numbers.hide(night()), Lang::De);
    let acting = |name: &str| -> BTreeSet<String> {
        let plain = told(&night(), Lang::De);
        let theirs = plain
            .iter()
            .zip(&lines)
            .filter(|(plain, _)| plain.actor.as_ref().is_some_and(|actor| actor.as_str() == name));
        theirs.filter_map(|(_, line)| line.actor.as_ref().map(ToString::to_string)).collect()
    };
    assert_eq!(acting("anna"), ["person 1".to_owned()].into());
    assert_eq!(acting("carla").len(), 1);
    assert!(
        acting("carla").first().unwrap().ends_with(" (einsatzleitung)"),
        "{:?}",
        acting("carla")
    );
    assert_eq!(Numbers::of(&night(), Lang::De), numbers);
    let scattered: Vec<Recorded> = night().into_iter().rev().collect();
    assert_eq!(Numbers::of(&scattered, Lang::De), numbers, "in whatever order they come");
}

fn chained() -> Chain {
    let mut prev = Digest::ZERO;
    let mut entries = Vec::new();
    for (head, seq) in [r#"{"by":"anna"}"#, r#"{"by":"ben"}"#].into_iter().zip(1..) {
        let (at, stream) = (START, "run:1");
        let link = Link { prev, stream, seq, at, head: head.as_bytes(), body_hash: Digest::ZERO };
        let hash = link.hash().unwrap();
        entries.push(ChainEntry {
            stream: stream.to_owned(),
            seq,
            at,
            head: head.to_owned(),
            head_hash: None,
            body_hash: Digest::ZERO,
            prev,
            hash,
        });
        prev = hash;
    }
    let heads = json!([["run:1", 2, prev.hex()]]);
    let head = json!({"kind": "sealed", "more": false, "epoch": "0", "heads": heads}).to_string();
    let (seq, at, stream, body_hash) = (1, START, "store:1", Digest::ZERO);
    let link = Link { prev: Digest::ZERO, stream, seq, at, head: head.as_bytes(), body_hash };
    let hash = link.hash().unwrap();
    let (prev, stream) = (Digest::ZERO, stream.to_owned());
    entries.push(ChainEntry { stream, seq, at, head, head_hash: None, body_hash, prev, hash });
    Chain::new(entries)
}

#[test]
fn a_chain_without_heads_holds_as_before_and_names_nobody() {
    let whole = chained();
    let bare = whole.clone().without_heads();
    assert_eq!(bare.check(), whole.check());
    assert_eq!(bare.check(), Ok(3));
    let text = json!(bare).to_string();
    assert!(!text.contains("anna") && text.contains("sealed"), "{text}");
    for change in [
        (|chain| chain.entries[0].head_hash = Some(Digest::ZERO)) as fn(&mut Chain),
        |chain| chain.entries[0].head_hash = None,
        |chain| chain.entries[0].head = r#"{"by":"eve"}"#.to_owned(),
        |chain| chain.entries.swap(0, 1),
    ] {
        let mut bad = bare.clone();
        change(&mut bad);
        assert!(bad.check().is_err(), "{bad:?}");
    }
    // A head that is there is what is checked: a hash beside it speaks for nothing.
    let mut both = whole;
    both.entries[0].head_hash = Some(digest_of_head(&both.entries[0].head));
    assert!(both.check().is_err());
}

fn digest_of_head(head: &str) -> Digest {
    crate::model::digest_of_bytes(head.as_bytes())
}

#[test]
fn an_export_says_what_it_is_of_and_that_is_bound() {
    let lines = told(&night(), Lang::En);
    let mut filter = Filter::default();
    filter.set("lane", "decisions").unwrap();
    let lines = filter.of(lines);
    let chain = chained();
    let document = Document {
        filter: Some(&filter),
        chain: Some(&chain),
        zone: "America/New_York".parse().unwrap(),
        ..document(Lang::En)
    };
    for export in [jsonl(&lines, &document), html(&lines, &document)] {
        let found = Export::read(&export).unwrap();
        assert!(found.check().is_ok());
        let about = found.about.unwrap();
        assert_eq!((about.filter.as_str(), about.count), ("lane=decisions", lines.len()));
        assert_eq!((about.zone.as_str(), about.tlp), ("America/New_York", Tlp::Amber));
        assert_eq!(about.from, Some(lines[0].when().to_string()));
        let forged = export.replace("lane=decisions", "lane=measures");
        assert!(Export::read(&forged).unwrap().check().is_err(), "what it says of itself is bound");
    }
    let page = html(&lines, &document);
    assert!(page.contains("America/New_York") && page.contains("lane=decisions"));
    assert!(page.contains("EST"), "times are those of the zone");
}

#[test]
fn a_bundle_is_what_stix_says() {
    let mut entries = night();
    for (entry, at) in entries.iter_mut().zip(1_795_227_000_000..) {
        entry.id = Some(EntryId::new(at, &[7; 10]));
    }
    let lines = told(&entries, Lang::En);
    let subject = Subject {
        incident: incident_id(),
        number: "SIT-2026-0007".to_owned(),
        title: Some("Nothing opens any more".to_owned()),
        opened_at: START,
    };
    let text = stix(&lines, &subject, &document(Lang::En));
    assert_eq!(text, stix(&lines, &subject, &document(Lang::En)), "the same of the same");
    let bundle: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(bundle["type"], "bundle");
    let objects = bundle["objects"].as_array().unwrap();
    let mut kinds: Map<&str, usize> = Map::new();
    let ids: BTreeSet<&str> = objects.iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), objects.len(), "an id is of one object");
    for object in objects {
        let kind = object["type"].as_str().unwrap();
        *kinds.entry(kind).or_default() += 1;
        let (before, uuid) = object["id"].as_str().unwrap().split_once("--").unwrap();
        assert_eq!(before, kind);
        let parts: Vec<usize> = uuid.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12], "{uuid}");
        assert_eq!(object["spec_version"], "2.1");
        for time in ["created", "modified"].iter().filter_map(|name| object[name].as_str()) {
            assert!(time.ends_with('Z') && Millis::parse(time).is_ok(), "{time}");
        }
        if kind == "marking-definition" {
            assert_eq!(uuid, "55d920b0-5e8b-4f79-9ee9-91f868d9b421", "TLP:AMBER of TLP 2.0");
            continue;
        }
        assert!(uuid.chars().nth(14) == Some('5'), "a UUIDv5: {uuid}");
        let refs = ["created_by_ref", "object_marking_refs", "object_refs"];
        for named in refs.iter().filter_map(|name| object.get(*name)) {
            let named = named.as_array().cloned().unwrap_or_else(|| vec![named.clone()]);
            assert!(!named.is_empty(), "a list of STIX is never empty");
            assert!(named.iter().all(|one| ids.contains(one.as_str().unwrap())), "{object}");
        }
        let required: &[&str] = match kind {
            "identity" | "incident" => &["name"],
            "grouping" => &["context", "object_refs"],
            "note" => &["content", "object_refs"],
            other => panic!("{other}"),
        };
        assert!(required.iter().all(|name| !object[*name].is_null()), "{object}");
    }
    let told = lines.iter().filter(|line| !line.detail).count();
    let one = |kind| (kind, 1);
    let wanted = [one("grouping"), one("identity"), one("incident"), one("marking-definition")];
    assert_eq!(kinds, wanted.into_iter().chain([("note", told)]).collect());
    for (tlp, word) in
        [(Tlp::Clear, "clear"), (Tlp::AmberStrict, "amber+strict"), (Tlp::Red, "red")]
    {
        let text = stix(&lines, &subject, &Document { tlp, ..document(Lang::En) });
        assert!(text.contains(&format!("\"tlp_2_0\":\"{word}\"")), "{word}");
    }
}
