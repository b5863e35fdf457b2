import type { ReadingOfChange } from "./bot.ts";
import { behindGate } from "./behind-gate.ts";
import type { Change } from "./domain/change.ts";
import type { Job, JobNetwork } from "./domain/job.ts";
import { UNLIMITED_LOOPBACK, type Downloads, type Report, type Scenario } from "./domain/report.ts";
import {
  makeBase,
  mirrorOf,
  pullBase,
  refuseUnlistedBase,
  serveBase,
  standIn,
  type BaseImage,
} from "./images/bases.ts";
import type { Testbed } from "./images/testbed.ts";
import type { SetupDialogue } from "./images/types.ts";
import { editNumber } from "./domain/comparison.ts";
import type { Took } from "./lib/history.ts";
import type { Secrets } from "./lib/secrets.ts";
import {
  createDownloadCache,
  type DownloadCache,
  type DownloadCacheOptions,
  type DownloadReport,
} from "./network/download-cache.ts";
import { createDownloadCounts } from "./network/download-counts.ts";
import { formatLinkRate } from "./network/link-rate.ts";
import { basesOf } from "./choose-images.ts";
import type { PreparedTrial, TrialRequest } from "./prepare-trial.ts";
import { registryStarter, type RegistryStarter } from "./registry-starter.ts";
import type { TrialRegistry } from "./registry/trial-registry.ts";
import { reportTrial, type Tried } from "./report-trial.ts";
import type { ConductOptions, ImageTrial, Progress } from "./trials/conduct.ts";
import { networkFor } from "./trials/gated-job.ts";
import { forkNamespace } from "./trials/references.ts";
import { tryImage } from "./trials/try-image.ts";
import { median } from "./domain/statistics.ts";

const GIB = 1024 ** 3;

/** The world as one trial sees it. `now` is the wall clock in milliseconds. */
export type AnswerDoors = {
  testbed: Testbed;
  dialogue: SetupDialogue;
  onProgress(progress: Progress): void;
  now(): number;
  /** Directory of the download cache. */
  downloadDirectory: string;
  /** Keeps what an image took, for the estimate of a later trial. */
  remember(dockerfile: string, took: Took): void;
  runId: string;
  /** What no report may show; passwords of the trial are added. */
  secrets: Secrets;
  /** Where jobs run, where somebody at this machine decided; else the change's trust does. */
  network?: JobNetwork;
};

/** Builds what was prepared, for real, and answers the change. */
export async function answerTrial(
  change: Change,
  reading: ReadingOfChange,
  prepared: PreparedTrial,
  request: TrialRequest,
  doors: AnswerDoors,
  signal: AbortSignal,
): Promise<Report> {
  const network = doors.network ?? networkFor(change.trust);
  const held = network === "gated" ? await behindGate(prepared, request, doors.testbed) : prepared;
  const tried = await runPrepared(held, request, { ...doors, network }, signal);
  return doors.secrets.redactTexts(reportTrial(change, reading, held, request, doors.testbed, tried));
}

/** Builds what was prepared, for real. */
export async function runPrepared(
  prepared: PreparedTrial,
  request: TrialRequest,
  doors: AnswerDoors,
  signal: AbortSignal,
): Promise<Tried> {
  const startedMs = doors.now();
  const { testbed } = doors;
  const starter = registryStarter(
    testbed,
    request.linkBytesPerSecond,
    forkNamespace(prepared.context),
    doors.secrets,
  );
  await using stack = new AsyncDisposableStack();
  const downloads = await openDownloads(request, doors);
  if (downloads !== null) stack.defer(() => downloads.close());
  const baseRegistry = servesBases(testbed) ? await starter.startOpen(`${doors.runId}-bases`) : null;
  if (baseRegistry !== null) stack.defer(() => baseRegistry.remove());
  const bases = await prepareBases(prepared, doors, baseRegistry);
  const options = conductOptions(prepared, request, doors, baseRegistry, bases, downloads);
  const runDoors = conductDoors(doors, request, startedMs, starter, downloads);
  const images: Report["images"] = [];
  const notes: string[] = [];
  let machineMs = 0;
  for (const trial of prepared.trials) {
    const tried = await tryImage(trial, options, runDoors, signal);
    for (const base of tried.image.bases) base.from = bases.get(base.name)?.origin ?? base.from;
    redactLogs(tried.image, doors.secrets);
    rememberImage(trial, tried.image, doors);
    images.push(tried.image);
    notes.push(...tried.notes);
    machineMs += tried.machineMs;
  }
  const wallMs = doors.now() - startedMs;
  const downloaded = downloadsOf(downloads?.total() ?? null);
  return { images, notes, machineMs, startedMs, wallMs, link: options.link, downloads: downloaded };
}

