//! `cargo xtask demo`: a server on this machine with a drill in the middle of its life, and a browser
//! before it.
//!
//! Everything is a drill: its connectors hold no address and no secret. It stands in a folder of its
//! own and listens on the loopback address alone; when the server ends, the folder is removed.

use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::npm;
use crate::report::Report;
use crate::run::{Trouble, cargo, output, run, run_quietly, target_folder};

/// Where it listens.
const PORT: u16 = 8443;

/// The people of the drill, each with a role. Who asked for a cut is not among the two who approve it.
const PEOPLE: [(&str, &str); 6] = [
    ("anna", "commander"),
    ("ben", "commander"),
    ("carla", "commander"),
    ("emil", "responder"),
    ("rita", "reviewer"),
    ("sven", "scribe"),
];

const CONFIGURATION: &str = "\
provider: { id: sit.example, short: SIT, name: SIT Beispiel, land: NW, legal_form: zweckverband }
inventory: [hosts.csv]
guard: { never: [dc01, backup01] }
";

const INVENTORY: &str = "\
name,addresses,macs,organisation,groups
pc-17,192.0.2.17,,stadt-a,kaemmerei
pc-18,192.0.2.18,,stadt-a,kaemmerei
fs01,192.0.2.5,,stadt-a,server
dc01,192.0.2.1,,,server
backup01,192.0.2.2,,,server
";

/// Ends with the server, however that ends, and takes the folder with it. A browser is opened where
/// there is a desktop.
const SERVE: &str = r#"
trap 'rm -rf "$1"' EXIT
trap : INT TERM HUP
if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] && command -v xdg-open >/dev/null; then
    (sleep 2; xdg-open "$3") >/dev/null 2>&1 &
fi
"$0" --store "$2" serve --plain --listen "$4"
"#;

/// Builds the program, plays the beginning of a drill, and serves it until Ctrl-C.
///
/// # Errors
/// When what the program embeds can not be had, the program can not be built, or the drill can not be
/// begun.
pub(crate) fn demo(report: &Report) -> Result<(), Trouble> {
    npm::provide(report, npm::PROGRAM)?;
    report.step("building (the first time takes some minutes)");
    run("building the program", &mut cargo(&["build", "--locked", "--package", "beistand"]))?;
    let stage = Stage::set()?;
    report.step("a drill: ransomware at a customer, as far as its first approval");
    let number = stage.begin()?;
    let at = format!("127.0.0.1:{PORT}");
    let url = format!("http://{at}/incidents/{number}");
    report.plain(&format!(
        "\n  open       {url}\n  account    anna   (leads; ben and carla approve, emil works, rita reviews)\n  \
         passphrase {}   (everybody's, made for this demo alone)\n\n  Ctrl-C ends it, and nothing of it stays.\n",
        stage.words
    ));
    let mut serve = Command::new("sh");
    serve.current_dir(&stage.folder).args(["-c", SERVE]).arg(program());
    serve.arg(&stage.folder).arg(stage.store()).args([&url, &at]);
    // The shell takes the folder away.
    run("the server", &mut serve)
}

fn program() -> PathBuf {
    target_folder().join("beistand")
}

/// Where the drill stands.
struct Stage {
    folder: PathBuf,
    words: String,
}

impl Stage {
    fn set() -> Result<Self, Trouble> {
        let mut command = Command::new("mktemp");
        let folder = output("making a folder", command.args(["-d", "-t", "beistand-demo.XXXXXX"]))?;
        let folder = PathBuf::from(folder);
        let words = words()?;
        for (name, text) in [
            ("beistand.yaml", CONFIGURATION),
            ("hosts.csv", INVENTORY),
            ("words", &format!("{words}\n")),
        ] {
            let unwritten = |error| Trouble::new(format!("could not write {name}: {error}"));
            fs::write(folder.join(name), text).map_err(unwritten)?;
        }
        Ok(Self { folder, words })
    }

    fn store(&self) -> String {
        format!("sqlite:{}", self.folder.join("demo.db").display())
    }

