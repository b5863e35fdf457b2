import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { changeEvent, openDatabases, type Databases } from "../fixtures/queue/databases.ts";

const WORKER = join(import.meta.dirname, "../fixtures/queue/slow-worker.ts");
/** What the issue allows between a worker's death and its job's next start. */
const LIMIT_MS = 45_000;

let databases: Databases;
const children: ChildProcess[] = [];

beforeAll(async () => {
  databases = await openDatabases();
}, 60_000);

afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  await databases.close();
}, 60_000);

describe.concurrent("a worker that is silent", () => {
  it.each([
    ["killed", "SIGKILL"],
    ["stalled, and comes back when another has answered", "SIGSTOP"],
  ] as const)(
    "because it is %s loses its job to another, and is not heard",
    async (_, signal) => {
      const address = await databases.ready();
      const child = spawn(process.execPath, [WORKER, JSON.stringify(address)], {
        stdio: ["pipe", "pipe", "inherit"],
      });
      children.push(child);
      const lines: string[] = [];
      createInterface({ input: child.stdout }).on("line", (line) => void lines.push(line));
      const store = await databases.store(address);
      await vi.waitFor(() => expect(lines).toContain("ready"), 20_000);
      await store.admit(changeEvent());
      await vi.waitFor(() => expect(lines).toContain("claimed 0"), 20_000);
      child.kill(signal);
      const silentAt = performance.now();
      let claimedAt = 0;
      await store.work({
        run: async ({ attempt }) => {
          claimedAt = performance.now();
          return { reply: { stamp: {}, body: `from attempt ${attempt}` }, report: null, why: "second" };
        },
      });
      await vi.waitFor(() => expect(claimedAt).toBeGreaterThan(0), 60_000);
      expect(claimedAt - silentAt).toBeLessThan(LIMIT_MS);
      await vi.waitFor(async () => expect(await store.size()).toMatchObject({ running: 0 }), 10_000);
      if (signal === "SIGSTOP") {
        child.kill("SIGCONT");
        child.stdin.write("go on\n");
        // Long enough for it to try.
        await new Promise((resolve) => setTimeout(resolve, 3_000));
      }
      if (child.signalCode === null) {
        child.kill("SIGKILL");
        await once(child, "exit");
      }
      const replies = await databases.query(address, "SELECT body FROM tare.replies");
      expect(replies).toStrictEqual([{ body: "from attempt 1" }]);
    },
    120_000,
  );
});
