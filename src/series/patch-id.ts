import { createHash, type Hash } from "node:crypto";

/** One side of a hunk that is still to come; -1 where a file's head is read. */
type State = {
  before: number;
  after: number;
  isBinary: boolean;
  ids: string;
  hash: Hash;
  sum: Buffer;
  bytes: number;
};

/**
 * The id that `git patch-id --stable` gives a diff: white space and line numbers do not count, nor does the order of the
 * files. `prerequisite-patch-id:` names such ids. Null where git gives none: the diff has no `diff ` line.
 */
export function patchIdOf(patch: Buffer): string | null {
  const state: State = {
    before: -1,
    after: -1,
    isBinary: false,
    ids: "",
    hash: createHash("sha1"),
    sum: Buffer.alloc(20),
    bytes: 0,
  };
  const text = patch.toString("latin1");
  for (let at = 0; at < text.length;) {
    const end = text.indexOf("\n", at);
    const next = end === -1 ? text.length : end + 1;
    if (!take(state, text.slice(at, next))) break;
    at = next;
  }
  if (state.bytes === 0) return null;
  flush(state);
  return state.sum.toString("hex");
}

/** Takes one line; false behind the end of the patch. */
function take(state: State, line: string): boolean {
  if (line.startsWith("\\ ") && line.length > 12) return true;
  if (/^(?:commit |From )?[0-9a-f]{40}/.test(line)) return false;
  if (state.bytes === 0 && !line.startsWith("diff ")) return true;
  if (state.before === -1) {
    const head = takeHead(state, line);
    if (head !== "hash") return head === "next";
  }
  if (state.isBinary) {
    if (!line.startsWith("diff ")) return true;
    state.isBinary = false;
    state.before = -1;
    return true;
  }
  if (state.before === 0 && state.after === 0) {
    const hunk = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))?/.exec(line);
    if (line.startsWith("@@ -")) {
      state.before = Number(hunk?.[1] ?? 1);
      state.after = Number(hunk?.[2] ?? 1);
      return true;
    }
    if (!line.startsWith("diff ")) return false;
    flush(state);
    state.before = -1;
    state.after = -1;
  }
  if (line.startsWith("-") || line.startsWith(" ")) state.before -= 1;
  if (line.startsWith("+") || line.startsWith(" ")) state.after -= 1;
  const bare = line.replaceAll(/[ \t\n\v\f\r]/g, "");
  state.bytes += bare.length;
  state.hash.update(bare, "latin1");
  return true;
}

/** A line above the first hunk: hashed, passed over, or the end of the patch. */
function takeHead(state: State, line: string): "hash" | "next" | "end" {
  if (line.startsWith("GIT binary patch") || line.startsWith("Binary files")) {
    state.isBinary = true;
    state.before = 0;
    state.hash.update(state.ids, "latin1");
    flush(state);
    return "next";
  }
  if (line.startsWith("index ")) {
    state.ids = (/^index ([^ \n]*?)\.\.([^ \n]*)/.exec(line) ?? []).slice(1).join("");
    return "next";
  }
  if (line.startsWith("--- ")) {
    state.before = 1;
    state.after = 1;
    return "hash";
  }
  return /^[A-Za-z]/.test(line) ? "hash" : "end";
}

/** Adds the hunk's hash to the sum, byte by byte with carry, so that the order does not count. */
function flush(state: State): void {
  const digest = state.hash.digest();
  let carry = 0;
  for (let at = 0; at < 20; at += 1) {
    carry += (state.sum[at] ?? 0) + (digest[at] ?? 0);
    state.sum[at] = carry & 255;
    carry >>= 8;
  }
  state.hash = createHash("sha1");
}
