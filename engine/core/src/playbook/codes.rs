//! Every finding there is: a stable short name, whether it stands in the way, and one sentence.
//!
//! Scripts of users compare the names, so none changes and none is reused. `playbooks/broken/`
//! has one file for each of them.

use super::Severity;

macro_rules! codes {
    ($($variant:ident = $name:literal, $severity:ident, $sentence:literal;)*) => {
        /// What kind of fault a playbook has.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code { $(#[doc = $sentence] $variant,)* }

        impl Code {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
            /// The stable short name: `unknown-key`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
            /// What it means, in one sentence.
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence,)* }
            }
            /// Whether it stands in the way of a plan.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }
        }
    };
}

codes! {
    // The text
    FileTooLarge = "file-too-large", Error, "A playbook file has at most 256 KiB.";
    HiddenCharacter = "hidden-character", Error, "Control characters and characters that turn the reading direction are refused: what people see must be what runs.";
    YamlSyntax = "yaml-syntax", Error, "The file is no YAML, or two readers of YAML see different things in it.";
    YamlNesting = "yaml-nesting", Error, "Lists and mappings stand at most 32 deep in each other.";
    YamlAliases = "yaml-aliases", Error, "Aliases may not refer to what contains them, nor expand to more than 10,000 nodes.";
    YamlDocuments = "yaml-documents", Error, "A file holds one document.";
    YamlTag = "yaml-tag", Error, "Tags like `!!binary` are not part of the language.";
    DuplicateKey = "duplicate-key", Error, "A key stands once in a mapping.";
    NumberRange = "number-range", Error, "Numbers beyond 2^53 and infinities are not exact in JSON; they are written as text.";
    TooManyFindings = "too-many-findings", Error, "Only the first 500 findings of a file are shown.";
    // The shape
    UnknownKey = "unknown-key", Error, "The language does not know this key here.";
    MissingKey = "missing-key", Error, "A key that is needed is missing.";
    WrongType = "wrong-type", Error, "The value has another shape than the language expects here.";
    UnknownValue = "unknown-value", Error, "Only certain words are possible here.";
    UnknownRole = "unknown-role", Error, "There is no such role.";
    UnknownLanguage = "unknown-language", Error, "The playbook is written in a version of the language that this program does not know.";
    LaterVersion = "later-version", Error, "This part of the language comes with a later version.";
    BadId = "bad-id", Error, "Ids are small letters, digits and `_`, no word of Rhai, and not `undo`, `always`, `on_error`, `on_failure`.";
    BadName = "bad-name", Error, "Names of playbooks are small letters, digits and `-`; of actions, two words with a dot.";
    DuplicateId = "duplicate-id", Error, "A step's id is unique in the file.";
    NameTaken = "name-taken", Error, "The loop variable hides another name.";
    NoKind = "no-kind", Error, "A step says what it does, with exactly one kind.";
    ManyKinds = "many-kinds", Error, "A step does one thing: it has exactly one kind.";
    ModifierNotHere = "modifier-not-here", Error, "This modifier does not belong to this kind of step.";
    EmptyBlock = "empty-block", Error, "A list of steps has at least one.";
    BadDuration = "bad-duration", Error, "Durations are written like `90s`, `15m`, `4h`, `3d`.";
    OutOfRange = "out-of-range", Error, "The number is outside of what makes sense here.";
    BadSchema = "bad-schema", Error, "Inputs and forms are described by the language's part of JSON Schema.";
    BadDefault = "bad-default", Error, "A default fits its own schema.";
    TooManySteps = "too-many-steps", Error, "A playbook has at most 1,000 steps.";
    ScriptTooLarge = "script-too-large", Error, "A script has at most 64 KiB.";
    ScriptBlock = "script-block", Error, "A script of several lines is a literal block (`|`), so that its errors point into the file.";
    // Templates and expressions
    BadTemplate = "bad-template", Error, "A `${` needs an expression and its closing brace.";
    TemplateInExpression = "template-in-expression", Error, "This field is an expression already and takes no `${}`.";
    TemplateNotHere = "template-not-here", Warning, "Nothing is filled in here: `${}` stays as it is written.";
    ExpressionSyntax = "expression-syntax", Error, "The expression is no Rhai.";
    UnknownName = "unknown-name", Error, "The name is not in scope here.";
    UnknownFunction = "unknown-function", Error, "There is no such function.";
    TypeMismatch = "type-mismatch", Error, "These types never fit together.";
    MaybeSkipped = "maybe-skipped", Error, "The step may have been skipped; then its output is null.";
    ExpressionLimit = "expression-limit", Error, "The expression is too large, too deep, or uses what is not allowed.";
    NotBoolean = "not-boolean", Error, "A condition gives true or false.";
    NotAList = "not-a-list", Error, "A loop runs over a list or a number.";
    NotATime = "not-a-time", Error, "A wait ends at a time as text, RFC 3339 with offset.";
    // Actions
    UnknownCapability = "unknown-capability", Error, "The catalogue has no such capability.";
    UnknownAction = "unknown-action", Error, "The capability has no such action.";
    UnknownArgument = "unknown-argument", Error, "The action or playbook does not take this argument.";
    MissingArgument = "missing-argument", Error, "The action or playbook needs an argument that is not given.";
    ArgumentType = "argument-type", Error, "The argument does not fit the action or playbook.";
    NotLiteral = "not-literal", Error, "This argument decides what may be repeated, so it stands in the file as it is.";
    UrlTemplate = "url-template", Error, "A `url` holds no `${}`; variable parts go into `path` and `query`.";
    SecretInWith = "secret-in-with", Error, "Secrets belong to the connector's configuration, never into a playbook.";
    UnknownSlot = "unknown-slot", Error, "The playbook has no such slot.";
    SlotMismatch = "slot-mismatch", Error, "The slot is for another capability.";
    NotRepeatable = "not-repeatable", Error, "Only actions that do no harm when they arrive twice may be repeated after an unknown outcome.";
    // Structure
    UnknownStep = "unknown-step", Error, "No step before this one has that id.";
    OwnApproval = "own-approval", Error, "The gate around it can not know what this call will do, so it needs its own.";
    AnyDestructive = "any-destructive", Error, "Branches of which only the first counts may not do harm.";
    NeverRuns = "never-runs", Error, "The step can never run.";
    PlaybookNotFound = "playbook-not-found", Error, "There is no such playbook.";
    PlaybookFaulty = "playbook-faulty", Error, "The sub-playbook has faults of its own.";
    PlaybookRecursion = "playbook-recursion", Error, "A playbook does not call itself, not over others either.";
    PlaybookAmbiguous = "playbook-ambiguous", Error, "One name stands for two different playbooks.";
    // Warnings
    Ungated = "ungated", Warning, "A destructive action without approval and without a way back.";
    RetryOnce = "retry-once", Warning, "A call that must not arrive twice is tried again only if surely nothing was done.";
    UnusedInput = "unused-input", Warning, "Nothing reads this input.";
    RunKey = "run-key", Warning, "There is no `run:`; commands go through `ssh.run`, calculations through `script`.";
}
