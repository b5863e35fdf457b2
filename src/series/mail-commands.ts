import type { CommandName, MailCommand } from "./types.ts";

const NAMES: ReadonlySet<string> = new Set([
  "run",
  "rerun",
  "cancel",
  "status",
  "mute",
  "stop",
  "help",
  "no",
]);
/** Options of `run` with the most that a number may be; null where the value is a list of names. */
const OPTIONS: Readonly<Record<string, number | null>> = {
  strategies: null,
  images: null,
  edits: 50,
  repeat: 20,
};
const MOST = 20;

/** Reads `tare: run strategies=…` from lines that nothing quotes. What is wrong with one is in its `error`. */
export function readMailCommands(lines: readonly string[]): MailCommand[] {
  const found: MailCommand[] = [];
  for (const line of lines) {
    const said = /^tare:[ \t]*(.*)$/i.exec(line.slice(0, 1000))?.[1];
    if (said !== undefined && found.length < MOST)
      found.push(readCommand(line.slice(0, 1000).trimEnd(), said.trim()));
  }
  return found;
}

function readCommand(text: string, said: string): MailCommand {
  const command: MailCommand = {
    text,
    name: null,
    strategies: [],
    images: [],
    edits: null,
    repeat: null,
    error: null,
  };
  const [word = "", ...rest] = said.split(/\s+/);
  const name = word.toLowerCase();
  if (!isName(name)) {
    command.error = `${word === "" ? "no command" : `unknown command ${JSON.stringify(word)}`}: say one of ${[...NAMES].join(", ")}`;
    return command;
  }
  command.name = name;
  if (name !== "run" && rest.length > 0) command.error = `${name} takes nothing behind it`;
  else for (const part of rest) command.error ??= takeOption(command, part);
  return command;
}

function isName(word: string): word is CommandName {
  return NAMES.has(word);
}

/** Takes `name=value` into the command; what is wrong with it, or null. */
function takeOption(command: MailCommand, part: string): string | null {
  const [, key = "", value = ""] = /^([a-z]+)=(.*)$/i.exec(part) ?? [];
  const option = key.toLowerCase();
  if (!Object.hasOwn(OPTIONS, option))
    return `unknown option ${JSON.stringify(part)}: run takes ${Object.keys(OPTIONS).join("=, ")}=`;
  const most = OPTIONS[option] ?? null;
  if (most === null) {
    const names = value.split(",").filter((name) => name !== "");
    if (names.length === 0) return `${option}= names nothing`;
    if (option === "strategies") command.strategies = names;
    else command.images = names;
    return null;
  }
  const least = option === "edits" ? 0 : 1;
  if (!/^\d{1,3}$/.test(value) || Number(value) < least || Number(value) > most)
    return `${option} is a whole number from ${least} to ${most}, not ${JSON.stringify(value)}`;
  if (option === "edits") command.edits = Number(value);
  else command.repeat = Number(value);
  return null;
}
