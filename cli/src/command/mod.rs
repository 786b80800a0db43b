//! One file a group of verbs; this is the table.

mod answer;
mod bench;
mod body;
mod call;
mod cases;
mod check;
mod control;
mod drill;
mod form;
mod gate;
mod handover;
mod incident;
mod init;
mod keep;
mod more;
mod needs;
mod on_call;
mod plan;
mod resume;
mod run;
mod serve;
mod setup;
mod show;
mod story;
mod supersede;
mod telephone;
mod timeline;
mod user;

use clap::CommandFactory as _;

use crate::args::{Cli, Verb};
use crate::exit::{Exit, Outcome};
use crate::session::Context;

/// Does what was asked.
pub(crate) async fn dispatch(context: &Context, verb: Verb) -> Outcome {
    match verb {
        Verb::Check { files } => check::check(context, &files),
        Verb::Plan(args) => plan::plan(context, &args),
        Verb::Test(args) => cases::test(context, &args),
        Verb::Run(args) => Box::pin(run::run(context, args)).await,
        Verb::More(args) => Box::pin(more::more(context, args)).await,
        Verb::Supersede(args) => Box::pin(supersede::supersede(context, args)).await,
        Verb::Call(args) => Box::pin(call::call(context, args)).await,
        Verb::Serve(args) => Box::pin(serve::serve(context, args)).await,
        Verb::Resume { run } => resume::resume(context, run.as_deref()).await,
        Verb::Runs { incident, status } => show::runs(context, incident.as_deref(), status).await,
        Verb::Show { run } => show::show(context, &run).await,
        Verb::Watch { run } => run::watch(context, &run).await,
        Verb::Holds => show::holds(context).await,
        Verb::Needs { incident, run } => {
            needs::needs(context, incident.as_deref(), run.as_deref()).await
        }
        Verb::OnCall { at } => on_call::on_call(context, at.as_deref()),
        Verb::Approve(args) => answer::approve(context, args).await,
        Verb::Deny(args) => answer::deny(context, args).await,
        Verb::Done(args) => answer::done(context, args).await,
        Verb::Decide(args) => answer::decide(context, args).await,
        Verb::Resolve(args) => answer::resolve(context, args).await,
        Verb::Signal(args) => answer::signal(context, args).await,
        Verb::Pause(which) => control::pause(context, &which, true).await,
        Verb::Unpause(which) => control::pause(context, &which, false).await,
        Verb::Cancel(args) => control::cancel(context, &args).await,
        Verb::Undo(args) => Box::pin(control::undo(context, args)).await,
        Verb::StopAll { reason } => control::stop_all(context, reason).await,
        Verb::GoOn { reason } => control::go_on(context, reason).await,
        Verb::Incident(verb) => incident::incident(context, verb).await,
        Verb::Note(args) => story::note(context, args).await,
        Verb::Star(args) => story::star(context, &args).await,
        Verb::Story(verb) => story::story(context, verb).await,
        Verb::Evidence(verb) => incident::evidence(context, verb).await,
        Verb::Timeline(args) => timeline::timeline(context, &args).await,
        Verb::Print { what } => timeline::print(context, &what).await,
        Verb::User(verb) => user::user(context, verb).await,
        Verb::Token(verb) => user::token(context, verb).await,
        Verb::Verify { file, expect } => {
            keep::verify(context, file.as_deref(), expect.as_deref()).await
        }
        Verb::Backup { file } => keep::backup(context, &file).await,
        Verb::Restore { file, keep_credentials } => {
            keep::restore(context, &file, keep_credentials).await
        }
        Verb::Schema { what } => Ok(setup::schema(context, what)),
        Verb::Init(args) => Box::pin(init::init(context, args)).await,
        Verb::Config(_) => setup::config(context).await,
        Verb::Inventory(verb) => setup::inventory(context, verb),
        Verb::Connectors { verb } => setup::connectors(context, verb).await,
        Verb::Completions { shell } => {
            let mut command = Cli::command();
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut command, "beistand", &mut script);
            context.out.document(String::from_utf8_lossy(&script).trim_end());
            Ok(Exit::Ok)
        }
        Verb::Bench(args) => Box::pin(bench::bench(context, &args)).await,
    }
}
