import { readFileSync } from "node:fs";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startGitlabFake, type GitlabFake } from "../fakes/gitlab.ts";
import type { WebhookRequest } from "../fakes/github.ts";
import { openServiceSite, WEBHOOK_SECRET, type Service, type ServiceSite } from "./service-process.ts";

const PROJECT = "acme/images";
/** `TARE_REPLAYS=100000` is the count that a bench uses. */
const REPLAYS = Number(process.env["TARE_REPLAYS"] ?? "5000");
const RATE_PER_S = 200;
const SECONDS = Number(process.env["TARE_SECONDS"] ?? "5");
const UNSIGNED_BYTES = 200_000_000;

let fake: GitlabFake;
let site: ServiceSite;
let service: Service;
const agent = new Agent({ keepAlive: true, maxSockets: 32 });

beforeAll(async () => {
  fake = await startGitlabFake();
  fake.addProject(PROJECT, { ".gitlab-ci.yml": "a: 1\n" });
  fake.openMergeRequest(PROJECT, { author: "stranger", files: { ".gitlab-ci.yml": "a: 2\n" } });
  site = await openServiceSite(fake);
  // What is taken in stays: this is about the door.
  service = await site.started("--no-worker");
});

afterAll(async () => {
  agent.destroy();
  service.child.kill("SIGKILL");
  await once(service.child, "exit");
  await site.close();
  await fake.close();
});

/** Sends a delivery over a connection that is kept; resolves with the status and how long it took. */
async function post({ headers, body }: WebhookRequest): Promise<{ status: number; ms: number }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; ms: number }>();
  const startMs = performance.now();
  const asked = request(
    { host: "127.0.0.1", port: site.port, path: "/gitlab/hooks", method: "POST", agent, headers },
    (response) => {
      response.resume();
      response.once("end", () =>
        resolve({ status: response.statusCode ?? 0, ms: performance.now() - startMs }),
      );
    },
  );
  asked.once("error", reject);
  asked.end(body);
  return promise;
}

const event = (id: string): WebhookRequest =>
  fake.event(PROJECT, 1, { action: "open", id, proof: { token: WEBHOOK_SECRET } });

/** The same event of another merge request. */
function eventOf(iid: number): WebhookRequest {
  const { headers, body } = event(`fresh-${iid}`);
  const payload = JSON.parse(body) as { object_attributes: { iid: number } };
  payload.object_attributes.iid = iid;
  return { method: "POST", headers, body: JSON.stringify(payload) };
}

const percentile = (sorted: readonly number[], part: number) => sorted[Math.floor(sorted.length * part)] ?? 0;
const residentBytes = () =>
  1024 *
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${service.child.pid ?? 0}/status`, "utf8"))?.[1] ?? "0");

describe("the door of a real service", () => {
  it("makes one request of a delivery that is replayed, however often", async () => {
    const replay = event("replayed");
    let sent = 0;
    const statuses = new Set<number>();
    const startMs = performance.now();
    const sender = async () => {
      while (sent < REPLAYS) {
        sent += 1;
        statuses.add((await post(replay)).status);
      }
    };
    await Promise.all(Array.from({ length: 16 }, sender));
    const perSecond = sent / ((performance.now() - startMs) / 1_000);
    console.log(`${sent} replays: ${perSecond.toFixed(0)}/s`);
    expect([...statuses]).toStrictEqual([202]);
    expect(await site.readiness()).toMatchObject({ waiting: 1 });
  });

  it("acknowledges fresh events at a steady rate in time, each on disk", async () => {
    const before = (await site.readiness())?.waiting ?? 0;
    const count = RATE_PER_S * SECONDS;
    const startMs = performance.now();
    const sent: Promise<{ status: number; ms: number }>[] = [];
    for (let index = 0; index < count; index += 1) {
      const dueMs = (1_000 / RATE_PER_S) * index;
      const early = dueMs - (performance.now() - startMs);
      if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
      sent.push(post(eventOf(1_000 + index)));
    }
    const answers = await Promise.all(sent);
    const times = answers.map(({ ms }) => ms).toSorted((a, b) => a - b);
    const p50 = percentile(times, 0.5);
    const p99 = percentile(times, 0.99);
    console.log(`${count} events at ${RATE_PER_S}/s: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`);
    const accepted = answers.filter(({ status }) => status === 202).length;
    // Beyond a thousand that wait the forge is asked to come again: none of those is lost, and none is acknowledged.
    expect(answers.every(({ status }) => status === 202 || status === 503)).toBe(true);
    expect((await site.readiness())?.waiting).toBe(before + accepted);
    expect(p99).toBeLessThanOrEqual(50);
  });

  it("drops a huge body that nobody signed, without keeping or logging it", async () => {
    const before = residentBytes();
    const linesBefore = service.said.join("").length;
    const chunk = Buffer.alloc(1_000_000, "x");
    const { promise, resolve } = Promise.withResolvers<number>();
    const asked = request(
      {
        host: "127.0.0.1",
        port: site.port,
        path: "/gitlab/hooks",
        method: "POST",
        headers: { "content-type": "application/json", "transfer-encoding": "chunked" },
      },
      (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      },
    );
    // The service hangs up while it is still being sent to.
    asked.on("error", () => resolve(0));
    let written = 0;
    const write = (): void => {
      while (written < UNSIGNED_BYTES && !asked.destroyed) {
        written += chunk.length;
        if (!asked.write(chunk)) return void asked.once("drain", write);
      }
      asked.end();
    };
    write();
    expect([401, 0]).toContain(await promise);
    asked.destroy();
    expect(residentBytes() - before).toBeLessThanOrEqual(2_000_000);
    expect(service.said.join("").length).toBe(linesBefore);
  });
});
