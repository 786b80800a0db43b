//! What one evaluation may use, and the watch that stops it.
//!
//! Rhai asks the watch before every operation. The reason for a stop is kept beside the engine:
//! some of Rhai's functions swallow errors, so whoever evaluates also asks [`Watch::stopped`] when
//! all went well.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use beistand_core::playbook::ScriptKind;
use rhai::{EvalAltResult, Position};

use crate::memory;

/// Longest expression: 8 KiB. A `when` of that length can not be read by anyone.
pub(crate) const EXPRESSION_BYTES_MAX: usize = 8 * 1024;
/// Longest script: 64 KiB, a quarter of the largest playbook. Rhai takes ten times the source to
/// parse it, and seconds for megabytes, before any limit of its own.
pub(crate) const SCRIPT_BYTES_MAX: usize = 64 * 1024;

/// Operations of an expression: a filter over some two thousand items. Expressions run inline.
const EXPRESSION_OPERATIONS_MAX: u64 = 10_000;
/// Operations of a script: several passes over 20,000 items; some 0.2 s.
const SCRIPT_OPERATIONS_MAX: u64 = 1_000_000;
/// An expression holds up the run's own task; 100 ms is what nobody notices.
const EXPRESSION_TIME_MAX: Duration = Duration::from_millis(100);
/// A script holds a place in the pool: 2 s with everything around it.
const SCRIPT_TIME_MAX: Duration = Duration::from_millis(1_800);
/// The times above are the thread's own processor time, so that a busy machine fails no step. By the
/// clock on the wall an evaluation may take so many times as long.
const WAITING_FACTOR: u32 = 5;

/// Nested calls of functions and closures. Recursion deeper than this wants a loop.
pub(crate) const CALL_LEVELS_MAX: usize = 32;
/// Nested expressions. The parser and the walk recurse: 64 levels stay below 1 MiB of stack.
pub(crate) const EXPRESSION_DEPTH_MAX: usize = 64;
/// Variables at one instant.
pub(crate) const VARIABLES_MAX: usize = 256;
/// Functions and closures of one script.
pub(crate) const FUNCTIONS_MAX: usize = 256;

/// One text: 1 MiB, the most a step's output may have: a list of 20,000 hosts joined, the answer of
/// a server to be parsed.
pub(crate) const TEXT_BYTES_MAX: usize = 1024 * 1024;
/// Items of a list that a single call makes: as many as a loop may have.
pub(crate) const LIST_ITEMS_MAX: usize = 100_000;
/// How deep values nest. Converting, comparing and printing recurse; JSON libraries stop here too.
pub(crate) const VALUE_DEPTH_MAX: usize = 128;

/// A script's memory: 64 MiB, what a person's budget of one run allows a step.
pub(crate) const MEMORY_BUDGET: i64 = 64 * 1024 * 1024;
/// The watch stops at 20 MiB: between two of its looks one call may copy what is there, or a buffer
/// that grows takes twice its size beside itself (what multiplies its argument is replaced by bounded
/// functions). A step's largest output, 1 MiB of JSON, takes some 14 MiB here.
///
/// Rhai's own limits on the sizes of values are off: they count a whole value anew at every `push`,
/// so that filling a list of 20,000 takes seconds, and closures escape them.
const MEMORY_STOP: i64 = 20 * 1024 * 1024;

/// Stack of the thread that evaluates what has loops or closures: values may then nest as deep as
/// the memory budget allows, and dropping them recurses. Pages are taken as they are touched.
pub(crate) const STACK_BYTES: usize = 256 * 1024 * 1024;

/// Why an evaluation was stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Too many operations; how many were allowed.
    Operations(u64),
    /// It took too long; how long was allowed.
    Time(Duration),
    /// It held too much memory.
    Memory,
    /// A function failed where Rhai would swallow the error; the sentence.
    Fault(String),
}

#[derive(Debug, Clone, Copy)]
struct Allowance {
    operations: u64,
    time: Duration,
    /// Processor time of this thread at the beginning.
    began: Duration,
    /// When to look at the processor time again: a look costs more than the operation.
    look_again: Instant,
    /// The end by the clock on the wall.
    deadline: Instant,
    memory: i64,
}

thread_local! {
    static ALLOWANCE: Cell<Option<Allowance>> = const { Cell::new(None) };
    static OPERATIONS: Cell<u64> = const { Cell::new(0) };
    static STOP: RefCell<Option<Stop>> = const { RefCell::new(None) };
}

