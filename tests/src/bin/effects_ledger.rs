//! The effects ledger's process: `effects-ledger FILE`. Prints its port, then serves until its
//! standard input ends. What it does and why stands in `beistand_tests::ledger`.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use beistand_tests::http::{Manner, Reply, Request, serve};
use beistand_tests::ledger::{Fate, LedgerPlan, Record, read_records};
use beistand_tests::trouble::{Rig, While as _};
use serde_json::json;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            // Whoever started us reads this; there is no other place to say it.
            drop(writeln!(std::io::stderr(), "effects-ledger: {trouble}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Rig<()> {
    let file =
        std::env::args_os().nth(1).map(PathBuf::from).or_trouble("usage: effects-ledger FILE")?;
    let book = Mutex::new(Book::open(&file)?);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).or_trouble("opening a port")?;
    let port = listener.local_addr().or_trouble("asking for a port")?.port();
    serve(listener, move |request| {
        book.lock().unwrap_or_else(PoisonError::into_inner).answer(&request)
    });
    let mut output = std::io::stdout();
    writeln!(output, "{port}").and_then(|()| output.flush()).or_trouble("saying the port")?;
    std::io::stdin().read_to_end(&mut Vec::new()).or_trouble("waiting for the end").map(drop)
}

/// What has been written and what is to come.
struct Book {
    file: File,
    number: u64,
    done: BTreeSet<String>,
    plan: LedgerPlan,
    chance: u64,
}

impl Book {
    fn open(file: &Path) -> Rig<Self> {
        let records = read_records(file)?;
        let keys = records.iter().filter(|record| record.fate.is_done());
        let done = keys.filter_map(|record| record.key.clone()).collect();
        let opened = OpenOptions::new().create(true).append(true).open(file);
        Ok(Self {
            file: opened.or_trouble(&format!("opening {}", file.display()))?,
            number: records.last().map_or(0, |record| record.number),
            done,
            plan: LedgerPlan::default(),
            chance: 0,
        })
    }

    fn answer(&mut self, request: &Request) -> Reply {
        if request.path == "/.plan" {
            return match serde_json::from_slice::<LedgerPlan>(&request.body) {
                Ok(plan) => {
                    self.chance = plan.seed;
                    self.plan = plan;
                    Reply::json(200, &json!({}))
                }
                Err(error) => Reply::json(400, &json!({ "error": error.to_string() })),
            };
        }
        if let Some(key) = request.path.strip_prefix("/.done/") {
            return Reply::json(200, &json!({ "done": self.done.contains(key) }));
        }
        match self.write_down(request) {
            Ok(record) => self.reply(&record),
            Err(trouble) => Reply::json(507, &json!({ "error": trouble.to_string() })),
        }
    }

    /// First the book, then the answer: what was answered is in the book, whatever happens next.
    fn write_down(&mut self, request: &Request) -> Rig<Record> {
        let fate = self.fate(&request.path);
        let key = request.header("idempotency-key").map(str::to_owned);
        let known = key.as_ref().is_some_and(|key| self.done.contains(key));
        let record = Record {
            number: self.number + 1,
            at: milliseconds(),
            method: request.method.clone(),
            path: request.path.clone(),
            traceparent: request.header("traceparent").map(str::to_owned),
            body: String::from_utf8_lossy(&request.body).into_owned(),
            first: fate.is_done() && !known,
            fate,
            key,
        };
        let mut line = serde_json::to_vec(&record).or_trouble("writing a record")?;
        line.push(b'\n');
        self.file.write_all(&line).or_trouble("writing a record")?;
        self.file.sync_data().or_trouble("syncing a record")?;
        self.number = record.number;
        if fate.is_done() {
            self.done.extend(record.key.clone());
        }
        Ok(record)
    }

    fn reply(&self, record: &Record) -> Reply {
        let said = json!({ "number": record.number, "key": record.key, "first": record.first });
        let ok = Reply::json(200, &said);
        match record.fate {
            Fate::Done => ok,
            Fate::DoneLate => {
                Reply { manner: Manner::After(Duration::from_millis(self.plan.late_ms)), ..ok }
            }
            Fate::DoneTwice => Reply { manner: Manner::Twice, ..ok },
            Fate::DoneUnsaid | Fate::Lost => Reply { manner: Manner::Never, ..ok },
            Fate::DoneBadly => Reply { status: 500, ..ok },
            Fate::Unavailable => {
                Reply { status: 503, headers: vec!["retry-after: 0".to_owned()], ..ok }
            }
            Fate::Refused => Reply { status: 409, ..ok },
        }
    }

    fn fate(&mut self, path: &str) -> Fate {
        let fitting = self
            .plan
            .rules
            .iter_mut()
            .find(|rule| !rule.fates.is_empty() && path.starts_with(&rule.path));
        if let Some(rule) = fitting {
            return rule.fates.remove(0);
        }
        let mut left = self.next_chance() % 1000;
        for chance in &self.plan.chances {
            match left.checked_sub(u64::from(chance.per_mille)) {
                Some(rest) => left = rest,
                None => return chance.fate,
            }
        }
        Fate::Done
    }

    /// `SplitMix64` (Steele, Lea, Flood 2014): small, and the same everywhere.
    fn next_chance(&mut self) -> u64 {
        self.chance = self.chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.chance;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[expect(clippy::disallowed_methods, reason = "the witness has a clock of its own")]
fn milliseconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
