import { parse } from "unbash";
import { expandMake } from "./make-variables.ts";
import type { MakeVariable } from "./make-variables.ts";
import { findMakefile, makeStatements, mayLeadToBuilder } from "./makefile.ts";
import type { MakePlace, MakeStatement } from "./makefile.ts";
import { TELLING_NAME, callsBuilder } from "./other-builders.ts";
import { followScript } from "./shell.ts";
import { DEEPEST } from "./shell-calls.ts";
import { noEnds } from "./shell-session.ts";
import type { ShellCommand, ShellSession } from "./shell-session.ts";
import { copyState, directoryValue, readVariable } from "./shell-state.ts";
import type { ShellState } from "./shell-state.ts";
import type { Field } from "./shell-words.ts";
import { joinTreePath, treePath } from "./tree-path.ts";
import { known, literal, render, unknown } from "./value.ts";
import type { Value } from "./value.ts";

type Rule = { needs: string[]; lines: { text: string; place: MakePlace }[]; why: string | null };
type Make = {
  session: ShellSession;
  state: ShellState;
  variables: Map<string, MakeVariable>;
  given: ReadonlyMap<string, Value>;
  rules: Map<string, Rule>;
  texts: string[];
  /** Names that the Makefile hands to the shells of its lines. */
  exported: Set<string>;
  missing: string | null;
  first: string | null;
  refuse: (why: string) => void;
};

/** Largest Makefile, in characters, and most files that one call of make reads. */
const MOST_CHARACTERS = 256 << 10;
const MOST_FILES = 20;

/**
 * Follows `make TARGET…` through the Makefile of the tree, its lines as scripts of their own. False where the call
 * or the file is not one that is read, or nothing in it builds; make itself is never run.
 */
export function followMake(
  session: ShellSession,
  words: readonly Field[],
  state: ShellState,
  command: ShellCommand,
): boolean {
  const call = readCall(words, state);
  if (call === null || session.depth >= DEEPEST) return false;
  const { directory } = call;
  const path = findMakefile(session.files.tree, directory, call.file);
  if (path === null || session.written.has(path)) return false;
  const refuse = (why: string) => session.refuse(command, why);
  const inner = { ...copyState(state), directory: { path: directory }, positional: [] };
  const make: Make = {
    session,
    state: inner,
    given: call.given,
    refuse,
    variables: new Map(),
    rules: new Map(),
    exported: new Set<string>(),
    texts: [],
    missing: null,
    first: null,
  };
  if (!readFile(make, path, directory) || !make.texts.some(mayLeadToBuilder)) return false;
  const targets = call.targets.length > 0 ? call.targets : make.first === null ? [] : [make.first];
  // A target that only a pattern makes, or an include that is missing, is named by the caller.
  if (targets.length === 0 || targets.some((target) => !make.rules.has(target))) return false;
  const seen = new Set<string>();
  for (const target of targets) runTarget(make, target, seen);
  return true;
}

type Call = { directory: string; file: string | null; targets: string[]; given: Map<string, Value> };

/** Words of a call of make; null where one of them is not known or is a flag that is not read. */
function readCall(words: readonly Field[], state: ShellState): Call | null {
  const call: Call = { directory: "", file: null, targets: [], given: new Map() };
  let directory = state.directory;
  for (let at = 1; at < words.length; at += 1) {
    const value = words[at]?.value ?? [];
    const start = value[0]?.kind === "text" ? value[0].text : "";
    const set = /^(\w[\w.-]*):{0,2}=/.exec(start);
    if (set !== null) {
      const [written, name = ""] = set;
      call.given.set(name, [known(start.slice(written.length)), value.slice(1)].flat());
      continue;
    }
    const text = literal(value);
    if (text === null) return null;
    const taken = /^(?:-C|--directory|-f|--file|--makefile|-o|-W|-I)$/.test(text) ? words[(at += 1)] : null;
    if (taken === undefined) return null;
    if (taken !== null && /^(?:-C|--directory)$/.test(text)) directory = treePath(taken.value, directory);
    else if (taken !== null && /^(?:-f|--file|--makefile)$/.test(text)) {
      const file = literal(taken.value);
      if (file === null || call.file !== null) return null;
      call.file = file;
    } else if (taken !== null) return null;
    else if (/^-(?:j\d*|s|k|B|w)$|^--(?:silent|quiet|jobs=\d+|no-print-directory|always-make)$/.test(text))
      continue;
    else if (text.startsWith("-")) return null;
    else call.targets.push(text);
  }
  if (directory.path === null) return null;
  call.directory = directory.path;
  return call;
}