/// What an evaluation used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Used {
    /// Operations: statements, expressions and calls.
    pub(crate) operations: u64,
    /// The most memory it held, in bytes; 0 where memory is not counted.
    pub(crate) memory_bytes: i64,
    /// Processor time.
    pub(crate) time: Duration,
}

/// Watches this thread from its making to its end. One at a time.
#[derive(Debug)]
pub(crate) struct Watch {
    held_before: i64,
}

impl Watch {
    /// Starts the clock and the counts.
    #[expect(
        clippy::disallowed_methods,
        reason = "the deadline bounds the work; no result depends on the instant"
    )]
    pub(crate) fn begin(kind: ScriptKind) -> Self {
        let (operations, time) = match kind {
            ScriptKind::Expression => (EXPRESSION_OPERATIONS_MAX, EXPRESSION_TIME_MAX),
            ScriptKind::Script => (SCRIPT_OPERATIONS_MAX, SCRIPT_TIME_MAX),
        };
        let now = Instant::now();
        let held_before = memory::held();
        memory::reset_peak();
        STOP.set(None);
        OPERATIONS.set(0);
        ALLOWANCE.set(Some(Allowance {
            operations,
            time,
            began: processor_time(),
            look_again: now + time,
            deadline: now + time * WAITING_FACTOR,
            memory: held_before + MEMORY_STOP,
        }));
        Self { held_before }
    }

    /// The reason for the stop, if there was one, whatever the evaluation itself said.
    #[expect(clippy::unused_self, reason = "only a running watch can have stopped")]
    pub(crate) fn stopped(&self) -> Option<Stop> {
        STOP.with_borrow(Clone::clone)
    }

    /// What was used until now.
    pub(crate) fn used(&self) -> Used {
        Used {
            operations: OPERATIONS.get(),
            memory_bytes: memory::peak().saturating_sub(self.held_before),
            time: ALLOWANCE.get().map_or(Duration::ZERO, |allowance| {
                processor_time().saturating_sub(allowance.began)
            }),
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        ALLOWANCE.set(None);
        STOP.set(None);
    }
}

/// The look before an operation: whether to stop.
///
/// Counts by itself: Rhai's own count begins anew in each call of a closure, so a filter over
/// 20,000 items would be eight operations.
pub(crate) fn must_stop() -> bool {
    let operations = OPERATIONS.get() + 1;
    OPERATIONS.set(operations);
    let Some(allowance) = ALLOWANCE.get() else { return false };
    if STOP.with_borrow(Option::is_some) {
        return true;
    }
    let stop = if operations > allowance.operations {
        Stop::Operations(allowance.operations)
    } else if memory::held() > allowance.memory {
        Stop::Memory
    } else if time_is_up(allowance) {
        Stop::Time(allowance.time)
    } else {
        return false;
    };
    STOP.set(Some(stop));
    true
}

#[expect(
    clippy::disallowed_methods,
    reason = "the deadline bounds the work; no result depends on the instant"
)]
fn time_is_up(allowance: Allowance) -> bool {
    let now = Instant::now();
    if now < allowance.look_again {
        return false;
    }
    let spent = processor_time().saturating_sub(allowance.began);
    if spent >= allowance.time || now >= allowance.deadline {
        return true;
    }
    // What is left can not be spent earlier.
    let look_again = now + allowance.time.saturating_sub(spent);
    ALLOWANCE.set(Some(Allowance { look_again, ..allowance }));
    false
}

/// Processor time of this thread.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// Stops the evaluation from inside a function whose errors Rhai would swallow.
pub(crate) fn stop_with(sentence: impl Into<String>) {
    STOP.with_borrow_mut(|stop| {
        stop.get_or_insert_with(|| Stop::Fault(sentence.into()));
    });
}

/// Whether this thread holds more than the evaluation may. For loops outside of Rhai's own.
pub(crate) fn memory_is_short() -> bool {
    will_be_short(0)
}

/// Refuses before so many bytes are taken at once. For functions that multiply what they get.
pub(crate) fn reserve(bytes: usize) -> Result<(), Box<EvalAltResult>> {
    if will_be_short(i64::try_from(bytes).unwrap_or(i64::MAX)) {
        STOP.set(Some(Stop::Memory));
        return Err(Box::new(EvalAltResult::ErrorTerminated(().into(), Position::NONE)));
    }
    Ok(())
}

fn will_be_short(bytes: i64) -> bool {
    ALLOWANCE.get().is_some_and(|allowance| memory::held().saturating_add(bytes) > allowance.memory)
}
