import { parse } from "unbash";
import { callsBuilder } from "./other-builders.ts";
import type { ScriptCache, ShellSource } from "./shell-source.ts";
import { joinTreePath } from "./tree-path.ts";
import type { TreeFiles } from "./types.ts";
import { lineCounter } from "./yaml-source.ts";

/** Scripts of a tree that jobs may call. */
export type ScriptFiles = { tree: TreeFiles; cache: ScriptCache };

/** A script to follow, why it is not read, or null where there is nothing in it to read. */
export type CalledScript = { source: ShellSource } | { why: string } | null;

/** Largest script that is read, in bytes, and how deep scripts are looked through for builders. */
const MOST_BYTES = 256 << 10;
const DEEPEST = 5;

/** Opens a script that a job calls. One that is sourced is always followed: it may set variables. */
export function openScript(
  files: ScriptFiles,
  path: string,
  how: "program" | "shell" | "sourced",
): CalledScript {
  const text = files.tree.read(path);
  if (text === null) return null;
  if (how !== "sourced" && !mentionsBuilder(files, path, 0)) return null;
  if (text.length > MOST_BYTES) return { why: `${path} is larger than ${MOST_BYTES} bytes` };
  const interpreter = how === "program" ? interpreterOf(path, text) : null;
  if (interpreter !== null)
    return { why: `${path} is a script of ${interpreter}: only shell scripts are read` };
  const script = files.cache.parsed.get(text) ?? parse(text);
  files.cache.parsed.set(text, script);
  const [error] = script.errors ?? [];
  if (error !== undefined) return { why: `${path} cannot be read as a shell script: ${error.message}` };
  const lines = lineCounter(text);
  return { source: { script, text, place: (offset) => ({ file: path, line: lines(offset) }) } };
}

/** Interpreter of a script that is not a shell; null for a shell script. */
function interpreterOf(path: string, text: string): string | null {
  const shebang = /^#!\s*(\S+)(?:[ \t]+(.*))?/.exec(text);
  const program = shebang?.[1]?.endsWith("/env") === true ? shebang[2] : shebang?.[1];
  if (program !== undefined) {
    const name = program.replace(/^(?:-S\s+)?.*\//, "").split(/\s/)[0] ?? "";
    return /^(?:ba|da|a|k|z|busybox|)sh$/.test(name) ? null : name;
  }
  const ending = /\.(py|rb|pl|js|mjs|ts|php|ps1)$/.exec(path)?.[1];
  return ending ?? null;
}

/** A call of make for a target that is named for images. */
const CALLS_MAKE = /\bg?make[ \t][^\n]{0,200}(?:image|docker|container|podman|buildah)/i;

/** Whether a script, or one that it may call, calls a builder. */
export function mentionsBuilder(files: ScriptFiles, path: string, depth: number): boolean {
  const done = files.cache.mentions.get(path);
  if (done !== undefined) return done;
  // Set first: scripts that call each other end here.
  files.cache.mentions.set(path, false);
  const text = files.tree.read(path) ?? "";
  const directory = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : ".";
  const found =
    callsBuilder(text) ||
    CALLS_MAKE.test(text) ||
    (depth < DEEPEST &&
      text.length <= MOST_BYTES &&
      calledNames(text).some((name) =>
        [joinTreePath(directory, name), joinTreePath(".", name)].some(
          (other) =>
            other !== null && files.tree.read(other) !== null && mentionsBuilder(files, other, depth + 1),
        ),
      ));
  files.cache.mentions.set(path, found);
  return found;
}

/** Names of shell scripts in a text: relative to the script, or to the root. */
function calledNames(text: string): string[] {
  const names = text.matchAll(/(?:^|[\s"'=/;&|(])((?:[\w-]{1,60}\/){0,8}[\w.-]{1,60}\.(?:sh|bash))\b/gm);
  return [...new Set([...names].map((match) => match[1] ?? ""))].slice(0, 50);
}
