import type { CleanupOutcome, Snapshot, TagName, Traffic } from "../domain/registry.ts";
import { chargeAfterCleanup, tagsToDelete, withoutTags, type DatedTag } from "../registry/cleanup.ts";

/** Numbers of tags that GitLab lets a project keep, and the shortest age that it lets it name. */
const KEEP_TAGS = [1, 5, 10, 25, 50, 100];
const OLDER_THAN_DAYS = 7;

/** The tags that each run of a trial wrote, in order, and those that it read. */
export type TagUse = Pick<Traffic, "writtenTags" | "readTags">;

/**
 * What GitLab's cleanup leaves of a trial's registry, for each number of tags that a policy may keep, up to the first that
 * deletes nothing. Simulated: after the last run nothing is edited any more, and a pipeline a day writes the tags that the
 * warm run wrote; the policy is executed on the day after the others have become old enough.
 */
export function simulateCleanup(
  last: Snapshot,
  runs: readonly TagUse[],
  warm: TagUse | null,
): CleanupOutcome[] {
  const today = OLDER_THAN_DAYS + 1;
  const dated = datedTags(last, runs, warm, today);
  const needed = new Set(usedBy(runs.at(-1)).map(keyOf));
  const all = [...dated].flatMap(([repository, tags]) => tags.map(({ name: tag }) => ({ repository, tag })));
  const present = all.filter((tag) => needed.has(keyOf(tag)));
  const outcomes: CleanupOutcome[] = [];
  for (const keepTags of KEEP_TAGS) {
    const policy = { keepTags, olderThanDays: OLDER_THAN_DAYS, nameRegex: ".*", nameRegexKeep: null };
    const deleted = [...dated].flatMap(([repository, tags]) =>
      tagsToDelete(tags, policy, today).map((tag) => ({ repository, tag })),
    );
    outcomes.push({
      keepTags,
      olderThanDays: OLDER_THAN_DAYS,
      tagsBefore: all.length,
      deletedTags: deleted.length,
      ledgers: chargeAfterCleanup(last, withoutTags(last, deleted)),
      neededTags: present.length,
      neededDeleted: deleted.filter((tag) => needed.has(keyOf(tag))).length,
    });
    if (deleted.length === 0) break;
  }
  return outcomes;
}

const keyOf = ({ repository, tag }: TagName): string => `${repository}:${tag}`;

function usedBy(run: TagUse | undefined): TagName[] {
  return run === undefined ? [] : [...run.readTags, ...run.writtenTags];
}

/** Tags by repository: those of each day's pipeline are of today, the others of the first day, in the order of writing. */
function datedTags(
  last: Snapshot,
  runs: readonly TagUse[],
  warm: TagUse | null,
  today: number,
): Map<string, DatedTag[]> {
  const written = runs.flatMap(({ writtenTags }) => writtenTags.map(keyOf));
  const place = new Map(written.map((key, index) => [key, (index + 1) / (written.length + 1)]));
  const daily = new Set(warm?.writtenTags.map(keyOf));
  return new Map(
    last.repositories.map(({ name, tags }) => [
      name,
      Object.keys(tags).map((tag) => {
        const key = keyOf({ repository: name, tag });
        return { name: tag, writtenDay: daily.has(key) ? today : (place.get(key) ?? 0) };
      }),
    ]),
  );
}