/** Reads a Makefile and what it includes; false where it cannot be followed at all. */
function readFile(make: Make, path: string, directory: string): boolean {
  const text = make.session.files.tree.read(path);
  if (text === null || text.length > MOST_CHARACTERS || make.texts.length >= MOST_FILES) return false;
  make.texts.push(text);
  let current: Rule[] = [];
  let isFresh = false;
  for (const statement of makeStatements(path, text)) {
    if (statement.kind === "include") {
      const names = literal(expand(make, statement.text));
      if (names === null) make.missing = `${path} includes ${statement.text}, which is not known`;
      for (const name of (names ?? "").split(/\s+/).filter(Boolean)) {
        const included = joinTreePath(directory, name);
        if (included !== null && make.session.files.tree.read(included) !== null) {
          if (!readFile(make, included, directory)) return false;
        } else if (statement.isNeeded) make.missing = `${path} includes ${statement.text}, which is not read`;
      }
    } else if (statement.kind === "rule") {
      current = takeRule(make, statement);
      isFresh = true;
    } else if (statement.kind === "line") {
      for (const rule of current) {
        if (statement.condition !== null) rule.why = `its lines depend on ${statement.condition}`;
        if (isFresh && rule.lines.length > 0) rule.why = "it has several recipes";
        rule.lines.push(statement);
      }
      isFresh = false;
    } else if (statement.kind === "export") {
      const names =
        statement.text.trim() === "" ? [...make.variables.keys()] : statement.text.trim().split(/\s+/);
      for (const name of names) make.exported.add(name);
    } else if (statement.kind === "set") takeVariable(make, statement);
  }
  return true;
}

function takeRule(make: Make, statement: MakeStatement & { kind: "rule" }): Rule[] {
  const targets = literal(expand(make, statement.targets));
  const own = /^[\w.-]+\s*(?:[:?+!]{0,3}=)/.test(statement.needs);
  const [needs = ""] = statement.needs.split(";");
  const needed = own ? "" : literal(expand(make, needs));
  return (targets ?? "").split(/\s+/).flatMap((name) => {
    if (name === "" || name.includes("%")) return [];
    if (name === ".ONESHELL") make.missing = "the Makefile states .ONESHELL";
    const rule = make.rules.get(name) ?? { needs: [], lines: [], why: null };
    make.rules.set(name, rule);
    if (!name.startsWith(".")) make.first ??= name;
    if (own) rule.why = "it has variables of its own";
    else if (needed === null) rule.why = `what it needs is not known: ${needs.trim()}`;
    else rule.needs.push(...needed.split(/[\s|]+/).filter(Boolean));
    if (statement.needs.includes(";")) rule.why = "a line stands behind its name";
    if (statement.condition !== null) rule.why = `it depends on ${statement.condition}`;
    return [rule];
  });
}

function takeVariable(make: Make, statement: MakeStatement & { kind: "set" }): void {
  const { name, operator, text, condition } = statement;
  const opaque = (why: string) => make.variables.set(name, { value: unknown(`$(${name})`, why) });
  if (condition !== null) opaque(`$(${name}) of make depends on ${condition}`);
  else if (operator === "define" || operator === "!=") opaque(`$(${name}) of make is not read`);
  else if (operator === "?=") {
    if (!make.variables.has(name) && !isInEnvironment(make, name)) make.variables.set(name, { text });
  } else if (operator === "+=") {
    const old = make.variables.get(name);
    if (old !== undefined && "text" in old) make.variables.set(name, { text: `${old.text} ${text}` });
    else {
      const before = old?.value ?? expand(make, `$(${name})`);
      const added = [known(before.length === 0 ? "" : " "), expand(make, text)].flat();
      make.variables.set(name, { value: [...before, ...added] });
    }
  } else make.variables.set(name, operator === "=" ? { text } : { value: expand(make, text) });
}

