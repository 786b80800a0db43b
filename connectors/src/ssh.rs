//! `ssh`: commands on hosts, within a list of hosts and of command patterns.
//!
//! Generic on purpose: an exit status is all it knows. What is not listed is refused; a pattern
//! with a `*` never lets an option in.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use beistand_connector_api::{
    ActionName, Answer, BoxFuture, Call, CallError, Connector, ConnectorSpec, EffectClass, Offer,
    Probed, Reached, Schema, SchemaType, SecretReference, Span, Target, TargetKind, Value,
};
use serde::Deserialize;
use serde_json::json;

use crate::kit::{
    Command, Doing, Finished, Net, Progress, Shell, Ssh, SshSettings, action, excerpt,
    secret_schema, within,
};
use crate::{Maker, Settings, SettingsError};

/// The registry's entry.
pub const MAKER: Maker = Maker {
    kind: "ssh",
    title: "Commands on hosts, within a list of hosts and commands",
    settings,
    spec,
    build,
};

/// As large as the output of a step may be, on each of two streams.
const OUTPUT_BYTES_MAX: usize = 512 * 1024;
/// How long `connectors test` waits for one host.
const HEALTH_TIMEOUT: Span = Span::from_secs(15);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    user: String,
    key: SecretReference,
    known_hosts: PathBuf,
    #[serde(default = "posix")]
    shell: Shell,
    /// By the name that playbooks use.
    hosts: BTreeMap<String, Host>,
    commands: Vec<Pattern>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Host {
    address: IpAddr,
    #[serde(default = "port")]
    port: u16,
}

/// Which commands are allowed: word by word, where `*` stands for any characters of one word and
/// a last `**` for any further words.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pattern {
    command: Vec<String>,
    #[serde(default)]
    destructive: bool,
}

const fn posix() -> Shell {
    Shell::Posix
}

const fn port() -> u16 {
    22
}

fn settings() -> Schema {
    let flag = Schema { default: Some(json!(false)), ..Schema::of(SchemaType::Boolean) };
    let pattern = Schema::object([
        (
            "command",
            Schema::array(Schema::string()).titled("Words; `*` in a word, `**` at the end"),
        ),
        ("destructive", flag.titled("Gates, guard, limits and holds apply to these calls")),
    ]);
    let shell =
        Schema { default: Some(json!("posix")), ..Schema::one_of(&["posix", "powershell"]) };
    Schema::object([
        ("user", Schema::string().titled("The account on the hosts")),
        ("key", secret_schema()),
        ("known_hosts", Schema::string().titled("The file with the pinned keys of the hosts")),
        ("shell", shell.titled("Which shell reads the command line")),
        ("hosts", Schema::of(SchemaType::Object).titled("name: { address, port }")),
        ("commands", Schema::array(pattern).titled("What may be run")),
    ])
}

fn spec() -> ConnectorSpec {
    ConnectorSpec {
        kind: MAKER.kind.to_owned(),
        title: MAKER.title.to_owned(),
        source: "RFC 4254 section 6.5 (exec) and 6.10 (exit status)".to_owned(),
        offers: vec![Offer {
            action: action("ssh.run"),
            class: EffectClass::Once,
            reach: Reached::Effective,
            settle: Span::ZERO,
        }],
    }
}

fn build(settings: &Settings) -> Result<Arc<dyn Connector>, SettingsError> {
    let config: Config = settings.parse()?;
    if config.hosts.is_empty() {
        return Err(settings.error("hosts", "is empty: nothing could ever be run"));
    }
    for (index, pattern) in config.commands.iter().enumerate() {
        let rest = pattern.command.iter().position(|word| word == "**");
        if pattern.command.is_empty() || rest.is_some_and(|at| at + 1 < pattern.command.len()) {
            return Err(settings
                .error(&format!("commands[{index}]"), "has no words, or `**` before its end")
                .hint("for example [systemctl, restart, \"*\"]"));
        }
        if pattern.command.first().is_some_and(|word| word.contains('*')) {
            return Err(settings
                .error(&format!("commands[{index}]"), "would allow any program")
                .hint("write the program out; `*` may stand in its arguments"));
        }
    }
    let hosts = config
        .hosts
        .into_iter()
        .map(|(name, host)| {
            let way = SshSettings {
                host: host.address.to_string(),
                port: host.port,
                user: config.user.clone(),
                key: config.key.clone(),
                known_hosts: config.known_hosts.clone(),
            };
            (name.to_lowercase(), (host.address, Ssh::new(way, Arc::clone(&settings.vault))))
        })
        .collect();
    Ok(Arc::new(Runner { spec: spec(), shell: config.shell, hosts, patterns: config.commands }))
}

#[derive(Debug)]
struct Runner {
    spec: ConnectorSpec,
    shell: Shell,
    hosts: BTreeMap<String, (IpAddr, Ssh)>,
    patterns: Vec<Pattern>,
}

