//! The command line: verbs, options, help. Nothing here does anything.

mod answer;
mod incident;
mod timeline;
mod vote;

pub(crate) mod access;

use std::path::PathBuf;

use beistand_core::model::{ChosenKey, Reason, Title};
use beistand_core::run::RunStatus;
use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use answer::{Choice, DecideArgs, DoneArgs, ResolveArgs, Settled, SignalArgs};
pub(crate) use incident::{EditArgs, EvidenceVerb, HandoverArgs, IncidentVerb};
pub(crate) use timeline::{Format, NoteArgs, StarArgs, StoryVerb, TellArgs, TimelineArgs};
pub(crate) use vote::{ApproveArgs, DenyArgs, OnTelephone};

/// Incident response orchestration and playbooks for municipal IT providers.
#[derive(Debug, Parser)]
#[command(name = "beistand", version, about, max_term_width = 100, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

const EXAMPLES: &str = "Examples:
  beistand run ransomware-containment --drill --case attack-contained
  beistand run ransomware-containment --input hosts=pc-1 --input hosts=pc-2
  beistand needs
  beistand approve 0199a3f2-51c0-7d99-8e83 --as anna
  beistand timeline SIT-2026-0007

Exit codes: 0 ok, 1 ended badly, 2 usage, 3 check failed, 4 not found, 5 not allowed, 6 waits for a
person, 7 conflict, 8 timeout, 9 partly, 10 chain broken, 69 unreachable, 70 our fault, 130 Ctrl-C.";

/// Options of every verb.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Configuration; default ./beistand.yaml, then /etc/beistand/beistand.yaml
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Store: sqlite:PATH or postgres://…; default sqlite:beistand.db
    #[arg(long, global = true, value_name = "URL", env = "BEISTAND_STORE")]
    pub(crate) store: Option<String>,
    /// Who acts; default the user of the operating system
    #[arg(long = "as", global = true, value_name = "NAME")]
    pub(crate) actor: Option<String>,
    /// The first line of this file is the passphrase of who acts
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) passphrase: Option<PathBuf>,
    /// Data as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Language of sentences
    #[arg(long, global = true, value_enum, default_value_t = Language::En)]
    pub(crate) lang: Language,
    /// Times for people in UTC instead of Europe/Berlin; JSON always has UTC
    #[arg(long, global = true)]
    pub(crate) utc: bool,
    /// Only what must be said
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// More of the program's own log; twice for all of it
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// A language for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// German
    De,
    /// English
    En,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Check playbooks: every fault at once, with place and hint
    Check {
        /// Files, or names of playbooks
        #[arg(required = true)]
        files: Vec<String>,
    },
    /// Say what a run would do; touches nothing
    Plan(PlanArgs),
    /// Play the cases of playbooks and compare their timelines
    Test(TestArgs),
    /// Start a run and watch it to rest: live, unless --drill is said
    Run(RunArgs),
    /// The same playbook for more items: its lists hold only what is new, with a gate of its own
    More(MoreArgs),
    /// A corrected playbook takes over from a run; shows first what becomes of its effects
    Supersede(SupersedeArgs),
    /// One effect now, live unless --drill is said, with guard, limits, policy, journal and undo
    Call(CallArgs),
    /// Serve the JSON interface, and drive what is there
    Serve(ServeArgs),
    /// Take up all unfinished runs and drive them to rest
    Resume {
        /// Only this one
        run: Option<String>,
    },
    /// List runs, newest first
    Runs {
        /// Only of this incident
        #[arg(long)]
        incident: Option<String>,
        /// Only those that stand so
        #[arg(long, value_parser = PossibleValuesParser::new(RunStatus::ALL.iter().map(|s| s.as_str())))]
        status: Option<String>,
    },
    /// One run with its steps
    Show {
        /// The run, by its id or the beginning of it
        run: String,
    },
    /// Follow a run; Ctrl-C does not stop it
    Watch {
        /// The run, by its id or the beginning of it
        run: String,
    },
    /// What is cut off, by which run, since when
    Holds,
    /// What waits for people
    #[command(alias = "tasks")]
    Needs {
        /// Only of this incident
        #[arg(long)]
        incident: Option<String>,
        /// Only of this run
        #[arg(long)]
        run: Option<String>,
    },
    /// Who is on call
    OnCall {
        /// Not now but then: RFC 3339, or 2026-11-23 08:00 in the time of Berlin
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
    },
    /// Say yes to a gate
    #[command(after_help = vote::TELEPHONE)]
    Approve(ApproveArgs),
    /// Say no to a gate
    #[command(after_help = vote::TELEPHONE)]
    Deny(DenyArgs),
    /// A task is done
    Done(DoneArgs),
    /// Decide what happens after a failure
    Decide(DecideArgs),
    /// Settle an unknown outcome
    Resolve(ResolveArgs),
    /// Give a run a signal
    Signal(SignalArgs),
    /// Nothing new starts
    Pause(Which),
    /// Let it go on
    Unpause(Which),
    /// End a run; nothing is undone
    Cancel(CancelArgs),
    /// Take back what a run did
    Undo(UndoArgs),
    /// The stop switch: no effect starts any more
    StopAll {
        /// Why; everybody reads it
        #[arg(long)]
        reason: Reason,
    },
    /// The stop switch off; another person's act
    GoOn {
        /// Why it may
        #[arg(long)]
        reason: Option<Reason>,
    },
    /// Incidents
    #[command(subcommand)]
    Incident(IncidentVerb),
    /// Write something into an incident's timeline
    Note(NoteArgs),
    /// Mark a line of an incident's timeline as one that matters
    Star(StarArgs),
    /// The story of an incident: lines of its timeline in own words and order
    #[command(subcommand)]
    Story(StoryVerb),
    /// Evidence of an incident
    #[command(subcommand)]
    Evidence(EvidenceVerb),
    /// What happened in an incident, or to the store itself
    Timeline(TimelineArgs),
    /// A checklist for paper: of a run, or of a playbook
    Print {
        /// A run, an incident, or a playbook's name or file
        what: String,
    },
    /// Check the chain of the store, or of an export
    Verify {
        /// An export, in the format jsonl; without one the store
        file: Option<PathBuf>,
        /// A seal's hash from paper
        #[arg(long)]
        expect: Option<String>,
    },
    /// Write a backup, a SQLite file, while running
    Backup {
        /// A file that is not there yet
        file: PathBuf,
    },
    /// Bring a backup back; it comes up stopped, with sessions, printed codes and tokens void
    Restore {
        /// The backup
        file: PathBuf,
        /// Printed codes and tokens stay good: none was used or taken back since the backup
        #[arg(long)]
        keep_credentials: bool,
    },
    /// JSON Schema for editors
    Schema {
        /// What it describes
        what: SchemaOf,
    },
    /// Make a configuration and a store; writes over nothing
    Init(InitArgs),
    /// The configuration
    #[command(subcommand)]
    Config(ConfigVerb),
    /// The inventory of hosts
    #[command(subcommand)]
    Inventory(InventoryVerb),
    /// What is configured, what each can do, whether it answers
    Connectors {
        #[command(subcommand)]
        verb: Option<ConnectorsVerb>,
    },
    /// Accounts, roles, printed codes
    #[command(subcommand)]
    User(access::UserVerb),
    /// Tokens for programs
    #[command(subcommand)]
    Token(access::TokenVerb),
    /// Completions for a shell
    Completions {
        /// Which
        shell: clap_complete::Shell,
    },
    /// Measure the durable executor on this machine and store
    Bench(BenchArgs),
}