function isInEnvironment({ session, state }: Make, name: string): boolean {
  return state.exported.has(name) || session.outer.names.has(name);
}

/** A text with the variables of make: the call's, the file's, then those of the environment. */
function expand(make: Make, text: string, automatic?: ReadonlyMap<string, Value>): Value {
  return expandMake(text, (name) => {
    const value = automatic?.get(name) ?? make.given.get(name);
    if (value !== undefined) return { value };
    const own = make.variables.get(name);
    if (own !== undefined) return own;
    if (name === "CURDIR" || name === "PWD")
      return { value: directoryValue(make.state.directory, make.session.outer.root) };
    if (name === "SHELL") return { value: known("/bin/sh") };
    if (/^[@<^*%?+]|^MAKE/.test(name))
      return { value: unknown(`$(${name})`, `$(${name}) of make is not read`) };
    if (isInEnvironment(make, name)) return { value: readVariable(make.state, make.session.outer, name) };
    if (make.missing !== null) return { value: unknown(`$(${name})`, make.missing) };
    return make.state.variables.has(name) ? null : { value: make.session.outer.scope(name) };
  });
}

function runTarget(make: Make, name: string, seen: Set<string>): void {
  const rule = make.rules.get(name);
  if (seen.has(name) || rule === undefined) return;
  seen.add(name);
  for (const need of rule.needs) runTarget(make, need, seen);
  const isBuilding = rule.lines.some((line) => callsBuilder(line.text) || /\$[({]|\.sh\b/.test(line.text));
  if (rule.lines.length === 0 || !isBuilding) return;
  const opaque = rule.lines.find((line) => /\$[({](?:call|foreach|eval|if|or|and)\b/.test(line.text));
  const why = rule.why ?? (opaque === undefined ? null : "a line is put together by a function of make");
  const [first] = rule.lines;
  if (why !== null || make.missing === "the Makefile states .ONESHELL") {
    // Most targets of a Makefile build no image: only those that may are named.
    const telling = [name, ...rule.lines.map((line) => line.text)];
    if (telling.some((text) => callsBuilder(text) || TELLING_NAME.test(text)))
      make.refuse(`${first?.place.file}:${first?.place.line} (${name}) is not read: ${why ?? make.missing}`);
    return;
  }
  const automatic = new Map([
    ["@", known(name)],
    ["<", known(rule.needs[0] ?? "")],
    ["^", known(rule.needs.join(" "))],
  ]);
  for (const line of rule.lines) runLine(make, line, automatic);
}

/** Runs one line in a shell of its own; what make does not know goes through variables of that shell. */
function runLine(make: Make, line: Rule["lines"][number], automatic: ReadonlyMap<string, Value>): void {
  const state = copyState(make.state);
  for (const name of make.exported) {
    state.variables.set(name, expand(make, `$(${name})`));
    state.exported.add(name);
  }
  for (const [name, value] of make.given) {
    state.variables.set(name, value);
    state.exported.add(name);
  }
  const again = [...make.given.keys()].map((name) => ` ${name}="$${name}"`).join("");
  const withMake = new Map([...automatic, ["MAKE", known(`make${again}`)]]);
  const value = expand(make, line.text.replace(/^[\s@+-]+/, ""), withMake);
  const text = value
    .map((piece, at) => {
      if (piece.kind === "text") return piece.text;
      state.variables.set(`MAKE_${at}_`, [piece]);
      return `\${MAKE_${at}_}`;
    })
    .join("");
  const script = parse(text);
  const [error] = script.errors ?? [];
  if (error !== undefined) {
    if (callsBuilder(line.text))
      make.refuse(`${line.place.file}:${line.place.line} cannot be read: ${error.message}`);
    return;
  }
  const { session } = make;
  const source = { script, text, place: () => line.place };
  followScript({ ...session, source, said: null, ends: noEnds(), depth: session.depth + 1 }, script, state);
}

/** Whether a word calls make. */
export function isMakeWord(value: Value): boolean {
  return /^(?:\/usr\/bin\/)?g?make$/.test(render(value));
}
