import { parseDiff } from "./diff-trees.ts";

/** What a patch says of a file before it: its blob's id, maybe abbreviated; null where there was no such file. */
export type Preimage = { path: string; blob: string | null };

/**
 * The files as a series of patches found them: of each the first that touches it counts, for later ones see the work of
 * earlier ones. Empty where the diffs have no `index` lines.
 */
export function preimages(patches: readonly Buffer[]): Preimage[] {
  const found = new Map<string, Preimage>();
  const made = new Set<string>();
  for (const patch of patches) {
    const sections = patch.toString("utf8").split(/^(?=diff --git )/mu);
    for (const section of sections) {
      const [file] = parseDiff(section);
      if (file === undefined) continue;
      const path = file.oldPath ?? file.newPath;
      if (path !== null && !made.has(path) && !found.has(path)) {
        const blob = oldBlob(section, file.oldPath === null);
        if (blob !== undefined) found.set(path, { path, blob });
      }
      if (file.newPath !== null) made.add(file.newPath);
    }
  }
  return [...found.values()];
}

/** Undefined where the header does not say: a rename without an edit, or a diff of another tool. */
function oldBlob(section: string, isNew: boolean): string | null | undefined {
  const id = /^index ([0-9a-f]{7,64})\.\.[0-9a-f]+/mu.exec(section.split(/^@@ /mu, 1)[0] ?? "")?.[1];
  if (id === undefined) return undefined;
  return isNew || /^0+$/u.test(id) ? null : id;
}
