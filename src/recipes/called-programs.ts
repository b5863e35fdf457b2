import { note } from "./job-reading.ts";
import type { JobReading } from "./job-reading.ts";
import { callsBuilder } from "./other-builders.ts";
import type { ShellCommand } from "./shell-session.ts";
import type { Field } from "./shell-words.ts";
import { treePath } from "./tree-path.ts";
import { known, literal, render } from "./value.ts";

/** Programs that read a script of another language from a file. */
const INTERPRETERS = /^(?:python[\d.]*|ruby|perl|node|deno|php|pwsh|groovy)$/;

/** Whether a program is make or reads a script of another language. */
export function readsScripts(name: string): boolean {
  return isMake(name) || INTERPRETERS.test(name);
}

function isMake(name: string): boolean {
  return name === "make" || name === "gmake";
}

/** Names a call of make that was not followed, or a script of another language, that calls a builder. */
export function readCalled(
  reading: JobReading,
  command: ShellCommand,
  name: string,
  words: readonly Field[],
): void {
  if (isMake(name)) readMake(reading, command, words);
  if (!INTERPRETERS.test(name)) return;
  const file = words.find((word) => !render(word.value).startsWith("-"));
  const { path } = file === undefined ? { path: null } : treePath(file.value, command.directory);
  if (path !== null && callsBuilder(reading.tree.read(path) ?? "")) {
    note(reading, command, `${path} calls a builder: only shell scripts are read`);
  }
}

/** `make TARGET` where what the target runs, or what it needs, calls a builder. */
function readMake(reading: JobReading, command: ShellCommand, words: readonly Field[]): void {
  const texts = words.map((word) => render(word.value));
  const valueOf = (flags: RegExp) => texts[texts.findIndex((text) => flags.test(text)) + 1] ?? null;
  const directory = texts.some((text) => /^-C$/.test(text)) ? valueOf(/^-C$/) : null;
  const base = directory === null ? command.directory : treePath(known(directory), command.directory);
  const named = texts.some((text) => /^-f$/.test(text)) ? valueOf(/^-f$/) : null;
  const names = named === null ? ["GNUmakefile", "makefile", "Makefile"] : [named];
  const paths = names.flatMap((file) => treePath(known(file), base).path ?? []);
  const path = paths.find((file) => reading.tree.read(file) !== null);
  const targets = words.flatMap((word, at) => {
    const text = literal(word.value);
    const taken = /^-(?:C|f|j|l|o|W|I)$/.test(texts[at - 1] ?? "");
    return text === null || taken || /^-|=/.test(text) ? [] : [text];
  });
  if (path === undefined) {
    const telling = texts.find((text) => !/^-|=/.test(text) && TELLING_TARGET.test(text));
    const where = named ?? "Makefile";
    if (telling !== undefined)
      note(reading, command, `${where} is not in the tree: what ${telling} does is not known`);
    return;
  }
  const text = makeText(reading.tree.read(path) ?? "", targets);
  if (callsBuilder(text))
    note(reading, command, `${path} calls a builder there: this call of make is not read`);
}

/** Targets whose names say that they make images. */
const TELLING_TARGET = /image|docker|container|kaniko|buildah|podman/i;

type MakeRule = { needs: string[]; body: string };

/** What the targets run and what they need; the whole file where one of them is not found by its name. */
function makeText(file: string, targets: readonly string[]): string {
  const rules = makeRules(file);
  const first = [...rules.keys()].find((name) => !name.startsWith("."));
  const asked = targets.length > 0 ? targets : first === undefined ? [] : [first];
  if (asked.some((name) => !rules.has(name))) return file;
  const open = [...asked];
  const seen = new Set<string>();
  for (let at = 0; at < open.length; at += 1) {
    const name = open[at] ?? "";
    const rule = rules.get(name);
    if (rule === undefined || seen.has(name)) continue;
    seen.add(name);
    const inner = rule.body.matchAll(/\$\(MAKE\)\s+([\w.-]+)/g);
    open.push(...rule.needs, ...[...inner].map((match) => match[1] ?? ""));
  }
  return [...seen].map((name) => rules.get(name)?.body ?? "").join("\n");
}

/** Rules of a Makefile by their targets, as far as they stand there by name. */
function makeRules(file: string): Map<string, MakeRule> {
  const rules = new Map<string, MakeRule>();
  let current: MakeRule[] = [];
  for (const line of file.replaceAll(/\\\n/g, " ").split("\n")) {
    const rule = /^([^\s:#=][^:#=]*):(?!=)([^=]*)$/.exec(line);
    if (rule !== null) {
      const needs = (rule[2] ?? "").trim().split(/[\s;|]+/);
      current = (rule[1] ?? "")
        .trim()
        .split(/\s+/)
        .map((name) => {
          const known = rules.get(name) ?? { needs: [], body: "" };
          known.needs.push(...needs);
          rules.set(name, known);
          return known;
        });
    } else if (line.startsWith("\t")) for (const known of current) known.body += `${line.trim()}\n`;
  }
  return rules;
}
