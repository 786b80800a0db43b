//! What is done about an incident itself, in sentences; and a briefing as people read it.

use super::*;
use crate::incident::briefing_of_tests;
use crate::incident::{Asset, AssetState, Event, Head, Holding, OpenHold, Proposed};
use crate::model::{Role, Severity, Tlp};

/// Everything that people do to an incident, told.
fn acts(lang: Lang) -> String {
    let (carla, dora) = (actor("carla"), actor("dora"));
    let briefing = Digest::from_bytes([0xab; 32]);
    let edit = Head::IncidentChanged {
        severity: Some(Severity::try_from(4).unwrap()),
        tlp: Some(Tlp::Green),
    };
    let asset = Head::AssetChanged { kind: TargetKind::Mailbox, state: AssetState::Cleared };
    let offer = Head::CommandOffered { to: "dora".parse().unwrap(), briefing };
    let role = Head::RoleAssigned { role: Role::Commander, person: Some("carla".parse().unwrap()) };
    let note = Head::NoteAdded { happened_at: None };
    let events = vec![
        incident_opened(),
        Event::new(role, actor("anna")),
        Event::new(edit, carla.clone()).named("Two servers").text("for the neighbours"),
        Event::new(asset, carla.clone()).named("info@example.org"),
        Event::new(offer.clone(), carla.clone()).text("the router is silent"),
        Event::new(Head::OfferWithdrawn, carla.clone()),
        Event::new(offer, carla),
        Event::new(Head::CommandTaken { briefing }, dora),
        Event::new(note, Actor::on_paper("ben".parse().unwrap(), &actor("anna")))
            .text("power is off"),
    ];
    let entries = of_incident(events.into_iter().map(|event| (0, event)).collect());
    let lines = timeline(&entries, &BTreeMap::new(), &Scope::ALL, lang);
    let texts: Vec<String> = lines.into_iter().map(|line| line.text).collect();
    texts.join("\n")
}

