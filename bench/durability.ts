import { once } from "node:events";
import { Agent, request } from "node:http";
import { readFileSync } from "node:fs";
import { startGitlabFake } from "../test/fakes/gitlab.ts";
import type { WebhookRequest } from "../test/fakes/github.ts";
import { killUnderLoad } from "../test/live/kill-rounds.ts";
import { openServiceSite, WEBHOOK_SECRET, type ServiceSite } from "../test/live/service-process.ts";
import { spread } from "./figures.ts";
import { untilReached } from "./resumable.ts";

const PROJECT = "acme/images";
const IN_PART = { kills: 10, database: 3, replays: 10_000 };

/** kill -9 of the service, and of its database, under load: what was acknowledged is answered once. */
export async function benchKills(kills: number, database: number): Promise<void> {
  await untilReached("service kills", { of: "kills", goal: kills }, async (left) =>
    killUnderLoad({ service: Math.min(left, IN_PART.kills), database: 0 }),
  );
  await untilReached("database kills", { of: "kills", goal: database }, async (left) =>
    killUnderLoad({ service: 0, database: Math.min(left, IN_PART.database) }),
  );
}

/** One delivery, again and again: a request each for so many replays. */
export async function benchReplays(replays: number): Promise<void> {
  await untilReached("replays", { of: "replays", goal: replays }, async (left) =>
    withService(async ({ site, event, post }) => {
      const count = Math.min(left, IN_PART.replays);
      const replay = event("replayed", 1, 1);
      const statuses = await inTurn(count, 16, async () => post(replay));
      const { waiting = 0 } = (await site.readiness()) ?? {};
      return {
        replays: count,
        deliveries: 1,
        requests: waiting,
        refused: statuses.filter((status) => status !== 202).length,
      };
    }),
  );
}

const HTTP = { rounds: 3, events: 6_000, atOnce: 64, changes: 500 };

/** Fresh events through HTTP, signature and all; senders and service share the machine. */
export async function benchDoor(): Promise<void> {
  await withService(async ({ event, post }) => {
    const rates: number[] = [];
    let number = 0;
    for (let round = 0; round < HTTP.rounds; round += 1) {
      // Made before: what is measured is the service.
      const events = Array.from({ length: HTTP.events }, () => {
        number += 1;
        return event(`fresh-${number}`, 1 + (number % HTTP.changes), number);
      });
      const startMs = performance.now();
      const statuses = await inTurn(HTTP.events, HTTP.atOnce, async (index) => {
        const next = events[index];
        return next === undefined ? 0 : post(next);
      });
      rates.push(HTTP.events / ((performance.now() - startMs) / 1_000));
      if (statuses.some((status) => status !== 202)) throw new Error("an event was refused");
    }
    console.log(`door: ${rates.map((rate) => rate.toFixed(0)).join(", ")} fresh events/s through HTTP`);
    return {};
  });
}

/** Memory of a service and its database that do nothing. */
export async function benchIdle(minutes: number): Promise<void> {
  await withService(async ({ pids }) => {
    const readings: number[] = [];
    for (let second = 0; second < minutes * 60; second += 10) {
      await new Promise((resolve) => setTimeout(resolve, 10_000));
      readings.push(pids().reduce((sum, pid) => sum + proportionalMib(pid), 0));
    }
    const { median, least, greatest } = spread(readings);
    const [first, last] = [readings[0] ?? 0, readings.at(-1) ?? 0];
    console.log(
      `idle: ${minutes} min, median ${median.toFixed(0)} MiB (${least.toFixed(0)} to ${greatest.toFixed(0)}), first ${first.toFixed(0)}, last ${last.toFixed(0)}`,
    );
    return {};
  });
}

/** Memory of a process, shared pages divided among those that share them. */
function proportionalMib(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  return Number(/^Pss:\s+(\d+)/mu.exec(rollup)?.[1] ?? "0") / 1024;
}

type Running = {
  site: ServiceSite;
  /** An event of a merge request whose head is made of a number. */
  event: (id: string, iid: number, head: number) => WebhookRequest;
  /** The status of the answer. */
  post: (event: WebhookRequest) => Promise<number>;
  /** The service and its database's processes. */
  pids: () => number[];
};

async function withService<T>(use: (running: Running) => Promise<T>): Promise<T> {
  const fake = await startGitlabFake();
  fake.addProject(PROJECT, { ".gitlab-ci.yml": "a: 1\n" });
  fake.openMergeRequest(PROJECT, { author: "stranger", files: { ".gitlab-ci.yml": "a: 2\n" } });
  const site = await openServiceSite(fake);
  const service = await site.started("--no-worker");
  const agent = new Agent({ keepAlive: true, maxSockets: HTTP.atOnce });
  const first = fake.event(PROJECT, 1, { action: "open", id: "x", proof: { token: WEBHOOK_SECRET } });
  try {
    return await use({
      site,
      event: (id, iid, head) => {
        const { headers, body } = fake.event(PROJECT, 1, {
          action: "open",
          id,
          proof: { token: WEBHOOK_SECRET },
        });
        const payload = JSON.parse(body) as typeof first & {
          object_attributes: { iid: number; last_commit: { id: string }; updated_at: string };
        };
        payload.object_attributes.iid = iid;
        payload.object_attributes.last_commit.id = String(head).padStart(40, "0");
        payload.object_attributes.updated_at = new Date(1_700_000_000_000 + head * 1_000).toISOString();
        return { method: "POST", headers, body: JSON.stringify(payload) };
      },
      post: async ({ headers, body }) => {
        const { promise, resolve, reject } = Promise.withResolvers<number>();
        const asked = request(
          { host: "127.0.0.1", port: site.port, path: "/gitlab/hooks", method: "POST", agent, headers },
          (response) => {
            response.resume();
            response.once("end", () => resolve(response.statusCode ?? 0));
          },
        );
        asked.once("error", reject);
        asked.end(body);
        return promise;
      },
      pids: () => {
        const database = Number(readFileSync(`${site.data}/postgres/postmaster.pid`, "utf8").split("\n")[0]);
        const children = readFileSync(`/proc/${database}/task/${database}/children`, "utf8").trim();
        return [service.child.pid ?? 0, database, ...children.split(" ").map(Number)];
      },
    });
  } finally {
    agent.destroy();
    const exited = once(service.child, "exit");
    service.child.kill("SIGTERM");
    await exited;
    await site.close();
    await fake.close();
  }
}

/** Runs a task so often, some at once; the results in order of their ends. */
async function inTurn(
  count: number,
  atOnce: number,
  task: (index: number) => Promise<number>,
): Promise<number[]> {
  const results: number[] = [];
  let next = 0;
  const sender = async () => {
    while (next < count) {
      const index = next;
      next += 1;
      results.push(await task(index));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, sender));
  return results;
}
