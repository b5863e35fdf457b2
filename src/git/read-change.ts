import type { Change, Person, Trust } from "../domain/change.ts";
import { Problem } from "../domain/problem.ts";
import { applyPatch } from "./apply-patch.ts";
import { diffTrees } from "./diff-trees.ts";
import { gitOutput } from "./git-process.ts";
import { resolveTree, type Repository } from "./repository.ts";

/** A patch with what its mail tells; the fields of a bare diff are empty. */
export type PatchText = {
  messageId: string | null;
  title: string;
  author: Person;
  message: string;
  patch: Buffer;
};

/** The change that a patch makes to `baseRevision`. `notes` say what had to be done to make it fit. */
export async function changeOfPatch(
  repository: Repository,
  text: PatchText,
  base: { revision: string; chosenBy: string },
  trust: Trust,
): Promise<{ change: Change; notes: string[] }> {
  const tree = await resolveTree(repository, base.revision);
  const { tree: head, notes } = await applyPatch(repository, tree, text.patch);
  const change: Change = {
    id: text.messageId ?? `patch to ${tree.commit ?? tree.tree}`,
    title: text.title === "" ? "(no subject)" : text.title,
    author: text.author,
    message: text.message,
    trust,
    base: tree,
    baseChosenBy: base.chosenBy,
    head: { commit: null, tree: head },
    files: await diffTrees(repository, tree.tree, head),
  };
  return { change, notes };
}

/** The change between two revisions of the repository itself. */
export async function changeOfRevision(
  repository: Repository,
  revision: string,
  base: { revision: string; chosenBy: string },
  trust: Trust,
): Promise<Change> {
  const [head, tree] = await Promise.all([
    resolveTree(repository, revision),
    resolveTree(repository, base.revision),
  ]);
  if (head.tree === tree.tree) {
    throw new Problem(
      "change-empty",
      `${revision} and ${base.revision} are the same tree.`,
      "Name another --base.",
    );
  }
  const about = await describe(repository, head.commit);
  return {
    id: head.commit ?? head.tree,
    title: about.title === "" ? revision : about.title,
    author: about.author,
    message: about.message,
    trust,
    base: tree,
    baseChosenBy: base.chosenBy,
    head,
    files: await diffTrees(repository, tree.tree, head.tree),
  };
}

async function describe(
  repository: Repository,
  commit: string | null,
): Promise<{ title: string; author: Person; message: string }> {
  if (commit === null) return { title: "", author: { name: "", address: "" }, message: "" };
  const format = "%an%x00%ae%x00%s%x00%b";
  const argv = ["log", "-1", "--no-show-signature", `--format=${format}`, commit, "--"];
  const text = (await gitOutput(argv, { env: repository.environment })).toString("utf8");
  const [name = "", address = "", title = "", message = ""] = text.split("\0");
  return { title, author: { name, address }, message: message.trim() };
}
