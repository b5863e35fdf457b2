/** Who may have code built: nothing of a stranger's change is run. */
export type Trust = "trusted" | "approved" | "stranger";

export type Person = { name: string; address: string };

/** A tree by object id. `commit` is null for a tree that exists only as the result of applying a patch. */
export type Tree = { commit: string | null; tree: string };

/** One file that the change touches; null where it does not exist on that side. Paths are git's, without a/ b/. */
export type FileDiff = { oldPath: string | null; newPath: string | null; hunks: string };

/** A pull request, merge request or patch: a base tree and a head tree. */
export type Change = {
  /** Message-ID, `owner/repo#n`, `group/project!n`, or a revision. */
  id: string;
  title: string;
  author: Person;
  /** Cover text or commit message, without the diff. */
  message: string;
  trust: Trust;
  base: Tree;
  /** How the base was chosen, for example `--base v8.2.0` or `HEAD of the repository`. */
  baseChosenBy: string;
  head: Tree;
  files: FileDiff[];
};
