import { RE2JS } from "re2js";
import type { CleanedLedgers, Snapshot, TagName } from "../domain/registry.ts";
import { blobsOf, chargeAll, chargeAfterGrace, reachedByTags } from "./ledgers.ts";

/** A cleanup policy as a project sets it at GitLab; null where it leaves a rule out. */
export type CleanupPolicy = {
  keepTags: number | null;
  olderThanDays: number | null;
  /** Tags whose whole name matches may be deleted, unless the second one matches as well. */
  nameRegex: string;
  nameRegexKeep: string | null;
};

/** `writtenDay`: when the tag was last written, in days; within a day a larger one is newer. */
export type DatedTag = { name: string; writtenDay: number };

/** Tags that GitLab looks at together; `keepTags` counts anew in each page. */
const PAGE = 1_000;

/**
 * Tags of one repository that a policy deletes on the day `today`, in GitLab's own order: `latest` stays, then the name
 * decides, then the newest are kept, then those that are not older. Sources: GitLab, lib/container_registry and
 * app/services/projects/container_repository/cleanup_tags_base_service.rb (`\A…\z` around the pattern without a group, so
 * that `a|b` anchors one end of each), gitlab/cleanup_tags_service.rb (pages of 1,000 in the order of names).
 */
export function tagsToDelete(tags: readonly DatedTag[], policy: CleanupPolicy, today: number): string[] {
  const isNamed = matcherOf(policy.nameRegex);
  const isSpared = policy.nameRegexKeep === null ? () => false : matcherOf(policy.nameRegexKeep);
  const listed = tags.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const pages = Array.from({ length: Math.ceil(listed.length / PAGE) }, (_, page) =>
    listed.slice(page * PAGE, (page + 1) * PAGE),
  );
  const { keepTags, olderThanDays } = policy;
  return pages.flatMap((page) =>
    page
      .filter(({ name }) => name !== "latest" && isNamed(name) && !isSpared(name))
      .toSorted((a, b) => b.writtenDay - a.writtenDay)
      .slice(keepTags ?? 0)
      .filter(({ writtenDay }) => olderThanDays === null || today - writtenDay > olderThanDays)
      .map(({ name }) => name),
  );
}

/** Patterns come from whoever sets the policy: re2 cannot be made to run for ever. */
function matcherOf(pattern: string): (name: string) => boolean {
  const compiled = RE2JS.compile(`\\A${pattern}\\z`);
  return (name) => compiled.matcher(name).find();
}

/** The registry without some tags, and without what nothing reaches any more. */
export function withoutTags(snapshot: Snapshot, deleted: readonly TagName[]): Snapshot {
  const gone = new Set(deleted.map(({ repository, tag }) => `${repository}:${tag}`));
  const repositories = snapshot.repositories.map((repository) => {
    const tags = Object.fromEntries(
      Object.entries(repository.tags).filter(([tag]) => !gone.has(`${repository.name}:${tag}`)),
    );
    const kept = new Set([...reachedByTags({ ...repository, tags }), ...repository.untagged]);
    const manifests = Object.fromEntries(
      Object.entries(repository.manifests).filter(([digest]) => kept.has(digest)),
    );
    return { ...repository, tags, manifests };
  });
  const reached = repositories.flatMap((repository) => [...blobsOf(repository)]);
  return { ...snapshot, repositories, stored: snapshot.stored === null ? null : Object.fromEntries(reached) };
}

/** What is charged when tags are gone and the grace of garbage collection has passed as well. */
export function chargeAfterCleanup(before: Snapshot, after: Snapshot, graceHours = 24): CleanedLedgers {
  const collected = chargeAfterGrace(
    [
      { snapshot: before, atHours: 0 },
      { snapshot: after, atHours: 0 },
      { snapshot: after, atHours: graceHours },
    ],
    graceHours,
  );
  const { stored, ...charged } = chargeAll(after);
  return { ...charged, stored: stored === "unknown" ? stored : collected };
}
