//! The engine: Rhai, built once, with hand-picked packages, and how a text is run in it.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use beistand_core::playbook::{Checked, EvalError, Expressions, Fault, Names, ScriptKind};
use rhai::packages::{
    ArithmeticPackage, BasicArrayPackage, BasicFnPackage, BasicIteratorPackage, BasicMapPackage,
    BasicMathPackage, BasicStringPackage, LogicPackage, MoreStringPackage, Package,
};
use rhai::{AST, ASTNode, Dynamic, Engine, OptimizationLevel, ParseError, Scope, Stmt};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::cache::Cache;
use crate::captures::{self, Alias, Captures};
use crate::check::{self, Functions};
use crate::limits::{self, Used, Watch};
use crate::{bounded, error, functions, memory, texts, value};

/// The script engine. Cheap to clone and to share; all clones have one cache.
#[derive(Debug, Clone)]
pub struct Scripts {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    engine: Engine,
    functions: Functions,
    programs: Mutex<Cache<Program>>,
}

/// A compiled text.
#[derive(Debug)]
struct Program {
    ast: AST,
    /// Variables of the context that closures read copies of.
    aliases: BTreeSet<Alias>,
    /// Without loops and functions, and shallow: no value can nest deeper than the text, so it is
    /// run on the caller's own stack.
    small: bool,
}

/// The program does not count its memory, so the budget of a script could not be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "this program does not count its memory, so no script may run; \
     install beistand_script::CountingAllocator as its global allocator"
)]
pub struct NoMemoryBudget;

/// Words of Rhai that the playbook language does not have.
///
/// `eval` and `Fn` run texts that nobody checked; `curry` makes values that no limit counts;
/// `print` and `debug` write to the program's output; on a `const` Rhai answers null for a part
/// that is not there; the rest is about Rhai itself.
pub(crate) const WORDS_WITHOUT: [&str; 9] =
    ["eval", "Fn", "curry", "print", "debug", "const", "is_def_fn", "is_def_var", "is_shared"];

/// A tree nested this deep, statements counted, is not run on the caller's stack.
const SMALL_DEPTH_MAX: usize = 80;

impl Scripts {
    /// Builds the engine. Takes about a millisecond; build one and clone it.
    ///
    /// # Errors
    /// [`NoMemoryBudget`] where [`CountingAllocator`](crate::CountingAllocator) is not installed.
    pub fn new() -> Result<Self, NoMemoryBudget> {
        if memory::budget_is_enforced() { Ok(Self::without_budget()) } else { Err(NoMemoryBudget) }
    }

    /// An engine whose scripts may take all memory: only for tests and tools that run texts of
    /// their own. All other limits hold.
    pub fn without_budget() -> Self {
        Self::with(build())
    }

    fn with(engine: Engine) -> Self {
        let functions = Functions::of(&engine);
        let programs = Mutex::new(Cache::default());
        Self { inner: Arc::new(Inner { engine, functions, programs }) }
    }

    /// Evaluates and says what it took.
    pub(crate) fn evaluate_measured(
        &self,
        text: &str,
        kind: ScriptKind,
        values: &Map<String, Value>,
    ) -> (Result<Value, EvalError>, Used) {
        let program = match self.inner.program(text, kind) {
            Ok(program) => program,
            Err(error) => return (Err(error), Used::default()),
        };
        let run = || self.inner.run(&program, kind, values);
        if program.small {
            run()
        } else {
            on_deep_stack(run)
                .unwrap_or_else(|sentence| (Err(error::sentence(sentence)), Used::default()))
        }
    }
}

impl Expressions for Scripts {
    fn check(&self, text: &str, kind: ScriptKind, names: &Names) -> Result<Checked, Vec<Fault>> {
        check::size(text, kind).map_err(|fault| vec![fault])?;
        let checked = on_deep_stack(|| {
            let ast = match compile(&self.inner.engine, text, kind) {
                Ok(ast) => ast,
                Err(error) => return Err(vec![check::syntax_fault(&error)]),
            };
            check::check(&ast, kind, names, &self.inner.functions)
        });
        checked.unwrap_or_else(|sentence| Err(vec![check::broken(sentence)]))
    }

