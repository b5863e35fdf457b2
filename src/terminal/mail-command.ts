import { createHash } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { touchesTemplate } from "../answer-forge.ts";
import { readBothTrees, type ReadingOfChange } from "../bot.ts";
import { parsePatchMail, type PatchMail } from "../series/parse-patch-mail.ts";
import { readMail } from "../series/read-mail.ts";
import type { Secrets } from "../lib/secrets.ts";
import { withoutMailOrders } from "../channels/mail/without-orders.ts";
import { composeReply } from "../channels/mail/reply.ts";
import { createMailer } from "../channels/mail/send.ts";
import { shouldAnswer } from "../channels/mail/should-answer.ts";
import { readMailConfig, type MailConfig } from "../config/mail.ts";
import type { Change } from "../domain/change.ts";
import { concernsOperator, Problem } from "../domain/problem.ts";
import { patchBase } from "./change-input.ts";
import { changeOfPatch } from "../git/read-change.ts";
import { openRepository, sweepRepositories, type Repository } from "../git/repository.ts";
import { renderMail } from "../reports/mail.ts";
import { renderProblem } from "../reports/problem.ts";
import { renderRefusal } from "../reports/refusal.ts";
import { TARE_VERSION } from "../version.ts";
import type { ExitCode } from "./exit-code.ts";
import type { TrialWishes } from "./request.ts";
import { knownSecrets } from "./known-secrets.ts";
import { interruption } from "./session.ts";
import { settingsEnvironment } from "./settings-environment.ts";
import { runTrial } from "./trial-command.ts";

export type MailCommandOptions = TrialWishes & {
  repository: string;
  base: string | null;
  send: boolean;
  trust: boolean;
  yes: boolean;
};

type Body = { text: string; result: string; base: string; head: string };

/** `tare mail`: one mail in, one reply out. Mail that nobody wants answered is left alone, with the reason on standard error. */
export async function mailCommand(options: MailCommandOptions): Promise<ExitCode> {
  const keys = options.send ? ["mail"] : ["mail.from", "mail.replyTo"];
  const config = readMailConfig(await settingsEnvironment(...keys), options.send);
  const secrets = await knownSecrets();
  const raw = await buffer(process.stdin);
  const answerable = shouldAnswer(await readMail(raw), [config.from.address]);
  if (!answerable.answer) return leaveAlone(answerable.why);
  const mail = await patchIn(raw);
  if ("why" in mail) return leaveAlone(mail.why);
  // The rest of the series is not at hand: what a later part does to the tree alone would be a wrong answer.
  if ((mail.part ?? 1) > 1)
    return leaveAlone(`it is part ${mail.part} of a series, and the parts before it are not at hand`);
  if (mail.author.address === "") return leaveAlone("it names no sender");
  if (!namesTemplate(mail.patch)) return leaveAlone("it touches no template");
  await sweepRepositories();
  await using repository = await openRepository(options.repository);
  const body = await answerMail(repository, mail, { ...options, secrets });
  if (body === null) return leaveAlone("it changes no recipe");
  await deliver(mail, { ...body, text: withoutMailOrders(secrets.redact(body.text)) }, config);
  return 0;
}

/** The patch of a mail, or why there is none: letters and cover letters are no mistakes of whoever pipes a list here. */
async function patchIn(raw: Buffer): Promise<PatchMail | { why: string }> {
  try {
    return await parsePatchMail(raw);
  } catch (error) {
    if (error instanceof Problem && error.code === "change-empty") return { why: error.message };
    throw error;
  }
}

function leaveAlone(why: string): ExitCode {
  process.stderr.write(`tare: not answered: ${why}\n`);
  return 0;
}

/** Most patches of a list are about something else: they get no reply, not even where they do not apply. */
function namesTemplate(patch: Buffer): boolean {
  const lines = patch.toString("latin1").match(/^(?:diff --git |--- |\+\+\+ ).*$/gm) ?? [];
  return touchesTemplate(lines.flatMap((line) => line.split(/["\s]+/)));
}

async function answerMail(
  repository: Repository,
  mail: PatchMail,
  options: MailCommandOptions & { secrets: Secrets },
): Promise<Body | null> {
  const stop = interruption();
  let trees = { base: "", head: "" };
  try {
    const { change, notes } = await changeOfPatch(
      repository,
      mail,
      patchBase(options.base),
      options.trust ? "approved" : "stranger",
    );
    trees = { base: change.base.commit ?? change.base.tree, head: change.head.tree };
    const reading = await readBothTrees(repository, change);
    if (reading.comparison.changed.length === 0) return null;
    if (!options.trust) return { ...trees, text: refusal(change, reading), result: "not built" };
    const report = await runTrial(repository, change, reading, { ...options, vouched: true }, stop.signal);
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
      findings: reading.findings,
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