impl Runner {
    /// Where a call goes: the host's name in the configuration, its address, the way to it.
    fn host(&self, arguments: &Value) -> Result<(&str, IpAddr, &Ssh), CallError> {
        let names = || self.hosts.keys().cloned().collect::<Vec<_>>().join(", ");
        let mut hosts = self.hosts.iter().map(|(name, (at, ssh))| (name.as_str(), *at, ssh));
        let Some(wanted) = arguments.get("host").and_then(Value::as_str) else {
            return match (hosts.next(), hosts.next()) {
                (Some(only), None) => Ok(only),
                (Some(_) | None, _) => {
                    Err(CallError::invalid(format!("say which `host`: {}", names())))
                }
            };
        };
        let name = wanted.trim_end_matches('.').to_lowercase();
        let address = name.parse::<IpAddr>().ok();
        let by_name = hosts.clone().find(|(known, ..)| *known == name);
        by_name.or_else(|| hosts.find(|(_, known, _)| Some(*known) == address)).ok_or_else(|| {
            CallError::refused(format!("`{wanted}` is not in this connector's hosts: {}", names()))
        })
    }

    /// Whether it is allowed, and then whether it hurts.
    fn permits(&self, words: &[String]) -> Option<bool> {
        let covers = |pattern: &&Pattern| pattern.covers(words, self.shell);
        let mut matching = self.patterns.iter().filter(covers).peekable();
        matching.peek()?;
        Some(matching.any(|pattern| pattern.destructive))
    }

    async fn run(&self, call: &Call, progress: &Progress) -> Result<Answer, CallError> {
        let words = words(&call.arguments);
        let (_, _, ssh) = self.host(&call.arguments)?;
        if self.permits(&words).is_none() {
            return Err(CallError::refused(format!(
                "`{}` is not in this connector's commands",
                excerpt(words.join(" ").as_bytes(), 200)
            )));
        }
        let stdin = call.arguments.get("stdin").and_then(Value::as_str).unwrap_or_default();
        let (line, stdin) = self.shell.spell(&words, stdin).map_err(CallError::invalid)?;
        let session = ssh.open().await?;
        let command = Command {
            line: &line,
            stdin: &stdin,
            doing: Doing::Changing,
            output_bytes_max: OUTPUT_BYTES_MAX,
        };
        let finished = session.run(&command, progress).await?;
        session.close().await;
        judge(ssh.name(), &finished, &call.arguments, &ssh.net())
    }

    async fn look(&self) -> Result<String, CallError> {
        let mut names = Vec::new();
        for (name, (_, ssh)) in &self.hosts {
            let progress = Progress::default();
            let session = within(HEALTH_TIMEOUT, &progress, ssh.name(), ssh.open()).await?;
            session.close().await;
            names.push(name.as_str());
        }
        Ok(format!("logged in at {}", names.join(", ")))
    }
}

impl Pattern {
    fn covers(&self, words: &[String], shell: Shell) -> bool {
        let (fixed, open) = match self.command.split_last() {
            Some((last, fixed)) if last == "**" => (fixed, true),
            Some(_) | None => (self.command.as_slice(), false),
        };
        let count = if open { words.len() >= fixed.len() } else { words.len() == fixed.len() };
        count
            && fixed.iter().zip(words).all(|(pattern, word)| word_fits(pattern, word, shell))
            && words.iter().skip(fixed.len()).all(|word| word_fits("*", word, shell))
    }
}