#[derive(Debug, Args)]
pub(crate) struct Inputs {
    /// An input: k=v, k:=JSON, k=@file (a line an item); repeat for lists
    #[arg(long = "input", value_name = "K=V")]
    pub(crate) pairs: Vec<String>,
    /// All inputs as a JSON or YAML file
    #[arg(long, value_name = "FILE")]
    pub(crate) inputs: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// A playbook's name or file
    pub(crate) playbook: String,
    #[command(flatten)]
    pub(crate) inputs: Inputs,
}

#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// A folder of playbooks, or one playbook's folder; default ./playbooks
    pub(crate) folder: Option<PathBuf>,
    /// Write the timelines that came out as the expected ones
    #[arg(long)]
    pub(crate) bless: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// A playbook's name or file
    pub(crate) playbook: String,
    #[command(flatten)]
    pub(crate) inputs: Inputs,
    /// In this incident
    #[arg(long, conflicts_with = "title")]
    pub(crate) incident: Option<String>,
    /// In a new incident with this title
    #[arg(long)]
    pub(crate) title: Option<Title>,
    /// A drill: effects are pretended. Without it the run is live and its effects are real
    #[arg(long)]
    pub(crate) drill: bool,
    /// Play the answers and people of a case in real time
    #[arg(long, requires = "drill")]
    pub(crate) case: Option<String>,
    #[command(flatten)]
    pub(crate) watching: Watching,
}

#[derive(Debug, Args)]
pub(crate) struct MoreArgs {
    /// The run that has the others
    pub(crate) run: String,
    /// More items of a list: k=v, k:=JSON, k=@file (a line an item); repeat for more
    #[arg(long = "input", value_name = "K=V", required = true)]
    pub(crate) pairs: Vec<String>,
    #[command(flatten)]
    pub(crate) watching: Watching,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "options of a command line")]
pub(crate) struct SupersedeArgs {
    /// The run that gives way
    pub(crate) run: String,
    /// The corrected playbook's name or file
    pub(crate) playbook: String,
    /// Why; it stands in the timeline
    #[arg(long)]
    pub(crate) reason: Reason,
    /// Do it; asked for without a terminal
    #[arg(long)]
    pub(crate) yes: bool,
    /// Only say what would become of the effects
    #[arg(long, conflicts_with = "yes")]
    pub(crate) dry_run: bool,
    /// Steps without a connector fall to people
    #[arg(long)]
    pub(crate) by_hand_ok: bool,
    /// Do not wait for its end
    #[arg(long)]
    pub(crate) detach: bool,
    /// Watch no longer than this; the run stays
    #[arg(long, value_name = "DURATION")]
    pub(crate) timeout: Option<String>,
}

