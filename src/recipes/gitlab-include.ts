import { Problem } from "../domain/problem.ts";
import { deepMerge } from "./gitlab-extends.ts";
import { inputsOf, writeInputs } from "./gitlab-inputs.ts";
import { joinTreePath } from "./tree-path.ts";
import type { TreeFiles, Unread } from "./types.ts";
import { lineAt, placeOf, readYaml } from "./yaml-source.ts";
import type { YamlMap, YamlNode } from "./yaml-source.ts";

/** Largest template file and largest sum of all files, in bytes, and GitLab's limit of included files. */
const FILE_BYTES = 1 << 20;
const TOTAL_BYTES = 8 << 20;
const MOST_FILES = 150;

/** Configuration of a tree with its includes written in. */
export type Loaded = {
  /** null where the tree has no entry file, or nothing is in it. */
  config: YamlMap | null;
  /** Template files read, in the order of reading. */
  files: string[];
  /** Includes that are not files of the tree. */
  unread: Unread[];
  /** Bytes read so far, those of other pipelines of the tree included. */
  bytes: number;
};

type Loading = {
  tree: TreeFiles;
  /** Configurations by path and inputs. */
  done: Map<string, YamlMap | null>;
  files: Set<string>;
  bytes: number;
  unread: Unread[];
};

/** Reads the entry file and every `include: local` below it. Other includes are recorded, never fetched. */
export function loadGitlabCi(tree: TreeFiles, entry: string): Loaded {
  const loading: Loading = { tree, done: new Map(), files: new Set(), bytes: 0, unread: [] };
  if (tree.read(entry) === null) return { config: null, files: [], unread: [], bytes: 0 };
  const config = load(loading, { path: entry }, [], entry);
  return { config, files: [...loading.files], unread: loading.unread, bytes: loading.bytes };
}

/** Reads the files of a child pipeline, as `trigger: include` names them; `bytes` have been read before. */
export function loadIncludes(tree: TreeFiles, include: YamlNode, bytes: number): Loaded {
  const loading: Loading = { tree, done: new Map(), files: new Set(), bytes, unread: [] };
  const config = loadAll(loading, include, []);
  return { config, files: [...loading.files], unread: loading.unread, bytes: loading.bytes };
}

/** A file of the tree as an include names it. */
type Included = { path: string; inputs?: YamlNode | undefined };

function load(
  loading: Loading,
  { path, inputs }: Included,
  chain: readonly string[],
  saidAt: string,
): YamlMap | null {
  const deeper = [...chain, path];
  if (chain.includes(path)) {
    const circle = deeper.slice(deeper.indexOf(path)).join(" -> ");
    throw new Problem(
      "template-unreadable",
      `${saidAt} includes itself: ${circle}`,
      "Remove one of the includes.",
    );
  }
  const given = inputs?.kind === "map" ? `${inputs.source.path}:${inputs.start}` : "";
  const key = `${path}\0${given}`;
  const done = loading.done.get(key);
  if (done !== undefined) return done;
  const { root, header } = readYaml({ path, text: readCapped(loading, path, saidAt) });
  const own = root === null || header === null ? root : writeInputs(root, inputsOf(header, inputs));
  // Set first so that the files are listed in the order of reading.
  loading.files.add(path);
  loading.done.set(key, own);
  const include = own?.entries.get("include");
  if (own === null || include === undefined) return own;
  const config = loadAll(loading, include, deeper);
  const merged = config === null ? own : deepMerge(config, own);
  loading.done.set(key, merged);
  return merged;
}

/** Every file that an `include` names, merged in order. */
function loadAll(loading: Loading, include: YamlNode, chain: readonly string[]): YamlMap | null {
  let config: YamlMap | null = null;
  for (const item of include.kind === "list" ? include.items : [include]) {
    const inputs = item.kind === "map" ? item.entries.get("inputs") : undefined;
    for (const path of localPaths(loading, item)) {
      const part = load(loading, { path, inputs }, chain, placeOf(item));
      if (part !== null) config = config === null ? part : deepMerge(config, part);
    }
  }
  return config;
}

