import type { ReadingOfChange } from "../bot.ts";
import type { ThreadText } from "../claims/types.ts";
import { effectiveSettings, type Effective, type Wishes } from "../config/effective-settings.ts";
import { imageFilter } from "../config/image-filter.ts";
import { openOperatorFile } from "../config/open-operator-file.ts";
import { projectFileRemark, projectSettingsOf } from "../config/project-file.ts";
import type { Change } from "../domain/change.ts";
import type { UpstreamAccess } from "../domain/report.ts";
import { parseLink } from "../network/link-rate.ts";
import type { TrialRequest } from "../prepare-trial.ts";
import { wantedStrategies } from "../trials/strategies.ts";
import { readThread } from "./read-thread.ts";

/** What whoever asks for a trial says himself; files and defaults say the rest. */
export type TrialWishes = {
  wishes: Wishes;
  downloads: "cache" | "direct";
  /** Whether upstream can be read in the forks that are tried. */
  forks: ForkChoice;
  projectPath: string | null;
  /** Files of mails whose claims are answered. */
  thread: string[];
  /** The command that repeats the trial, as text and as arguments. */
  command: string;
  argv: string[];
};

export type ForkChoice = "none" | "readable" | "both";

const FORKS: Record<ForkChoice, readonly UpstreamAccess[]> = {
  none: [],
  readable: ["readable"],
  both: ["readable", "unreadable"],
};

export type SettledRequest = { request: TrialRequest; notes: string[] };

/** Repeats of a strategy that is only shown beside the two that decide, where its times mean something. */
const OTHER_REPEATS = 3;

/**
 * The request of a trial: what was asked for, over the project's file of the base tree, over the operator's file, over
 * the defaults. Problems: `configuration`, `project-file`, `arguments`.
 */
export async function settleRequest(
  asked: TrialWishes,
  change: Change,
  reading: ReadingOfChange,
): Promise<SettledRequest> {
  const operator = await openOperatorFile(process.env);
  // The base is the target branch's: a change has no say in how it is measured.
  const project = projectSettingsOf(reading.readers.base);
  const effective = effectiveSettings(operator.settings, project, {
    ...asked.wishes,
    projectPath: asked.projectPath,
  });
  const remark = projectFileRemark(change.files);
  const notes = [
    ...(remark === null ? [] : [`${remark.file}:${remark.line}: ${remark.text}.`]),
    ...effective.notes.map((note) => `${note.charAt(0).toUpperCase()}${note.slice(1)}.`),
  ];
  return { request: requestOf(asked, effective, await readThread(asked.thread)), notes };
}

function requestOf(asked: TrialWishes, { settings }: Effective, thread: ThreadText[]): TrialRequest {
  const { images, repeats } = settings;
  const link = settings.link === null ? null : parseLink(settings.link).bytesPerSecond;
  return {
    images: images.named,
    mostImages: images.atMost,
    ignores: images.named.length === 0 ? imageFilter(images) : null,
    repeats,
    otherRepeats: link === null ? 1 : Math.min(OTHER_REPEATS, repeats),
    edits: settings.edits,
    replay: settings.replay,
    strategies: wantedStrategies(settings.strategies),
    forks: FORKS[asked.forks],
    budgetMs: settings.budgetMs,
    limits: settings.limits,
    thresholds: settings.thresholds,
    linkBytesPerSecond: link,
    downloads: asked.downloads,
    ledger: settings.ledger,
    projectPath: asked.projectPath,
    thread,
    command: asked.command,
    argv: asked.argv,
  };
}