/** Adds up what the cache tells of single runs; `total` is what came since it was last asked for. */
type Counted = DownloadCache & { missed(): boolean; total(): DownloadReport };

async function openDownloads(request: TrialRequest, doors: AnswerDoors): Promise<Counted | null> {
  if (request.downloads === "direct") return null;
  const cache = await createDownloadCache(cacheOptions(doors));
  const sum = createDownloadCounts();
  const take = (): DownloadReport => {
    const taken = cache.take();
    sum.add(taken);
    for (const { host, ...tunnel } of taken.tunnels) sum.addTunnel(host, tunnel);
    return taken;
  };
  return {
    ...cache,
    take,
    missed: () => take().missed > 0,
    total() {
      take();
      return sum.take();
    },
  };
}

/** What jobs behind a gate download is never handed to others, and comes from the operator's hosts alone. */
function cacheOptions({
  network,
  downloadDirectory,
  testbed: { egress },
}: AnswerDoors): DownloadCacheOptions {
  if (network !== "gated") return { directory: downloadDirectory };
  return {
    directory: `${downloadDirectory}-gated`,
    allowHost: egress.allowsHost,
    allow: egress.allowsAddress,
    resolve: egress.resolve,
  };
}

function downloadsOf(total: DownloadReport | null): Downloads {
  return {
    from: total === null ? "direct" : "cache",
    bytesFromCache: total?.bytesFromCache ?? 0,
    bytesFetched: total?.bytesFetched ?? 0,
    tunnelBytes: (total?.tunnels ?? []).reduce((sum, { bytes }) => sum + bytes, 0),
    tunnelHosts: [...new Set((total?.tunnels ?? []).map(({ host }) => host))].toSorted(),
  };
}

function conductDoors(
  doors: AnswerDoors,
  request: TrialRequest,
  startedMs: number,
  starter: RegistryStarter,
  downloads: Counted | null,
) {
  const { budgetMs } = request;
  return {
    run: (job: Job, stop: AbortSignal) => doors.testbed.executor.run(job, stop),
    // Asking for tokens takes some 0.1 s of a run: it is asked of trials that need it, and of all their runs alike.
    startRegistry: (name: string) =>
      request.forks.length > 0 ? starter.startWithUsers(name) : starter.startOpen(name),
    onProgress: (progress: Progress) => doors.onProgress(progress),
    missedDownloads: () => downloads?.missed() ?? false,
    monotonicMs: () => performance.now(),
    hasTimeFor: (expectedMs: number) => budgetMs === null || doors.now() - startedMs + expectedMs <= budgetMs,
  };
}

/** What a build printed may hold a secret: it is taken out before the log becomes part of a report. */
function redactLogs(image: Report["images"][number], secrets: Secrets): void {
  for (const { runs, forks } of image.strategies) {
    for (const run of [...runs, ...forks.flatMap((fork) => fork.runs)]) {
      // Keys span lines: the log is looked at as a whole.
      if (run.failure !== null) run.failure = secrets.redact(run.failure.join("\n")).split("\n");
    }
  }
}

