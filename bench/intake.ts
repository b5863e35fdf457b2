import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { openPrivateDatabase } from "../src/queue/private-database.ts";
import { openStore } from "../src/queue/store.ts";
import { changeEvent, quietLog } from "../test/fixtures/queue/databases.ts";
import { inWords } from "./figures.ts";

const AT_ONCE = 64;
/** Below what may wait: each further event replaces the request before it. */
const CHANGES = 500;
const COUNT = 4_000;
const ROUNDS = 3;

/** Fresh events that the store acknowledges in a second, each on disk: `fsync` is on. */
export async function benchIntake(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "tare-intake-"));
  const cluster = await openPrivateDatabase(directory);
  const store = await openStore({ address: cluster.address, log: quietLog });
  const perSecond: number[] = [];
  const times: number[] = [];
  try {
    let next = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const end = next + COUNT;
      const startMs = performance.now();
      const sender = async () => {
        while (next < end) {
          const number = (next += 1);
          const key = `github:acme/images#${number % CHANGES}`;
          const event = changeEvent({ key, head: String(number).padStart(40, "0"), atMs: number });
          const beganMs = performance.now();
          const admission = await store.admit(event);
          if (admission !== "queued") throw new Error(`event ${number} was ${admission}`);
          times.push(performance.now() - beganMs);
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, sender));
      perSecond.push(COUNT / ((performance.now() - startMs) / 1_000));
    }
  } finally {
    await store.close();
    await cluster.stop();
    await rm(directory, { recursive: true, force: true });
  }
  const rates = perSecond.map((rate) => rate.toFixed(0)).join(", ");
  console.log(`intake: ${rates} fresh events/s on ${cpus().length} CPUs, ${AT_ONCE} at once`);
  console.log(inWords("intake, until acknowledged", times));
}
