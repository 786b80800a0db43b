//! The real `beistand`, as a person or a killer meets it: started, watched, killed, waited for.

use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::network::Node;
use crate::tool::{environment, finish, wait_for};
use crate::trouble::{Rig, Trouble, While as _};

/// The variable in which the chores name the program they have built.
pub const PROGRAM: &str = "BEISTAND_TEST_PROGRAM";

/// How long a call may take that should take moments.
pub const DEADLINE: Duration = Duration::from_mins(1);

/// A call of the program, not yet started.
#[derive(Debug)]
pub struct Call {
    command: Command,
}

/// A program that runs; killed when dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdout: Stream,
    stderr: Stream,
}

/// How a call ended and what it said.
#[derive(Debug, Clone)]
pub struct Ended {
    /// How it ended.
    pub status: ExitStatus,
    /// All of its standard output.
    pub stdout: String,
    /// All of its standard error.
    pub stderr: String,
}

/// The path of the built program. Where the chores did not build it, it is built now, once, so
/// that a test never meets an old one.
///
/// # Errors
/// When it can not be built.
pub fn program() -> Rig<PathBuf> {
    static BUILT: OnceLock<Rig<PathBuf>> = OnceLock::new();
    BUILT.get_or_init(build).clone()
}

fn build() -> Rig<PathBuf> {
    if let Some(named) = environment(PROGRAM) {
        return Ok(PathBuf::from(named));
    }
    let cargo = environment("CARGO").unwrap_or_else(|| "cargo".to_owned());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--package", "beistand", "--features", "crash-points"]);
    finish(command.current_dir(env!("CARGO_MANIFEST_DIR")))?;
    let ours = std::env::current_exe().or_trouble("asking for our own place")?;
    let found = ours.ancestors().skip(1).map(|folder| folder.join("beistand"));
    found.into_iter().find(|file| file.is_file()).or_trouble("the built program is not found")
}

impl Call {
    /// A call in this folder. The environment is empty but for `PATH`, so that nothing of the
    /// developer's machine leaks in.
    ///
    /// # Errors
    /// When the program can not be built.
    pub fn new(folder: &Path) -> Rig<Self> {
        Ok(Self::of(Command::new(program()?), folder))
    }

    /// A call from a node of the network.
    ///
    /// # Errors
    /// When the program can not be built.
    pub fn on(node: &Node, folder: &Path) -> Rig<Self> {
        Ok(Self::of(node.command(&program()?.to_string_lossy()), folder))
    }

    /// A call under another program that starts it, such as strace with its options.
    ///
    /// # Errors
    /// When the program can not be built.
    pub fn under(wrapper: &[&str], folder: &Path) -> Rig<Self> {
        let (first, rest) = wrapper.split_first().or_trouble("a wrapper has a name")?;
        let mut command = Command::new(first);
        command.args(rest).arg(program()?);
        Ok(Self::of(command, folder))
    }

    fn of(mut command: Command, folder: &Path) -> Self {
        command.current_dir(folder).env_clear().stdin(Stdio::null());
        command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        Self { command }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.command.args(arguments);
        self
    }

    /// Sets a variable of the environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// When it can not be started.
    pub fn start(mut self) -> Rig<Running> {
        let told = format!("{:?}", self.command);
        let mut child = self
            .command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .or_trouble(&format!("{told} could not be started"))?;
        let stdout = Stream::read(child.stdout.take());
        let stderr = Stream::read(child.stderr.take());
        Ok(Running { child, stdout, stderr })
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// When it does not end within [`DEADLINE`].
    pub fn run(self) -> Rig<Ended> {
        self.start()?.wait(DEADLINE)
    }
}

impl Running {
    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has said so far on standard output.
    pub fn stdout(&self) -> String {
        self.stdout.so_far()
    }

    /// What it has said so far on standard error.
    pub fn stderr(&self) -> String {
        self.stderr.so_far()
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// When the kernel refuses; a process that has ended already is none.
    pub fn signal(&self, signal: Signal) -> Rig<()> {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let id = id.or_trouble("a process has an id")?;
        match kill_process(id, signal) {
            Err(rustix::io::Errno::SRCH) => Ok(()),
            other => other.or_trouble("sending a signal"),
        }
    }

    /// Kills it as a power cut would, and waits until it is gone.
    ///
    /// # Errors
    /// When it can not be killed.
    pub fn kill(mut self) -> Rig<Ended> {
        self.child.kill().or_trouble("killing the program")?;
        self.wait(DEADLINE)
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// When it does not in time: with what it said until then.
    pub fn wait(mut self, deadline: Duration) -> Rig<Ended> {
        let child = &mut self.child;
        let looked = wait_for("the program to end", deadline, || {
            child.try_wait().or_trouble("waiting for the program")
        });
        let status = looked.map_err(|trouble| {
            Trouble::new(format!("{trouble}; it said: {}\n{}", self.stdout(), self.stderr()))
        })?;
        Ok(Ended { status, stdout: self.stdout.read_to_end(), stderr: self.stderr.read_to_end() })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Ended {
    /// The exit code; a negative number is the signal that ended it.
    pub fn code(&self) -> i32 {
        let signal = self.status.signal().map(|signal| -signal);
        self.status.code().or(signal).unwrap_or(i32::MIN)
    }

    /// Its standard output, when it ended with this exit code.
    ///
    /// # Errors
    /// When it ended otherwise: with all that it said.
    pub fn expect_code(&self, code: i32) -> Rig<&str> {
        if self.code() == code {
            return Ok(&self.stdout);
        }
        let (ended, out, said) = (self.code(), &self.stdout, &self.stderr);
        Err(Trouble::new(format!("ended with {ended}, not {code}; it said: {out}\n{said}")))
    }

    /// Its standard output as JSON, when it ended with this exit code.
    ///
    /// # Errors
    /// When it ended otherwise, or printed something else.
    pub fn json(&self, code: i32) -> Rig<serde_json::Value> {
        serde_json::from_str(self.expect_code(code)?).or_trouble("reading the program's JSON")
    }
}

/// What comes out of a program, read as it comes, so that a full pipe never stops it.
#[derive(Debug)]
struct Stream {
    text: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Stream {
    fn read(source: Option<impl Read + Send + 'static>) -> Self {
        let text = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&text);
        let reader = source.map(|mut source| {
            thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(read @ 1..) = source.read(&mut buffer) {
                    let read = buffer.get(..read).unwrap_or_default();
                    into.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(read);
                }
            })
        });
        Self { text, reader }
    }

    fn so_far(&self) -> String {
        let text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&text).into_owned()
    }

    fn read_to_end(&mut self) -> String {
        // A reader ends with its pipe and never panics.
        drop(self.reader.take().map(JoinHandle::join));
        self.so_far()
    }
}
