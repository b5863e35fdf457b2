import type { Finding } from "../domain/finding.ts";
import { archivedBuilderImage } from "./archived-builder-image.ts";
import { buildahCacheTag } from "./buildah-cache-tag.ts";
import { cacheOverImage } from "./cache-over-image.ts";
import { contextMissing } from "./context-missing.ts";
import { diffOf } from "./diff.ts";
import { floatingBuilderImage } from "./floating-builder-image.ts";
import { forkCache } from "./fork-cache.ts";
import { groupRemarks } from "./group.ts";
import { ignoreError } from "./ignore-error.ts";
import { inlineStages } from "./inline-stages.ts";
import { kanikoCacheTag } from "./kaniko-cache-tag.ts";
import { login } from "./login.ts";
import { reproducible } from "./reproducible.ts";
import { singleSnapshot } from "./single-snapshot.ts";
import type { Check, FindingInput, Reading } from "./types.ts";
import { zstd } from "./zstd.ts";

export type { FindingInput } from "./types.ts";

/** Every rule, in the order in which findings of one line are told. */
const CHECKS: readonly Check[] = [
  archivedBuilderImage,
  floatingBuilderImage,
  contextMissing,
  login,
  forkCache,
  cacheOverImage,
  buildahCacheTag,
  kanikoCacheTag,
  ignoreError,
  inlineStages,
  reproducible,
  singleSnapshot,
  zstd,
];

/**
 * What can be told of a change without a build, in the order of its diff. Only what the change brings in is told, and
 * only what is sure: equal findings of many jobs are one.
 */
export function findingsOf(input: FindingInput): Finding[] {
  const { base, head, changed } = input;
  const pairs = changed.flatMap((each) => (each.head === null ? [] : [{ base: each.base, head: each.head }]));
  const touched = new Set(pairs.map((pair) => pair.head));
  const diff = diffOf(input.change);
  const unchanged = head.filter((recipe) => !touched.has(recipe));
  const reading: Reading = {
    pairs,
    unchanged,
    base,
    head,
    diff,
    read: (side, path) => input.read(side, path),
  };
  const findings = CHECKS.flatMap((check) => groupRemarks(check.id, check.remarks(reading)));
  return findings.sort(
    (a, b) =>
      diff.order(a.file) - diff.order(b.file) ||
      a.line - b.line ||
      Number(a.side === "head") - Number(b.side === "head"),
  );
}