    fn evaluate(
        &self,
        text: &str,
        kind: ScriptKind,
        values: &Map<String, Value>,
    ) -> Result<Value, EvalError> {
        self.evaluate_measured(text, kind, values).0
    }
}

impl Program {
    fn of(engine: &Engine, text: &str, kind: ScriptKind) -> Result<Self, ParseError> {
        let mut ast = compile(engine, text, kind)?;
        let mut aliases = BTreeSet::new();
        let again = Captures::of(&ast).compile(|| compile(engine, text, kind));
        if let Some((compiled, names)) = again {
            (ast, aliases) = (compiled?, names);
        }
        let small = is_small(&ast);
        Ok(Self { ast, aliases, small })
    }
}

impl Inner {
    /// The compiled text, from the cache or made now.
    fn program(&self, text: &str, kind: ScriptKind) -> Result<Arc<Program>, EvalError> {
        if let Some(program) = self.programs().get(kind, text) {
            return Ok(program);
        }
        if let Err(fault) = check::size(text, kind) {
            return Err(error::sentence(fault.message));
        }
        let compiled = on_deep_stack(|| Program::of(&self.engine, text, kind).map(Arc::new));
        let program = compiled.map_err(error::sentence)?.map_err(|error| error::syntax(&error))?;
        self.programs().insert(kind, text, Arc::clone(&program));
        Ok(program)
    }

    fn programs(&self) -> std::sync::MutexGuard<'_, Cache<Program>> {
        // A cache that a panic left behind is still a cache.
        self.programs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a program on this thread, watched. Whatever happens is a value or an error.
    fn run(
        &self,
        program: &Program,
        kind: ScriptKind,
        values: &Map<String, Value>,
    ) -> (Result<Value, EvalError>, Used) {
        let watch = Watch::begin(kind);
        let outcome = catch_unwind(AssertUnwindSafe(|| self.run_watched(program, values)));
        let result = match (watch.stopped(), outcome) {
            // Also where all went well: sort and text templates swallow errors.
            (Some(stop), Ok(outcome)) => Err(error::stopped(&stop, outcome.err())),
            (Some(stop), Err(_)) => Err(error::stopped(&stop, None)),
            (None, Ok(outcome)) => outcome,
            (None, Err(_)) => Err(error::sentence("the script broke the script engine")),
        };
        (result, watch.used())
    }

    fn run_watched(
        &self,
        program: &Program,
        values: &Map<String, Value>,
    ) -> Result<Value, EvalError> {
        let mut scope = Scope::new();
        for (name, value) in values {
            let value = value::to_dynamic(value)
                .map_err(|sentence| error::sentence(format!("`{name}`: {sentence}")))?;
            // Variables, never constants: on a constant Rhai answers null for a part that is not
            // there, and a slip of the pen would skip a step.
            let aliases = program.aliases.iter().filter(|alias| alias.of == *name);
            for alias in aliases {
                scope.push_dynamic(alias.name.as_str(), value.clone());
            }
            scope.push_dynamic(name.as_str(), value);
        }
        let result = self
            .engine
            .eval_ast_with_scope::<Dynamic>(&mut scope, &program.ast)
            .map_err(|error| error::evaluation(&error))
            .and_then(|result| value::from_dynamic(result).map_err(error::sentence));
        if !program.small {
            forget(scope);
        }
        result
    }
}

/// Empties shared variables before they go: a closure in a variable that it captures would hold
/// itself, and stay for ever.
fn forget(mut scope: Scope<'_>) {
    while let Some(name) = scope.iter_raw().last().map(|(name, _, _)| name.to_owned()) {
        if let Some(variable) = scope.get_mut(&name).filter(|variable| variable.is_shared())
            && let Some(mut inside) = variable.write_lock::<Dynamic>()
        {
            *inside = Dynamic::UNIT;
        }
        scope.pop();
    }
}

