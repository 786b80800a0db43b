//! How fast expressions are checked and evaluated: `cargo bench -p beistand-script`.

use beistand_core::playbook::{Expressions, Field, Names, ScriptKind, Type};
use beistand_script::{CountingAllocator, Scripts};
use divan::Bencher;
use serde_json::{Map, Value, json};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

fn main() {
    divan::main();
}

const EXPRESSIONS: [&str; 4] = [
    "incident.severity >= 3",
    "incident.severity >= 3 && incident.open",
    "`Incident ${incident.number}: ${incident.title}`",
    "hosts.filter(|host| host != \"pc-7\").len()",
];

#[expect(clippy::expect_used, reason = "the allocator is installed above")]
fn scripts() -> Scripts {
    Scripts::new().expect("the bench counts its memory")
}

fn values(text: &str) -> Map<String, Value> {
    let hosts: Vec<String> = (0..50).map(|n| format!("pc-{n}")).collect();
    let incident = json!({ "severity": 3, "open": true, "number": 17, "title": "Ransomware" });
    let all = [("incident", incident), ("hosts", json!(hosts))];
    let read = all.into_iter().filter(|(name, _)| text.contains(name));
    read.map(|(name, value)| (name.to_owned(), value)).collect()
}

#[divan::bench(args = EXPRESSIONS)]
fn evaluate(bencher: Bencher<'_, '_>, text: &str) {
    let (scripts, values) = (scripts(), values(text));
    bencher.bench(|| scripts.evaluate(text, ScriptKind::Expression, &values));
}

#[divan::bench(args = EXPRESSIONS)]
fn check(bencher: Bencher<'_, '_>, text: &str) {
    let scripts = scripts();
    let any = |name: &&str| ((*name).to_owned(), Field::present(Type::Any));
    let variables = ["incident", "hosts"].iter().map(any).collect();
    let names = Names { variables, ..Names::default() };
    bencher.bench(|| scripts.check(text, ScriptKind::Expression, &names));
}

#[divan::bench]
fn a_script_of_a_thousand_rounds(bencher: Bencher<'_, '_>) {
    let (scripts, values) = (scripts(), Map::new());
    let text = "let n = 0; for i in 0..1000 { n += i; } n";
    bencher.bench(|| scripts.evaluate(text, ScriptKind::Script, &values));
}
