//! The verbs of an incident: what can be said of it and done about it. Nothing here does anything.

use std::path::PathBuf;

use beistand_core::incident::AssetState;
use beistand_core::model::{NoteText, Reason, Role, TargetKind, Title, Tlp};
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum IncidentVerb {
    /// Open an incident
    Open {
        /// One line that says what it is
        title: Title,
        /// An exercise: nothing in it is real
        #[arg(long)]
        drill: bool,
        /// 1 disruption to 4 crisis
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=4))]
        severity: u8,
        /// Who may read it
        #[arg(long, default_value_t = Tlp::Amber, value_parser = tlp())]
        tlp: Tlp,
    },
    /// A drill turned out to be real: open what is known in it as a live incident
    Real {
        /// The drill's number or id
        drill: String,
    },
    /// All incidents, newest first
    List,
    /// One incident
    Show {
        /// Its number or id
        incident: String,
    },
    /// It is over
    Close {
        /// Its number or id
        incident: String,
        /// What came of it
        #[arg(long)]
        reason: Option<Reason>,
    },
    /// A person takes a role
    Assign {
        /// Its number or id
        incident: String,
        /// Which
        #[arg(value_parser = role())]
        role: Role,
        /// Who takes it
        person: String,
    },
    /// An organisation is concerned
    Link {
        /// Its number or id
        incident: String,
        /// Which
        organisation: String,
    },
    /// Something it is about, and how that stands
    Asset {
        /// Its number or id
        incident: String,
        /// What kind of thing
        #[arg(value_parser = target_kind())]
        kind: TargetKind,
        /// Its name or address; @FILE for many, a line an item
        value: String,
        /// How it stands
        #[arg(value_parser = asset_state())]
        state: AssetState,
        /// Whose it is, where the inventory does not say
        #[arg(long)]
        organisation: Option<String>,
    },
    /// Another title, severity or circle of readers
    Edit(EditArgs),
    /// What the next commander must know, with its digest
    Briefing {
        /// Its number or id
        incident: String,
    },
    /// Offer command to the next commander, accept it, or withdraw the offer
    Handover(HandoverArgs),
}

#[derive(Debug, Args)]
pub(crate) struct HandoverArgs {
    /// Its number or id
    pub(crate) incident: String,
    #[command(flatten)]
    pub(crate) what: Handover,
    /// What they should know besides the briefing
    #[arg(long, requires = "to")]
    pub(crate) note: Option<NoteText>,
    /// The briefing that you have seen; asked for without a terminal
    #[arg(long, requires = "accept")]
    pub(crate) digest: Option<String>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Handover {
    /// Who is to take command
    #[arg(long, value_name = "PERSON")]
    pub(crate) to: Option<String>,
    /// Take command, having seen the current briefing
    #[arg(long)]
    pub(crate) accept: bool,
    /// Do not offer it any more
    #[arg(long)]
    pub(crate) withdraw: bool,
}

#[derive(Debug, Args)]
pub(crate) struct EditArgs {
    /// Its number or id
    pub(crate) incident: String,
    #[command(flatten)]
    pub(crate) change: EditChange,
    /// Why; needed where more people may read it than before
    #[arg(long)]
    pub(crate) reason: Option<Reason>,
    /// Only if its newest entry has this number, as `incident show` says it
    #[arg(long, value_name = "N")]
    pub(crate) if_seq: Option<u64>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct EditChange {
    /// Another line that says what it is
    #[arg(long)]
    pub(crate) title: Option<Title>,
    /// 1 disruption to 4 crisis
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=4))]
    pub(crate) severity: Option<u8>,
    /// Who may read it
    #[arg(long, value_parser = tlp())]
    pub(crate) tlp: Option<Tlp>,
}

/// The words of the domain, which a wrong one is answered with.
fn tlp() -> impl clap::builder::TypedValueParser<Value = Tlp> {
    PossibleValuesParser::new(Tlp::ALL.iter().map(|tlp| tlp.as_str()))
        .try_map(|word| word.parse::<Tlp>())
}

fn role() -> impl clap::builder::TypedValueParser<Value = Role> {
    PossibleValuesParser::new(Role::ALL.iter().map(|role| role.as_str()))
        .try_map(|word| word.parse::<Role>())
}

fn target_kind() -> impl clap::builder::TypedValueParser<Value = TargetKind> {
    PossibleValuesParser::new(TargetKind::ALL.iter().map(|kind| kind.as_str()))
        .try_map(|word| word.parse::<TargetKind>())
}

fn asset_state() -> impl clap::builder::TypedValueParser<Value = AssetState> {
    PossibleValuesParser::new(AssetState::ALL.iter().map(|state| state.as_str()))
        .try_map(|word| word.parse::<AssetState>())
}

#[derive(Debug, Subcommand)]
pub(crate) enum EvidenceVerb {
    /// Keep a file
    Add {
        /// Its number or id
        incident: String,
        /// Which
        file: PathBuf,
    },
}
