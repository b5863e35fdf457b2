import { createHash } from "node:crypto";
import { Problem } from "../domain/problem.ts";
import { retry } from "./retry.ts";
import { postSticky, type Stamp } from "./sticky-comment.ts";
import type { Answer, AnswerChange, ChannelLog, ForgeChange, ForgeThread, TouchesTemplate } from "./types.ts";

export type AnswerEventOptions = {
  answerChange: AnswerChange;
  touchesTemplate: TouchesTemplate;
  log: ChannelLog;
  now(): Date;
};

/**
 * The worker of both forges: reads the change again by API, asks the line, and posts its answer
 * unless the head moved meanwhile. Rejects where the world failed; nothing is posted then.
 */
export async function answerEvent(
  forge: ForgeThread,
  options: AnswerEventOptions,
  signal: AbortSignal,
): Promise<void> {
  const readAt = options.now();
  const read = await forge.read();
  if ("skip" in read) return options.log.info({ why: read.skip }, "left alone");
  if (read.pathsComplete && !options.touchesTemplate(read.paths)) {
    return options.log.info({ head: read.head, why: "no template is touched" }, "left alone");
  }
  signal.throwIfAborted();
  const change = await read.change();
  options.log.info({ head: read.head, trust: change.trust }, "working");
  const answer = await ask(options.answerChange, change, signal);
  signal.throwIfAborted();
  const fields = { head: read.head, kind: answer.kind };
  if (answer.kind === "silence") {
    return options.log.info({ ...fields, why: answer.why ?? "nothing to say" }, "left alone");
  }
  const posted = await retry(() => post(forge, change, answer, readAt), {
    transient: (error) => forge.transient(error),
    signal,
  });
  options.log.info({ ...fields, posted }, "answered");
}

async function ask(answerChange: AnswerChange, change: ForgeChange, signal: AbortSignal): Promise<Answer> {
  try {
    return await answerChange(change, signal);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { kind: "problem", body: `${error.message}\n\n${error.remedy}\n`, why: error.code };
  }
}

async function post(forge: ForgeThread, change: ForgeChange, answer: Answer, readAt: Date): Promise<string> {
  const head = await forge.currentHead();
  if (head === null) return "nothing: the change is closed";
  if (head !== change.head.commit) return "nothing: the head moved";
  const validAt = readAt.toISOString();
  const stamp: Stamp = {
    key: change.projectPath,
    sha: change.head.commit,
    base: change.base.commit,
    run: createHash("sha256")
      .update(`${change.id} ${change.head.commit} ${validAt}`)
      .digest("hex")
      .slice(0, 12),
    validAt,
  };
  return postSticky(await forge.thread(), stamp, answer.body);
}
