import { randomBytes } from "node:crypto";
import { runPrepared } from "../answer-trial.ts";
import { pairOf, runOf, THRESHOLDS } from "../domain/comparison.ts";
import { DEFAULT_LIMITS } from "../domain/job.ts";
import { Outage } from "../domain/problem.ts";
import { formatDuration, formatPercent } from "../domain/quantities.ts";
import type { BuilderId, Recipe } from "../domain/recipe.ts";
import type { Report, Scenario } from "../domain/report.ts";
import { median, range } from "../domain/statistics.ts";
import { formatLinkRate, parseLink } from "../network/link-rate.ts";
import type { PreparedTrial, TrialRequest } from "../prepare-trial.ts";
import type { Progress } from "../trials/conduct.ts";
import { loadImageSource } from "../trials/image-source.ts";
import { adaptRecipe } from "../trials/strategies.ts";
import { judge } from "../trials/statistics.ts";
import { createProgress } from "./dialogue.ts";
import type { ExitCode } from "./exit-code.ts";
import { createSecrets } from "../lib/secrets.ts";
import { interruption, withTestbed } from "./session.ts";

export type NoiseOptions = { builder: BuilderId; repeats: number; link?: string | undefined };

/** A second of work on one CPU, and 4 MB to store: enough to be timed, small enough to be repeated. */
const DOCKERFILE = `FROM docker.io/library/busybox:1.36
RUN head -c 4000000 /dev/urandom > /bytes && i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done
RUN head -c 1000000 /dev/urandom > /more
`;

const CACHES = { docker: "inline", buildkit: "registry-max", kaniko: "layers", buildah: "layers" } as const;

/** `tare doctor --noise`: A against A, in turn. What differs between the two is what this machine makes of nothing. */
export async function noiseCommand(options: NoiseOptions): Promise<ExitCode> {
  const recipe = noiseRecipe(options.builder);
  const source = await loadImageSource(recipe, ["first"], {
    read: () => DOCKERFILE,
    readContext: async () => [],
    versions: [],
  });
  const bytesPerSecond = options.link === undefined ? null : parseLink(options.link).bytesPerSecond;
  const trial = {
    pair: { image: "noise", dockerfile: "Dockerfile", current: recipe, proposed: recipe },
    current: source,
    proposed: source,
    others: [],
    synthetic: null,
  };
  const prepared: PreparedTrial = {
    selection: { pairs: [trial.pair], notBuilt: [], reason: "a build that comes with Tare" },
    trials: [trial],
    context: { projectPath: "group/project", branch: "main" },
    repeats: { own: options.repeats, others: 1 },
    estimate: { wallMs: 0, bytes: 0, basis: "none" },
    notes: [],
  };
  const stop = interruption();
  try {
    const tried = await withTestbed(
      { builders: [options.builder], archivedKaniko: true, assumeYes: false },
      async (testbed, dialogue) => {
        const now = () => Date.now();
        const progress = createProgress(now);
        const doors = {
          testbed,
          dialogue,
          onProgress: (next: Progress) => progress.show(next),
          now,
          downloadDirectory: "",
          remember: () => {},
          secrets: createSecrets(),
          runId: `${process.pid}-${randomBytes(3).toString("hex")}`,
        };
        try {
          const request = noiseRequest(options.repeats, bytesPerSecond);
          return await runPrepared(prepared, request, doors, stop.signal);
        } finally {
          progress.end();
        }
      },
    );
    process.stdout.write(noiseText(tried.images, options, bytesPerSecond));
    return 0;
  } finally {
    stop.dispose();
  }
}

/** A whole recipe of nobody's template. */
const PLAIN: Recipe = {
  job: "noise",
  file: "tare",
  line: 1,
  builder: "kaniko",
  strategy: "kaniko/none",
  program: "/kaniko/executor",
  runsIn: null,
  services: [],
  dockerfile: "Dockerfile",
  context: ".",
  target: null,
  images: ["$CI_REGISTRY_IMAGE/noise:latest"],
  cacheFrom: [],
  cacheTo: [],
  cacheToOptions: [],
  pulls: [],
  buildArgs: {},
  flags: [],
  environment: {},
  logins: [],
  condition: "both",
  unresolved: [],
};

function noiseRecipe(builder: BuilderId): Recipe {
  const adapted = adaptRecipe(PLAIN, { builder, cache: CACHES[builder], variant: null });
  if (typeof adapted === "string") throw new Error(adapted);
  return adapted;
}

function noiseRequest(repeats: number, linkBytesPerSecond: number | null): TrialRequest {
  return {
    images: [],
    mostImages: null,
    ignores: null,
    repeats,
    otherRepeats: 1,
    edits: ["first"],
    replay: 0,
    thread: [],
    strategies: [],
    forks: [],
    budgetMs: null,
    limits: DEFAULT_LIMITS,
    thresholds: THRESHOLDS,
    linkBytesPerSecond,
    downloads: "direct",
    ledger: { id: "namespace", why: "as GitLab charges" },
    projectPath: null,
    command: "tare doctor --noise",
    argv: ["doctor", "--noise"],
  };
}

/** Medians of both sides, how far they are apart, and how far apart single runs are. */
function noiseText(images: Report["images"], options: NoiseOptions, rate: number | null): string {
  const [image] = images;
  const { current, proposed } = pairOf(image?.strategies ?? []);
  if (image === undefined || current === null || proposed === null) throw new Error("nothing was measured");
  const rows = (["cold", "warm", "edit 1"] satisfies Scenario[]).map((scenario) => {
    const a = runOf(current, scenario);
    const b = runOf(proposed, scenario);
    if (a?.outcome !== "succeeded" || b?.outcome !== "succeeded") {
      const said = [...(a?.failure ?? []), ...(b?.failure ?? [])].slice(-3).join(" / ");
      throw new Outage(`The ${scenario} build did not succeed: ${said}`, "Run `tare doctor`.");
    }
    return noiseRow(scenario, a.totalMs, b.totalMs);
  });
  const link = rate === null ? "unlimited" : formatLinkRate(rate);
  return [
    `${current.strategy} against itself, ${options.repeats} repeats a side in turn; link: ${link}`,
    "",
    `${"run".padEnd(8)}${"A".padStart(10)}${"B".padStart(10)}${"B - A".padStart(9)}${"all runs".padStart(20)}  judged`,
    ...rows,
    "",
    "Judged as a change would be: a difference counts beyond 5 % and 1.0 s, and where the ranges are apart.",
    "",
  ].join("\n");
}

function noiseRow(scenario: Scenario, a: readonly number[], b: readonly number[]): string {
  const [first, second] = [median(a) ?? 0, median(b) ?? 0];
  const ends = range([...a, ...b]);
  const spread = ends === null ? "" : `${formatDuration(ends.least)} to ${formatDuration(ends.greatest)}`;
  const { judgement } = judge(a, b, { ratio: THRESHOLDS.ratio, absoluteMs: THRESHOLDS.durationMs });
  const apart = formatPercent(first, second) ?? "";
  return `${scenario.padEnd(8)}${formatDuration(first).padStart(10)}${formatDuration(second).padStart(10)}${apart.padStart(9)}${spread.padStart(20)}  ${judgement}`;
}