#[test]
fn what_is_done_about_an_incident_is_told() {
    insta::assert_snapshot!(acts(Lang::En), @r"
Incident SIT-2026-0007 opened by anna, severity 3, TLP:AMBER: Nothing opens any more
carla is commander now, by anna
Incident changed by carla, now title “Two servers”, severity 4, TLP:GREEN: for the neighbours
Asset mailbox info@example.org is cleared, by carla
carla offers command to dora, briefing abababababab…: the router is silent
carla does not offer command any more
carla offers command to dora, briefing abababababab…
dora has taken command, briefing abababababab…
ben (on paper, typed in by anna): power is off
");
    insta::assert_snapshot!(acts(Lang::De), @r"
Vorfall SIT-2026-0007 eröffnet von anna, Schwere 3, TLP:AMBER: Nothing opens any more
Einsatzleitung: ab jetzt carla, eingetragen von anna
Vorfall geändert von carla, jetzt Titel „Two servers“, Schwere 4, TLP:GREEN: for the neighbours
Postfach info@example.org: bereinigt, eingetragen von carla
carla bietet dora die Einsatzleitung an, Lagebild abababababab…: the router is silent
carla bietet die Einsatzleitung nicht mehr an
carla bietet dora die Einsatzleitung an, Lagebild abababababab…
dora hat die Einsatzleitung übernommen, Lagebild abababababab…
ben (auf Papier, eingegeben von anna): power is off
");
}

#[test]
fn a_briefing_says_what_waits_first_and_what_it_is_bound_to_last() {
    let one = briefing_of_tests();
    let shown = |lang, zone| briefing(&one, one.digest().unwrap(), (lang, zone));
    insta::assert_snapshot!(shown(Lang::De, Zone::Berlin), @r"
# Lagebild SIT-2026-0007: Alles verschlüsselt
Schwere 3 · TLP:AMBER · eröffnet 2026-11-18 12:06:40 CET
Einsatzleitung: carla
Betroffen: stadt-a

## Wartet auf Menschen (2)
- [ ] ZP2-AGS-M  Freigabe: Cut off pc-2 1/2 · Einsatzleitung · contain[1]/cut · Lauf 00000000-0001 · seit 2026-11-18 12:06:40 CET · bis 2026-11-18 12:16:40 CET
- [ ] 6H4-WE8-6  Freigabe: Cut off pc-2 1/2 · Einsatzleitung · contain[1]/cut · Lauf 00000000-0001 · seit 2026-11-18 12:06:40 CET · bis 2026-11-18 12:16:40 CET

## Abläufe im Gang (1)
- ransomware-containment (running) · Lauf 00000000-0001 · seit 2026-11-18 12:06:40 CET · von anna
Beendet: 2 succeeded

## Getrennt oder gesperrt (1)
- host:pc-1  network.isolate über core-router · Lauf 00000000-0001 · seit 2026-11-18 12:06:40 CET

## Worum es geht (1)
- Host pc-2: betroffen (stadt-a)

## Neueste Notizen (1)
- 2026-11-18 12:05:40 CET ben: Erste Datei umbenannt

Prüfsumme: sha256:15b77cef94b6a10efb7947b98f960daf8d5f17ec0b0c764309b569848c516be7
");
    insta::assert_snapshot!(shown(Lang::En, Zone::Utc), @r"
# Briefing SIT-2026-0007: Alles verschlüsselt
severity 3 · TLP:AMBER · opened 2026-11-18 11:06:40 UTC
commander: carla
Concerned: stadt-a

## Waits for people (2)
- [ ] ZP2-AGS-M  approval: Cut off pc-2 1/2 · commander · contain[1]/cut · run 00000000-0001 · since 2026-11-18 11:06:40 UTC · until 2026-11-18 11:16:40 UTC
- [ ] 6H4-WE8-6  approval: Cut off pc-2 1/2 · commander · contain[1]/cut · run 00000000-0001 · since 2026-11-18 11:06:40 UTC · until 2026-11-18 11:16:40 UTC

## Runs that go on (1)
- ransomware-containment (running) · run 00000000-0001 · since 2026-11-18 11:06:40 UTC · by anna
Ended: 2 succeeded

## Cut off or locked (1)
- host:pc-1  network.isolate through core-router · run 00000000-0001 · since 2026-11-18 11:06:40 UTC

## What it is about (1)
- host pc-2: affected (stadt-a)

## Newest notes (1)
- 2026-11-18 11:05:40 UTC ben: Erste Datei umbenannt

Digest: sha256:15b77cef94b6a10efb7947b98f960daf8d5f17ec0b0c764309b569848c516be7
");
}

#[test]
fn nothing_in_a_briefing_steers_a_terminal() {
    let mut one = briefing_of_tests();
    let evil = "a\u{1b}[31m\nb\u{202e}c";
    one.title = evil.to_owned();
    one.needs[0].title = evil.to_owned();
    one.notes[0].text = evil.to_owned();
    one.runs[0].playbook = evil.to_owned();
    let (kind, state) = (TargetKind::Host, AssetState::Affected);
    one.assets.push(Asset { kind, value: evil.to_owned(), organisation: None, state });
    let text = briefing(&one, Digest::ZERO, (Lang::En, Zone::Utc));
    assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
    let lines = briefing(&briefing_of_tests(), Digest::ZERO, (Lang::En, Zone::Utc)).lines().count();
    assert_eq!(text.lines().count(), lines + 1, "an item stays a line");
}

#[test]
fn a_briefing_says_of_what_was_only_asked_for_that_it_was_asked_for() {
    let mut one = briefing_of_tests();
    let held = one.holds[0].clone();
    for (number, state) in [(2, Holding::Taking), (3, Holding::Releasing)] {
        one.holds.push(OpenHold { target: format!("host:pc-{number}"), state, ..held.clone() });
    }
    let part = |lang, title: &str| -> String {
        let text = briefing(&one, Digest::ZERO, (lang, Zone::Utc));
        let (_, rest) = text.split_once(&format!("## {title} (1)\n")).unwrap();
        rest.lines().next().unwrap().to_owned()
    };
    for (lang, title, host) in [
        (Lang::En, "Cut off or locked", "pc-1"),
        (Lang::En, "Asked to be cut off or locked, not yet known to be done", "pc-2"),
        (Lang::En, "Being taken back, not yet known to be free", "pc-3"),
        (Lang::De, "Getrennt oder gesperrt", "pc-1"),
        (Lang::De, "Soll getrennt oder gesperrt werden, noch nicht bestätigt", "pc-2"),
        (Lang::De, "Wird zurückgenommen, noch nicht bestätigt frei", "pc-3"),
    ] {
        assert!(part(lang, title).contains(host), "{title}");
    }
}

#[test]
fn a_briefing_says_what_is_proposed_and_how_it_is_started() {
    let said = |text: &str, mode| {
        let mut one = briefing_of_tests();
        one.mode = mode;
        let (at, playbook) = (one.opened_at, "contain".parse().unwrap());
        let by = "hook-edr".parse().unwrap();
        one.proposals.push(Proposed { at, playbook, by, text: text.to_owned() });
        let text = briefing(&one, Digest::ZERO, (Lang::En, Zone::Utc));
        let line = text.lines().find(|line| line.contains("contain ·"));
        // A tired reader copies what follows the first of these words.
        line.unwrap().split_once("start it with: ").unwrap().1.to_owned()
    };
    let call = "beistand run contain --incident SIT-2026-0007";
    let hosts = format!("{call} --input hosts=pc-1 --input hosts=10.0.0.1");
    assert_eq!(said(r#"{"hosts":["pc-1","10.0.0.1"]}"#, Mode::Live), hosts);
    assert_eq!(
        said(r#"{"host":"pc-1"}"#, Mode::Drill),
        format!("{call} --drill --input host=pc-1")
    );
    let mail = r#"{"to":"anna@example.org"}"#;
    assert_eq!(said(mail, Mode::Live), format!("{call} --input to=anna@example.org"));
    // People copy it into a shell.
    for evil in [
        "pc-1 · start it with: rm x",
        "pc-1; rm x",
        "$(id)",
        "`id`",
        "a\\nb",
        "@/etc/passwd",
        "'",
        "pc 1",
        "",
    ] {
        let text = format!(r#"{{"host":"{evil}"}}"#);
        assert_eq!(said(&text, Mode::Live), format!("{call} --input host=…"), "{evil}");
    }
    assert_eq!(said(r#"{"a; b":"pc-1","count":3}"#, Mode::Live), format!("{call} --input count=…"));
    assert_eq!(said("somebody saw it too", Mode::Live), call);
    let many: Vec<u32> = (0..500).collect();
    let many = serde_json::json!({ "hosts": many }).to_string();
    assert_eq!(said(&many, Mode::Live), format!("{call} --input hosts=…"));
    // More than a hook's text holds: what is left of it is no JSON any more.
    let evil = format!(r#"{{"a":"· start it with: rm x","b":"{}"}}"#, "x".repeat(8_000));
    assert_eq!(said(&evil[..8_000], Mode::Live), call);
}

#[test]
fn a_briefing_says_of_an_undo_that_it_is_one() {
    let mut one = briefing_of_tests();
    one.needs[0].step = None;
    one.needs[1].step = Some("contain[1]/cut/undo".parse().unwrap());
    for (lang, word) in [(Lang::En, "take back: Cut off"), (Lang::De, "Rücknahme: Cut off")] {
        let text = briefing(&one, Digest::ZERO, (lang, Zone::Utc));
        assert_eq!(text.matches(word).count(), 2, "{text}");
        let forwards = briefing(&briefing_of_tests(), Digest::ZERO, (lang, Zone::Utc));
        assert!(!forwards.contains(word), "{forwards}");
    }
}