fn word_fits(pattern: &str, word: &str, shell: Shell) -> bool {
    if !pattern.contains('*') {
        return pattern == word;
    }
    // What is not written out must not become an option.
    let begins = |text: &str| text.starts_with(|c| begins_option(c, shell));
    if (begins(word) && !begins(pattern)) || breaks_word(word, shell) {
        return false;
    }
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| word.strip_prefix(first)) else {
        return false;
    };
    let mut pieces: Vec<&str> = pieces.collect();
    let last = pieces.pop().unwrap_or_default();
    for piece in pieces {
        match rest.find(piece) {
            Some(at) => rest = rest.get(at + piece.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Windows programs take `/` for `-`, and `PowerShell` takes the dashes of typography for it.
fn begins_option(c: char, shell: Shell) -> bool {
    match shell {
        Shell::Posix => c == '-',
        Shell::Powershell => {
            matches!(c, '-' | '/' | '\u{2010}'..='\u{2015}' | '\u{2212}')
        }
    }
}

/// Windows `PowerShell` hands a `"` on as it is, and the program's own reading of its command line
/// ends the word there: what follows would be words, and options, of its own.
fn breaks_word(word: &str, shell: Shell) -> bool {
    match shell {
        Shell::Posix => false,
        Shell::Powershell => word.contains('"'),
    }
}

fn words(arguments: &Value) -> Vec<String> {
    let listed = arguments.get("command").and_then(Value::as_array);
    listed.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Any status outside `expect` is the command's own "no"; a signal leaves open what was done.
fn judge(
    host: &str,
    finished: &Finished,
    arguments: &Value,
    net: &Net,
) -> Result<Answer, CallError> {
    let said = net.excerpt(&finished.stderr, 300);
    let Some(status) = finished.status else {
        return Err(CallError::unknown(format!("the command on {host} was killed: {said}")));
    };
    let expected = match arguments.get("expect").and_then(Value::as_array) {
        Some(codes) => codes.iter().any(|code| code.as_u64() == Some(u64::from(status))),
        None => status == 0,
    };
    if !expected {
        return Err(CallError::refused(format!(
            "the command on {host} ended with {status}: {said}"
        )));
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&finished.stdout), text(&finished.stderr));
    Ok(Answer {
        output: json!({ "status": status, "stdout": stdout, "stderr": stderr }),
        reached: Reached::Effective,
    })
}

impl Connector for Runner {
    fn spec(&self) -> &ConnectorSpec {
        &self.spec
    }

    fn offer(&self, action: &ActionName, arguments: &Value) -> Option<Offer> {
        let class = match arguments.get("idempotent") {
            Some(Value::Bool(true)) => EffectClass::Idempotent,
            Some(_) | None => EffectClass::Once,
        };
        self.spec.offer(action).map(|offer| Offer { class, ..offer.clone() })
    }

    fn destructive(&self, _: &ActionName, arguments: &Value) -> bool {
        let words = words(arguments);
        // Not known yet: as bad as the worst that is allowed.
        self.permits(&words).unwrap_or_else(|| {
            words.is_empty() && self.patterns.iter().any(|pattern| pattern.destructive)
        })
    }

    fn goes_to(&self, _: &ActionName, arguments: &Value) -> Option<Target> {
        let (name, address, _) = self.host(arguments).ok()?;
        Some(Target {
            kind: TargetKind::Host,
            name: name.to_owned(),
            addresses: BTreeSet::from([address.to_canonical()]),
            macs: BTreeSet::new(),
            organisation: None,
        })
    }

    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Answer, CallError>> {
        Box::pin(async move {
            let progress = Progress::default();
            within(call.timeout, &progress, "the host", self.run(call, &progress)).await
        })
    }

    fn probe<'a>(&'a self, _: &'a Call) -> BoxFuture<'a, Probed> {
        Box::pin(async { Probed::Unknown })
    }

    fn health(&self) -> BoxFuture<'_, Result<String, CallError>> {
        Box::pin(self.look())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_covers_words_and_never_lets_an_option_in() {
        let covers = |pattern: &[&str], words: &[&str]| {
            let own = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
            let words: Vec<String> = own(words);
            Pattern { command: own(pattern), destructive: false }.covers(&words, Shell::Posix)
        };
        assert!(covers(&["systemctl", "restart", "*"], &["systemctl", "restart", "nginx"]));
        assert!(covers(&["ls", "**"], &["ls", "/a", "/b"]));
        assert!(covers(&["ls", "**"], &["ls"]));
        assert!(covers(&["t", "a*b*c"], &["t", "a-x-b-y-c"]));
        assert!(covers(&["t", "--to=*"], &["t", "--to=x"]));
        assert!(!covers(&["systemctl", "restart", "*"], &["systemctl", "restart", "--force"]));
        assert!(!covers(&["systemctl", "restart", "*"], &["systemctl", "restart", "a", "b"]));
        assert!(!covers(&["ls", "**"], &["ls", "/a", "-x"]));
        assert!(!covers(&["t", "a*a"], &["t", "a"]));
        assert!(!covers(&["t", "nginx-*"], &["t", "apache-1"]));
    }

    #[test]
    fn a_powershell_takes_more_for_an_option_and_none_gets_in() {
        let fits = |pattern, word| word_fits(pattern, word, Shell::Powershell);
        for word in ["-f", "/f", "‐f", "‑f", "‒f", "–f", "—f", "―f", "−f", "a\" /f", "\"-f"]
        {
            assert!(!fits("*", word), "{word}");
            let command = Pattern { command: vec!["t".into(), "**".into()], destructive: false };
            assert!(!command.covers(&["t".to_owned(), word.to_owned()], Shell::Powershell));
        }
        assert!(fits("*", "Spooler") && fits("/x:*", "/x:1") && fits("-Name*", "-Name:a-b/c"));
        assert!(!fits("/x:*", "/x:\" /y"));
        // Written out by whoever configured it.
        assert!(fits("\"a\"", "\"a\""));
        assert!(word_fits("*", "/etc/hosts", Shell::Posix));
    }

    #[test]
    fn another_status_is_a_no_and_a_signal_is_unknown() {
        let ended = |status, expect: &[u32]| {
            let finished = Finished { status, stdout: b"o".to_vec(), stderr: b"e".to_vec() };
            let arguments = if expect.is_empty() { json!({}) } else { json!({ "expect": expect }) };
            judge("h", &finished, &arguments, &Net::default())
        };
        assert!(ended(Some(0), &[]).is_ok());
        assert!(ended(Some(3), &[0, 3]).is_ok());
        assert!(matches!(ended(Some(1), &[]), Err(CallError::Refused { .. })));
        assert!(matches!(ended(None, &[]), Err(CallError::Unknown { .. })));
    }
}
