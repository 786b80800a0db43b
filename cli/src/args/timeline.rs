//! The verbs of a timeline: which lines, in which form, and what is marked in it. Nothing here does
//! anything.

use beistand_core::model::{
    Millis, NoteText, Path, Person, PlaybookName, Reason, Role, Sought, Title, Tlp,
};
use beistand_core::timeline::{Filter, Lane, Zone};
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, Subcommand, ValueEnum};

/// A format of the timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For reading here
    Table,
    /// A line an entry as JSON, with the chain: `verify` checks it
    Jsonl,
    /// For spreadsheets
    Csv,
    /// A page for itself, to be printed or sent
    Html,
    /// A STIX 2.1 bundle, for other systems
    Stix,
}

#[derive(Debug, Args)]
pub(crate) struct TimelineArgs {
    /// Which; without one the store's own: accounts, roles, stop switch, restores
    pub(crate) incident: Option<String>,
    /// Default: a table; --json gives the lines of jsonl as one array
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// With what is noise for most readers
    #[arg(long)]
    pub(crate) all: bool,
    /// With the name of each line, for `note --corrects`, `star` and `story`
    #[arg(long)]
    pub(crate) ids: bool,
    #[command(flatten)]
    pub(crate) instead: InsteadArgs,
    #[command(flatten)]
    pub(crate) export: ExportArgs,
    #[command(flatten)]
    pub(crate) lines: LinesArgs,
}

/// What is made of the lines, where that is no list.
#[derive(Debug, Args)]
pub(crate) struct InsteadArgs {
    /// The incident in figures: to detect, to contain, to notify, what waited for people
    #[arg(long, conflicts_with_all = ["format", "all", "ids"])]
    pub(crate) metrics: bool,
    /// The lines as a drawing: lanes with points and bars, as JSON
    #[arg(long, conflicts_with_all = ["format", "all", "ids", "metrics"])]
    pub(crate) review: bool,
}

/// For whom it is made.
#[derive(Debug, Args)]
#[command(next_help_heading = "Export")]
pub(crate) struct ExportArgs {
    /// The time zone of what people read, like Europe/Berlin, before --utc; JSON has UTC
    #[arg(long, value_name = "NAME")]
    pub(crate) zone: Option<Zone>,
    /// Persons by numbers, and without what people wrote freely
    #[arg(long)]
    pub(crate) without_personal_data: bool,
    /// Only for readers of this marking: what is marked higher is left out
    #[arg(long, value_name = "TLP", value_parser = tlp())]
    pub(crate) up_to: Option<Tlp>,
}

/// Which lines.
#[derive(Debug, Args)]
#[command(next_help_heading = "Lines")]
pub(crate) struct LinesArgs {
    /// Only this kind of doing
    #[arg(long, value_parser = lane())]
    lane: Option<Lane>,
    /// Only what this person did, or typed in for somebody else
    #[arg(long)]
    person: Option<Person>,
    /// Only what whoever had this role did then, and what the role was asked for
    #[arg(long, value_parser = role())]
    role: Option<Role>,
    /// Only what is about this host, account or other item
    #[arg(long)]
    item: Option<Sought>,
    /// Only this step and what is inside of it
    #[arg(long)]
    step: Option<Path>,
    /// Only runs of this playbook
    #[arg(long)]
    playbook: Option<PlaybookName>,
    /// Only what matters to most readers
    #[arg(long)]
    significant: bool,
    /// Only what did not work, or was late
    #[arg(long)]
    failures: bool,
    /// Only what somebody starred
    #[arg(long)]
    starred: bool,
    /// Only sentences that hold this text
    #[arg(long, value_name = "TEXT")]
    search: Option<Sought>,
    /// Only what happened at or after this instant, RFC 3339
    #[arg(long, value_name = "TIME", value_parser = Millis::parse)]
    from: Option<Millis>,
    /// Only what happened before this instant, RFC 3339
    #[arg(long, value_name = "TIME", value_parser = Millis::parse)]
    to: Option<Millis>,
}

impl LinesArgs {
    pub(crate) fn filter(&self) -> Filter {
        Filter {
            lane: self.lane,
            person: self.person.clone(),
            role: self.role,
            item: self.item.clone().map(String::from),
            step: self.step.clone(),
            playbook: self.playbook.clone(),
            significant: self.significant,
            failures: self.failures,
            starred: self.starred,
            text: self.search.clone().map(String::from),
            from: self.from,
            to: self.to,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct NoteArgs {
    /// Its number or id
    pub(crate) incident: String,
    /// What happened
    pub(crate) text: NoteText,
    /// When it happened: 04:12 of today, 2026-11-23 04:12, or RFC 3339
    #[arg(long)]
    pub(crate) at: Option<String>,
    /// Who wrote it, on paper, where that is not who types it in
    #[arg(long, value_name = "PERSON")]
    pub(crate) by: Option<String>,
    /// The line that it corrects, which stays and is struck through; `timeline --ids` names it
    #[arg(long, value_name = "LINE", requires = "reason")]
    pub(crate) corrects: Option<String>,
    /// Why it corrects it
    #[arg(long, requires = "corrects")]
    pub(crate) reason: Option<Reason>,
}

#[derive(Debug, Args)]
pub(crate) struct StarArgs {
    /// Its number or id
    pub(crate) incident: String,
    /// Which line; `timeline --ids` names it
    pub(crate) line: String,
    /// Take the mark away
    #[arg(long)]
    pub(crate) off: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StoryVerb {
    /// The story
    Show {
        /// Its number or id
        incident: String,
    },
    /// Tell a line in it; a line that is told already is told so from now on
    Tell(TellArgs),
    /// Tell a line no more
    LeaveOut {
        /// Its number or id
        incident: String,
        /// Which line
        line: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct TellArgs {
    /// Its number or id
    pub(crate) incident: String,
    /// Which line; `timeline --ids` names it
    pub(crate) line: String,
    /// What it is called in the story
    #[arg(long)]
    pub(crate) title: Option<Title>,
    /// In own words
    #[arg(long)]
    pub(crate) text: Option<NoteText>,
    /// The time it is told with, RFC 3339
    #[arg(long)]
    pub(crate) at: Option<String>,
    /// Its place; those without one follow by their times
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) place: Option<u32>,
}

fn tlp() -> impl clap::builder::TypedValueParser<Value = Tlp> {
    PossibleValuesParser::new(Tlp::ALL.iter().map(|tlp| tlp.as_str()))
        .try_map(|word| word.parse::<Tlp>())
}

fn lane() -> impl clap::builder::TypedValueParser<Value = Lane> {
    PossibleValuesParser::new(Lane::ALL.iter().map(|lane| lane.as_str()))
        .try_map(|word| word.parse::<Lane>())
}

fn role() -> impl clap::builder::TypedValueParser<Value = Role> {
    PossibleValuesParser::new(Role::ALL.iter().map(|role| role.as_str()))
        .try_map(|word| word.parse::<Role>())
}
