import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startGitlabFake, type GitlabFake } from "../fakes/gitlab.ts";
import { exampleFiles } from "../stories/projects.ts";
import { PROJECT_ROOT } from "../stories/tare-process.ts";
import { openServiceSite, WEBHOOK_SECRET, type Service, type ServiceSite } from "./service-process.ts";

const PROJECT = "acme/images";
const TEMPLATE = ".gitlab-ci.d/container-template.yml";
/** `npm run bench` has the larger counts. */
const SERVICE_KILLS = Number(process.env["TARE_SERVICE_KILLS"] ?? "30");
const DATABASE_KILLS = Number(process.env["TARE_DATABASE_KILLS"] ?? "3");

let fake: GitlabFake;
let site: ServiceSite;

beforeAll(async () => {
  fake = await startGitlabFake();
  fake.addProject(PROJECT, await exampleFiles());
  site = await openServiceSite(fake);
});

afterAll(async () => {
  await site.close();
  await fake.close();
});

async function kill(service: Service): Promise<void> {
  service.child.kill("SIGKILL");
  await once(service.child, "exit");
}

/** True where the event was acknowledged. */
async function deliver(number: number, id: string): Promise<boolean> {
  const event = fake.event(PROJECT, number, { action: "open", id, proof: { token: WEBHOOK_SECRET } });
  try {
    const response = await fetch(`http://127.0.0.1:${site.port}/gitlab/hooks`, event);
    await response.text();
    return response.status === 202;
  } catch {
    return false;
  }
}

describe("a service that is killed under load", () => {
  it("loses nothing that it acknowledged, and answers nothing twice", async () => {
    const kaniko = await readFile(join(PROJECT_ROOT, "test/fixtures/projects/kaniko-template.yml"), "utf8");
    const acknowledged = new Map<number, string>();
    const open = (): number =>
      fake.openMergeRequest(PROJECT, {
        author: "stranger",
        title: "Use kaniko",
        files: { [TEMPLATE]: kaniko },
      });
    let service = await site.started();
    for (let round = 0; round < SERVICE_KILLS + DATABASE_KILLS; round += 1) {
      const numbers = [open(), open()];
      const sending = numbers.map(async (number) => {
        const id = `delivery-${number}`;
        if (await deliver(number, id)) acknowledged.set(number, id);
      });
      // Somewhere between the first byte of a delivery and the last of a reply.
      await new Promise((resolve) => setTimeout(resolve, (round * 97) % 700));
      if (round >= SERVICE_KILLS) await killDatabase();
      await kill(service);
      await Promise.all(sending);
      service = await site.started();
      // The forge sends again what was not acknowledged, and sometimes what was.
      for (const number of numbers)
        if (await deliver(number, `delivery-${number}`)) acknowledged.set(number, "");
    }
    const settled = async () => {
      const { waiting, running, replies } = (await site.readiness()) ?? {
        waiting: 1,
        running: 1,
        replies: 1,
      };
      return waiting + running + replies === 0;
    };
    await site.until(settled, 240_000, service);
    const notes = [...acknowledged.keys()].map((number) => fake.notesOf(PROJECT, number).length);
    expect(acknowledged.size).toBe(2 * (SERVICE_KILLS + DATABASE_KILLS));
    expect(notes.filter((count) => count === 0)).toHaveLength(0);
    expect(notes.filter((count) => count > 1)).toHaveLength(0);
    service.child.kill("SIGTERM");
    const [code] = (await once(service.child, "exit")) as [number | null];
    expect(code).toBe(0);
    // The database was ended with its service.
    expect(existsSync(join(site.data, "postgres/postmaster.pid"))).toBe(false);
  });
});

/** Ends PostgreSQL at once, as a machine's end would but for what the kernel has not written. */
async function killDatabase(): Promise<void> {
  const pid = (await readFile(join(site.data, "postgres/postmaster.pid"), "utf8")).split("\n")[0];
  process.kill(Number(pid), "SIGKILL");
}
