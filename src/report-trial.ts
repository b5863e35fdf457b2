import type { ReadingOfChange } from "./bot.ts";
import { claimsOf } from "./answer-thread.ts";
import { listDockerfileCopies } from "./claims/dockerfile-copies.ts";
import type { Change } from "./domain/change.ts";
import { formatBytes, formatDuration } from "./domain/quantities.ts";
import type { BuilderId } from "./domain/recipe.ts";
import type { Downloads, ImageReport, Part, Report } from "./domain/report.ts";
import type { Testbed } from "./images/testbed.ts";
import type { ToolImage } from "./images/types.ts";
import type { PreparedTrial, TrialRequest } from "./prepare-trial.ts";
import { excerptsOf } from "./findings/excerpts.ts";
import { headline } from "./trials/headline.ts";
import { judgeChange } from "./trials/verdict.ts";
import { TARE_VERSION } from "./version.ts";

/** What the runs of a trial told. Times in milliseconds. */
export type Tried = {
  images: ImageReport[];
  notes: string[];
  machineMs: number;
  startedMs: number;
  wallMs: number;
  link: string;
  downloads: Downloads;
};

/** The answer as data. */
export function reportTrial(
  change: Change,
  reading: ReadingOfChange,
  prepared: PreparedTrial,
  request: TrialRequest,
  testbed: Testbed,
  tried: Tried,
): Report {
  const { facts } = testbed.engine;
  const whole: Omit<Report, "headline"> = {
    schemaVersion: 2,
    tare: TARE_VERSION,
    change: {
      id: change.id,
      title: change.title,
      author: change.author,
      trust: change.trust,
      base: { ...change.base, chosenBy: change.baseChosenBy },
      head: change.head,
      files: change.files.map((file) => file.newPath ?? file.oldPath ?? ""),
    },
    sentence: reading.comparison.sentence,
    quoted: reading.quoted,
    recipes: { base: reading.base.recipes, head: reading.head.recipes },
    findings: reading.findings,
    excerpts: excerptsOf(change, reading.findings),
    dockerfiles: listDockerfileCopies(reading.readers.head, reading.head.recipes),
    claims: [],
    verdict: judgeChange(tried.images),
    images: tried.images,
    notBuilt: prepared.selection.notBuilt,
    ledger: request.ledger,
    limits: { cpus: request.limits.cpus, memoryBytes: request.limits.memoryBytes },
    repeats: prepared.repeats.own,
    machine: {
      cpus: facts.cpus,
      memoryBytes: facts.memoryBytes,
      kernel: facts.kernel,
      cgroup: facts.cgroupVersion === "2" ? "v2" : "v1",
      link: tried.link,
      clock: "kaniko: the engine's, start to end of the process; others: Tare's own, per command",
    },
    parts: partsOf(tried.images, testbed),
    notes: [
      `Images: ${prepared.selection.reason}.`,
      ...prepared.notes,
      ...remarks(tried),
      ...tried.notes,
      spent(tried, prepared),
    ],
    command: request.command,
    argv: request.argv,
    startedAt: new Date(tried.startedMs).toISOString(),
    wallMs: Math.round(tried.wallMs),
    machineMs: Math.round(tried.machineMs),
    estimate: prepared.estimate,
    downloads: tried.downloads,
  };
  const report = { ...whole, headline: headline(whole) };
  return { ...report, claims: claimsOf(change, request.thread, report) };
}

/** What the trial took beside what was expected of it. */
function spent({ images, wallMs, machineMs }: Tried, { estimate }: PreparedTrial): string {
  const bytes = images.reduce((sum, image) => sum + coldBytes(image), 0);
  const took = `The trial took ${formatDuration(wallMs)}, ${machineMinutes(machineMs)} of it in jobs`;
  const expected = `${formatDuration(estimate.wallMs)} and images of ${formatBytes(estimate.bytes)}`;
  const stored =
    bytes === 0 ? "no image after the cold build" : `images of ${formatBytes(bytes)} after the cold build`;
  return `${took}; ${stored}. Expected were ${expected} (${estimate.basis}).`;
}

function machineMinutes(machineMs: number): string {
  return `${(machineMs / 60_000).toFixed(1)} machine-minutes`;
}

function coldBytes(image: ImageReport): number {
  // The first strategy whose cold build left something: where the current one fails, the proposed.
  const colds = image.strategies.map(({ runs }) => runs.find((run) => run.scenario === "cold"));
  return colds.find((run) => run?.ledgers)?.ledgers?.namespace ?? 0;
}

