import type { ReadingOfChange } from "./bot.ts";
import type { Change } from "./domain/change.ts";
import type { Job } from "./domain/job.ts";
import type { BuilderId } from "./domain/recipe.ts";
import { UNLIMITED_LOOPBACK, type Part, type Report } from "./domain/report.ts";
import { makeBase, pullBase, serveBase, type BaseImage } from "./images/bases.ts";
import type { Testbed } from "./images/testbed.ts";
import type { SetupDialogue } from "./images/types.ts";
import { redact } from "./lib/redact.ts";
import type { PreparedTrial, TrialRequest } from "./prepare-trial.ts";
import { startRegistry, type TrialRegistry } from "./registry/trial-registry.ts";
import { conductImage, type ConductOptions, type Progress } from "./trials/conduct.ts";
import { headline } from "./trials/headline.ts";
import { judgeChange } from "./trials/verdict.ts";
import { TARE_VERSION } from "./version.ts";

const GIB = 1024 ** 3;

/** The world as one trial sees it. `now` is the wall clock in milliseconds. */
export type AnswerDoors = {
  testbed: Testbed;
  dialogue: SetupDialogue;
  onProgress(progress: Progress): void;
  now(): number;
  runId: string;
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
  const startedMs = doors.now();
  const { testbed } = doors;
  const start = (name: string) =>
    startRegistry({
      name,
      image: testbed.tools.registry.image,
      volume: null,
      startService: (spec) => testbed.executor.service(spec),
    });
  const baseRegistry = testbed.tools.ownBases ? await start(`${doors.runId}-bases`) : null;
  try {
    const bases = await prepareBases(prepared, doors, baseRegistry);
    const options = conductOptions(prepared, request, doors, baseRegistry, bases);
    const images: Report["images"] = [];
    const notes: string[] = [];
    for (const trial of prepared.trials) {
      const conductDoors = {
        run: (job: Job, stop: AbortSignal) => testbed.executor.run(job, stop),
        startRegistry: start,
        onProgress: (progress: Progress) => doors.onProgress(progress),
      };
      const tried = await conductImage(trial, options, conductDoors, signal);
      for (const base of tried.image.bases) base.from = bases.get(base.name)?.origin ?? base.from;
      redactLogs(tried.image);
      images.push(tried.image);
      notes.push(...tried.notes);
    }
    const wallMs = doors.now() - startedMs;
    return report(change, reading, prepared, request, { images, notes, testbed, startedMs, wallMs, options });
  } finally {
    await baseRegistry?.remove();
  }
}

/** What a build printed may hold a secret: it is taken out before the log becomes part of a report. */
function redactLogs(image: Report["images"][number]): void {
  for (const strategy of image.strategies) {
    for (const run of strategy.runs) {
      // Keys span lines: the log is looked at as a whole.
      if (run.failure !== null) run.failure = redact(run.failure.join("\n"), []).split("\n");
    }
  }
}

type KnownBase = { digest: string | null; diffIds: string[]; origin: string };

async function prepareBases(
  prepared: PreparedTrial,
  doors: AnswerDoors,
  registry: TrialRegistry | null,
): Promise<Map<string, KnownBase>> {
  const { docker } = doors.testbed.engine;
  const names = new Set(
    prepared.trials.flatMap((trial) => [...trial.current.bases, ...trial.proposed.bases]),
  );
  const known = new Map<string, KnownBase>();
  for (const name of names) {
    const base: BaseImage =
      registry === null ? await pullBase(docker, name) : await makeBase(docker, name, doors.dialogue);
    const digest = registry === null ? base.digest : await serveBase(docker, base, registry.host);
    const origin = base.madeHere ? "a stand-in made from packages" : "pulled";
    known.set(name, { digest, diffIds: base.diffIds, origin });
  }
  return known;
}

