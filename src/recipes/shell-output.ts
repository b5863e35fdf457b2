import type { Command, ParsedScript, PipelineNode } from "unbash";
import { directoryValue } from "./shell-state.ts";
import type { ShellState } from "./shell-state.ts";
import { expandFields } from "./shell-words.ts";
import type { WordContext } from "./shell-words.ts";
import { treePath } from "./tree-path.ts";
import { concatenate, known, literal } from "./value.ts";
import type { Value } from "./value.ts";

/** Longest line of a file of the tree that is taken for a value. */
const LONGEST_LINE = 200;

/**
 * What `$(…)` prints, where a few plain programs tell it; else null. `after` is the state that its commands left
 * behind; `read` gives a file of the tree as the job finds it, or null.
 */
export function printedBy(
  script: ParsedScript,
  context: WordContext,
  after: ShellState,
  read: (path: string) => string | null,
): Value | null {
  const [statement, ...more] = script.commands;
  if (statement === undefined || more.length > 0) return null;
  const { command } = statement;
  const last = command.type === "AndOr" ? command.commands.at(-1) : command;
  // `cd DIRECTORY && pwd`: the last command prints, the others do not.
  const quiet = command.type !== "AndOr" || command.commands.slice(0, -1).every(isChange);
  if (last?.type !== "Command" || !quiet || last.name === undefined) return null;
  if (
    last.redirects.some(
      (redirect) => redirect.type !== "Redirect" || redirect.descriptor?.type !== "FileDescriptor",
    )
  )
    return null;
  const name = last.name.value;
  if (name === "pwd") return directoryValue(after.directory);
  if (command.type === "AndOr") return null;
  const args = argumentsOf(last, context);
  return args === null ? null : printed(name, args, after, read);
}

function isChange(node: PipelineNode): boolean {
  return node.type === "Command" && node.name?.value === "cd";
}

function argumentsOf(command: Command, context: WordContext): Value[] | null {
  const fields = command.args.flatMap((word) => (word.type === "Word" ? expandFields(word, context) : []));
  return fields.some((field) => field.loose) ? null : fields.map((field) => field.value);
}

function printed(
  name: string,
  args: readonly Value[],
  state: ShellState,
  read: (path: string) => string | null,
): Value | null {
  const [first] = args;
  const texts = args.map((arg) => literal(arg));
  switch (name) {
    case "echo": {
      const words = texts[0] === "-n" ? args.slice(1) : args;
      if (words.some((word) => /^-|\\/.test(literal(word) ?? ""))) return null;
      return concatenate(...words.flatMap((word, at) => (at === 0 ? [word] : [known(" "), word])));
    }
    case "printf":
      return texts[0] === "%s" && args.length === 2 ? (args[1] ?? null) : null;
    case "dirname":
      return first === undefined || args.length > 1 ? null : directoryOf(first);
    case "basename": {
      const path = texts[0]?.replace(/\/+$/, "");
      if (path === undefined || args.length > 2 || texts[1] === null) return null;
      const base = path.slice(path.lastIndexOf("/") + 1);
      const ending = texts[1] ?? "";
      return known(ending !== "" && base.endsWith(ending) ? base.slice(0, -ending.length) : base);
    }
    case "cat": {
      const found = first === undefined || args.length > 1 ? null : treePath(first, state.directory).path;
      const text = found === null ? null : read(found)?.replace(/\n+$/, "");
      return text === null || text === undefined || text.length > LONGEST_LINE || text.includes("\n")
        ? null
        : known(text);
    }
    case "git":
      return texts.join(" ") === "rev-parse --show-toplevel" ? directoryValue({ path: "." }) : null;
    default:
      return null;
  }
}

/** `dirname` of a path whose end is known. */
function directoryOf(path: Value): Value | null {
  const last = path.at(-1);
  if (last?.kind !== "text") return null;
  const slash = last.text.replace(/\/+$/, "").lastIndexOf("/");
  if (slash > 0 || (slash === 0 && path.length > 1))
    return concatenate(path.slice(0, -1), known(last.text.slice(0, slash)));
  return path.length === 1 ? known(slash === 0 ? "/" : ".") : null;
}
