//! The server: the store's owner, its engine and the listener in one process.

use std::path::PathBuf;
use std::sync::Arc;

use beistand_runtime::{Calling, Clock as _, Drive, Engine, Passkeys, WallClock};
use beistand_web::certificate::{Certificate, CertificateError};
use beistand_web::sso::SingleSignOn;
use beistand_web::{Accounts, App, Doorkeeper, Hooks, Leave, Limits, Playbooks, Server, Settings};
use tokio::sync::watch;

use crate::args::ServeArgs;
use crate::config::{IdentityProvider, Serve, TlsFiles, hooks};
use crate::exit::{DEAD_HINT, Exit, Failure, Outcome};
use crate::library::Shelved;
use crate::out::many;
use crate::session::Context;
use crate::signals::Signals;

/// The end of the file's name in which a self-made certificate stays.
const OWN_CERTIFICATE: &str = "tls.pem";

pub(super) async fn serve(context: &Context, args: ServeArgs) -> Outcome {
    let wanted = wanted(&context.config.serve, &args)?;
    let mut settings = Settings {
        listen: wanted.address()?,
        certificate: None,
        proxies: wanted.proxies()?,
        limits: Limits::default(),
    };
    if args.plain {
        settings.check().map_err(|error| refused(&error))?;
    }
    let hooks = hooks(&context.config.hooks)?;
    let calling = context.config.on_call.calling(&context.config)?;
    let sso = context.config.single_sign_on.as_ref().map(IdentityProvider::made).transpose()?;
    // The store comes first: who has it makes the certificate and has the address.
    let engine = *context.take(Drive::Yes, Vec::new()).await?.here().map_err(|owned| {
        owned.hint("one store has one server: end that one first, or name another store by --store")
    })?;
    let bound = async {
        if !args.plain {
            settings.certificate = Some(certificate(context, &wanted)?);
        }
        let shown = settings.certificate.clone();
        let server = Server::bind(settings).await.map_err(|error| refused(&error))?;
        let signals = Signals::listen()?;
        announce(context, &server, shown.as_ref());
        Ok((server, signals))
    };
    match bound.await {
        Ok(serving) => until_told(context, engine, serving, (hooks, calling, sso)).await,
        Err(failure) => {
            engine.leave().await;
            Err(failure)
        }
    }
}

/// The section of the configuration with what the call says otherwise.
fn wanted(section: &Serve, args: &ServeArgs) -> Outcome<Serve> {
    let mut wanted = section.clone();
    if let Some(listen) = &args.listen {
        wanted.listen.clone_from(listen);
    }
    if let (Some(cert), Some(key)) = (&args.tls_cert, &args.tls_key) {
        wanted.tls = Some(TlsFiles { cert: cert.clone(), key: key.clone() });
    }
    match (wanted.address(), &args.listen) {
        (Err(fault), Some(_)) => {
            Err(Failure::usage(fault.message).hint("for example 127.0.0.1:8443"))
        }
        (Ok(_), _) | (Err(_), None) => Ok(wanted),
    }
}

/// The given certificate, or the one that was made beside the store.
fn certificate(context: &Context, wanted: &Serve) -> Outcome<Certificate> {
    let now = WallClock.now();
    if let Some(files) = &wanted.tls {
        return Ok(files.read(now)?);
    }
    let Some(file) = beside(context) else {
        let text = "there is no place for a self-made certificate: no configuration, and the store \
                    is not a file";
        return Err(Failure::new(Exit::Check, text).hint("name one by --tls-cert and --tls-key"));
    };
    let mut names = wanted.name.clone();
    // A certificate for "everywhere" is for no address.
    names.extend(
        wanted
            .address()
            .ok()
            .map(|a| a.ip())
            .filter(|ip| !ip.is_unspecified())
            .map(|ip| ip.to_string()),
    );
    let own = Certificate::own(&file, &names, now).map_err(|error| unusable(&error))?;
    for name in own.unnamed() {
        context.out.loud(format_args!(
            "the self-made certificate {} is not for `{name}`: without the file a new one is made, \
             with a new fingerprint",
            file.display()
        ));
    }
    Ok(own)
}

