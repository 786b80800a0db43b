//! What holds of all lanes, and some that are looked at.

use super::pack::{Item, pack};
use super::*;
use crate::draw::sample::{HOSTILE, LANE_WORDS, golden};

const PICTURE: Access<'static> = Access::Group { title: "Zeitleiste", description: "" };

fn mark(at: u16, shape: Shape, text: &str) -> Mark {
    Mark {
        at: Place::new(at),
        shape,
        text: text.to_owned(),
        href: format!("#e-{at}"),
        starred: false,
        struck: false,
    }
}

fn lane(name: &str, marks: Vec<Mark>) -> Lane {
    Lane { name: name.to_owned(), marks }
}

/// Wire-frame E.
fn incident() -> Lanes {
    let to = Place::new;
    let star = |mark: Mark| Mark { starred: true, ..mark };
    let tick =
        |at, time: &str, day: &str| Tick { at: to(at), time: time.to_owned(), day: day.to_owned() };
    let deadline = |at, text: &str, missed| Deadline { at: to(at), text: text.to_owned(), missed };
    let mut marks = vec![
        mark(60, Shape::Bar(to(170)), "Konten sperren"),
        mark(150, Shape::Failure, "EDR antwortet nicht"),
        mark(165, Shape::Failure, "EDR antwortet nicht"),
        mark(180, Shape::Bar(to(330)), "Server vom Netz trennen"),
        mark(650, Shape::Onward(to(900)), "Clients trennen"),
    ];
    marks.extend((0..30).map(|index| mark(200 + index * 2, Shape::Point, "Ein Host getrennt")));
    Lanes {
        rows: vec![
            lane(
                "Lage",
                vec![
                    star(mark(10, Shape::Point, "EDR-Alarm auf fs01: Verschlüsselung")),
                    mark(130, Shape::Point, "Anruf der Kämmerei"),
                    Mark { struck: true, ..mark(300, Shape::Point, "37 Hosts betroffen") },
                ],
            ),
            lane(
                "Entscheidungen",
                vec![
                    star(mark(50, Shape::Decision, "Trennen freigegeben (2/2)")),
                    mark(640, Shape::Decision, "Meldung freigegeben"),
                ],
            ),
            lane("Maßnahmen", marks),
            lane(
                "Behörden",
                vec![mark(660, Shape::Point, "Erstmeldung an das BSI, 19 Stunden vor der Frist")],
            ),
            lane(
                "Amtshilfe",
                vec![
                    mark(120, Shape::Point, "Anfrage an KDN"),
                    mark(280, Shape::Decision, "bestätigt"),
                    mark(560, Shape::Bar(to(1000)), "2 Forensiker"),
                ],
            ),
            lane("System", vec![mark(230, Shape::Broken(to(260)), "Neustart, 8 s")]),
        ],
        ticks: vec![
            tick(0, "13:30", "Sa 21.11."),
            tick(200, "14:00", ""),
            tick(540, "18:00", ""),
            tick(740, "18:30", ""),
            tick(940, "19:00", ""),
        ],
        gaps: vec![Gap {
            from: to(420),
            to: to(500),
            text: "3 Std. 12 Min. ohne Eintrag".to_owned(),
        }],
        deadlines: vec![
            deadline(980, "Erstmeldung", false),
            deadline(600, "Stab unterrichten", true),
        ],
        histogram: (0_u32..50)
            .map(|index| match index {
                21..25 => Bin::default(),
                index => Bin { count: index * 7 % 11, failures: index % 3 },
            })
            .collect(),
        now: Some(to(900)),
    }
}

#[test]
fn it_is_drawn_as_it_was() {
    golden("lanes-wide", &lanes(&incident(), &LANE_WORDS, 1200, &PICTURE));
    golden("lanes-narrow", &lanes(&incident(), &LANE_WORDS, 343, &Access::Hidden));
}