function remarks(tried: Tried): string[] {
  return [
    "Memory is what the processes of a run needed (`no cache`), sampled every 100 ms; `peak` is the high-water mark of the job's cgroup, page cache included.",
    ...compressionRemark(tried),
    ...roomyCacheRemark(tried),
    ...placeRemarks(tried),
    ...privilegeRemarks(tried),
    ...downloadRemarks(tried.downloads),
    "Bytes pulled and pushed are counted at the trial's registry; base images come from another one.",
  ];
}

/** A cache that only a run with more memory could fill: what later runs take from it, the runner of the template never gets. */
function roomyCacheRemark(tried: Tried): string[] {
  return tried.images.flatMap((image) =>
    image.strategies
      .filter(
        ({ runs }) =>
          runs.some((run) => run.scenario === "cold" && run.storageRun !== null) && runs.length > 1,
      )
      .map(
        ({ strategy }) =>
          `${image.image}, ${strategy}: the cache behind the warm build was filled by the run with more memory; at the limit there would be none.`,
      ),
  );
}

/** The same content has different sizes where builders compress it differently; nobody should take that for the cache's doing. */
function compressionRemark(tried: Tried): string[] {
  const used = new Set(
    tried.images.flatMap((image) => image.strategies.map((strategy) => strategy.recipe.builder)),
  );
  const said =
    "kaniko compresses layers with gzip's fastest level unless told otherwise, docker with the default one: the same content is larger with kaniko.";
  return used.has("kaniko") && used.has("docker") ? [said] : [];
}

/** Where the caches of strategies are that no template states. */
function placeRemarks({ images }: Tried): string[] {
  const others = images.some((image) => image.strategies.some(({ role }) => role === "other"));
  if (!others) return [];
  return [
    "Strategies beside the two keep their cache beside the image, in the project that runs the pipeline; variants of the change's own keep it where the template has it.",
  ];
}

/** Which builders need what of the runner, in one sentence each. */
function privilegeRemarks({ images }: Tried): string[] {
  const strategies = images.flatMap((image) => image.strategies);
  const byBuilder = new Map(strategies.map(({ recipe, needs }) => [recipe.builder, needs]));
  return [...byBuilder].map(([builder, needs]) =>
    needs === null ? `${builder} needs no privileges.` : `${builder} needs ${needs}.`,
  );
}

function downloadRemarks(downloads: Downloads): string[] {
  if (downloads.from === "direct")
    return ["RUN steps download from the network anew in each run that executes them."];
  const { bytesFromCache, bytesFetched, tunnelBytes, tunnelHosts } = downloads;
  const tunnels =
    tunnelBytes === 0
      ? []
      : [
          `${formatBytes(tunnelBytes)} came over HTTPS from ${tunnelHosts.slice(0, 3).join(", ")}, which no cache can hold: they were downloaded anew in each run.`,
        ];
  if (bytesFromCache + bytesFetched === 0) return tunnels;
  return [
    `RUN steps downloaded from one cache on this machine, filled by untimed runs (${formatBytes(bytesFetched)} fetched, ${formatBytes(bytesFromCache)} served).`,
    ...tunnels,
  ];
}

/** Programs that stood in for what the templates name, builders first. */
function partsOf(images: readonly ImageReport[], testbed: Testbed): Part[] {
  const strategies = images.flatMap((image) => image.strategies);
  const { tools, engine } = testbed;
  const used = Object.entries(tools.builders) as [BuilderId, ToolImage][];
  return [
    ...used
      .filter(([builder]) => strategies.some(({ recipe }) => recipe.builder === builder))
      .map(([builder, tool]): Part => {
        // What a template names is what its own job runs in; alternatives are Tare's idea.
        const own = strategies.find(({ role, recipe }) => role !== "other" && recipe.builder === builder);
        const named = own?.recipe.runsIn ?? null;
        const { version, image, digest, origin } = tool;
        return {
          part: builder,
          version,
          image,
          digest,
          origin,
          named,
          differs: differs(builder, named, tool),
        };
      }),
    { part: "registry", ...tools.registry, named: null, differs: false },
    {
      part: "engine",
      version: `${engine.facts.name} ${engine.facts.version}`,
      image: "",
      digest: null,
      named: null,
      differs: false,
      origin: testbed.privateEngine ? "started by Tare" : "found running",
    },
  ];
}

/** True where the builder is known not to be the one that the template names. Floating tags name the newest. */
function differs(builder: BuilderId, named: string | null, tool: ToolImage): boolean {
  if (named === null) return false;
  const tag = /:([^/@]+)$/.exec(named)?.[1] ?? "latest";
  const floats = !/\d/.test(tag);
  if (builder === "kaniko") {
    const archived = named.startsWith("gcr.io/kaniko-project/executor");
    // The archived original's floating tags ended at its last release.
    if (archived && floats) return tool.version !== "v1.24.0";
    return !tag.startsWith(tool.version);
  }
  return floats ? tool.origin !== "official image" : !tag.startsWith(tool.version);
}
