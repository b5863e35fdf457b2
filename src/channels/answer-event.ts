import { createHash } from "node:crypto";
import { Problem } from "../domain/problem.ts";
import type { Report } from "../domain/report.ts";
import { errorFields } from "./error-fields.ts";
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

/** What became of saying something; the outbox tries `later` again, not before what the forge asked for. */
export type PostedReply = { kind: "sent" | "later" | "never"; why: string; retryAfterMs?: number };

/** A comment to be said. A correction alters what stands there, whatever became of the change, and makes no comment. */
export type ThreadReply = { kind: "reply" | "correction"; stamp: Stamp; body: string };

/**
 * Says a reply in its thread, unless the head moved meanwhile. One try: the outbox has the patience. May be called again:
 * what stands there is not repeated.
 */
export async function postReply(forge: ForgeThread, reply: ThreadReply): Promise<PostedReply> {
  try {
    return reply.kind === "reply" ? await post(forge, reply) : await correct(forge, reply);
  } catch (error) {
    const { error: why } = errorFields(error);
    const retryAfterMs = forge.retryAfterMs(error);
    return {
      kind: forge.final(error) ? "never" : "later",
      why: JSON.stringify(why),
      ...(retryAfterMs === null ? {} : { retryAfterMs }),
    };
  }
}

async function post(forge: ForgeThread, { stamp, body }: ThreadReply): Promise<PostedReply> {
  const head = await forge.currentHead();
  if (head === null) return { kind: "never", why: "nothing: the change is closed" };
  if (head !== stamp.sha) return { kind: "never", why: "nothing: the head moved" };
  return { kind: "sent", why: await postSticky(await forge.thread(), stamp, body) };
}

async function correct(forge: ForgeThread, { stamp, body }: ThreadReply): Promise<PostedReply> {
  const posted = await postSticky(await forge.thread(), stamp, body, { creates: false });
  if (posted === "missing") return { kind: "never", why: "nothing: the comment is gone" };
  if (posted === "newer") return { kind: "never", why: "nothing: a newer comment stands there" };
  return { kind: "sent", why: posted };
}
