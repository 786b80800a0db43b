//! Real hosts: the binary stands on a management node, cuts hosts off through a router over SSH,
//! writes a mail, is killed in between, and takes back what it did.

use std::fmt::Write as _;
use std::time::Duration;

use beistand_tests::network::{HOSTS, Network, Talk};
use beistand_tests::smtp::{MailPlan, MailServer, Security, USER as MAIL_USER};
use beistand_tests::sshd::{Sshd, USER};
use serde_json::{Value, json};

use crate::desk::{ANNA, BEN, Desk, announced, step, text};

const SOON: Duration = Duration::from_secs(5);
/// How long nothing must come through.
const BRIEF: Duration = Duration::from_millis(700);
const ECHO: u16 = 7;
const MAIL_PASSWORD: &str = "s3cret-of-the-relay";

const CONTAIN: &str = r#"
playbook: contain
language: 1
title: Cut hosts off
inputs:
  hosts: { type: array, items: { type: string, format: host }, minItems: 1 }
steps:
  - id: contain
    for_each: inputs.hosts
    as: host
    steps:
      - id: cut
        call: network.isolate
        with: { host: "${host}", reason: "${incident.title}" }
  - id: tell
    call: mail.send
    with:
      to: [krisenstab@example.org]
      subject: "Störung ${incident.number}"
      text: "${steps.contain.counts.succeeded} von ${steps.contain.counts.total} Rechnern sind getrennt: ${join(inputs.hosts, \", \")}."
"#;

/// What `contain` does to one host, and no mail.
const CUT: &str = r#"
playbook: cut
language: 1
title: Cut a host off
inputs:
  host: { type: string, format: host }
steps:
  - id: cut
    call: network.isolate
    with: { host: "${inputs.host}" }
"#;

/// A provider's network with everything that takes part.
struct World {
    desk: Desk,
    network: Network,
    relay: MailServer,
    router: Sshd,
}

impl World {
    fn build() -> Self {
        let network = Network::build().unwrap();
        let router = Sshd::start(network.router(), network.router().v4()).unwrap();
        let management = network.management();
        let relay = MailPlan::new(Security::StartTls).with_password(MAIL_PASSWORD).on(management);
        let relay = relay.start().unwrap();
        let desk = Desk::new().on(management);
        desk.write("contain.yaml", CONTAIN);
        desk.write("cut.yaml", CUT);
        let mut hosts = String::from("name,addresses,organisation\n");
        for number in 1..=HOSTS {
            let host = network.host(number).unwrap();
            writeln!(hosts, "pc-{number},{};{},stadt-a", host.v4(), host.v6()).unwrap();
            host.echo(ECHO).unwrap();
        }
        desk.write("hosts.csv", &hosts);
        let world = Self { desk, network, relay, router };
        world.warm_up();
        world.desk.configure(&world.configured(&json!(["dc01"])));
        world
    }

    /// IPv6 finds its neighbours at leisure; afterwards silence means that somebody was cut off.
    fn warm_up(&self) {
        for from in 1..=HOSTS {
            for to in (1..=HOSTS).filter(|to| *to != from) {
                let to = self.network.host(to).unwrap();
                self.network.host(from).unwrap().talk_to(to.v6(), ECHO, SOON * 2).unwrap();
            }
        }
    }

    fn configured(&self, never: &Value) -> Value {
        let (router, relay) = (self.router.address(), self.relay.address());
        json!({
            "inventory": ["hosts.csv"],
            "guard": { "never": never },
            "connectors": {
                "router": {
                    "kind": "nftables-ssh", "host": router.ip(), "port": router.port(),
                    "user": USER, "key": { "file": self.router.key() },
                    "known_hosts": self.router.known_hosts(),
                },
                "relay": {
                    "kind": "smtp", "host": relay.ip(), "port": relay.port(), "tls": "starttls",
                    "ca": self.relay.authority(), "user": MAIL_USER,
                    "password": { "env": "RELAY_PASSWORD" }, "from": "beistand@example.org",
                },
            },
        })
    }

    /// A call of somebody who drives runs: the relay's password is in the environment.
    fn drive(&self, words: &[&str]) -> beistand_tests::program::Call {
        self.desk.call(words).env("RELAY_PASSWORD", MAIL_PASSWORD)
    }