/** What a later estimate starts from: builds of the two sides that succeeded, where the current side's cold one did. */
function rememberImage(trial: ImageTrial, image: Report["images"][number], doors: AnswerDoors): void {
  const own = image.strategies.filter(({ role }) => role !== "other").flatMap(({ runs }) => runs);
  const [cold] = image.strategies[0]?.runs.filter(({ scenario }) => scenario === "cold") ?? [];
  const meanMs = (wanted: (scenario: Scenario) => boolean): number | null => {
    const medians = own
      .filter(({ scenario, outcome }) => wanted(scenario) && outcome === "succeeded")
      .map(({ totalMs }) => median(totalMs))
      .filter((ms) => ms !== null);
    return medians.length === 0 ? null : medians.reduce((sum, ms) => sum + ms, 0) / medians.length;
  };
  const coldMs = meanMs((scenario) => scenario === "cold");
  if (coldMs === null || cold?.outcome !== "succeeded" || !cold.ledgers) return;
  doors.remember(trial.current.text, {
    coldMs,
    warmMs: meanMs((scenario) => scenario === "warm"),
    editMs: meanMs((scenario) => editNumber(scenario) > 0),
    bytes: cold.ledgers.namespace,
  });
}

type KnownBase = { digest: string | null; diffIds: string[]; origin: string };

async function prepareBases(
  prepared: PreparedTrial,
  doors: AnswerDoors,
  registry: TrialRegistry | null,
): Promise<Map<string, KnownBase>> {
  const { docker } = doors.testbed.engine;
  const names = new Set(prepared.trials.flatMap((trial) => basesOf(trial)));
  const known = new Map<string, KnownBase>();
  const { mirrors, cacheDirectory, egress } = doors.testbed;
  for (const name of names) {
    const pulls = registry === null || mirrorOf(name, mirrors) !== null;
    if (pulls && doors.network === "gated") refuseUnlistedBase(name, mirrors, egress.allowsHost);
    const base = pulls
      ? await pullBase(docker, name, mirrors)
      : await makeBase(docker, name, doors.dialogue, cacheDirectory);
    const digest = pulls ? base.digest : await serveBase(docker, base, registry.host);
    known.set(name, { digest, diffIds: base.diffIds, origin: originOf(base) });
  }
  return known;
}

function originOf({ madeHere, mirror }: BaseImage): string {
  if (madeHere) return "a stand-in made from packages";
  return mirror === null ? "pulled" : `pulled through ${mirror}`;
}

/** Where the operator names no mirror of docker.io, Tare's own registry stands in for it. */
function servesBases({ tools, mirrors }: Testbed): boolean {
  return tools.ownBases && !mirrors.some(({ registry }) => registry === "docker.io");
}

function conductOptions(
  prepared: PreparedTrial,
  request: TrialRequest,
  doors: AnswerDoors,
  baseRegistry: TrialRegistry | null,
  bases: ReadonlyMap<string, KnownBase>,
  downloads: DownloadCache | null,
): ConductOptions {
  const { tools, engine, mirrors } = doors.testbed;
  // The machine itself needs some: a sixth of its memory stays with it.
  const roomy = Math.floor((engine.facts.memoryBytes * 5) / 6 / GIB) * GIB;
  const rate = request.linkBytesPerSecond;
  return {
    repeats: prepared.repeats.own,
    otherRepeats: prepared.repeats.others,
    limits: request.limits,
    moreMemoryBytes: roomy > request.limits.memoryBytes ? roomy : null,
    context: prepared.context,
    ledger: request.ledger.id,
    thresholds: request.thresholds,
    link: rate === null ? UNLIMITED_LOOPBACK : `${formatLinkRate(rate)} each way`,
    images: Object.fromEntries(
      Object.entries(tools.builders).map(([builder, tool]) => [builder, tool.image]),
    ),
    mirrors: [...mirrors, ...(baseRegistry === null ? [] : [standIn(baseRegistry.host)])],
    bases,
    forks: request.forks,
    proxy: downloads?.address ?? null,
    network: doors.network ?? "host",
    runId: doors.runId,
  };
}
