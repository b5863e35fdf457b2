import { readBothTrees } from "../bot.ts";
import { labelOf } from "../domain/comparison.ts";
import { formatBytes, formatCount, formatDuration, formatMemory } from "../domain/quantities.ts";
import { openRepository } from "../git/repository.ts";
import { cacheDirectory } from "../lib/cache-directory.ts";
import { openHistory } from "../lib/history.ts";
import { formatLinkRate } from "../network/link-rate.ts";
import { prepareTrial, type PreparedTrial, type TrialRequest } from "../prepare-trial.ts";
import type { ImageTrial } from "../trials/conduct.ts";
import { FORK_PIPELINES, runsInForks } from "../trials/trial-spec.ts";
import { scenariosOfSource } from "../trials/image-source.ts";
import { knownObstacle } from "./base-obstacle.ts";
import { changeFromInput, type ChangeInput } from "./change-input.ts";
import type { ExitCode } from "./exit-code.ts";
import { settleRequest, type TrialWishes } from "./request.ts";
import { engineSettings } from "./settings-environment.ts";

/** `tare plan`: what a trial would run. Nothing is built, no engine is needed. */
export async function planCommand(
  options: ChangeInput & TrialWishes & { repository: string; format: "text" | "json" },
): Promise<ExitCode> {
  await using repository = await openRepository(options.repository);
  const { change } = await changeFromInput(repository, options, "stranger");
  const reading = await readBothTrees(repository, change);
  const { request, notes } = await settleRequest(options, change, reading);
  const history = await openHistory(cacheDirectory(process.env));
  const { environment, mirrors } = await engineSettings();
  const obstacle = knownObstacle(environment, mirrors);
  const prepared = await prepareTrial(repository, change, reading, request, obstacle, history.find);
  const plan = { ...prepared, notes: [...notes, ...prepared.notes] };
  const sentence = reading.comparison.sentence;
  process.stdout.write(
    options.format === "json" ? planJson(sentence, plan, request) : planText(sentence, plan, request),
  );
  return 0;
}

/** The most runs that a trial makes, those not counted that fill the download cache or follow a kill. */
function runsOf(prepared: PreparedTrial, { forks }: TrialRequest): number {
  const { own: repeats, others: otherRepeats } = prepared.repeats;
  return prepared.trials.reduce((sum, trial) => {
    const sources = [trial.current, trial.proposed, ...trial.others.map(({ source }) => source)];
    const forked = sources.filter(runsInForks).length * forks.length * FORK_PIPELINES;
    const own = (scenariosOf(trial.current) + scenariosOf(trial.proposed)) * repeats;
    const others = trial.others.reduce((total, { source }) => total + scenariosOf(source) * otherRepeats, 0);
    return sum + own + others + forked;
  }, 0);
}

function scenariosOf(source: ImageTrial["current"]): number {
  return scenariosOfSource(source).length;
}

/** Time and bytes that a trial is expected to take, as one line. */
export function expectation({ estimate }: PreparedTrial): string {
  return `Expected: ${formatDuration(estimate.wallMs)}, images of ${formatBytes(estimate.bytes)} (${estimate.basis}).`;
}

function planText(sentence: string, prepared: PreparedTrial, request: TrialRequest): string {
  const { limits, linkBytesPerSecond: rate } = request;
  const runs = formatCount(runsOf(prepared, request), "run");
  const lines = [
    sentence,
    "",
    ...prepared.trials.flatMap((trial) => imageLines(trial, request)),
    "",
    `Images: ${prepared.selection.reason}.`,
    ...prepared.selection.notBuilt.map(({ what, why }) => `Not built: ${what}: ${why}`),
    ...prepared.notes,
    `${repeatsText(prepared, request)}, current and proposed in turn; link: ${rate === null ? "unlimited" : formatLinkRate(rate)}.`,
    `At most ${runs}, each with ${formatCount(limits.cpus, "CPU")} and ${formatMemory(limits.memoryBytes)}.`,
    expectation(prepared),
  ];
  return `${lines.join("\n")}\n`;
}

function repeatsText({ repeats }: PreparedTrial, { strategies }: TrialRequest): string {
  const own = formatCount(repeats.own, "repeat");
  return strategies.length === 0 ? own : `${own} (${repeats.others} of the other strategies)`;
}

function imageLines({ pair, current, proposed, others }: ImageTrial, { forks }: TrialRequest): string[] {
  const side = (label: string, source: ImageTrial["current"], name: string) =>
    `  ${label.padEnd(9)} ${name}  ${source.recipe.file}:${source.recipe.line}`;
  return [
    `${pair.image} (${pair.dockerfile}, from ${proposed.bases.join(", ") || "scratch"})`,
    side("current", current, current.recipe.strategy),
    side("proposed", proposed, proposed.recipe.strategy),
    ...others.map(
      ({ variant, source }) => `  beside    ${labelOf({ strategy: source.recipe.strategy, variant })}`,
    ),
    `  runs      ${scenariosOfSource(proposed).join(", ")}${forkText([current, proposed, ...others.map(({ source }) => source)], forks)}`,
    ...proposed.edits.map(
      ({ description, synthetic }, index) =>
        `  edit ${index + 1}    ${description}${synthetic ? ", synthetic" : ""}`,
    ),
  ];
}

/** `, and two of a fork (not repeated)`, where an image is tried in one. */
function forkText(sources: readonly ImageTrial["current"][], forks: TrialRequest["forks"]): string {
  if (forks.length === 0 || !sources.some(runsInForks)) return "";
  return forks.length === 1 ? ", and two of a fork (not repeated)" : ", and two of each fork (not repeated)";
}

function planJson(sentence: string, prepared: PreparedTrial, request: TrialRequest): string {
  const plan = {
    schemaVersion: 2,
    sentence,
    images: prepared.trials.map(({ pair, current, proposed, others }) => ({
      image: pair.image,
      dockerfile: pair.dockerfile,
      bases: proposed.bases,
      current: current.recipe,
      proposed: proposed.recipe,
      others: others.map(({ variant, source }) => ({ variant, recipe: source.recipe })),
      scenarios: scenariosOfSource(proposed),
      edits: proposed.edits.map(({ line, description, synthetic }) => ({ line, description, synthetic })),
    })),
    reason: prepared.selection.reason,
    notBuilt: prepared.selection.notBuilt,
    notes: prepared.notes,
    repeats: prepared.repeats.own,
    otherRepeats: prepared.repeats.others,
    forks: request.forks,
    linkBytesPerSecond: request.linkBytesPerSecond,
    runs: runsOf(prepared, request),
    limits: request.limits,
    estimate: prepared.estimate,
  };
  return `${JSON.stringify(plan, null, 2)}\n`;
}
