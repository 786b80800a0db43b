//! Somebody on the telephone: who sends the request types in what they read out.

use beistand_core::access::Permission;
use beistand_core::model::AccountName;
use beistand_journal::Run;
use beistand_runtime::{Caller, Denied, Secret};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::report::Problem;

/// Somebody on the telephone, who reads out a printed code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OnTelephone {
    /// Their account.
    #[schema(min_length = 1, max_length = 200)]
    account: String,
    /// The code's number on the sheet.
    #[schema(min_length = 1, max_length = 10)]
    number: String,
    /// The code; small letters, blanks and dashes do not matter. A vote that counts uses it up.
    #[schema(min_length = 1, max_length = 40)]
    code: String,
}

impl OnTelephone {
    /// Who they are, and the name of the code that their vote uses up. `caller` is who types.
    ///
    /// # Errors
    /// 403 for a code that is none, and for who may not type it in; 429 after many of them.
    pub(super) async fn voter(
        self,
        app: &App,
        caller: &Caller,
        row: &Run,
    ) -> Result<(Caller, String), Problem> {
        let about = app.engine.about_run(row.id).await?;
        if !caller.actor.is_present() {
            let text = "a program, or a token, hears nobody: log in to type in what is said";
            return Err(Problem::forbidden(text));
        }
        if !caller.rights.may(Permission::Note, &about) {
            let text = format!("who types in what is said needs `{}`", Permission::Note);
            return Err(Problem::forbidden(text));
        }
        let account: AccountName = self.account.parse().map_err(|_| wrong())?;
        let code = (self.number.as_str(), Secret::new(self.code));
        let heard = app.engine.by_telephone(&account, code, &caller.actor.person).await;
        let typed = |(mut voter, code): (Caller, String)| {
            voter.actor = voter.actor.typed_with(&caller.actor);
            (voter, code)
        };
        heard.map(typed).map_err(|denied| match denied {
            Denied::Wrong | Denied::SecondFactorMissing => wrong(),
            Denied::Later { until } | Denied::TooManyQuestions { until } => {
                Problem::too_many(denied.to_string()).again_after(until.since(app.engine.now()))
            }
            Denied::Store(_) | Denied::Internal(_) => {
                Problem::unavailable("the code can not be looked at now").because(&denied)
            }
        })
    }
}

fn wrong() -> Problem {
    Problem::forbidden("no unused code of this account has this number and these letters")
        .hint("it counts as a guess; nobody reads one to themselves")
}
