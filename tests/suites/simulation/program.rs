//! Random playbooks: every step kind and modifier, small enough to be driven a thousand times.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use beistand_core::model::{Catalogue, PlaybookName};
use beistand_core::playbook::{CheckRequest, Plan, SourceText, check};
use beistand_script::Scripts;

use super::chance::Dice;

/// A playbook that a schedule drives, with its text for whoever reads a failure.
#[derive(Debug, Clone)]
pub(super) struct Program {
    pub(super) text: String,
    pub(super) plan: Arc<Plan>,
}

const SUB: &str = "
playbook: sub
language: 1
title: A part
inputs: { host: { type: string, format: host } }
steps:
  - id: sub_note
    note: sub
  - id: sub_cut
    call: network.isolate
    with: { host: \"${inputs.host}\" }
    retry: { attempts: 2, initial: 1s }
  - id: sub_mail
    call: mail.send
    with: { to: [a@example.org], subject: s, text: t }
outputs: { state: steps.sub_cut.output.state }
";

/// Programs until there are `count`; texts that the check refuses are thrown away.
pub(super) fn programs(seed: u64, count: usize) -> Vec<Program> {
    let (catalogue, scripts) = (Catalogue::first(), Scripts::without_budget());
    let mut library: BTreeMap<PlaybookName, SourceText> = BTreeMap::new();
    library.insert("sub".parse().unwrap(), SourceText::new("sub.yaml", SUB));
    let mut dice = Dice::new(seed);
    let mut programs = Vec::new();
    let mut tries = 0;
    while programs.len() < count {
        tries += 1;
        assert!(tries < count * 20 + 100, "the grammar makes too many faulty playbooks");
        let text = Writer::new(&mut dice).playbook();
        let source = SourceText::new("random.yaml", text.as_str());
        let (plan, findings) = check(CheckRequest {
            source: &source,
            catalogue: &catalogue,
            library: &library,
            expressions: &scripts,
        });
        match plan {
            Some(plan) => programs.push(Program { text, plan: Arc::new(plan) }),
            None if std::env::var_os("BEISTAND_GRAMMAR").is_some() => {
                eprintln!("{findings:#?}\n{text}");
            }
            None => {}
        }
    }
    programs
}

struct Writer<'d> {
    dice: &'d mut Dice,
    text: String,
    next: usize,
    left: usize,
    cuts: Vec<String>,
}

/// Where a step stands: what may be used there.
#[derive(Clone, Copy)]
struct Here {
    indent: usize,
    depth: usize,
    looped: Option<usize>,
    any: bool,
}

impl Here {
    fn inside(self) -> Self {
        Self { indent: self.indent + 6, depth: self.depth + 1, ..self }
    }
}

impl<'d> Writer<'d> {
    fn new(dice: &'d mut Dice) -> Self {
        let left = 3 + dice.below(6);
        Self { dice, text: String::new(), next: 0, left, cuts: Vec::new() }
    }

    fn playbook(mut self) -> String {
        self.text.push_str(
            "playbook: random\nlanguage: 1\ntitle: Random\ninputs:\n  \
             hosts: { type: array, items: { type: string, format: host } }\n  \
             yes: { type: boolean, default: true }\n  no: { type: boolean, default: false }\nsteps:\n",
        );
        let top = Here { indent: 2, depth: 0, looped: None, any: false };
        self.list(top);
        while self.left > 0 {
            self.step(top);
        }
        if self.dice.once_in(3) {
            self.text.push_str("on_failure:\n");
            self.leaf(top);
        }
        if self.dice.once_in(3) {
            self.text.push_str("always:\n");
            self.leaf(top);
        }
        self.text
    }

    fn list(&mut self, here: Here) {
        for _ in 0..=self.dice.below(3) {
            self.step(here);
        }
    }

    fn line(&mut self, here: Here, line: &str) {
        writeln!(self.text, "{:1$}{line}", "", here.indent).unwrap();
    }

    fn id(&mut self, here: Here) -> String {
        self.next += 1;
        let id = format!("s{}", self.next);
        self.line(here, &format!("- id: {id}"));
        id
    }

    fn step(&mut self, here: Here) {
        self.left = self.left.saturating_sub(1);
        if here.depth > 2 || self.left == 0 || self.dice.below(10) < 6 {
            self.leaf(here);
        } else {
            self.block(here);
        }
    }

    fn modifiers(&mut self, here: Here) {
        if self.dice.once_in(8) {
            let when = *self.dice.pick(&["inputs.yes", "inputs.no"]);
            self.line(here, &format!("  when: {when}"));
        }
        if self.dice.once_in(10) {
            self.line(here, "  within: 20s");
        }
    }

    fn on_error(&mut self, here: Here) {
        match self.dice.below(8) {
            0 => self.line(here, "  on_error: fail"),
            1 => self.line(here, "  on_error: continue"),
            2 => {
                self.next += 1;
                let id = self.next;
                self.line(here, &format!("  on_error: [{{ id: h{id}, note: handled }}]"));
            }
            _ => {}
        }
    }