/// How a run is started and followed.
#[derive(Debug, Args)]
pub(crate) struct Watching {
    /// The same key gives the same run
    #[arg(long)]
    pub(crate) start_key: Option<ChosenKey>,
    /// Steps without a connector fall to people
    #[arg(long)]
    pub(crate) by_hand_ok: bool,
    /// Do not wait for its end
    #[arg(long)]
    pub(crate) detach: bool,
    /// Watch no longer than this; the run stays
    #[arg(long, value_name = "DURATION")]
    pub(crate) timeout: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The new configuration; default ./beistand.yaml
    pub(crate) file: Option<PathBuf>,
    /// Id of the provider, a domain of yours; asked for on a terminal, like all of these
    #[arg(long)]
    pub(crate) id: Option<String>,
    /// Its short name, part of incident numbers
    #[arg(long)]
    pub(crate) short: Option<String>,
    /// Its full name
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Its Land, two letters
    #[arg(long)]
    pub(crate) land: Option<String>,
    /// Its legal form
    #[arg(long)]
    pub(crate) legal_form: Option<String>,
    /// Make this account, which keeps the accounts
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) admin: Option<String>,
    /// Its passphrase is the first line of this file
    #[arg(long, value_name = "FILE", requires = "admin")]
    pub(crate) new: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Address and port; default 127.0.0.1:8443
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<String>,
    /// Certificate in PEM, the server's own first; self-made without one
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// Its key in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Without TLS; on loopback addresses alone
    #[arg(long, conflicts_with_all = ["tls_cert", "tls_key"])]
    pub(crate) plain: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CallArgs {
    /// capability.action
    pub(crate) action: String,
    /// An argument: k=v, k:=JSON, k=@file
    #[arg(long = "with", value_name = "K=V")]
    pub(crate) with: Vec<String>,
    /// In this incident
    #[arg(long)]
    pub(crate) incident: String,
    /// Why; it stands in the timeline
    #[arg(long)]
    pub(crate) reason: Reason,
    /// The incident is a drill; without it the call is live and its effect is real
    #[arg(long)]
    pub(crate) drill: bool,
    /// Without a connector it falls to a person
    #[arg(long)]
    pub(crate) by_hand_ok: bool,
}

#[derive(Debug, Args)]
#[group(required = true)]
pub(crate) struct Which {
    /// The run, by its id or the beginning of it
    pub(crate) run: Option<String>,
    /// All runs of an incident
    #[arg(long)]
    pub(crate) incident: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct CancelArgs {
    #[command(flatten)]
    pub(crate) which: Which,
    /// Why; it stands in the timeline
    #[arg(long)]
    pub(crate) reason: Reason,
}

#[derive(Debug, Args)]
pub(crate) struct UndoArgs {
    /// The run, by its id or the beginning of it
    pub(crate) run: String,
    /// Only this step, with all below it
    #[arg(long = "step", value_name = "PATH")]
    pub(crate) steps: Vec<String>,
    /// Only steps of this loop item
    #[arg(long = "item", value_name = "ITEM")]
    pub(crate) items: Vec<String>,
    /// Why; it stands in the timeline
    #[arg(long)]
    pub(crate) reason: Reason,
}

/// What a schema is of.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum SchemaOf {
    /// Playbooks
    Playbook,
    /// beistand.yaml
    Config,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigVerb {
    /// Read it and say what is wrong
    Check,
}

#[derive(Debug, Subcommand)]
pub(crate) enum InventoryVerb {
    /// All hosts
    List,
    /// Check a CSV file and say what it would add
    Import {
        /// The file
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConnectorsVerb {
    /// Does it answer? Changes nothing
    Test {
        /// Which; all of them where absent
        name: Option<String>,
    },
    /// It starts nothing any more
    Pause {
        /// Its name in the configuration
        name: String,
    },
    /// It goes on
    Unpause {
        /// Its name in the configuration
        name: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// How many runs
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) runs: u64,
    /// Steps of each run
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) steps: u64,
    /// How many runs at once
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) concurrency: u64,
    /// What is measured
    #[arg(long, value_enum, default_value_t = Shape::Sequence)]
    pub(crate) shape: Shape,
    /// This new SQLite file, which stays; for the recovery, which kills itself
    #[arg(long, hide = true)]
    pub(crate) keep_in: Option<PathBuf>,
}

/// How a bench's steps stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shape {
    /// Steps one after the other
    Sequence,
    /// All steps of a run at once
    Parallel,
    /// Runs that wait, and a restart with them
    Waiting,
    /// Runs in flight, a kill, and a restart
    Recovery,
    /// The start alone, of what another process left
    #[value(hide = true)]
    Start,
}

#[cfg(test)]
mod tests;
