import type { Instruction } from "dockerfile-ast";
import { Problem } from "../domain/problem.ts";
import { heredocsOf, jsonStrings, lineOf, parseDockerfile, readDockerfile } from "./dockerfile-reading.ts";
import { neededStages } from "./dockerfile-stages.ts";

/** A Dockerfile with one RUN that reads differently and does the same. `line` is that RUN's, 1-based. */
export type DockerfileEdit = { text: string; line: number; description: string };

/** What the edit is made in: the path is for messages, the target tells which stages are built. */
export type EditOptions = { path?: string; target?: string | null };

type Place = { run: Instruction; shell: string | null };

/**
 * Edits the kth RUN (1-based) of the stages that are built. `n` makes the edit unlike any other.
 * Throws a Problem where that RUN cannot be edited without doing something else.
 */
export function editDockerfile(
  text: string | null,
  run: number | "first" | "last",
  n: number,
  options: EditOptions = {},
): DockerfileEdit {
  const path = options.path ?? "Dockerfile";
  const mark = text?.startsWith("\uFEFF") === true ? "\uFEFF" : "";
  const body = text === null ? null : text.slice(mark.length);
  const places = runsOf(body, path, options.target ?? null);
  const k = run === "first" ? 1 : run === "last" ? places.length : run;
  const place = places[k - 1];
  if (place === undefined || body === null) {
    throw new Problem(
      "edit-impossible",
      `${path} has no RUN ${run}: it has ${places.length}`,
      "Choose another RUN, or an image whose Dockerfile has one.",
    );
  }
  const line = lineOf(place.run);
  const edited = mark + insertNoop(body, place, n, `${path}:${line}`);
  return { text: edited, line, description: `RUN ${k} of ${places.length}, line ${line}` };
}

/** RUN instructions of the stages that are built, with the SHELL that each runs in (null: the default). */
function runsOf(text: string | null, path: string, target: string | null): Place[] {
  const instructions = parseDockerfile(text, path);
  const reading = readDockerfile(text, {}, path);
  const needed = new Set(neededStages(reading, target, path));
  const shells: (string | null)[] = [];
  const places: Place[] = [];
  let stage = -1;
  for (const instruction of instructions) {
    const keyword = instruction.getKeyword();
    if (keyword === "FROM") {
      stage += 1;
      shells[stage] = shells[reading.stages[stage]?.fromStage ?? -1] ?? null;
    }
    if (keyword === "SHELL") shells[stage] = jsonStrings(instruction.getArgumentsContent() ?? "")?.[0] ?? "";
    if (keyword === "RUN" && needed.has(stage))
      places.push({ run: instruction, shell: shells[stage] ?? null });
  }
  return places;
}

function insertNoop(text: string, { run, shell }: Place, n: number, where: string): string {
  const noop = `: tare edit ${n}`;
  if (shell !== null && !/(?:^|\/)(?:sh|bash|dash|ash|ksh|zsh)$/.test(shell)) {
    throw impossible(`${where} runs in the shell ${shell}`);
  }
  const [first] = run.getArguments();
  if (first === undefined) throw impossible(`${where} has no command`);
  const start = offsetOf(text, first.getRange().start);
  // `RUN <<EOF` alone hands the document to the shell; with a command beside it, the command is a shell form.
  const opening = text.slice(start, lineEnd(text, start)).trimEnd();
  const [heredoc] = heredocsOf(run);
  if (heredoc !== undefined && /^<<-?(["']?)\w+\1$/.test(opening)) {
    const body = lineEnd(text, start);
    if (/^[ \t]*#!/.test(text.slice(body)))
      throw impossible(`${where} is a here-document with an interpreter of its own`);
    return `${text.slice(0, body)}${noop}${lineBreak(text, start)}${text.slice(body)}`;
  }
  const command = run.getArgumentsContent() ?? "";
  if (first.getValue().startsWith("[") && jsonStrings(command) !== null) {
    throw impossible(`${where} is in exec form: no shell reads it`);
  }
  return `${text.slice(0, start)}${noop} && ${text.slice(start)}`;
}

function impossible(message: string): Problem {
  return new Problem("edit-impossible", message, "Choose another RUN, or write this one in shell form.");
}

/** Offset of a line and character; lines end with LF, CRLF or CR. */
function offsetOf(text: string, position: { line: number; character: number }): number {
  let offset = 0;
  for (let line = 0; line < position.line; line += 1) offset = lineEnd(text, offset);
  return offset + position.character;
}

/** Offset behind the line break that ends the line of `from`. */
function lineEnd(text: string, from: number): number {
  const found = /\r\n|\r|\n/g;
  found.lastIndex = from;
  return found.exec(text) === null ? text.length : found.lastIndex;
}

function lineBreak(text: string, from: number): string {
  const found = /\r\n|\r|\n/g;
  found.lastIndex = from;
  return found.exec(text)?.[0] ?? "\n";
}