#[test]
fn a_text_from_outside_is_text() {
    let mut incident = incident();
    let hostile = |text: &mut String| HOSTILE.clone_into(text);
    for lane in &mut incident.rows {
        hostile(&mut lane.name);
        for mark in &mut lane.marks {
            hostile(&mut mark.text);
            hostile(&mut mark.href);
        }
    }
    incident.ticks.iter_mut().for_each(|tick| hostile(&mut tick.time));
    incident.ticks.iter_mut().for_each(|tick| hostile(&mut tick.day));
    incident.gaps.iter_mut().for_each(|gap| hostile(&mut gap.text));
    incident.deadlines.iter_mut().for_each(|deadline| hostile(&mut deadline.text));
    for width in [1, 343, 1200] {
        let svg = lanes(&incident, &LANE_WORDS, width, &PICTURE);
        assert!(!svg.contains("<script") && !svg.contains('\u{202e}'), "{svg}");
        assert!(!svg.contains("<a ") && !svg.contains("style="), "{svg}");
    }
    let nothing = lanes(&Lanes::default(), &LANE_WORDS, 343, &PICTURE);
    assert!(nothing.starts_with("<svg") && nothing.ends_with("</svg>\n"), "{nothing}");
}

#[test]
fn what_stands_too_close_is_one_with_a_number_and_the_worst_of_it_shows() {
    let mut marks: Vec<Mark> = (0..500).map(|_| mark(500, Shape::Point, "one")).collect();
    marks[321] = mark(500, Shape::Failure, "the odd one");
    let lanes = Lanes { rows: vec![lane("x", marks)], ..Lanes::default() };
    let svg = super::lanes(&lanes, &LANE_WORDS, 1200, &PICTURE);
    assert!(svg.contains("498 Einträge, zuerst: the odd one"), "{svg}");
}

/// Numbers without an order that one could see, the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u16) -> u16 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u16::try_from((self.0 >> 33) % u64::from(end)).unwrap()
    }

    fn mark(&mut self) -> Mark {
        let at = self.below(1100);
        let to = Place::new(at + self.below(400));
        let shape = match self.below(6) {
            0 => Shape::Point,
            1 => Shape::Decision,
            2 => Shape::Failure,
            3 => Shape::Bar(to),
            4 => Shape::Onward(to),
            _ => Shape::Broken(to),
        };
        mark(at, shape, &"m".repeat(usize::from(self.below(60))))
    }
}

fn apart(items: &[Item<'_>]) {
    for (index, one) in items.iter().enumerate() {
        assert!(one.room >= one.right, "{one:?}");
        for other in items.iter().skip(index + 1).filter(|other| other.track == one.track) {
            assert!(one.room <= other.left || other.room <= one.left, "{one:?} {other:?}");
        }
    }
}

#[test]
fn nothing_lies_on_anything_else_and_nothing_is_lost() {
    let mut numbers = Numbers(1);
    for _ in 0..300 {
        let count = numbers.below(300);
        let marks: Vec<Mark> = (0..count).map(|_| numbers.mark()).collect();
        let width = 200 + i32::from(numbers.below(1300));
        let x = |place: Place| 10 + (width - 20) * i32::from(place.get()) / 1000;
        let packed = pack(&marks, &x, width);
        apart(&packed.points);
        apart(&packed.bars);
        let count: u32 = packed.points.iter().chain(&packed.bars).map(|item| item.count).sum();
        assert_eq!(usize::try_from(count).unwrap(), marks.len());
    }
}

#[test]
fn ten_thousand_entries_are_a_drawing_of_bounded_size() {
    let marks = |lane: u16| {
        let mark = |index: u16| mark(index % 1001, Shape::Point, "An entry as entries are written");
        (0..1700).map(|index: u16| mark(index.wrapping_mul(7919).wrapping_add(lane))).collect()
    };
    let all = (0..6).map(|index| lane("Maßnahmen", marks(index))).collect();
    let drawing = Lanes { rows: all, ..incident() };
    let svg = lanes(&drawing, &LANE_WORDS, 1200, &Access::Hidden);
    assert!(svg.len() < 600_000, "{}", svg.len());
}

#[test]
fn a_deadline_says_what_it_is_wherever_it_stands() {
    let deadline =
        |at| Deadline { at: Place::new(at), text: format!("Frist {at}"), missed: at % 2 == 0 };
    for at in [0, 1, 499, 500, 999, 1000] {
        let lanes = Lanes { deadlines: vec![deadline(at)], ..Lanes::default() };
        for width in [343, 1200] {
            let svg = super::lanes(&lanes, &LANE_WORDS, width, &PICTURE);
            assert!(svg.contains(&format!(">Frist {at}")), "{at} in {width}: {svg}");
        }
    }
    let many =
        Lanes { deadlines: (0..40).map(|at| deadline(500 + at)).collect(), ..Lanes::default() };
    let svg = lanes(&many, &LANE_WORDS, 343, &PICTURE);
    assert!((0..40).all(|at| svg.contains(&format!("<title>Frist {}", 500 + at))), "{svg}");
}
