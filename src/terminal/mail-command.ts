import { createHash } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { readBothTrees, type ReadingOfChange } from "../bot.ts";
import { parsePatchMail, type PatchMail } from "../channels/mail/parse-patch-mail.ts";
import { readMail } from "../channels/mail/read-mail.ts";
import { composeReply } from "../channels/mail/reply.ts";
import { createMailer } from "../channels/mail/send.ts";
import { shouldAnswer } from "../channels/mail/should-answer.ts";
import { readMailConfig, type MailConfig } from "../config/mail.ts";
import type { Change } from "../domain/change.ts";
import { concernsOperator, Problem } from "../domain/problem.ts";
import { changeOfPatch } from "../git/read-change.ts";
import { openRepository, sweepRepositories, type Repository } from "../git/repository.ts";
import type { TrialRequest } from "../prepare-trial.ts";
import { renderMail } from "../reports/mail.ts";
import { renderProblem } from "../reports/problem.ts";
import { renderRefusal } from "../reports/refusal.ts";
import { TARE_VERSION } from "../version.ts";
import type { ExitCode } from "./exit-code.ts";
import { interruption } from "./session.ts";
import { runTrial } from "./trial-command.ts";

export type MailCommandOptions = TrialRequest & {
  repository: string;
  base: string | null;
  send: boolean;
  trust: boolean;
  yes: boolean;
};

type Body = { text: string; result: string; base: string; head: string };

/** `tare mail`: one mail in, one reply out. Mail that nobody wants answered is left alone, with the reason on standard error. */
export async function mailCommand(options: MailCommandOptions): Promise<ExitCode> {
  const config = readMailConfig(process.env, options.send);
  const raw = await buffer(process.stdin);
  const answerable = shouldAnswer(await readMail(raw), [config.from.address]);
  if (!answerable.answer) {
    process.stderr.write(`tare: not answered: ${answerable.why}\n`);
    return 0;
  }
  const mail = await parsePatchMail(raw);
  await sweepRepositories();
  await using repository = await openRepository(options.repository);
  const body = await answerMail(repository, mail, options);
  await deliver(mail, body, config);
  return 0;
}

async function answerMail(
  repository: Repository,
  mail: PatchMail,
  options: MailCommandOptions,
): Promise<Body> {
  const stop = interruption();
  let trees = { base: "", head: "" };
  try {
    const base =
      options.base === null
        ? { revision: "HEAD", chosenBy: "HEAD of the repository" }
        : { revision: options.base, chosenBy: `--base ${options.base}` };
    const { change, notes } = await changeOfPatch(
      repository,
      mail,
      base,
      options.trust ? "approved" : "stranger",
    );
    trees = { base: change.base.commit ?? change.base.tree, head: change.head.tree };
    const reading = await readBothTrees(repository, change);
    if (!options.trust) return { ...trees, text: refusal(change, reading), result: "not built" };
    const report = await runTrial(repository, change, reading, options, stop.signal);
    report.notes.unshift(...notes);
    return { ...trees, text: renderMail(report), result: report.verdict };
  } catch (error) {
    // What the author can mend is told to the author; all else is for whoever runs Tare.
    if (!(error instanceof Problem) || concernsOperator(error)) throw error;
    return { ...trees, text: renderProblem(error, "mail"), result: error.code };
  } finally {
    stop.dispose();
  }
}

function refusal(change: Change, reading: ReadingOfChange): string {
  return renderRefusal(
    {
      sentence: reading.comparison.sentence,
      comparison: reading.comparison,
      recipes: { base: reading.base.recipes, head: reading.head.recipes },
      change,
      why: "it came by mail, and nobody has vouched for it",
    },
    "mail",
  );
}

async function deliver(mail: PatchMail, body: Body, config: MailConfig): Promise<void> {
  const hash = createHash("sha256").update(
    [TARE_VERSION, mail.messageId, body.base, body.head, body.result].join("\0"),
  );
  const message = composeReply(mail, body.text, {
    from: config.from,
    ...(config.replyTo === null ? {} : { replyTo: config.replyTo }),
    domain: config.domain,
    runHash: hash.digest("hex").slice(0, 16),
    baseShort: body.base.slice(0, 12),
    result: body.result,
  });
  const mailer = createMailer({ url: config.smtpUrl ?? "smtp://localhost" });
  if (config.smtpUrl === null) {
    process.stdout.write(await mailer.render(message));
    return;
  }
  const { messageId } = await mailer.send(message);
  process.stderr.write(`tare: sent ${messageId}\n`);
}
