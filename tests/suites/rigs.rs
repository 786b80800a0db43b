//! Each rig does what it says: otherwise the suites that stand on it would prove nothing.

mod browser;

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use beistand_tests::disk::{Disk, SmallDisk};
use beistand_tests::ledger::{Chance, Fate, Ledger, LedgerPlan, Rule};
use beistand_tests::network::{Network, Node};
use beistand_tests::otlp::Receiver;
use beistand_tests::postgres::Database;
use beistand_tests::smtp::{Fate as MailFate, MailPlan, MailServer, Security};
use beistand_tests::sshd::{Sshd, USER};
use beistand_tests::tool::{PATIENCE, call, finish, wait_for};

const SOON: Duration = Duration::from_secs(5);
const BRIEF: Duration = Duration::from_millis(700);

#[test]
fn hosts_talk_through_the_router_and_only_through_it() {
    let network = Network::build().unwrap();
    let (one, two) = (network.host(1).unwrap(), network.host(2).unwrap());
    two.echo(7).unwrap();
    let mut four = one.talk_to(two.v4(), 7, SOON).unwrap();
    let mut six = one.talk_to(two.v6(), 7, SOON).unwrap();

    finish(network.router().command("sh").args(["-c", DROP_HOST_2])).unwrap();

    four.goes_on(BRIEF).unwrap_err();
    six.goes_on(BRIEF).unwrap_err();
    one.talk_to(two.v4(), 7, BRIEF).unwrap_err();
    let three = network.host(3).unwrap();
    three.echo(7).unwrap();
    one.talk_to(three.v4(), 7, SOON).unwrap();
    network.management().talk_to(three.v4(), 7, SOON).unwrap();
}

const DROP_HOST_2: &str = "
nft add table inet wall
nft add chain inet wall forward '{ type filter hook forward priority 0; }'
nft add rule inet wall forward ip daddr 10.1.2.10 drop
nft add rule inet wall forward ip6 daddr fd00:2::10 drop
";

#[test]
fn two_networks_have_the_same_addresses_and_do_not_meet() {
    let (here, there) = (Network::build().unwrap(), Network::build().unwrap());
    here.host(1).unwrap().echo(7).unwrap();
    let address = here.host(1).unwrap().v4();
    here.management().talk_to(address, 7, SOON).unwrap();
    there.management().talk_to(address, 7, BRIEF).unwrap_err();
}

#[test]
fn a_network_is_gone_with_all_that_ran_in_it() {
    let network = Network::build().unwrap();
    let space = network.host(1).unwrap().space().to_owned();
    let mut sleeper = network.host(1).unwrap().command("sleep").arg("600").spawn().unwrap();
    assert!(Path::new("/run/netns").join(&space).exists());
    drop(network);
    assert!(!sleeper.wait().unwrap().success());
    assert!(!Path::new("/run/netns").join(&space).exists());
}

#[test]
fn a_router_lets_in_by_key_whoever_knows_its_host_key() {
    let network = Network::build().unwrap();
    let router = network.router();
    let sshd = Sshd::start(router, router.v4()).unwrap();

    let list = login(network.management(), &sshd, &sshd.known_hosts(), "nft list ruleset && id -u");
    assert_eq!(finish(&mut { list }).unwrap().trim(), "0");

    let wrong = sshd.wrong_known_hosts().unwrap();
    let refused = finish(&mut login(network.management(), &sshd, &wrong, "true")).unwrap_err();
    assert!(refused.to_string().contains("Host key verification failed"), "{refused}");
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    assert!(!passwd.contains("beistand"), "the account must be seen by this server alone");
}

fn login(from: &Node, sshd: &Sshd, known_hosts: &Path, what: &str) -> Command {
    let address = sshd.address();
    let mut ssh = from.command("ssh");
    ssh.args(["-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes"]);
    ssh.arg("-o").arg(format!("UserKnownHostsFile={}", known_hosts.display()));
    ssh.args(["-o", "GlobalKnownHostsFile=none", "-p", &address.port().to_string()]);
    ssh.arg("-i").arg(sshd.key()).arg(format!("{USER}@{}", address.ip())).arg(what);
    ssh
}

