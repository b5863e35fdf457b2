import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startGitlabFake, type GitlabFake } from "../fakes/gitlab.ts";
import { privateAddress } from "../../src/queue/private-database.ts";
import { query } from "../fixtures/queue/databases.ts";
import { openServiceSite, WEBHOOK_SECRET, type Service, type ServiceSite } from "./service-process.ts";

const PROJECT = "acme/images";
const DISK_MIB = 160;
/** What the issue allows between the first free byte and the first event that is taken in. */
const BACK_WITHIN_MS = 5_000;
/** A supervisor starts again what has left, as `Restart=always` with `RestartSec=1` or a container's `restart` do. */
const RESTART_MS = 1_000;

let fake: GitlabFake;
let site: ServiceSite;
let disk: string;
let service: Service;
let supervising: NodeJS.Timeout;
let restarts = 0;

beforeAll(async () => {
  fake = await startGitlabFake();
  fake.addProject(PROJECT, { ".gitlab-ci.yml": "a: 1\n" });
  fake.openMergeRequest(PROJECT, { author: "stranger", files: { ".gitlab-ci.yml": "a: 2\n" } });
  disk = mkdtempSync(join(tmpdir(), "tare-disk-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_MIB}m`, "tmpfs", disk]);
  site = await openServiceSite(fake, { data: join(disk, "data") });
  service = await site.started("--no-worker");
  supervising = setInterval(() => {
    if (service.child.exitCode === null && service.child.signalCode === null) return;
    restarts += 1;
    service = site.launch("--no-worker");
  }, RESTART_MS);
});

afterAll(async () => {
  clearInterval(supervising);
  rmSync(join(disk, "ballast"), { force: true });
  if (service.child.exitCode === null) {
    service.child.kill("SIGTERM");
    await once(service.child, "exit");
  }
  await site.close();
  execFileSync("umount", [disk]);
  rmSync(disk, { recursive: true });
  await fake.close();
});

/** The status; 0 where nobody answers. */
async function deliver(number: number): Promise<number> {
  const id = `delivery-${number}`;
  const { headers, body } = fake.event(PROJECT, 1, { action: "open", id, proof: { token: WEBHOOK_SECRET } });
  const payload = JSON.parse(body) as { object_attributes: { iid: number } };
  payload.object_attributes.iid = number;
  try {
    const response = await fetch(`http://127.0.0.1:${site.port}/gitlab/hooks`, {
      method: "POST",
      headers,
      body: JSON.stringify(payload),
      signal: AbortSignal.timeout(8_000),
    });
    await response.text();
    return response.status;
  } catch {
    return 0;
  }
}

/** Takes every byte of the disk; the file that holds them. */
function fill(): string {
  const file = join(disk, "ballast");
  const handle = openSync(file, "w");
  for (const size of [1 << 20, 1 << 12, 1]) {
    try {
      for (;;) writeSync(handle, Buffer.alloc(size, 1));
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
    }
  }
  closeSync(handle);
  return file;
}

/** Numbers of events that were acknowledged. */
const acknowledged: number[] = [];
let sent = 0;

async function take(): Promise<number> {
  const status = await deliver((sent += 1));
  if (status === 202) acknowledged.push(sent);
  return status;
}

async function isBack(since: number): Promise<void> {
  while ((await take()) !== 202) await new Promise((resolve) => setTimeout(resolve, 50));
  const backMs = performance.now() - since;
  console.log(`back after ${Math.round(backMs)} ms, ${restarts} restarts so far`);
  expect(backMs).toBeLessThan(BACK_WITHIN_MS);
  expect((await site.readiness())?.waiting).toBe(acknowledged.length);
}

it("says 503 while its disk is full, loses nothing, and is back by itself when there is room", async () => {
  for (let count = 0; count < 20; count += 1) expect(await take()).toBe(202);
  const ballast = fill();
  const statuses = new Set<number>();
  // What pages and log have room for is still taken in.
  for (let count = 0; count < 900 && !statuses.has(503); count += 1) statuses.add(await take());
  for (let count = 0; count < 20; count += 1) statuses.add(await take());
  expect([...statuses].filter((status) => status !== 202)).toStrictEqual([503]);
  rmSync(ballast);
  await isBack(performance.now());
  expect(restarts).toBe(0);
});

it("loses nothing where the database itself ends for want of room: a supervisor starts what left", async () => {
  const ballast = fill();
  // A log that cannot grow ends PostgreSQL at once, and it cannot come up again.
  const address = privateAddress(join(disk, "data"));
  if (address === null) throw new Error("no database is there");
  const grow = async (): Promise<void> => {
    for (;;)
      await query(
        address,
        "SELECT pg_switch_wal(), pg_logical_emit_message(false, 'grow', repeat('x', 1000000))",
      );
  };
  await expect(grow()).rejects.toThrow(/No space left/u);
  expect([0, 503]).toContain(await take());
  rmSync(ballast);
  await isBack(performance.now());
});