/// `<db>.tls.pem`, or `beistand.tls.pem` beside the configuration.
fn beside(context: &Context) -> Option<PathBuf> {
    if let Some(path) = context.url.strip_prefix("sqlite:") {
        let path = path.trim_start_matches("//");
        return Some(PathBuf::from(format!("{path}.{OWN_CERTIFICATE}")));
    }
    let file = context.config_file.as_ref()?;
    Some(file.with_file_name(format!("beistand.{OWN_CERTIFICATE}")))
}

fn unusable(error: &CertificateError) -> Failure {
    let failure = Failure::new(Exit::Check, error.to_string()).because(error);
    match error.hint() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

fn refused(error: &beistand_web::ServeError) -> Failure {
    let failure = match error {
        beistand_web::ServeError::Plain(_) => Failure::usage(error.to_string())
            .hint("leave out --plain; a certificate is self-made where none is given"),
        beistand_web::ServeError::Listen { .. } | _ => {
            Failure::new(Exit::Unreachable, error.to_string())
        }
    };
    failure.because(error)
}

/// Where it listens, and how to know that it is this one.
fn announce(context: &Context, server: &Server, certificate: Option<&Certificate>) {
    let address = server.address();
    let Some(certificate) = certificate else {
        return context.out.loud(format_args!("listening on http://{address} without TLS"));
    };
    let fingerprint = certificate.fingerprint();
    context.out.loud(format_args!("listening on https://{address} sha256:{fingerprint}"));
    context.out.note(format_args!("to compare by telephone: {}", certificate.spoken()));
}

/// Passkeys are for the first name that browsers know the server by; on this machine alone it has
/// one without being told.
fn passkeys(serve: &Serve) -> Option<Passkeys> {
    let here = serve.address().is_ok_and(|address| address.ip().is_loopback());
    let names = serve.name.iter().map(String::as_str).chain(here.then_some("localhost"));
    names.into_iter().find_map(|name| Passkeys::of(name).ok())
}

/// Serves and drives until a signal comes or the store dies.
async fn until_told(
    context: &Context,
    engine: Engine,
    (server, mut signals): (Server, Signals),
    (hooks, calling, sso): (Hooks, Option<Calling>, Option<SingleSignOn>),
) -> Outcome {
    let leave = Leave::default();
    let door: Arc<dyn Doorkeeper> = Arc::new(Accounts::new(engine.clone()));
    if !engine.has_accounts().await? {
        context.out.loud(
            "the store has no accounts, so nobody can log in; \
             `beistand user add NAME --role admin` makes the first",
        );
    }
    context.say_stopped(engine.journal().reader()).await?;
    for sentence in context.config.on_call.without_account(engine.journal().reader()).await? {
        context.out.loud(sentence);
    }
    let shelves = Shelved::new(context.shelves.clone(), Arc::clone(&context.scripts));
    let given = (Arc::new(shelves) as Arc<dyn Playbooks>, Arc::clone(&door));
    let short = context.config.provider.short.as_str();
    let mut app = App::new(engine.clone(), short, given, leave.clone());
    app = app.hearing(hooks).signing_on(sso);
    if let Some(passkeys) = passkeys(&context.config.serve) {
        app = app.named(passkeys);
    }
    let serving = tokio::spawn(server.run(beistand_web::table(), app, door, leave.clone()));
    let mut driving = context.drive(&engine);
    let (end, ended) = watch::channel(false);
    let calling = calling.map(|calling| {
        let engine = engine.clone();
        tokio::spawn(async move { engine.call_people(calling, ended).await })
    });
    loop {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => break,
            _ = signals.terminate.recv() => break,
            _ = signals.stop.recv() => engine.stop_from_outside("SIGUSR1").await,
            // The engine ends by itself only when its store has died.
            _ = &mut driving => break,
        }
    }
    context.out.note("ending: no new requests; those under way are waited for");
    leave.tell();
    // Connections to the store may have been opened by its threads: they end last.
    let _threads = serving.await;
    // A mail that is out is waited for: what became of it is written while the store is ours.
    end.send_replace(true);
    if let Some(calling) = calling {
        drop(calling.await);
    }
    let left = engine.leave().await;
    if left > 0 {
        context.out.note(format_args!(
            "{} still had something out; the next start goes on",
            many(left, "run")
        ));
    }
    match engine.dead() {
        Some(why) => Err(Failure::new(Exit::Internal, why).hint(DEAD_HINT)),
        None => Ok(Exit::Ok),
    }
}
