import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { parsePatchMail } from "../series/parse-patch-mail.ts";
import type { Change, Trust } from "../domain/change.ts";
import { Problem } from "../domain/problem.ts";
import { changeOfPatch, changeOfRevision } from "../git/read-change.ts";
import type { Repository } from "../git/repository.ts";
import { codeOf, errorText } from "../lib/error-text.ts";

/** Where the change comes from, as the command line names it. */
export type ChangeInput = { patch: string | null; revision: string | null; base: string | null };

/** Reads a file, or standard input for `-`. */
export async function readInput(path: string): Promise<Buffer> {
  if (path === "-") return buffer(process.stdin);
  try {
    return await readFile(path);
  } catch (error) {
    if (codeOf(error) === null) throw error;
    throw new Problem("arguments", `${path} cannot be read.`, "Name a file, or - for standard input.", [
      errorText(error),
    ]);
  }
}

/** What a patch is applied to: the named revision, or HEAD. */
export function patchBase(base: string | null): { revision: string; chosenBy: string } {
  return base === null
    ? { revision: "HEAD", chosenBy: "HEAD of the repository" }
    : { revision: base, chosenBy: `--base ${base}` };
}

/** The change that was asked for. A patch is a stranger's unless somebody vouches for it; a revision of one's own repository is not. */
export async function changeFromInput(
  repository: Repository,
  input: ChangeInput,
  patchTrust: Trust,
): Promise<{ change: Change; notes: string[] }> {
  if (input.patch !== null && input.revision !== null) {
    throw new Problem("arguments", "--patch and --rev name two changes.", "Give one of them.");
  }
  if (input.patch !== null) {
    const mail = await parsePatchMail(await readInput(input.patch));
    return changeOfPatch(repository, mail, patchBase(input.base), patchTrust);
  }
  const revision = input.revision ?? "HEAD";
  const base =
    input.base === null
      ? { revision: `${revision}^`, chosenBy: `first parent of ${revision}` }
      : { revision: input.base, chosenBy: `--base ${input.base}` };
  return { change: await changeOfRevision(repository, revision, base, "trusted"), notes: [] };
}