function readCapped(loading: Loading, path: string, saidAt: string): string {
  const text = loading.tree.read(path);
  if (text === null) {
    const why = loading.tree.whyNot?.(path) ?? null;
    throw new Problem(
      "template-unreadable",
      `${saidAt} includes ${path}, which ${why === null ? "is not in the tree" : `cannot be read: ${why}`}`,
      "Add the file, or remove the include.",
    );
  }
  const bytes = Buffer.byteLength(text);
  loading.bytes += bytes;
  if (bytes > FILE_BYTES || loading.bytes > TOTAL_BYTES || loading.done.size >= MOST_FILES) {
    const limit =
      bytes > FILE_BYTES
        ? `${path} has ${bytes} bytes; a template file may have ${FILE_BYTES}`
        : `The templates up to ${path} exceed ${TOTAL_BYTES} bytes or ${MOST_FILES} files`;
    throw new Problem("template-too-large", limit, "Split the file, or include fewer.");
  }
  return text;
}

/** Paths of the tree that one include names. */
function localPaths(loading: Loading, item: YamlNode): string[] {
  const local = item.kind === "map" ? item.entries.get("local") : item;
  const written = local?.kind === "scalar" ? local.text : null;
  if (written === null) {
    record(loading, item, describe(item), "only files of the tree are read");
    return [];
  }
  if (/^https?:\/\//.test(written)) {
    record(loading, item, `include: ${written}`, "only files of the tree are read");
    return [];
  }
  if (written.includes("$")) {
    record(loading, item, `include: ${written}`, "the path holds a variable that only a pipeline knows");
    return [];
  }
  const path = safePath(written, item);
  if (path.includes("*")) return loading.tree.list().filter(createPathMatcher(path)).toSorted();
  const conditional = item.kind === "map" && item.entries.has("rules");
  if (conditional && loading.tree.read(path) === null) {
    record(loading, item, `include: ${written}`, "the file is not in the tree and the include has rules");
    return [];
  }
  return [path];
}

function safePath(written: string, item: YamlNode): string {
  const path = joinTreePath(".", written);
  const unsafe = path === null || path === "." || written.split("/").includes("..") || /[\0\\]/.test(written);
  if (!unsafe) return path;
  throw new Problem(
    "unsafe-path",
    `${placeOf(item)} includes ${JSON.stringify(written)}, which is not a path below the root of the tree`,
    "Name the file from the root of the repository, without `..`.",
  );
}

function record(loading: Loading, node: YamlNode, command: string, why: string): void {
  const line = lineAt(node.source, node.start);
  loading.unread.push({ job: null, file: node.source.path, line, command, why });
}

function describe(item: YamlNode): string {
  if (item.kind !== "map") return "include";
  const kinds = ["project", "remote", "template", "component", "artifact"];
  const kind = kinds.find((name) => item.entries.has(name)) ?? [...item.entries.keys()][0] ?? "";
  const value = item.entries.get(kind);
  return `include: ${kind} ${value?.kind === "scalar" ? value.text : ""}`.trim();
}

/** `*` stands for anything but `/`, `**` for anything. Compared segment by segment: no expression to blow up. */
function createPathMatcher(pattern: string): (path: string) => boolean {
  const wanted = pattern.split("/");
  return (path) => matchSegments(wanted, path.split("/"));
}

function matchSegments(wanted: readonly string[], segments: readonly string[]): boolean {
  let reachable = new Set([0]);
  for (const want of wanted) {
    const next = new Set<number>();
    for (const from of reachable) {
      if (want === "**") for (let to = from; to <= segments.length; to += 1) next.add(to);
      // GitLab reads `**.yml` as any file below.
      else if (want.startsWith("**")) {
        const last = segments.at(-1);
        if (last !== undefined && from < segments.length && matchSegment(want.slice(1), last))
          next.add(segments.length);
      } else if (from < segments.length && matchSegment(want, segments[from] ?? "")) next.add(from + 1);
    }
    reachable = next;
  }
  return reachable.has(segments.length);
}

function matchSegment(want: string, segment: string): boolean {
  const parts = want.split("*");
  const head = parts[0] ?? "";
  const tail = parts.length > 1 ? (parts.at(-1) ?? "") : "";
  if (parts.length === 1) return want === segment;
  if (segment.length < head.length + tail.length) return false;
  if (!segment.startsWith(head) || !segment.endsWith(tail)) return false;
  let rest = segment.slice(head.length, segment.length - tail.length);
  for (const part of parts.slice(1, -1)) {
    const at = rest.indexOf(part);
    if (at === -1) return false;
    rest = rest.slice(at + part.length);
  }
  return true;
}