#[test]
fn a_database_is_new_and_a_second_one_is_another() {
    let (one, two) = (Database::create().unwrap(), Database::create().unwrap());
    one.sql("create table word (word text); insert into word values ('here')").unwrap();
    assert_eq!(one.sql("select word from word").unwrap(), "here");
    two.sql("select word from word").unwrap_err();
    for promise in ["fsync", "full_page_writes", "synchronous_commit"] {
        assert_eq!(one.sql(&format!("show {promise}")).unwrap(), "on", "{promise}");
    }
}

#[test]
fn a_synced_file_outlives_a_power_cut_and_an_unsynced_one_does_not() {
    let mut disk = Disk::make(32).unwrap();
    let mut synced = File::create(disk.path().join("synced")).unwrap();
    synced.write_all(b"stays").unwrap();
    synced.sync_all().unwrap();
    File::open(disk.path()).unwrap().sync_all().unwrap();
    fs::write(disk.path().join("unsynced"), b"goes").unwrap();

    let remains = disk.cut().unwrap();

    assert_eq!(fs::read(remains.path().join("synced")).unwrap(), b"stays");
    let unsynced = fs::read(remains.path().join("unsynced")).unwrap_or_default();
    assert_eq!(unsynced, b"", "the rig must lose what was not synced");
    assert_eq!(fs::read(disk.path().join("unsynced")).unwrap(), b"goes");
    drop(remains);
    drop(disk.cut().unwrap());
}

#[test]
fn a_disk_leaves_no_mount_behind() {
    let mut disk = Disk::make(16).unwrap();
    let root = disk.path().parent().unwrap().to_owned();
    let remains = disk.cut().unwrap();
    drop(disk);
    assert!(remains.path().join("lost+found").exists(), "a copy outlives the disk's owner");
    drop(remains);
    assert!(!root.exists());
    let mounts = fs::read_to_string("/proc/mounts").unwrap();
    assert!(!mounts.contains(root.to_str().unwrap()));
}

#[test]
fn a_small_disk_fills_up() {
    let disk = SmallDisk::make(2).unwrap();
    let mut file = File::create(disk.path().join("file")).unwrap();
    file.write_all(&vec![0; 1 << 20]).unwrap();
    let full = file.write_all(&vec![0; 2 << 20]).unwrap_err();
    assert_eq!(full.kind(), ErrorKind::StorageFull);
}

#[test]
fn a_mail_arrives_after_starttls_and_login() {
    let server = MailPlan::new(Security::StartTls).with_password("s3cret").start().unwrap();
    let said = send(&server, Security::StartTls, "s3cret");
    assert!(said.contains("\n250 2.0.0"), "{said}");
    let mails = server.wait_for_mails(1).unwrap();
    let mail = mails.first().unwrap();
    assert_eq!(mail.subject, "Störung");
    assert_eq!(mail.text.trim_end(), "Übung im Rathaus");
    assert_eq!(mail.to, ["krisenstab@example.org"]);
    assert_eq!(mail.message_id, "<1@example.org>");
    assert!(mail.tls && mail.login);
}

#[test]
fn a_mail_server_that_asks_for_a_login_takes_nothing_without_the_right_one() {
    let server = MailPlan::new(Security::Tls).with_password("s3cret").start().unwrap();
    let said = send(&server, Security::Tls, "guess");
    assert!(said.contains("\n535 "), "{said}");
    assert_eq!(server.mails().unwrap(), []);
}

#[test]
fn a_mail_server_fails_as_planned() {
    let server = MailPlan::new(Security::StartTls).start().unwrap();
    let fates = [MailFate::Refuse, MailFate::Later, MailFate::Drop, MailFate::Lose];
    server.plan(&fates).unwrap();
    for answer in ["\n554 ", "\n451 "] {
        let said = send(&server, Security::StartTls, "");
        assert!(said.contains(answer), "{said}");
    }
    for _ in [MailFate::Drop, MailFate::Lose] {
        let said = send(&server, Security::StartTls, "");
        assert!(!said.contains("\n250 2.0.0"), "{said}");
    }
    assert_eq!(server.wait_for_mails(1).unwrap().len(), 1, "the dropped one alone was taken");
    assert!(send(&server, Security::StartTls, "").contains("\n250 2.0.0"));
    assert_eq!(server.mails().unwrap().len(), 2);
}