function conductOptions(
  prepared: PreparedTrial,
  request: TrialRequest,
  doors: AnswerDoors,
  baseRegistry: TrialRegistry | null,
  bases: ReadonlyMap<string, KnownBase>,
): ConductOptions {
  const { tools, engine } = doors.testbed;
  // The machine itself needs some: a sixth of its memory stays with it.
  const roomy = Math.floor((engine.facts.memoryBytes * 5) / 6 / GIB) * GIB;
  return {
    repeats: request.repeats,
    limits: request.limits,
    moreMemoryBytes: roomy > request.limits.memoryBytes ? roomy : null,
    context: prepared.context,
    ledger: "namespace",
    link: UNLIMITED_LOOPBACK,
    images: { docker: tools.docker.image, kaniko: tools.kaniko.image },
    baseHost: baseRegistry?.host ?? null,
    bases,
    runId: doors.runId,
  };
}

type Tried = {
  images: Report["images"];
  notes: string[];
  testbed: Testbed;
  startedMs: number;
  wallMs: number;
  options: ConductOptions;
};

function report(
  change: Change,
  reading: ReadingOfChange,
  prepared: PreparedTrial,
  request: TrialRequest,
  tried: Tried,
): Report {
  const { facts } = tried.testbed.engine;
  const whole: Omit<Report, "headline"> = {
    schemaVersion: 1,
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
    verdict: judgeChange(tried.images),
    images: tried.images,
    notBuilt: prepared.selection.notBuilt,
    ledger: { id: "namespace", why: "GitLab counts each distinct layer once in a root namespace" },
    limits: { cpus: request.limits.cpus, memoryBytes: request.limits.memoryBytes },
    repeats: request.repeats,
    machine: {
      cpus: facts.cpus,
      memoryBytes: facts.memoryBytes,
      kernel: facts.kernel,
      cgroup: facts.cgroupVersion === "2" ? "v2" : "v1",
      link: UNLIMITED_LOOPBACK,
      clock: "docker: Tare's own, per command; kaniko: the engine's, start to end of the process",
    },
    parts: partsOf(prepared, tried.testbed),
    notes: [`Images: ${prepared.selection.reason}.`, ...prepared.notes, ...remarks(tried), ...tried.notes],
    command: request.command,
    startedAt: new Date(tried.startedMs).toISOString(),
    wallMs: Math.round(tried.wallMs),
  };
  return { ...whole, headline: headline(whole) };
}

function remarks(tried: Tried): string[] {
  const daemon = tried.images.some((image) =>
    image.strategies.some((strategy) => strategy.privileges === "daemon"),
  );
  return [
    "Peak memory is the high-water mark of the job's cgroup, page cache included; `no cache` is the processes' own, sampled every 100 ms.",
    ...compressionRemark(tried),
    ...roomyCacheRemark(tried),
    ...(daemon
      ? ["docker/inline needs a privileged runner (a daemon in the job); kaniko needs no privileges."]
      : []),
    "RUN steps download from the network anew in each run that executes them.",
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

/** Programs that stood in for what the templates name, builders first. */
function partsOf(prepared: PreparedTrial, testbed: Testbed): Part[] {
  const recipes = prepared.trials.flatMap((trial) => [trial.current.recipe, trial.proposed.recipe]);
  const used = [...new Set(recipes.map((recipe) => recipe.builder))];
  const { tools, engine } = testbed;
  return [
    ...used.map((builder): Part => {
      const named = recipes.find((recipe) => recipe.builder === builder)?.runsIn ?? null;
      const { version, image, digest, origin } = tools[builder];
      return {
        part: builder,
        version,
        image,
        digest,
        origin,
        named,
        differs: differs(builder, named, tools[builder]),
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
function differs(builder: BuilderId, named: string | null, tool: Testbed["tools"]["docker"]): boolean {
  if (named === null) return false;
  const tag = /:([^/@]+)$/.exec(named)?.[1] ?? "latest";
  const floats = !/\d/.test(tag);
  if (builder === "kaniko") {
    const archived = named.startsWith("gcr.io/kaniko-project/executor");
    // The archived original's floating tags ended at its last release.
    if (archived && floats) return tool.version !== "v1.24.0";
    return !tag.startsWith(tool.version);
  }
  return floats ? tool.origin === "made from packages" : !tag.startsWith(tool.version);
}
