//! Words for votes, given at the keyboard or on the telephone.

use beistand_core::model::Reason;
use clap::Args;

pub(super) const TELEPHONE: &str =
    "By telephone: ben compares the six words that are read aloud to him with his mail or
his printed sheet, then reads out the number and the letters of one of his codes.
  beistand approve 0199a3f2-51c0-7d99-8e83 --by ben                 asks for the code
  beistand deny 0199a3f2-51c0-7d99-8e83 --reason no --by ben --code 7:K3FQ9-ZTMAX";

#[derive(Debug, Args)]
pub(crate) struct ApproveArgs {
    /// The gate, as `beistand needs` lists it
    pub(crate) need: String,
    /// What is approved; asked for without a terminal
    #[arg(long)]
    pub(crate) digest: Option<String>,
    /// What is to be remembered of it
    #[arg(long)]
    pub(crate) reason: Option<Reason>,
    /// All equal needs
    #[arg(long)]
    pub(crate) group: bool,
    #[command(flatten)]
    pub(crate) telephone: OnTelephone,
}

#[derive(Debug, Args)]
pub(crate) struct DenyArgs {
    /// The gate, as `beistand needs` lists it
    pub(crate) need: String,
    /// Why not; it stands in the timeline
    #[arg(long)]
    pub(crate) reason: Reason,
    /// All equal needs
    #[arg(long)]
    pub(crate) group: bool,
    #[command(flatten)]
    pub(crate) telephone: OnTelephone,
}

/// Somebody on the telephone.
#[derive(Debug, Args)]
pub(crate) struct OnTelephone {
    /// Whose account: they are on the telephone and read out a code of their sheet
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) by: Option<String>,
    /// Number and letters of the code; asked for on a terminal
    #[arg(long, value_name = "NUMBER:CODE", requires = "by")]
    pub(crate) code: Option<String>,
}
