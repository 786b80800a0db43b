//! What holds of every flow, and some that are looked at.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::layout::{NODE_WIDTH, Part, Piece, layout};
use super::*;
use crate::draw::sample::{HOSTILE, golden, plan, words};
use crate::draw::svg::{Area, Point};

/// One of everything.
const ALL: &str = include_str!("sample.yaml");

const SHIPPED: [&str; 4] = [
    include_str!("../../../../playbooks/ransomware-containment/playbook.yaml"),
    include_str!("../../../../playbooks/compromised-account/playbook.yaml"),
    include_str!("../../../../playbooks/data-leak/playbook.yaml"),
    include_str!("../../../../playbooks/provider-compromised/playbook.yaml"),
];

const PICTURE: Access<'static> =
    Access::Group { title: "Ablauf", description: "Von oben nach unten." };

fn step(path: &str, kind: &str, status: &str) -> Value {
    json!({"path": path, "kind": kind, "status": status})
}

/// A run in the middle of its life.
fn run() -> Value {
    let mut cut: Vec<Value> = (0..20)
        .map(|index| {
            let status = match index {
                3 => "unknown",
                7 | 8 => "failed",
                15.. => "running",
                _ => "succeeded",
            };
            let mut step = step(&format!("attacked/contain[{index}]/cut"), "call", status);
            step["attempts"] = json!(if index == 5 { 4 } else { 1 });
            step
        })
        .collect();
    let mut contain = step("attacked/contain", "for_each", "running");
    contain["counts"] =
        json!({"total": 20, "succeeded": 12, "failed": 2, "skipped": 0, "cancelled": 0});
    let mut steps = vec![
        step("triage", "task", "succeeded"),
        step("pick", "switch", "succeeded"),
        step("serious", "note", "succeeded"),
        step("attacked", "group", "running"),
        contain,
        step("attacked/tell", "parallel", "waiting"),
        step("attacked/tell/mail/mail_staff", "call", "waiting-for-approval"),
        step("attacked/tell/log/log_it", "note", "succeeded"),
    ];
    steps[0]["late"] = json!(true);
    steps.append(&mut cut);
    json!({"id": "0199-run", "mode": "live", "status": "running", "steps": steps})
}

fn boxes(piece: &Piece<'_>) -> Vec<Area> {
    let boxes = piece.parts.iter().filter_map(|part| match part {
        Part::Node(area, _) => Some(*area),
        Part::Frame(area, _, head) => Some(Area { height: *head, ..*area }),
        Part::Aside(..) | Part::Edge(..) | Part::Label(..) | Part::Start(_) | Part::End(_) => None,
    });
    boxes.collect()
}

fn overlap(a: Area, b: Area) -> bool {
    a.x < b.right() && b.x < a.right() && a.y < b.bottom() && b.y < a.bottom()
}

/// Whether the inside of a box is touched by a part of a line that runs straight.
fn crosses(area: Area, (from, to): (Point, Point)) -> bool {
    let (left, right) = (from.x.min(to.x), from.x.max(to.x));
    let (top, bottom) = (from.y.min(to.y), from.y.max(to.y));
    left < area.right() && right > area.x && top < area.bottom() && bottom > area.y
}

fn holds(flow: &Flow, width: i32) {
    let words = words();
    let piece = layout(flow, &words, width);
    let boxes = boxes(&piece);
    for (index, one) in boxes.iter().enumerate() {
        assert!(one.x >= 0 && one.y >= 0, "{one:?}");
        assert!(one.right() <= piece.width && one.bottom() <= piece.height, "{one:?}");
        for other in boxes.iter().skip(index + 1) {
            assert!(!overlap(*one, *other), "{width}: {one:?} {other:?}");
        }
    }
    for part in &piece.parts {
        let Part::Edge(points, ..) = part else { continue };
        for (from, to) in points.iter().zip(points.iter().skip(1)) {
            assert!(from.x == to.x || from.y == to.y, "{width}: {points:?}");
            for point in [from, to] {
                let inside = (0..=piece.width).contains(&point.x);
                assert!(inside && (0..=piece.height).contains(&point.y), "{width}: {points:?}");
            }
            for area in &boxes {
                assert!(!crosses(*area, (*from, *to)), "{width}: {points:?} through {area:?}");
            }
        }
    }
}

#[test]
fn no_box_lies_on_another_and_no_line_runs_through_one() {
    for text in SHIPPED.into_iter().chain([ALL]) {
        let flow = of_plan(&plan(text), None, &words());
        for width in [200, 343, 500, 700, 900, 1200, 2000] {
            holds(&flow, width);
        }
    }
}

