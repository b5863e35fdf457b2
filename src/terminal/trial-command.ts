import { randomBytes } from "node:crypto";
import { access, constants, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { answerTrial, type AnswerDoors } from "../answer-trial.ts";
import { buildersOf, withoutMissing } from "../trial-builders.ts";
import { namesArchivedKaniko, readBothTrees, type ReadingOfChange } from "../bot.ts";
import type { Change } from "../domain/change.ts";
import { Problem } from "../domain/problem.ts";
import type { Report } from "../domain/report.ts";
import { errorText } from "../lib/error-text.ts";
import { openRepository, sweepRepositories, type Repository } from "../git/repository.ts";
import { prepareTrial } from "../prepare-trial.ts";
import { renderJson } from "../reports/json.ts";
import { renderMail } from "../reports/mail.ts";
import { renderMarkdown } from "../reports/markdown.ts";
import { renderText } from "../reports/text.ts";
import type { Progress } from "../trials/conduct.ts";
import { knownObstacle, makesBases, packagesObstacle } from "./base-obstacle.ts";
import { changeFromInput, type ChangeInput } from "./change-input.ts";
import { createDialogue, createProgress, isInteractive } from "./dialogue.ts";
import { exitCodeOf, type ExitCode } from "./exit-code.ts";
import { cacheDirectory } from "../lib/cache-directory.ts";
import { openHistory } from "../lib/history.ts";
import type { Secrets } from "../lib/secrets.ts";
import { knownSecrets } from "./known-secrets.ts";
import { expectation } from "./plan-command.ts";
import { settleRequest, type TrialWishes } from "./request.ts";
import { interruption, withTestbed } from "./session.ts";
import { engineSettings } from "./settings-environment.ts";

export type Format = "mail" | "markdown" | "html" | "json" | "text";

export type TrialOptions = ChangeInput &
  TrialWishes & {
    repository: string;
    trust: boolean;
    yes: boolean;
    format: Format;
    out: string | null;
    report: string | null;
    failOn: "worse" | "never";
  };

/** `tare trial`: builds the change and prints the answer. */
export async function trialCommand(options: TrialOptions): Promise<ExitCode> {
  for (const path of [options.out, options.report]) if (path !== null) await refuseUnwritable(path);
  await sweepRepositories();
  await using repository = await openRepository(options.repository);
  const { change, notes } = await changeFromInput(repository, options, "stranger");
  const reading = await readBothTrees(repository, change);
  const trusted = await approve(change, reading, options);
  const stop = interruption();
  try {
    const report = await runTrial(repository, trusted, reading, { ...options, vouched: true }, stop.signal);
    report.notes.unshift(...notes);
    const text = await render(report, options.format);
    if (options.report !== null) await writeFile(options.report, renderJson(report));
    await putOut(text, options.out);
    return exitCodeOf(report.verdict, options.failOn);
  } finally {
    stop.dispose();
  }
}

/** Writes an answer to a file, or to standard output for null. */
export async function putOut(text: string, out: string | null): Promise<void> {
  if (out === null) process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
  else await writeFile(out, text);
}

/** A trial takes minutes to hours: its answer must not be lost to a directory that is not there. */
export async function refuseUnwritable(path: string): Promise<void> {
  try {
    await access(dirname(path), constants.W_OK);
  } catch (error) {
    throw new Problem(
      "arguments",
      `The answer cannot be written to ${path}.`,
      "Name a file in a directory that is there and may be written to.",
      [errorText(error)],
    );
  }
}

/** Prepares the trial, opens the testbed and runs it. What needs no engine to be refused is refused before one is opened. */
export async function runTrial(
  repository: Repository,
  change: Change,
  reading: ReadingOfChange,
  options: TrialWishes & { yes: boolean; vouched?: boolean; secrets?: Secrets },
  signal: AbortSignal,
): Promise<Report> {
  const { request, notes } = await settleRequest(options, change, reading);
  const archivedKaniko = namesArchivedKaniko([...reading.base.recipes, ...reading.head.recipes]);
  const { environment, mirrors } = await engineSettings();
  const obstacle = knownObstacle(environment, mirrors);
  const history = await openHistory(cacheDirectory(process.env));
  const early = await prepareTrial(repository, change, reading, request, obstacle, history.find);
  const { needed, others } = buildersOf(early);
  return withTestbed(
    { builders: needed, others, archivedKaniko, assumeYes: options.yes },
    async (testbed, dialogue) => {
      // Only the engine can tell that no public registry is in reach: then other images may have to be chosen.
      const again = testbed.tools.ownBases && !makesBases(environment);
      const possible = again
        ? await prepareTrial(repository, change, reading, request, packagesObstacle(mirrors), history.find)
        : early;
      const prepared = withoutMissing(possible, testbed.missing);
      dialogue.say(expectation(prepared));
      const now = () => Date.now();
      const progress = createProgress(now);
      const runId = `${process.pid}-${randomBytes(3).toString("hex")}`;
      const doors: AnswerDoors = {
        testbed,
        dialogue,
        onProgress: (next: Progress) => progress.show(next),
        now,
        downloadDirectory: join(cacheDirectory(process.env), "downloads"),
        remember: history.add,
        secrets: options.secrets ?? (await knownSecrets()),
        runId,
        // Who read the patch at this machine and had it built runs it as one's own.
        ...(options.vouched === true ? { network: "host" } : {}),
      };
      try {
        const report = await answerTrial(change, reading, prepared, request, doors, signal);
        await history.save();
        return { ...report, notes: [...notes, ...report.notes] };
      } finally {
        progress.end();
      }
    },
  );
}

/** Building runs the code of the change: somebody has to vouch for a patch that came by mail. */
async function approve(change: Change, reading: ReadingOfChange, options: TrialOptions): Promise<Change> {
  if (change.trust !== "stranger") return change;
  if (options.trust) return { ...change, trust: "approved" };
  const author = change.author.address === "" ? "an unknown author" : change.author.address;
  const what = `Building runs the Dockerfiles of "${change.title}" by ${author} on this machine (${reading.comparison.sentence}). Build it?`;
  const interactive = isInteractive(process.env) && options.patch !== "-";
  if (interactive && (await createDialogue({ interactive, assumed: false }).ask(what))) {
    return { ...change, trust: "approved" };
  }
  throw new Problem(
    "not-trusted",
    `The patch is a stranger's (${author}): nothing of it was built.`,
    "Read it, then run the same command with --trust.",
    [reading.comparison.sentence],
  );
}

export async function render(report: Report, format: Format): Promise<string> {
  if (format === "html") {
    // What draws the page's curves takes longer to load than all else.
    const { renderPage } = await import("../reports/page.ts");
    return renderPage(report, { json: null });
  }
  const renderers = { mail: renderMail, markdown: renderMarkdown, json: renderJson, text: renderText };
  return renderers[format](report);
}
