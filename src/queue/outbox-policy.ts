import type { OutboxSettings } from "../domain/outbox-settings.ts";

/** So many writes in any span of so long. */
export type Budget = { count: number; windowMs: number };

/** What writes are counted by: the whole of a forge, one comment, a mail's list, its thread, and whom it answers. */
export type BudgetKind = "github" | "gitlab" | "comment" | "list" | "thread" | "author";

/** How fast replies go out, and which are held first. */
export type OutboxPolicy = {
  /** Replies of each project or list that the operator releases before others go out by themselves. */
  holdFirst: number;
  budgets: Record<BudgetKind, Budget[]>;
};

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** No window is longer: older writes are forgotten. */
export const LONGEST_WINDOW_MS = DAY_MS;

/** GitHub wants a second between two writes, whatever the operator says. */
export function outboxPolicy(settings: OutboxSettings): OutboxPolicy {
  const { commentPauseSeconds } = settings;
  const per = (windowMs: number, count: number): Budget => ({ count, windowMs });
  return {
    holdFirst: settings.holdFirst,
    budgets: {
      github: [
        per(SECOND_MS, 1),
        per(MINUTE_MS, settings.githubPerMinute),
        per(HOUR_MS, settings.githubPerHour),
      ],
      gitlab: [per(MINUTE_MS, settings.gitlabPerMinute)],
      comment: commentPauseSeconds === 0 ? [] : [per(commentPauseSeconds * SECOND_MS, 1)],
      list: [per(HOUR_MS, settings.listPerHour), per(DAY_MS, settings.listPerDay)],
      thread: [per(DAY_MS, settings.threadPerDay)],
      author: [per(DAY_MS, settings.authorPerDay)],
    },
  };
}

/** Budgets of a bucket as rows name it: `github`, `list:ci@lists.example.org`. */
export function budgetsOf(policy: OutboxPolicy, bucket: string): readonly Budget[] {
  const kind = bucket.split(":", 1)[0] ?? "";
  return Object.entries(policy.budgets).find(([name]) => name === kind)?.[1] ?? [];
}
