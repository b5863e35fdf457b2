import { Problem } from "../domain/problem.ts";
import {
  discardReply,
  listReplies,
  operateOn,
  releaseReply,
  showReply,
  startReplies,
  stopReplies,
  type ListedReply,
  type OperatorClient,
} from "../queue/operator-outbox.ts";
import { outboxStatus, type OutboxStatus } from "../queue/outbox-status.ts";
import { plainLine, plainLines } from "../reports/sanitise.ts";
import type { ExitCode } from "./exit-code.ts";
import { configured, refuseNone, withDatabase } from "./service-database.ts";

export type OutboxOrder =
  | { kind: "list" }
  | { kind: "show"; number: number }
  | { kind: "release"; number: number; again: boolean }
  | { kind: "discard"; number: number }
  | { kind: "stop"; why: string }
  | { kind: "start" };

/** `tare outbox`: what the operator sees of replies, and does with them. Senders obey within seconds. */
export async function outboxCommand(order: OutboxOrder): Promise<ExitCode> {
  const config = configured();
  refuseNone(config);
  const text = await withDatabase(config, async (address) =>
    operateOn(address, async (client) => obey(client, order)),
  );
  process.stdout.write(`${text}\n`);
  return 0;
}

async function obey(client: OperatorClient, order: OutboxOrder): Promise<string> {
  if (order.kind === "list")
    return [...statusLines(await outboxStatus(client)), ...(await listReplies(client)).map(line)].join("\n");
  if (order.kind === "stop") {
    await stopReplies(client, order.why, new Date());
    return "Stopped: no reply leaves until `tare outbox start`.";
  }
  if (order.kind === "start")
    return (await startReplies(client)) ? "Started: replies leave again." : "Replies were not stopped.";
  if (order.kind === "show") {
    const reply = await showReply(client, order.number);
    if (reply === null) throw new Problem("arguments", `There is no reply ${order.number}.`, SEE_LIST);
    const log = reply.log.map(({ at, state, why }) => plainLine(`${at.toISOString()}  ${state}  ${why}`));
    return [line(reply), ...log, "", ...plainLines(reply.body)].join("\n");
  }
  const isDone =
    order.kind === "release"
      ? await releaseReply(client, order.number, order)
      : await discardReply(client, order.number);
  if (isDone) return order.kind === "release" ? "Released: it leaves when it is due." : "Discarded.";
  const state = (await showReply(client, order.number))?.state;
  throw new Problem(
    "arguments",
    state === undefined
      ? `There is no reply ${order.number}.`
      : `Reply ${order.number} is ${state}: it cannot be ${order.kind === "release" ? "released" : "discarded"}.`,
    order.kind === "release" && state === "unknown"
      ? "It may have arrived: look there first. With --again it is sent a second time."
      : SEE_LIST,
  );
}

const SEE_LIST = "See `tare outbox list`.";

function statusLines({ stopped, channels, counts }: OutboxStatus): string[] {
  const { held, pending, sending, unknown } = counts;
  const switched =
    stopped === null ? [] : [plainLine(`Stopped at ${stopped.at || "an unknown time"}: ${stopped.why}`)];
  const closed = channels
    .filter(({ state }) => state !== "closed")
    .map(({ channel, state, until, why }) =>
      plainLine(
        `${channel} is ${state === "open" ? "left alone" : "paused"} until ${until?.toISOString() ?? "now"}: ${why}`,
      ),
    );
  return [
    ...switched,
    ...closed,
    `${held} held, ${pending} pending, ${sending} being sent, ${unknown} unknown`,
  ];
}

function line({ number, channel, where, state, why, dueAt }: ListedReply): string {
  const due = dueAt === null ? "" : `, due ${dueAt.toISOString()}`;
  return plainLine(`${number}  ${channel}  ${where}  ${state}${due}${why === "" ? "" : `: ${why}`}`);
}