    /// Launches a run that stops at its gate; its id.
    fn launch(&self, words: &[&str]) -> String {
        let ended = self.drive(&[&["run", "--as", ANNA], words].concat()).run().unwrap();
        ended.expect_code(6).unwrap();
        announced(&ended.stderr).unwrap()
    }

    /// A connection from one host to another that is already there.
    fn talk(&self, from: u8, to: u8) -> Talk {
        let (from, to) = (self.network.host(from).unwrap(), self.network.host(to).unwrap());
        from.talk_to(to.v4(), ECHO, SOON).unwrap()
    }

    fn reaches(&self, from: u8, to: u8) -> bool {
        let (from, to) = (self.network.host(from).unwrap(), self.network.host(to).unwrap());
        let four = from.talk_to(to.v4(), ECHO, BRIEF).is_ok();
        let six = from.talk_to(to.v6(), ECHO, BRIEF).is_ok();
        assert_eq!(four, six, "both families are cut, or none");
        four
    }

    fn holders(&self, host: &str) -> usize {
        let holds = self.desk.json(&["holds"]);
        let of = |hold: &&Value| text(&hold["target"]).ends_with(host) && hold["state"] == "held";
        holds.as_array().unwrap().iter().filter(of).count()
    }

    /// Takes a run back: its gate is answered and it is driven to rest.
    fn undo(&self, run: &str) {
        let words = ["undo", run, "--reason", "clean again", "--as", ANNA];
        self.drive(&words).run().unwrap().expect_code(6).unwrap();
        assert!(self.desk.approve(run, BEN) > 0, "taking back needs the gate of what was done");
        self.drive(&["resume"]).run().unwrap();
        assert_eq!(self.desk.show(run)["status"], "undone");
    }
}

#[test]
fn two_of_three_hosts_are_cut_off_killed_in_between_and_joined_again() {
    let world = World::build();
    let (desk, network) = (&world.desk, &world.network);
    let (mut one, mut two) = (world.talk(1, 3), world.talk(2, 3));
    let first = network.host(1).unwrap().v4();
    let mut management = network.management().talk_to(first, ECHO, SOON).unwrap();
    let third = network.host(3).unwrap().v4();
    let mut untouched = network.management().talk_to(third, ECHO, SOON).unwrap();

    let run = world.launch(&["contain.yaml", "--input", "hosts=pc-1", "--input", "hosts=pc-2"]);
    assert!(world.reaches(1, 3) && world.reaches(2, 3), "nothing is cut before the vote");
    assert_eq!(desk.approve(&run, BEN), 1, "one gate for the whole loop");

    let killed = world.drive(&["resume"]).env("BEISTAND_CRASH_AT", "before_effect:2");
    let killed = killed.run().unwrap();
    killed.expect_code(-9).unwrap();
    assert!(!world.reaches(1, 3), "the first is cut");
    assert!(world.reaches(2, 3), "the second is not");
    assert_eq!(world.relay.mails().unwrap(), []);

    world.drive(&["resume"]).run().unwrap().expect_code(0).unwrap();
    let shown = desk.show(&run);
    assert_eq!(shown["status"], "succeeded");
    for item in 0..2 {
        let step = step(&shown, &format!("contain[{item}]/cut"));
        assert_eq!((&step["status"], &step["reached"]), (&json!("succeeded"), &json!("verified")));
    }
    for talk in [&mut one, &mut two] {
        talk.goes_on(BRIEF).unwrap_err();
    }
    assert!(!world.reaches(1, 3) && !world.reaches(2, 3) && !world.reaches(3, 1));
    management.goes_on(SOON).expect("the management path lives");
    untouched.goes_on(SOON).expect("the third host is untouched");
    desk.ok(0, &["connectors", "test", "router"]);
    one_right_mail(&world, &shown);

    second_holder(&world, &run);
}

