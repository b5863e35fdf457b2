/** Codes of everything a requester can put right. One code, one meaning; never match on a message. */
export type ProblemCode =
  | "already-applied"
  | "arguments"
  | "base-image-missing"
  | "change-empty"
  | "change-unreadable"
  | "configuration"
  | "context-missing"
  | "backup"
  | "database"
  | "disk-full"
  | "dockerfile-missing"
  | "edit-impossible"
  | "engine-forbidden"
  | "engine-missing"
  | "engine-unusable"
  | "flag-refused"
  | "gate-impossible"
  | "image-unavailable"
  | "image-unknown"
  | "mail-unreadable"
  | "not-trusted"
  | "nothing-to-try"
  | "patch-does-not-apply"
  | "port-taken"
  | "project-file"
  | "repository-missing"
  | "revision-missing"
  | "setup-refused"
  | "strategy-unsupported"
  | "template-too-large"
  | "template-unreadable"
  | "unsafe-path";

/**
 * A mistake that the requester can mend. `message` says what is wrong and where in one sentence,
 * `remedy` says what to do, `details` are lines to show below (git's own error text, for instance). `authorRemedy` is
 * what the author of the change can do, where `remedy` is for whoever runs the command.
 */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly code: ProblemCode;
  readonly remedy: string;
  readonly details: readonly string[];
  readonly authorRemedy: string | null;

  constructor(
    code: ProblemCode,
    message: string,
    remedy: string,
    details: readonly string[] = [],
    authorRemedy: string | null = null,
  ) {
    super(message);
    this.code = code;
    this.remedy = remedy;
    this.details = details;
    this.authorRemedy = authorRemedy;
  }
}

/** Something outside failed (engine, registry, network): never blamed on the change. Exit code 3. */
export class Outage extends Error {
  override readonly name = "Outage";
  readonly remedy: string;

  constructor(message: string, remedy: string, options?: ErrorOptions) {
    super(message, options);
    this.remedy = remedy;
  }
}

/** Problems that whoever runs Tare must mend: they are never told to the author of a change. */
const OPERATORS: ReadonlySet<ProblemCode> = new Set([
  "arguments",
  "configuration",
  "backup",
  "database",
  "disk-full",
  "engine-forbidden",
  "engine-missing",
  "engine-unusable",
  "gate-impossible",
  "image-unavailable",
  "port-taken",
  "repository-missing",
  "setup-refused",
]);

export function concernsOperator(problem: Problem): boolean {
  return OPERATORS.has(problem.code);
}