/// Holds a whole SMTP conversation through OpenSSL, which checks the certificate, and answers all
/// that the server said.
fn send(server: &MailServer, security: Security, password: &str) -> String {
    let mut client = Command::new("openssl");
    client.args(["s_client", "-quiet", "-verify_return_error", "-verify_ip", "127.0.0.1"]);
    client.arg("-CAfile").arg(server.authority());
    client.args(["-connect", &server.address().to_string()]);
    if security == Security::StartTls {
        client.args(["-starttls", "smtp"]);
    }
    let client = client.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut client = client.spawn().unwrap();
    let mut to = client.stdin.take().unwrap();
    let mut from = BufReader::new(client.stdout.take().unwrap());
    let token = ["\0beistand\0", password].concat();
    let login = format!("AUTH PLAIN {}", base64(token.as_bytes()));
    let mut lines = vec!["EHLO here"];
    lines.extend((!password.is_empty()).then_some(login.as_str()));
    let data = "Subject: =?utf-8?q?St=C3=B6rung?=\r\nMessage-ID: <1@example.org>\r\n\
                MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
                Content-Transfer-Encoding: quoted-printable\r\n\r\n=C3=9Cbung im Rathaus\r\n.";
    lines.extend(["MAIL FROM:<beistand@example.org>", "RCPT TO:<krisenstab@example.org>", "DATA"]);
    lines.push(data);
    let mut said = String::from("\n");
    if security == Security::Tls {
        answer(&mut from, &mut said);
    }
    for line in lines {
        if to.write_all(format!("{line}\r\n").as_bytes()).is_err() || !answer(&mut from, &mut said)
        {
            break;
        }
    }
    drop(client.kill());
    client.wait().unwrap();
    said
}

/// One answer of an SMTP server, of however many lines; whether there was one that is not a no.
fn answer(from: &mut impl std::io::BufRead, said: &mut String) -> bool {
    loop {
        let mut line = String::new();
        if !matches!(from.read_line(&mut line), Ok(1..)) {
            return false;
        }
        said.push_str(&line);
        if line.as_bytes().get(3) == Some(&b' ') {
            return line.starts_with(['2', '3']);
        }
    }
}

fn base64(bytes: &[u8]) -> String {
    let mut encode = Command::new("base64");
    let mut encode =
        encode.arg("-w0").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    encode.stdin.take().unwrap().write_all(bytes).unwrap();
    String::from_utf8(encode.wait_with_output().unwrap().stdout).unwrap()
}

#[test]
fn the_ledger_remembers_every_effect_and_fails_as_planned() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ledger");
    let ledger = Ledger::start(&file).unwrap();
    let fates = [Fate::DoneUnsaid, Fate::DoneTwice, Fate::DoneBadly, Fate::Unavailable, Fate::Lost];
    let rule = Rule { path: "/cut".to_owned(), fates: fates.to_vec() };
    ledger.plan(&LedgerPlan { rules: vec![rule], ..LedgerPlan::default() }).unwrap();

    let cut = || ledger.send("POST", "/cut", &["Idempotency-Key: k1"], b"{\"host\":\"pc-1\"}");
    cut().unwrap_err();
    assert_eq!(cut().unwrap(), 200);
    assert_eq!(cut().unwrap(), 500);
    assert_eq!(cut().unwrap(), 503);
    cut().unwrap_err();
    assert_eq!(ledger.send("POST", "/mail", &[], b"").unwrap(), 200);

    let records = ledger.records().unwrap();
    let seen: Vec<_> = records.iter().map(|record| record.fate).collect();
    assert_eq!(seen, [&fates[..], &[Fate::Done]].concat());
    let first: Vec<_> = records.iter().map(|record| record.first).collect();
    assert_eq!(first, [true, false, false, false, false, true]);
    let keys: Vec<_> = records.iter().map(|record| record.key.as_deref()).collect();
    assert_eq!(keys, [Some("k1"), Some("k1"), Some("k1"), Some("k1"), Some("k1"), None]);
    assert_eq!(records.first().unwrap().body, "{\"host\":\"pc-1\"}");
}

