//! Words for accounts, grants and tokens.

use std::path::PathBuf;

use beistand_core::access::Permission;
use beistand_core::model::{Label, Role};
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, Subcommand};

const USER_EXAMPLES: &str = "Examples:
  beistand user add root --role admin               the first account keeps the accounts
  beistand user add anna --role commander --as root
  beistand user add stadt-a --role reviewer --for stadt-a --as root
  beistand user add sealed-1 --break-glass --role commander --role admin --as root
  beistand user sso anna 4711-ab --as root          who anna is at the identity provider
  beistand user codes anna --as root                a sheet of printed codes
  beistand user remove anna --code 7 --as root      a code of it that somebody has heard
  beistand user grant anna deputy --until 2027-01-31T00:00:00+01:00 --as root

Passphrases are asked for on the terminal; without one they are the first line of --passphrase FILE.";

/// `user …`.
#[derive(Debug, Subcommand)]
#[command(after_help = USER_EXAMPLES)]
pub(crate) enum UserVerb {
    /// Make an account; the first one must keep the accounts: --role admin
    #[command(after_help = USER_EXAMPLES)]
    Add(AddArgs),
    /// Accounts, what they may do, how they prove themselves
    List,
    /// Lock an account: its sessions end, its tokens are dead
    Lock {
        /// Which
        account: String,
    },
    /// Let it be used again
    Unlock {
        /// Which
        account: String,
    },
    /// Give an account a new passphrase
    Passphrase {
        /// Whose
        account: String,
        /// Its new passphrase is the first line of this file
        #[arg(long = "new", value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Link an account to somebody at the identity provider; it gives no role
    Sso {
        /// Whose
        account: String,
        /// The subject, `sub`, letter by letter as the identity provider has it
        subject: String,
    },
    /// Print a sheet of codes, each good once: a second factor, and a vote by telephone
    Codes {
        /// Whose
        account: String,
        /// How many
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100))]
        count: u32,
    },
    /// Take a credential back, by its name in `user list`, or a printed code by its number
    #[command(
        override_usage = "beistand user remove ID\n       beistand user remove ACCOUNT --code NUMBER"
    )]
    Remove {
        /// The credential's name in `user list`; with --code the account that the sheet is of
        #[arg(value_name = "ID")]
        of: String,
        /// The number of an unused code on the account's sheet
        #[arg(long, value_name = "NUMBER")]
        code: Option<u32>,
    },
    /// Give a role
    Grant(GrantArgs),
    /// Take a role back
    Revoke(GrantArgs),
}

/// An account to be made.
#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// What is typed when logging in
    pub(crate) account: String,
    /// Whose it is, where the account is called otherwise: votes count by person
    #[arg(long)]
    pub(crate) person: Option<String>,
    /// A program's: it has tokens, and its votes do not count
    #[arg(long, conflicts_with = "break_glass")]
    pub(crate) service: bool,
    /// Sealed in an envelope; each use is told to everybody
    #[arg(long)]
    pub(crate) break_glass: bool,
    /// What its person may do; repeat for several
    #[arg(long = "role", value_parser = roles())]
    pub(crate) roles: Vec<Role>,
    #[command(flatten)]
    pub(crate) reach: ReachArgs,
    /// Its passphrase is the first line of this file
    #[arg(long = "new", value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Its person logs in by single sign-on too, as this subject of the identity provider
    #[arg(long, value_name = "SUBJECT", conflicts_with_all = ["service", "break_glass"])]
    pub(crate) sso: Option<String>,
}

/// How far a role reaches.
#[derive(Debug, Args)]
pub(crate) struct ReachArgs {
    /// Only for this organisation
    #[arg(long = "for", value_name = "ORGANISATION", conflicts_with = "incident")]
    pub(crate) organisation: Option<String>,
    /// Only in this incident
    #[arg(long = "in", value_name = "INCIDENT")]
    pub(crate) incident: Option<String>,
    /// Until when, RFC 3339
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
}

/// A role that is given or taken back.
#[derive(Debug, Args)]
pub(crate) struct GrantArgs {
    /// Whose it is: of all accounts of this person
    pub(crate) person: String,
    /// What they may do, by role
    #[arg(value_parser = roles())]
    pub(crate) role: Role,
    #[command(flatten)]
    pub(crate) reach: ReachArgs,
}

/// `token …`.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenVerb {
    /// Make a token; it is printed once and kept nowhere
    Add {
        /// Whose
        account: String,
        /// What it is for
        #[arg(long)]
        title: Label,
        /// What it may do, never more than its account; repeat for several
        #[arg(long = "may", required = true, value_parser = permissions())]
        may: Vec<Permission>,
        /// Until when, RFC 3339
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
    },
}

fn roles() -> impl clap::builder::TypedValueParser<Value = Role> {
    PossibleValuesParser::new(Role::ALL.iter().map(|role| role.as_str()))
        .try_map(|word| word.parse::<Role>())
}

fn permissions() -> impl clap::builder::TypedValueParser<Value = Permission> {
    PossibleValuesParser::new(Permission::ALL.iter().map(|one| one.as_str()))
        .try_map(|word| word.parse::<Permission>())
}
