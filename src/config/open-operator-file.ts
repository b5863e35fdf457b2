import { open } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { Problem } from "../domain/problem.ts";
import { codeOf, errorText } from "../lib/error-text.ts";
import { readOperatorFile, type OperatorSettings } from "./operator-file.ts";

/** The operator's settings and the file that they are from; null where there is none. */
export type OperatorFile = { path: string | null; settings: OperatorSettings };

/** More than a settings file may have: what is longer is refused when it is read. */
const READ_BYTES = 65_537;

/**
 * Reads the operator's file: the one that TARE_CONFIG names (`--config` sets it), else the first that is there of
 * /etc/tare/tare.yml and the user's own. Never looks into a repository or the working directory by itself.
 * Problem `configuration` where a named file cannot be read, or a file has faults.
 */
export async function openOperatorFile(
  environment: NodeJS.ProcessEnv,
  places: readonly string[] = defaultPaths(environment),
): Promise<OperatorFile> {
  const named = environment["TARE_CONFIG"];
  if (named !== undefined && named !== "") {
    const path = resolve(named);
    return { path, settings: readOperatorFile({ path, text: await textOf(path) }) };
  }
  for (const path of places) {
    const text = await textIfThere(path);
    if (text !== null) return { path, settings: readOperatorFile({ path, text }) };
  }
  return { path: null, settings: {} };
}

/** Where the operator's file is looked for when none is named, in order. */
export function defaultPaths(environment: NodeJS.ProcessEnv): string[] {
  const base = environment["XDG_CONFIG_HOME"];
  const own = base === undefined || base === "" ? join(homedir(), ".config") : base;
  return ["/etc/tare/tare.yml", resolve(own, "tare", "tare.yml")];
}

async function textIfThere(path: string): Promise<string | null> {
  try {
    return await readStart(path);
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw unreadable(path, error);
  }
}

async function textOf(path: string): Promise<string> {
  try {
    return await readStart(path);
  } catch (error) {
    throw unreadable(path, error);
  }
}

async function readStart(path: string): Promise<string> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(READ_BYTES), 0, READ_BYTES, 0);
  return buffer.toString("utf8", 0, bytesRead);
}

function unreadable(path: string, error: unknown): unknown {
  if (codeOf(error) === null) return error;
  return new Problem(
    "configuration",
    `The operator's file ${path} cannot be read.`,
    "Name a file with --config or TARE_CONFIG, or leave both out.",
    [errorText(error)],
  );
}