#[test]
fn a_narrow_page_has_one_column() {
    let flow = of_plan(&plan(ALL), None, &words());
    let narrow = layout(&flow, &words(), 343).width;
    let wide = layout(&flow, &words(), 1200).width;
    assert!(narrow < 2 * NODE_WIDTH && wide > 2 * NODE_WIDTH && wide <= 1200, "{narrow} {wide}");
}

#[test]
fn a_run_is_shown_where_somebody_has_to_look() {
    let flow = of_plan(&plan(ALL), Some(&run()), &words());
    let Inside::Sequence(inside) = &flow.blocks[2].inside else { panic!("no group") };
    let contain = &inside[0];
    assert_eq!(contain.status, Some(StepStatus::Running));
    assert!(contain.lines.contains(&"14 von 20 fertig · 2 fehlgeschlagen".to_owned()));
    let Inside::Rounds(steps) = &contain.inside else { panic!("no loop") };
    let cut = &steps[0];
    assert_eq!(cut.status, Some(StepStatus::Unknown));
    assert_eq!(
        cut.href.as_deref(),
        Some("/runs/0199-run/step?path=attacked%2Fcontain%5B3%5D%2Fcut")
    );
    let tally = ["1 Ausgang unbekannt", "2 fehlgeschlagen", "5 läuft", "12 erledigt"];
    assert_eq!(cut.lines[1..5], tally);
    assert!(cut.lines.contains(&"4 Versuche".to_owned()));
    // Of those that want to be looked at alike it is the first.
    let mut run = run();
    run["steps"][8 + 3]["status"] = json!("succeeded");
    let flow = of_plan(&plan(ALL), Some(&run), &words());
    let svg = super::flow(&flow, &words(), 1200, &PICTURE);
    assert!(svg.contains("contain%5B7%5D%2Fcut") && !svg.contains("contain%5B8%5D"), "{svg}");
    let Inside::Branches(cases) = &flow.blocks[1].inside else { panic!("no switch") };
    assert_eq!([cases[0].taken, cases[1].taken], [true, false]);
}

#[test]
fn it_is_drawn_as_it_was() {
    let (plan, words) = (plan(ALL), words());
    let before = of_plan(&plan, None, &words);
    golden("flow-plan-wide", &flow(&before, &words, 1200, &PICTURE));
    let running = of_plan(&plan, Some(&run()), &words);
    golden("flow-run-wide", &flow(&running, &words, 1200, &PICTURE));
    golden("flow-run-narrow", &flow(&running, &words, 343, &Access::Hidden));
    assert_eq!(flow(&running, &words, 700, &PICTURE), flow(&running, &words, 700, &PICTURE));
}

#[test]
fn what_stands_in_a_playbook_is_text() {
    let title = HOSTILE.replace('"', "\\\"").replace('\u{202e}', "");
    let text = format!(
        "playbook: x\nlanguage: 1\ntitle: X\nsteps:\n  - id: a\n    title: \"{title}\"\n    note: \"{title}\"\n"
    );
    let mut drawn = of_plan(&plan(&text), None, &words());
    drawn.blocks[0].title.push_str(HOSTILE);
    drawn.blocks[0].lines.push(HOSTILE.to_owned());
    drawn.blocks[0].href = Some(format!("/{HOSTILE}"));
    for access in [PICTURE, Access::Hidden, Access::Image { title: HOSTILE, description: HOSTILE }]
    {
        let svg = flow(&drawn, &words(), 700, &access);
        assert!(!svg.contains("<script") && !svg.contains('\u{202e}'), "{svg}");
        assert!(!svg.contains("style="), "{svg}");
    }
}

#[test]
fn the_largest_playbook_is_drawn_at_once() {
    // Blocks in blocks, as deep as may be, each with two branches and steps aside.
    let leaf = |id: usize| Block {
        kind: Kind::Note,
        title: format!("n{id}"),
        status: None,
        href: None,
        lines: Vec::new(),
        inside: Inside::Nothing,
        asides: vec![],
    };
    let mut block = leaf(0);
    for depth in 1..32 {
        let branch = |blocks| Branch { label: "b".to_owned(), taken: false, blocks };
        let mut outer = leaf(depth);
        outer.kind = Kind::Parallel;
        outer.asides = vec![Aside { why: Why::OnError, blocks: vec![leaf(100 + depth)] }];
        outer.inside = Inside::Branches(vec![branch(vec![block]), branch(vec![leaf(200 + depth)])]);
        block = outer;
    }
    let flow = Flow { blocks: vec![block], ..Flow::default() };
    holds(&flow, 343);
    holds(&flow, 1200);
    let mut text = String::from("playbook: x\nlanguage: 1\ntitle: X\nsteps:\n");
    for id in 0..1000 {
        let _written = writeln!(text, "  - {{ id: s{id}, note: x }}");
    }
    assert_eq!(of_plan(&plan(&text), None, &words()).blocks.len(), 1000);
}
