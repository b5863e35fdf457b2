import { createHash } from "node:crypto";
import { Problem } from "../domain/problem.ts";
import type { Report } from "../domain/report.ts";
import { errorFields } from "./error-fields.ts";
import { retry } from "./retry.ts";
import { postSticky, type Stamp } from "./sticky-comment.ts";
import type { Answer, AnswerChange, ChannelLog, ForgeChange, ForgeThread, TouchesTemplate } from "./types.ts";

export type AnswerEventOptions = {
  answerChange: AnswerChange;
  touchesTemplate: TouchesTemplate;
  log: ChannelLog;
  now(): Date;
};

/** What is to be said of a change, and of which reading of it; without a reply nothing is. */
export type Worked = { reply: { stamp: Stamp; body: string } | null; report: Report | null; why: string };

/**
 * The work of both forges: reads the change again by API and asks the line. Rejects where the world failed.
 */
export async function workOnChange(
  forge: ForgeThread,
  options: AnswerEventOptions,
  signal: AbortSignal,
): Promise<Worked> {
  const readAt = options.now();
  const read = await forge.read();
  if ("skip" in read) return nothing(read.skip);
  if (read.pathsComplete && !options.touchesTemplate(read.paths)) return nothing("no template is touched");
  signal.throwIfAborted();
  const change = await read.change();
  options.log.info({ head: read.head, trust: change.trust }, "working");
  const answer = await ask(options.answerChange, change, signal);
  signal.throwIfAborted();
  if (answer.kind === "silence") return nothing(answer.why ?? "nothing to say");
  const stamp = stampOf(change, readAt);
  return { reply: { stamp, body: answer.body }, report: answer.report ?? null, why: answer.kind };
}

function nothing(why: string): Worked {
  return { reply: null, report: null, why };
}

async function ask(answerChange: AnswerChange, change: ForgeChange, signal: AbortSignal): Promise<Answer> {
  try {
    return await answerChange(change, signal);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { kind: "problem", body: `${error.message}\n\n${error.remedy}\n`, why: error.code };
  }
}

function stampOf(change: ForgeChange, readAt: Date): Stamp {
  const validAt = readAt.toISOString();
  return {
    key: change.projectPath,
    sha: change.head.commit,
    base: change.base.commit,
    run: createHash("sha256")
      .update(`${change.id} ${change.head.commit} ${validAt}`)
      .digest("hex")
      .slice(0, 12),
    validAt,
  };
}

/** A blink of the forge is waited for here; what lasts longer the outbox tries again. */
const SEND_ATTEMPTS = 2;

/** Says a reply in its thread, unless the head moved meanwhile. May be called again: what stands there is not repeated. */
export async function postReply(
  forge: ForgeThread,
  reply: { stamp: Stamp; body: string },
  signal: AbortSignal,
): Promise<{ kind: "sent" | "later" | "never"; why: string }> {
  try {
    const why = await retry(() => post(forge, reply), {
      transient: (error) => forge.transient(error),
      attempts: SEND_ATTEMPTS,
      signal,
    });
    return { kind: "sent", why };
  } catch (error) {
    const { error: why } = errorFields(error);
    return { kind: forge.final(error) ? "never" : "later", why: JSON.stringify(why) };
  }
}

async function post(forge: ForgeThread, { stamp, body }: { stamp: Stamp; body: string }): Promise<string> {
  const head = await forge.currentHead();
  if (head === null) return "nothing: the change is closed";
  if (head !== stamp.sha) return "nothing: the head moved";
  return postSticky(await forge.thread(), stamp, body);
}