fn one_right_mail(world: &World, run: &Value) {
    let mails = world.relay.mails().unwrap();
    let [mail] = mails.as_slice() else { panic!("{} mails", mails.len()) };
    assert_eq!(mail.to, ["krisenstab@example.org"]);
    assert_eq!(mail.subject, format!("Störung {}", text(&run["incident_number"])));
    assert_eq!(mail.text.trim(), "2 von 2 Rechnern sind getrennt: pc-1, pc-2.");
    assert!(mail.message_id.contains(text(&step(run, "tell")["key"])), "{}", mail.message_id);
    assert!(mail.tls && mail.login);
}

/// A second run on a host that is cut already only adds a hold; the last one that lets go joins it.
fn second_holder(world: &World, first: &str) {
    let desk = &world.desk;
    let second = world.launch(&["cut.yaml", "--input", "host=pc-1"]);
    assert_eq!(desk.approve(&second, BEN), 1);
    world.drive(&["resume"]).run().unwrap().expect_code(0).unwrap();
    let shown = desk.show(&second);
    let cut = step(&shown, "cut");
    assert_eq!(cut["status"], "succeeded");
    assert!(cut["already_held_by"].as_array().is_some_and(|by| !by.is_empty()), "{cut}");
    assert_eq!(world.holders("pc-1"), 2);

    world.undo(first);
    assert!(!world.reaches(1, 3), "the second run still holds it");
    assert!(world.reaches(2, 3), "nobody holds this one any more");
    assert_eq!((world.holders("pc-1"), world.holders("pc-2")), (1, 0));
    world.undo(&second);
    assert!(world.reaches(1, 3) && world.reaches(3, 1));
    assert_eq!(world.holders("pc-1"), 0);
    assert_eq!(world.relay.mails().unwrap().len(), 1, "nobody wrote a second mail");
    desk.ok(0, &["verify"]);
}

#[test]
fn a_guarded_host_is_refused_by_name_address_or_range() {
    let world = World::build();
    let third = world.network.host(3).unwrap().v4().to_string();
    for never in ["PC-3", &third, "10.1.3.0/28"] {
        world.desk.configure(&world.configured(&json!([never])));
        let words = ["run", "cut.yaml", "--input", "host=pc-3", "--as", ANNA];
        let mut ended = world.drive(&words).run().unwrap();
        let run = announced(&ended.stderr).unwrap();
        // Whoever votes sees the refusal; voting does not send it.
        if world.desk.approve(&run, BEN) > 0 {
            ended = world.drive(&["resume"]).run().unwrap();
        }
        assert!([1, 6].contains(&ended.code()), "{never}: {}", ended.stderr);
        let shown = world.desk.show(&run);
        let cut = step(&shown, "cut");
        assert_eq!(cut["error"]["kind"], "guarded", "{never}: {cut:#}");
        assert_eq!(cut["attempts"], 0, "{never}: nothing was sent");
        assert!(world.reaches(1, 3), "{never}");
    }
    world.desk.configure(&json!({ "inventory": ["hosts.csv"], "connectors":
        world.configured(&json!([]))["connectors"] }));
    let ended = world.drive(&["run", "cut.yaml", "--input", "host=pc-3"]).run().unwrap();
    ended.expect_code(5).expect("without a guard nothing destructive is launched");
}

/// An inventory is data: whoever changes it between the vote and the effect changes what is cut.
#[test]
fn a_vote_is_void_once_what_was_voted_on_has_changed() {
    let world = World::build();
    let run = world.launch(&["cut.yaml", "--input", "host=pc-1"]);
    let asked = world.desk.needs(&run);
    assert_eq!(world.desk.approve(&run, BEN), 1);
    let other = world.network.host(2).unwrap();
    let moved = format!("name,addresses\npc-1,{};{}\n", other.v4(), other.v6());
    world.desk.write("hosts.csv", &moved);

    world.drive(&["resume"]).run().unwrap().expect_code(6).unwrap();
    assert!(world.reaches(1, 3) && world.reaches(2, 3), "nothing is cut on the old vote");
    let again = world.desk.needs(&run);
    assert_ne!((&again[0]["id"], &again[0]["digest"]), (&asked[0]["id"], &asked[0]["digest"]));
    assert_eq!(world.desk.approve(&run, BEN), 1, "people are asked about what it is now");
    world.drive(&["resume"]).run().unwrap().expect_code(0).unwrap();
    assert!(world.reaches(1, 3) && !world.reaches(2, 3));
}
