import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { killUnderLoad } from "./kill-rounds.ts";

// Thirty kills of the service and three of its database; `npm run bench -- --only kills` has the larger counts.

describe.concurrent("a service that is killed under load", () => {
  it.each([
    { service: 15, database: 1 },
    { service: 15, database: 2 },
  ])("$service times, and $database with its database, loses and repeats nothing", async (rounds) => {
    const counts = await killUnderLoad(rounds, async (service, site) => {
      service.child.kill("SIGTERM");
      const [code] = (await once(service.child, "exit")) as [number | null];
      expect(code).toBe(0);
      // The database was ended with its service.
      expect(existsSync(join(site.data, "postgres/postmaster.pid"))).toBe(false);
    });
    const kills = rounds.service + rounds.database;
    expect(counts).toStrictEqual({ kills, acknowledged: 2 * kills, lost: 0, doubled: 0 });
  });
});