    fn leaf(&mut self, here: Here) {
        match self.dice.below(16) {
            0..=3 if !here.any => self.cut(here),
            0..=5 => self.message(here),
            6 => self.plain(here, "call: network.state\nwith: { host: pc-1 }"),
            7 => self.plain(here, "note: something happened"),
            8 => self.plain(here, "script: |\n  1 + 1"),
            9 => self.plain(here, "wait: 10s"),
            10 => {
                let role = if self.dice.once_in(2) { ", role: responder" } else { "" };
                self.plain(here, &format!("wait: {{ signal: go{role} }}"));
            }
            11 => self.plain(
                here,
                "task: { role: responder, instructions: look, form: { ok: { type: boolean } } }",
            ),
            12 => self.plain(here, "approve: { role: commander, votes: 2 }"),
            13 if !here.any => self.plain(here, "playbook: sub\nwith: { host: pc-2 }"),
            14 if here.depth == 0 && !self.cuts.is_empty() => {
                let cut = self.dice.pick(&self.cuts).clone();
                self.plain(here, &format!("undo: [{cut}]"));
            }
            15 if self.dice.once_in(3) => {
                let word = *self.dice.pick(&["fail", "end"]);
                self.id(here);
                self.line(here, "  when: inputs.yes");
                self.line(here, &format!("  {word}: so be it"));
            }
            _ => self.plain(here, "note: nothing happened"),
        }
    }

    fn plain(&mut self, here: Here, body: &str) {
        self.id(here);
        self.modifiers(here);
        for line in body.lines() {
            self.line(here, &format!("  {line}"));
        }
    }

    fn cut(&mut self, here: Here) {
        let id = self.id(here);
        if here.depth == 0 {
            self.cuts.push(id);
        }
        self.modifiers(here);
        let host = match here.looped {
            Some(depth) => format!("\"${{item{depth}}}\""),
            None => (*self.dice.pick(&["pc-1", "pc-2", "pc-3"])).to_owned(),
        };
        self.line(here, "  call: network.isolate");
        self.line(here, &format!("  with: {{ host: {host} }}"));
        let attempts = 1 + self.dice.below(3);
        self.line(here, &format!("  retry: {{ attempts: {attempts}, initial: 1s }}"));
        if self.dice.once_in(5) {
            self.line(here, "  approval: { role: commander, votes: 1 }");
        }
        match self.dice.below(8) {
            0 => self.line(here, "  undo: none"),
            1 => {
                self.next += 1;
                let id = self.next;
                self.line(here, &format!("  undo: [{{ id: u{id}, note: taken back }}]"));
            }
            2 => self.line(here, "  once_per_incident: true"),
            _ => {}
        }
        self.on_error(here);
    }

    fn message(&mut self, here: Here) {
        self.id(here);
        self.modifiers(here);
        if self.dice.below(3) == 0 {
            self.line(here, "  call: ticket.open");
            self.line(here, "  with: { title: t, text: x }");
        } else {
            self.line(here, "  call: mail.send");
            self.line(here, "  with: { to: [a@example.org], subject: s, text: t }");
            if self.dice.once_in(4) {
                self.line(here, "  on_unknown: repeat");
            }
        }
        self.line(here, "  retry: { attempts: 2, initial: 1s }");
        self.on_error(here);
    }

    fn block(&mut self, here: Here) {
        self.id(here);
        self.modifiers(here);
        match self.dice.below(6) {
            0 => {
                if self.dice.once_in(3) {
                    self.line(here, "  approval: { role: commander, votes: 2 }");
                }
                if self.dice.once_in(3) {
                    self.next += 1;
                    let id = self.next;
                    self.line(here, &format!("  always: [{{ id: a{id}, note: at last }}]"));
                }
                self.line(here, "  group:");
                self.list(here.inside());
            }
            1 => self.parallel(here),
            2 | 3 => self.each(here),
            4 => {
                self.line(here, "  switch:");
                self.line(here, "    - when: inputs.no");
                self.line(here, "      steps:");
                self.leaf(Here { indent: here.indent + 8, ..here.inside() });
                self.line(here, "    - otherwise:");
                self.list(Here { indent: here.indent + 8, ..here.inside() });
            }
            _ => {
                let until = *self.dice.pick(&["inputs.yes", "inputs.yes", "inputs.no"]);
                let every = if self.dice.once_in(2) { ", every: 5s" } else { "" };
                self.line(here, "  repeat:");
                self.line(here, &format!("    until: {until}"));
                let max = 1 + self.dice.below(3);
                self.line(here, &format!("    max: {max}"));
                if !every.is_empty() {
                    self.line(here, "    every: 5s");
                }
                self.line(here, "  steps:");
                self.leaf(Here { indent: here.indent + 4, ..here.inside() });
            }
        }
        self.on_error(here);
    }

    fn parallel(&mut self, here: Here) {
        let any = self.dice.once_in(3);
        if any {
            self.line(here, "  join: any");
        }
        self.line(here, "  parallel:");
        for name in ["left", "right"] {
            self.line(here, &format!("    {name}:"));
            self.list(Here { any: here.any || any, ..here.inside() });
        }
    }

    fn each(&mut self, here: Here) {
        self.line(here, "  for_each: inputs.hosts");
        self.line(here, &format!("  as: item{}", here.depth));
        let places = 1 + self.dice.below(3);
        self.line(here, &format!("  max_parallel: {places}"));
        match self.dice.below(4) {
            0 => self.line(here, "  tolerate: 1"),
            1 => self.line(here, "  tolerate: 50%"),
            _ => {}
        }
        if self.dice.once_in(3) {
            self.line(here, "  approval: { role: commander, votes: 2 }");
        }
        self.line(here, "  steps:");
        self.list(Here { indent: here.indent + 4, looped: Some(here.depth), ..here.inside() });
    }
}