    fn call(&self, words: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.current_dir(&self.folder).args(["--store", &self.store()]).args(words);
        command
    }

    /// What somebody does.
    fn does(&self, who: &str, words: &[&str]) -> Result<(), Trouble> {
        let by = ["--as", who, "--passphrase", "words"];
        run_quietly(words.first().unwrap_or(&"a call"), &mut self.call(&[&by, words].concat()))
    }

    /// Accounts, an incident, and a run as far as people must say yes; the incident's number.
    fn begin(&self) -> Result<String, Trouble> {
        let new = ["user", "add", "root", "--role", "admin", "--new", "words"];
        run_quietly("the first account", &mut self.call(&new))?;
        for (name, role) in PEOPLE {
            self.does("root", &["user", "add", name, "--role", role, "--new", "words"])?;
        }
        let title = "Fileserver verschlüsselt, Erpresserbrief in der Kämmerei";
        let run = ["run", "ransomware-containment", "--drill", "--title", title, "--detach"];
        let hosts = ["--input", "hosts=pc-17", "--input", "hosts=pc-18", "--input", "hosts=fs01"];
        self.does("anna", &[&run[..], &hosts].concat())?;
        let incidents = output("the incident", &mut self.call(&["--json", "incident", "list"]))?;
        let number = first_text(&incidents, "number")
            .ok_or_else(|| Trouble::new("the drill opened no incident"))?;
        let told = "Anruf aus der Kämmerei: Dateien enden auf .lockd, am Bildschirm steht ein \
                    Erpresserbrief.";
        for words in [
            &["incident", "assign", &number, "commander", "anna"][..],
            &["incident", "assign", &number, "deputy", "ben"],
            &["incident", "link", &number, "stadt-a"],
            &["incident", "asset", &number, "host", "fs01", "affected"],
            &["note", &number, told],
        ] {
            self.does("anna", words)?;
        }
        let needs = output("what waits", &mut self.call(&["--json", "needs"]))?;
        let need = first_text(&needs, "id").ok_or_else(|| Trouble::new("nothing waits"))?;
        let seen = "seen=Endung .lockd, Erpresserbrief auf drei Rechnern";
        self.does("emil", &["done", &need, "--form", "attack=true", "--form", seen])?;
        Ok(number)
    }
}

/// A passphrase of this demo, which nobody can know before.
fn words() -> Result<String, Trouble> {
    let mut bytes = [0; 12];
    let random = Path::new("/dev/urandom");
    let read = fs::File::open(random).and_then(|mut file| file.read_exact(&mut bytes));
    read.map_err(|error| Trouble::new(format!("no randomness: {error}")))?;
    let mut words = String::new();
    for (at, byte) in bytes.iter().enumerate() {
        let joint = if at > 0 && at % 3 == 0 { "-" } else { "" };
        // Writing into a text can not fail.
        write!(words, "{joint}{byte:02x}").unwrap_or_default();
    }
    Ok(words)
}

/// The first text under a key in JSON that the program itself wrote: enough for an id, which
/// holds no escapes, and not worth a dependency here.
pub(crate) fn first_text(json: &str, key: &str) -> Option<String> {
    let (_, after) = json.split_once(&format!("\"{key}\""))?;
    let (_, value) = after.split_once(':')?;
    value.trim_start().strip_prefix('"')?.split_once('"').map(|(text, _)| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{first_text, words};

    #[test]
    fn an_id_is_found_in_what_the_program_wrote() {
        let json = r#"[{"number": "SIT-1", "id": "0198-abc", "title": "x"}]"#;
        assert_eq!(first_text(json, "id").as_deref(), Some("0198-abc"));
        assert_eq!(first_text(json, "owner"), None);
        assert_eq!(first_text("[]", "id"), None);
    }

    #[test]
    fn the_words_of_two_demos_are_not_the_same() {
        let (one, other) = (words().unwrap(), words().unwrap());
        assert_eq!(one.len(), 27);
        assert_ne!(one, other);
    }
}
