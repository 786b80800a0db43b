//! Files and pages: their shape, their chain, and hostile texts in them.

use super::story::{TEXT, document, entries};
use super::*;
use crate::entry::Link;
use crate::model::{Organisation, Tlp, digest_of_bytes};

fn lines(lang: Lang) -> Vec<TimelineEntry> {
    let plan = plan(TEXT);
    timeline(&entries(&plan), &plans(&[&plan]), &Scope::ALL, lang)
}

/// Texts that want to be more than text.
const HOSTILE: [&str; 9] = [
    "<script>alert(1)</script>",
    "\"><svg/onload=alert(1)>",
    "</td></table><img src=x onerror=alert(1)>",
    "=HYPERLINK(\"http://evil.example\")",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\u{1b}[2J\u{1b}[31mall clear\u{7}",
    "invoice\u{202e}fdp.exe",
    "a\r\nSet-Cookie: x=y\u{0}",
    "</script><script>alert(2)</script>",
];

fn hostile_lines() -> Vec<TimelineEntry> {
    let mut events = vec![(0, incident_opened())];
    for (text, number) in HOSTILE.iter().zip(1..) {
        let note = incident::Head::NoteAdded { happened_at: None };
        events.push((number, incident::Event::new(note, actor("ben")).text(*text)));
        let asset = incident::Head::AssetChanged {
            kind: TargetKind::Host,
            state: incident::AssetState::Suspected,
        };
        let whose: Organisation = "=Stadt <b>".parse().unwrap();
        let line = crate::model::LineId::new(EntryId::new(1_795_227_000_000, &[9; 10]), 1);
        let eve = actor("=<script>alert(3)</script>");
        let mark = |head| incident::Event::new(head, eve.clone()).text(*text).named(*text);
        let mut corrects = mark(incident::Head::LineCorrected { line, happened_at: None });
        corrects.body.reason = Some((*text).to_owned());
        let (happened_at, place) = (None, None);
        let told = incident::Head::StoryTold { line, happened_at, place };
        let kept = incident::Head::EvidenceAdded { digest: Digest::ZERO, bytes: 1 };
        let changed = incident::Head::IncidentChanged { severity: None, tlp: None };
        events.extend([corrects, mark(told), mark(kept), mark(changed)].map(|one| (number, one)));
        events
            .push((number, incident::Event::new(asset, actor("ben")).named(*text).of(Some(whose))));
    }
    bound(timeline(&of_incident(events), &BTreeMap::new(), &Scope::ALL, Lang::En))
}

#[test]
fn hostile_texts_are_text_in_a_bundle_and_in_a_story() {
    let lines = hostile_lines();
    let (incident, opened_at) = (incident_id(), START);
    let title = Some(HOSTILE.join(" "));
    let subject = Subject { incident, number: "=<b>-1".to_owned(), title, opened_at };
    let told = story(&lines);
    assert_eq!(told.len(), 1);
    let said = json!(told).to_string();
    for text in [stix(&lines, &subject, &document(Lang::En)), said] {
        for hidden in ['\u{1b}', '\u{202e}', '\u{0}', '\r', '\n'] {
            assert!(!text.contains(hidden), "{hidden:?}");
        }
    }
    let bundle = stix(&lines, &subject, &document(Lang::En));
    assert!(!bundle.contains(['<', '>', '&']));
    assert!(serde_json::from_str::<Value>(&bundle).is_ok());
}

#[test]
fn hostile_texts_are_text_on_a_page() {
    let lines = hostile_lines();
    let title = HOSTILE.join(" ");
    let chain = chain(&title);
    let page = html(&lines, &Document { title: &title, chain: Some(&chain), ..document(Lang::En) });
    for tag in ["<script>", "<svg/", "<img", "onload=alert(1)>\"", "</script><script", "<b>"] {
        assert!(!page.contains(tag), "{tag}");
    }
    assert_eq!(page.matches("<script").count(), 1, "the chain and nothing else");
    assert_eq!(page.matches("<svg").count(), 1, "the lanes and nothing else");
    assert_eq!(page.matches("</script>").count(), 1);
    for hidden in ['\u{1b}', '\u{202e}', '\u{0}', '\r'] {
        assert!(!page.contains(hidden), "{hidden:?}");
    }
    assert_eq!(Export::read(&page).map(|export| export.chain), Ok(chain));
}

#[test]
fn hostile_texts_are_text_on_a_terminal_and_in_a_spreadsheet() {
    let lines = hostile_lines();
    let shown = table(&lines, &document(Lang::En), 80);
    assert!(!shown.chars().any(|c| c.is_control() && c != '\n'));
    assert!(!shown.contains('\u{202e}'));
    let file = csv(&lines, &document(Lang::En));
    assert_eq!(file.matches("\r\n").count(), lines.len() + 1, "no text ends a row");
    for row in file.split("\r\n") {
        for cell in row.split(',') {
            let cell = cell.trim_start_matches('"');
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{row}");
        }
    }
}

#[test]
fn a_line_of_json_has_what_timesketch_wants_first() {
    let file = jsonl(&lines(Lang::En), &document(Lang::En));
    let first: Vec<&str> = file.lines().take(6).collect();
    insta::assert_snapshot!(first.join("\n"), @r##"
{"message":"Incident SIT-2026-0007 opened by anna, severity 3, TLP:AMBER: Nothing opens any more","datetime":"2026-11-21T02:10:04.000Z","timestamp_desc":"recorded","recorded_at":"2026-11-21T02:10:04.000Z","lane":"detection","kind":"incident-opened","detail":false,"actor":"anna","mode":"drill","tlp":"AMBER","stream":"incident:01a1fbde-1cc0-7101-8101-010101010101","seq":1,"entry":"01a1fbde-1cc0-7909-8909-090909090909","line":"01a1fbde-1cc0-7909-8909-090909090909"}
{"message":"Asset host pc-1 is affected, by ben","datetime":"2026-11-21T02:10:34.000Z","timestamp_desc":"recorded","recorded_at":"2026-11-21T02:10:34.000Z","lane":"detection","kind":"asset-changed","detail":false,"targets":["pc-1"],"actor":"ben","organisation":"Stadt Hagen","mode":"drill","tlp":"AMBER","stream":"incident:01a1fbde-1cc0-7101-8101-010101010101","seq":2,"entry":"01a1fbde-1cc0-7909-8909-090909090909","line":"01a1fbde-1cc0-7909-8909-090909090909"}
{"message":"Asset host srv-9 is affected, by ben","datetime":"2026-11-21T02:10:35.000Z","timestamp_desc":"recorded","recorded_at":"2026-11-21T02:10:35.000Z","lane":"detection","kind":"asset-changed","detail":false,"targets":["srv-9"],"actor":"ben","organisation":"Kreis Olpe","mode":"drill","tlp":"AMBER","stream":"incident:01a1fbde-1cc0-7101-8101-010101010101","seq":3,"entry":"01a1fbde-1cc0-7909-8909-090909090909","line":"01a1fbde-1cc0-7909-8909-090909090909"}
{"message":"Contain ransomware: started by anna","datetime":"2026-11-21T02:11:04.000Z","timestamp_desc":"recorded","recorded_at":"2026-11-21T02:11:04.000Z","lane":"decisions","kind":"run-opened","detail":false,"run":"01a1fbdf-16c0-7101-8101-010101010101","playbook":"ransomware-containment","actor":"anna","value":{"hosts":["pc-1","pc-2","srv-9"]},"mode":"drill","tlp":"AMBER","stream":"run:01a1fbdf-16c0-7101-8101-010101010101","seq":1,"entry":"01a1fbdf-16c0-7101-8101-010101010101","line":"01a1fbdf-16c0-7101-8101-010101010101"}
{"message":"Contain ransomware: its steps begin","datetime":"2026-11-21T02:11:04.000Z","timestamp_desc":"recorded","recorded_at":"2026-11-21T02:11:04.000Z","lane":"system","kind":"section-started","detail":true,"run":"01a1fbdf-16c0-7101-8101-010101010101","playbook":"ransomware-containment","mode":"drill","tlp":"AMBER","stream":"run:01a1fbdf-16c0-7101-8101-010101010101","seq":1,"entry":"01a1fbdf-16c0-7101-8101-010101010101","line":"01a1fbdf-16c0-7101-8101-010101010101.2"}
{"message":"Attack or defect? task for the responder","datetime":"2026-11-21T02:11:04.000Z","timestamp_desc":"recorded","recorded_at":"2026-11-21T02:11:04.000Z","lane":"measures","kind":"need-opened","detail":false,"run":"01a1fbdf-16c0-7101-8101-010101010101","playbook":"ransomware-containment","path":"triage","mode":"drill","tlp":"AMBER","stream":"run:01a1fbdf-16c0-7101-8101-010101010101","seq":1,"entry":"01a1fbdf-16c0-7101-8101-010101010101","line":"01a1fbdf-16c0-7101-8101-010101010101.3","roles":["responder"]}
"##);
    for line in file.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        for field in ["message", "datetime", "timestamp_desc", "stream", "seq"] {
            assert!(!line[field].is_null(), "{field}");
        }
    }
}

#[test]
fn a_spreadsheet_has_a_row_for_each_line() {
    let file = csv(&lines(Lang::En), &document(Lang::En));
    let first: Vec<&str> = file.split("\r\n").take(5).collect();
    insta::assert_snapshot!(first.join("\n"), @r##"
recorded_at,happened_at,lane,kind,detail,message,organisation,actor,asserted,playbook,path,item,value,run,stream,seq,entry,account,proof,through,line,late_by_ms,failed,targets,roles,about,corrected_by,starred_by,local_time,export
2026-11-21T02:10:04.000Z,,detection,incident-opened,false,"Incident SIT-2026-0007 opened by anna, severity 3, TLP:AMBER: Nothing opens any more",,anna,false,,,,,,incident:01a1fbde-1cc0-7101-8101-010101010101,1,01a1fbde-1cc0-7909-8909-090909090909,,,,01a1fbde-1cc0-7909-8909-090909090909,,false,,,,,,2026-11-21 03:10:04 CET,"{""filter"":"""",""from"":""2026-11-21T00:11:04.000Z"",""to"":""2026-11-21T02:17:45.000Z"",""count"":28,""zone"":""Europe/Berlin"",""tlp"":""AMBER"",""persons"":""named"",""as_of"":""2026-11-21T02:19:24.000Z""}"
2026-11-21T02:10:34.000Z,,detection,asset-changed,false,"Asset host pc-1 is affected, by ben",Stadt Hagen,ben,false,,,,,,incident:01a1fbde-1cc0-7101-8101-010101010101,2,01a1fbde-1cc0-7909-8909-090909090909,,,,01a1fbde-1cc0-7909-8909-090909090909,,false,pc-1,,,,,2026-11-21 03:10:34 CET,
2026-11-21T02:10:35.000Z,,detection,asset-changed,false,"Asset host srv-9 is affected, by ben",Kreis Olpe,ben,false,,,,,,incident:01a1fbde-1cc0-7101-8101-010101010101,3,01a1fbde-1cc0-7909-8909-090909090909,,,,01a1fbde-1cc0-7909-8909-090909090909,,false,srv-9,,,,,2026-11-21 03:10:35 CET,
2026-11-21T02:11:04.000Z,,decisions,run-opened,false,Contain ransomware: started by anna,,anna,false,ransomware-containment,,,"{""hosts"":[""pc-1"",""pc-2"",""srv-9""]}",01a1fbdf-16c0-7101-8101-010101010101,run:01a1fbdf-16c0-7101-8101-010101010101,1,01a1fbdf-16c0-7101-8101-010101010101,,,,01a1fbdf-16c0-7101-8101-010101010101,,false,,,,,,2026-11-21 03:11:04 CET,
"##);
}

#[test]
fn a_line_says_how_who_acted_proved_it_and_marks_a_machine() {
    use crate::run::{Actor, Proof};
    let by = |name: &str, proof| Actor::proved(name.parse().unwrap(), proof);
    let acts = [
        by("anna", Proof::Passphrase).with_account("anna.duty".parse().unwrap()),
        by("hook-siem", Proof::Machine),
        by("ben", Proof::Telephone).through("carl".parse().unwrap()),
        actor("dora"),
    ];
    let note = |(number, actor)| {
        let head = incident::Head::NoteAdded { happened_at: None };
        (number, incident::Event::new(head, actor).text("seen"))
    };
    let events = [(0, incident_opened())].into_iter().chain((1..).zip(acts).map(note));
    let lines = timeline(&of_incident(events.collect()), &BTreeMap::new(), &Scope::ALL, Lang::En);
    let said: Vec<Value> = jsonl(&lines[1..], &document(Lang::En))
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let fields = ["actor", "account", "proof", "through"];
    let shown: Vec<Value> =
        said.iter().map(|line| fields.iter().map(|field| line[*field].clone()).collect()).collect();
    assert_eq!(
        shown,
        [
            json!(["anna", "anna.duty", "passphrase", null]),
            json!(["hook-siem", null, "machine", null]),
            json!(["ben", null, "telephone", "carl"]),
            json!(["dora", null, null, null]),
        ]
    );
    assert!(said[1]["message"].as_str().unwrap().contains("hook-siem (machine)"), "{}", said[1]);
    let file = csv(&lines[1..], &document(Lang::En));
    let parts = [",anna.duty,passphrase,,", ",,machine,,", ",,telephone,carl,", ",,,,"];
    for (row, part) in file.split("\r\n").skip(1).zip(parts) {
        assert!(row.contains(part), "{row}");
    }
}

#[test]
fn a_page_needs_nothing_else_and_says_that_it_was_a_drill() {
    let lines = lines(Lang::De);
    let page = html(&lines, &document(Lang::De));
    let body = page.split("<body>").nth(1).unwrap();
    let (before, rest) = body.split_once("<svg").unwrap();
    let (drawn, after) = rest.split_once("</svg>\n").unwrap();
    assert!(drawn.contains(">Maßnahmen</text>") && !drawn.contains("<a"), "{drawn}");
    let head: Vec<&str> = before.lines().chain(after.lines()).take(12).collect();
    insta::assert_snapshot!(head.join("\n"), @r##"
<p class="drill">ÜBUNG</p>
<h1>Zeitleiste · SIT-2026-0007 Nothing opens any more</h1>
<p>TLP:AMBER · Stand Sa 21.11.2026, 03:19:24 MEZ · 28 Einträge</p>
<p>Zeitzone Europe/Berlin</p>
<p class="seal">Noch nicht gesiegelt</p>
<input type="checkbox" id="all"> <label for="all">Einzelheiten zeigen</label>
<table>
<thead><tr><th scope="col">Zeit</th><th scope="col">Art</th><th scope="col">Ereignis</th><th scope="col">Protokoll</th></tr></thead>
<tbody>
<tr><th scope="rowgroup" colspan="4">Sa 21.11.2026, MEZ</th></tr>
<tr><td><time datetime="2026-11-21T02:10:04.000Z">03:10:04</time></td><td>Erkennung</td><td>Vorfall SIT-2026-0007 eröffnet von anna, Schwere 3, TLP:AMBER: Nothing opens any more</td><td class="more"><a href="#e-incident-01a1fbde-1cc0-7101-8101-010101010101-1" id="e-incident-01a1fbde-1cc0-7101-8101-010101010101-1">incident:01a1fbde 1</a></td></tr>
"##);
    assert_eq!(page.matches("ÜBUNG").count(), 3);
    for outside in ["http://", "https://", "url(", "<link", "<img", "<iframe"] {
        assert!(!page.contains(outside), "{outside}");
    }
    let ids: Vec<&str> =
        page.split(" id=\"").skip(1).filter_map(|at| at.split('"').next()).collect();
    let distinct: std::collections::BTreeSet<&&str> = ids.iter().collect();
    assert_eq!((ids.len(), distinct.len()), (lines.len() + 1, lines.len() + 1));
}

/// A chain of two entries and a seal over them.
fn chain(text: &str) -> Chain {
    let entry = |stream: &str, seq: u64, prev: Digest, head: String| {
        let at = Millis::new(START.get() + 1);
        let link = Link { prev, stream, seq, at, head: head.as_bytes(), body_hash: Digest::ZERO };
        let hash = link.hash().unwrap();
        ChainEntry {
            stream: stream.to_owned(),
            seq,
            at,
            body_hash: Digest::ZERO,
            prev,
            hash,
            head,
            head_hash: None,
        }
    };
    let one = entry("run:1", 1, Digest::ZERO, json!({"text": text}).to_string());
    let two = entry("run:1", 2, one.hash, "{}".to_owned());
    let heads = json!([["run:1", 2, two.hash.hex()], ["run:other", 9, Digest::ZERO.hex()]]);
    let head = json!({"kind": "sealed", "more": false, "epoch": "0", "heads": heads}).to_string();
    let seal = entry("store:1", 1, Digest::ZERO, head);
    Chain::new(vec![one, two, seal])
}

#[test]
fn an_export_carries_its_chain_and_the_chain_holds() {
    let chain = chain("x");
    let document = Document { chain: Some(&chain), ..document(Lang::De) };
    for export in [jsonl(&lines(Lang::De), &document), html(&lines(Lang::De), &document)] {
        let found = Export::read(&export).unwrap();
        assert_eq!(found.chain, chain);
        let lines = export.lines().count() - 1;
        assert_eq!(found.check(), Ok(InOrder { entries: 3, sealed: 3, lines }));
    }
    assert!(html(&[], &document).contains(&chain.seal.as_ref().unwrap().hash.hex()));
    let without = Document { chain: None, ..document };
    assert!(Export::read(&jsonl(&lines(Lang::De), &without)).is_err());
    assert!(Export::read("").is_err());
}

/// Something that somebody does to an export.
type Change = fn(&mut Chain);

#[test]
fn every_change_of_a_chain_is_found() {
    let changes: [(&str, Change); 12] = [
        ("a byte of a head", |chain| chain.entries[0].head.push(' ')),
        ("a body", |chain| chain.entries[1].body_hash = Digest::from_bytes([1; 32])),
        ("an instant", |chain| chain.entries[1].at = Millis::new(0)),
        ("a missing entry", |chain| drop(chain.entries.remove(0))),
        ("two swapped entries", |chain| chain.entries.swap(0, 1)),
        ("a cut tail", |chain| drop(chain.entries.remove(1))),
        ("a missing stream", |chain| drop(chain.entries.drain(..2))),
        ("a stream that is not named", |chain| drop(chain.streams.remove(0))),
        ("a cut tail that the seal shows", |chain| {
            chain.entries.remove(1);
            *chain = Chain::new(std::mem::take(&mut chain.entries));
        }),
        ("another seal", |chain| chain.seal.as_mut().unwrap().head = r#"{"heads":[]}"#.to_owned()),
        ("no seal", |chain| chain.seal = None),
        ("a seal of nothing", |chain| {
            chain.seal = Some(chain.entries[0].clone());
        }),
    ];
    for (what, change) in changes {
        let mut bad = chain("x");
        change(&mut bad);
        assert!(matches!(bad.check(), Err(ChainError::Broken { .. })), "{what}");
    }
    // Rewritten from its first byte on, it still is not what was sealed.
    let mut forged = chain("y");
    let sealed = chain("x").entries.pop().unwrap();
    forged.entries.pop();
    forged.entries.push(sealed);
    assert!(Chain::new(forged.entries).check().is_err());
}

#[test]
fn what_came_after_the_newest_seal_is_not_counted_as_sealed() {
    let mut entries = chain("x").entries;
    let head = "{}".to_owned();
    let (stream, prev, body_hash) = ("run:1".to_owned(), entries[1].hash, Digest::ZERO);
    let at = START;
    let link =
        Link { prev, stream: &stream, seq: 3, at, head: head.as_bytes(), body_hash: Digest::ZERO };
    let hash = link.hash().unwrap();
    entries
        .insert(2, ChainEntry { stream, seq: 3, at, head, head_hash: None, body_hash, prev, hash });
    let chain = Chain::new(entries);
    assert_eq!((chain.check(), chain.entries.len()), (Ok(3), 4));
}

#[test]
fn every_change_of_a_line_is_found_and_its_place_named() {
    let chain = chain("x");
    let document = Document { chain: Some(&chain), ..document(Lang::De) };
    for export in [jsonl(&lines(Lang::De), &document), html(&lines(Lang::De), &document)] {
        let written: Vec<&str> = export.lines().collect();
        let found = |lines: &[&str]| Export::read(&lines.join("\n")).unwrap().check();
        let bad = |line, why| Err(ChainError::Line { line, why });
        assert!(found(&written).is_ok());
        for index in [0, 3, 12] {
            let mut lines = written.clone();
            lines[index] = "{}";
            assert_eq!(found(&lines), bad(index + 1, "was changed"));
            lines.remove(index);
            assert_eq!(found(&lines), bad(index + 1, "is missing"));
            lines.insert(index, "{}");
            lines.insert(index, written[index]);
            assert_eq!(found(&lines), bad(index + 2, "was added"));
            let mut lines = written.clone();
            lines.swap(index, index + 1);
            assert_eq!(found(&lines), bad(index + 1, "stands in the wrong place"));
        }
    }
}

#[test]
fn a_line_and_its_digest_changed_together_are_found_by_the_one_digest() {
    let chain = chain("x");
    let document = Document { chain: Some(&chain), ..document(Lang::De) };
    let export = jsonl(&lines(Lang::De), &document);
    let (first, rest) = export.split_once('\n').unwrap();
    let changed = first.replace("severity", "modesty").replace("eröffnet", "geschlossen");
    let digest = |line: &str| digest_of_bytes(line.as_bytes()).to_string();
    let forged = format!("{changed}\n{}", rest.replace(&digest(first), &digest(&changed)));
    assert_ne!(first, changed);
    assert_eq!(Export::read(&forged).unwrap().check(), Err(ChainError::Digest));
}

#[test]
fn a_checklist_has_a_box_for_each_step_and_room_to_write() {
    let plan = plan(TEXT);
    let paper = checklist(&plan, &Catalogue::first(), None, Lang::De);
    insta::assert_snapshot!(paper.replace(&plan.digest().hex()[..12], "[digest]"), @r##"
# Checkliste: Contain ransomware

Ablauf `ransomware-containment` · TLP:AMBER · `[digest]`
- Vorgaben Hosts (`hosts`): ________________

- [ ] **Attack or defect?** · Zeit ________ Kürzel ______
    Aufgabe: Einsatzkräfte: Look at two of the hosts.
    Eintragen: It is an attack ________________
- [ ] **Cut the affected hosts off** · Zeit ________ Kürzel ______
    Freigabe: Einsatzleitung ____________ ____________
    Für jeden Eintrag von: `inputs.hosts`
    - [ ] **Cut off** · Zeit ________ Kürzel ______
        Von Hand: Cut ‹host› off. Keep it powered. Say what you did.
- [ ] **Tell everybody** · Zeit ________ Kürzel ______
    Von Hand: Send a mail to a@example.org, subject: Incident. Text: Stay away

## Wenn der Ablauf fehlschlägt

- [ ] **call_commander** · Zeit ________ Kürzel ______
    Aufgabe: Einsatzleitung: Decide by hand.

Notizen:
"##);
    assert_eq!(paper.matches("- [ ]").count(), plan.nodes().count());
    assert_eq!(document(Lang::De).tlp, Tlp::Amber);
}