#[test]
fn the_ledger_goes_on_where_it_was_killed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ledger");
    for round in 1..=2 {
        let ledger = Ledger::start(&file).unwrap();
        assert_eq!(ledger.send("POST", "/", &["Idempotency-Key: k"], b"").unwrap(), 200);
        let records = ledger.records().unwrap();
        let last = records.last().unwrap();
        assert_eq!((last.number, last.first), (round, round == 1));
    }
    OpenOptions::new().append(true).open(&file).unwrap().write_all(b"{\"numb").unwrap();
    let ledger = Ledger::start(&file).unwrap();
    assert_eq!(ledger.records().unwrap().len(), 2, "half a line was never acknowledged");
}

#[test]
fn the_same_seed_gives_the_ledger_the_same_moods() {
    let folder = tempfile::tempdir().unwrap();
    let moods = |name: &str, seed| {
        let ledger = Ledger::start(&folder.path().join(name)).unwrap();
        let chances = [Fate::Refused, Fate::DoneBadly];
        let chances = chances.map(|fate| Chance { fate, per_mille: 300 }).to_vec();
        ledger.plan(&LedgerPlan { chances, seed, ..LedgerPlan::default() }).unwrap();
        let answers = (0..40).map(|_| ledger.send("POST", "/", &[], b"").unwrap());
        answers.collect::<Vec<_>>()
    };
    let one = moods("one", 7);
    assert_eq!(one, moods("two", 7));
    assert_ne!(one, moods("three", 8));
    for status in [200, 409, 500] {
        assert!(one.contains(&status), "{status} in {one:?}");
    }
}

#[test]
fn a_trace_that_is_sent_is_read_field_by_field() {
    let receiver = Receiver::start().unwrap();
    // Written by hand after trace.proto: one resource, one scope, one span `run`.
    let attribute = bytes(9, &[bytes(1, b"run.id"), bytes(2, &bytes(1, b"r-1"))].concat());
    let started = [&[0x39][..], &5_u64.to_le_bytes()].concat();
    let span = [bytes(1, &[1; 16]), bytes(2, &[2; 8]), bytes(5, b"run"), started, attribute];
    let message = bytes(1, &bytes(2, &bytes(2, &span.concat())));
    let address = receiver.endpoint().strip_prefix("http://").unwrap().to_owned();
    for body in [message.as_slice(), b"\xff\xff"] {
        let head = format!("POST /v1/traces HTTP/1.1\r\ncontent-length: {}\r\n\r\n", body.len());
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
        let mut status = [0; 12];
        stream.read_exact(&mut status).unwrap();
        assert_eq!(&status, b"HTTP/1.1 200");
    }
    let span = receiver.wait_for_span("run", |span| span.name == "run").unwrap();
    assert_eq!((span.trace, span.id), ("01".repeat(16), "02".repeat(8)));
    assert_eq!((span.started, span.parent.as_str()), (5, ""));
    assert_eq!(span.attributes["run.id"], "r-1");
    assert_eq!((receiver.spans().len(), receiver.unread()), (1, 1));
}

fn bytes(field: u8, bytes: &[u8]) -> Vec<u8> {
    [&[field << 3 | 2, u8::try_from(bytes.len()).unwrap()], bytes].concat()
}

#[test]
fn a_guardian_outlives_a_test_that_is_killed() {
    // Started again as a child of itself, this binary stands for a test that is killed.
    if std::env::var_os("BEISTAND_TEST_VICTIM").is_some() {
        let network = Network::build().unwrap();
        println!("space {}", network.router().space());
        let forever = TcpListener::bind("127.0.0.1:0").unwrap();
        forever.accept().unwrap();
    }
    let mut victim = Command::new(std::env::current_exe().unwrap());
    victim.args(["--exact", "rigs::a_guardian_outlives_a_test_that_is_killed", "--nocapture"]);
    let victim = victim.env("BEISTAND_TEST_VICTIM", "1").stdout(Stdio::piped());
    let mut victim = victim.spawn().unwrap();
    let mut lines = BufReader::new(victim.stdout.take().unwrap()).lines().map(Result::unwrap);
    let space = lines.find_map(|line| Some(line.split_once("space ")?.1.to_owned())).unwrap();
    assert!(call("ip", &["netns", "list"]).unwrap().contains(&space));
    victim.kill().unwrap();
    victim.wait().unwrap();
    let gone = || Ok((!call("ip", &["netns", "list"])?.contains(&space)).then_some(()));
    wait_for("the namespaces to be gone", PATIENCE, gone).unwrap();
}
