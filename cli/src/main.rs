//! `beistand`: one binary. Parse, configure, call, report.

mod args;
mod command;
mod config;
mod crash;
mod exit;
mod find;
mod guard;
mod library;
mod missing;
mod modes;
mod out;
mod prove;
mod provider;
mod session;
mod shown;
mod signals;
mod stopped;
mod telemetry;
mod values;
mod watch;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;

use args::{Cli, Language};
use config::Config;
use exit::{Exit, Failure, Outcome};
use library::Shelves;
use out::Out;
use session::Context;

/// Counts what scripts allocate, so that their memory budget can be held.
#[global_allocator]
static ALLOCATOR: beistand_script::CountingAllocator<mimalloc::MiMalloc> =
    beistand_script::CountingAllocator::over(mimalloc::MiMalloc);

/// Whatever is made from here on is its owner's alone: store, log, witness, lock and backup hold
/// names, addresses and answers of incidents, and SQLite makes files that the mask allows.
fn keep_private() {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
}

fn main() -> ExitCode {
    keep_private();
    let cli = Cli::parse();
    let plain = config::variable("NO_COLOR").is_some()
        || config::variable("TERM").is_some_and(|term| term == "dumb");
    let out = Out::new(cli.global.json, cli.global.quiet, plain);
    let exit = match start(cli, out.clone()) {
        Ok(exit) => exit,
        Err(failure) => {
            out.failure(&failure);
            failure.exit
        }
    };
    let exit = match out.lost() {
        Some(failure) => {
            out.failure(&failure);
            if exit == Exit::Ok { failure.exit } else { exit }
        }
        None => exit,
    };
    ExitCode::from(u8::try_from(exit as i32).unwrap_or(70))
}

fn start(cli: Cli, out: Out) -> Outcome {
    let (config, config_file) = Config::load(cli.global.config.as_deref())?;
    // Before the exporter, which makes a client of its own.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        return Err(Failure::new(Exit::Internal, "a second crypto backend is in the way"));
    }
    let telemetry = telemetry::start(&config.telemetry, cli.global.verbose, out.colour)?;
    let scripts = beistand_script::Scripts::new()
        .map_err(|error| Failure::new(Exit::Internal, error.to_string()))?;
    let store = cli.global.store.clone().or_else(|| config.store.clone());
    let context = Context {
        url: store.unwrap_or_else(|| session::STORE.to_owned()),
        actor: session::actor(cli.global.actor.as_deref())?,
        said_who: cli.global.actor.is_some(),
        passphrase: cli.global.passphrase.clone(),
        proved: tokio::sync::OnceCell::new(),
        shelves: Shelves::new(config.playbooks.clone()),
        config,
        config_file,
        out,
        scripts: Arc::new(scripts),
        german: cli.global.lang == Language::De,
        utc: cli.global.utc,
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        // One core is left to the journal's thread: with a worker on each core they take it from
        // that thread, and each step waits for it.
        .worker_threads(cores.saturating_sub(1).max(1))
        // The journal's writer is woken from the store's own thread. Behind the tasks that its last
        // commit woke it would let the disk idle until all of them had decided.
        .global_queue_interval(1)
        // Whoever asks over the network is heard after a few decisions of runs and not after sixty.
        .event_interval(11)
        .build()
        .map_err(|error| Failure::new(Exit::Internal, format!("no threads: {error}")))?;
    let outcome = runtime.block_on(command::dispatch(&context, cli.verb));
    telemetry.flush();
    outcome
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn what_the_program_makes_is_its_owners_alone() {
        super::keep_private();
        let name = format!("beistand-private-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::File::create_new(&path).unwrap();
        let mode = path.metadata().unwrap().permissions().mode();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(mode & 0o777, 0o600);
    }
}
