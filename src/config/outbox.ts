import type { OutboxSettings } from "../domain/outbox-settings.ts";

/**
 * GitHub allows 80 and 500 writes, GitLab's own limits are the instance's. Nobody reads a comment faster than it is edited. A
 * thread gets one mail a version, and has more than one.
 */
export const OUTBOX_DEFAULTS: OutboxSettings = {
  holdFirst: 0,
  commentPauseSeconds: 10,
  githubPerMinute: 60,
  githubPerHour: 400,
  gitlabPerMinute: 30,
  listPerHour: 6,
  listPerDay: 30,
  threadPerDay: 3,
  authorPerDay: 10,
};

/** What is written, and the defaults. */
export function outboxSettings(
  written: Partial<Record<keyof OutboxSettings, number | undefined>> = {},
): OutboxSettings {
  const given = Object.entries(written).filter(([, value]) => value !== undefined);
  return { ...OUTBOX_DEFAULTS, ...Object.fromEntries(given) };
}