/// Rhai with what a playbook may use: no clock, no files, no output, no modules, no sleep.
fn build() -> Engine {
    let mut engine = Engine::new_raw();
    ArithmeticPackage::new().register_into_engine(&mut engine);
    LogicPackage::new().register_into_engine(&mut engine);
    BasicStringPackage::new().register_into_engine(&mut engine);
    MoreStringPackage::new().register_into_engine(&mut engine);
    BasicArrayPackage::new().register_into_engine(&mut engine);
    BasicMapPackage::new().register_into_engine(&mut engine);
    BasicMathPackage::new().register_into_engine(&mut engine);
    BasicIteratorPackage::new().register_into_engine(&mut engine);
    BasicFnPackage::new().register_into_engine(&mut engine);

    engine
        .set_max_call_levels(limits::CALL_LEVELS_MAX)
        .set_max_expr_depths(limits::EXPRESSION_DEPTH_MAX, limits::EXPRESSION_DEPTH_MAX)
        .set_max_variables(limits::VARIABLES_MAX)
        .set_max_functions(limits::FUNCTIONS_MAX)
        // Texts of one run must not stay in the engine for the next.
        .set_max_strings_interned(0)
        .set_fail_on_invalid_map_property(true)
        // Without this Rhai compares by itself, and a text with a number is `false`.
        .set_fast_operators(false);
    // Folding constants would move positions and hide faults.
    engine.set_optimization_level(OptimizationLevel::None);
    engine.on_progress(|_| limits::must_stop().then_some(Dynamic::UNIT));
    for word in WORDS_WITHOUT {
        engine.disable_symbol(word);
    }
    bounded::register(&mut engine);
    texts::register(&mut engine);
    functions::register(&mut engine);
    captures::register(&mut engine);
    engine
}

fn compile(engine: &Engine, text: &str, kind: ScriptKind) -> Result<AST, ParseError> {
    match kind {
        ScriptKind::Expression => engine.compile_expression(text),
        ScriptKind::Script => engine.compile(text),
    }
}

/// Whether nothing in it repeats and nothing nests deep.
fn is_small(ast: &AST) -> bool {
    !ast.has_functions()
        && ast.walk(&mut |path: &[ASTNode<'_>]| {
            let repeats = matches!(
                path.last(),
                Some(ASTNode::Stmt(Stmt::While(..) | Stmt::Do(..) | Stmt::For(..)))
            );
            !repeats && path.len() <= SMALL_DEPTH_MAX
        })
}

/// Runs something on a thread of its own whose stack is deep enough for any recursion within the
/// limits. A panic there is an error here. Takes some 30 µs.
fn on_deep_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, String> {
    thread::scope(|scope| {
        let worker = thread::Builder::new()
            .name("script".to_owned())
            .stack_size(limits::STACK_BYTES)
            .spawn_scoped(scope, work)
            .map_err(|error| format!("no thread for the script: {error}; try again"))?;
        worker.join().map_err(|_| "the script broke the script engine".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_inside_is_an_error_and_the_engine_lives() {
        let mut engine = build();
        engine.register_fn("broken", || -> i64 { panic!("by intent") });
        let scripts = Scripts::with(engine);
        for text in ["broken()", "for i in 0..2 { broken() }", "[1].map(|n| broken())"] {
            let error = scripts.evaluate(text, ScriptKind::Script, &Map::new()).unwrap_err();
            assert_eq!(error.message, "the script broke the script engine", "{text}");
        }
        assert_eq!(scripts.evaluate("1", ScriptKind::Script, &Map::new()), Ok(1.into()));
    }

    #[test]
    fn a_closure_that_holds_itself_leaves_nothing_behind() {
        let scripts = Scripts::without_budget();
        let text = "let big = []; big.pad(9000, 1); let f = 1; f = || f.call(big); 1";
        let program = scripts.inner.program(text, ScriptKind::Script).unwrap();
        let run = || scripts.inner.run(&program, ScriptKind::Script, &Map::new()).0;
        assert_eq!(run(), Ok(1.into()));
        let held = memory::held();
        for _ in 0..10 {
            assert_eq!(run(), Ok(1.into()));
        }
        let left = memory::held() - held;
        assert!(left < 10_000, "{left} bytes of ten runs are still held");
    }
}
