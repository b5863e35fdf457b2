import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { startGitlabFake, type GitlabFake } from "../fakes/gitlab.ts";
import { exampleFiles } from "../stories/projects.ts";
import { PROJECT_ROOT } from "../stories/tare-process.ts";
import { openServiceSite, WEBHOOK_SECRET, type Service, type ServiceSite } from "./service-process.ts";

const PROJECT = "acme/images";
const TEMPLATE = ".gitlab-ci.d/container-template.yml";
const SETTLE_MS = 240_000;

/** What came of events that were acknowledged between kills. */
export type KillCounts = { kills: number; acknowledged: number; lost: number; doubled: number };

export type KillRounds = { service: number; database: number };

/**
 * A service of its own under load, killed so often, with its database or without, and started again each time. `whenSettled`
 * gets the last service, which has answered everything.
 */
export async function killUnderLoad(
  { service: kills, database }: KillRounds,
  whenSettled: (service: Service, site: ServiceSite) => Promise<void> = async ({ child }) =>
    void child.kill(),
): Promise<KillCounts> {
  const fake = await startGitlabFake();
  fake.addProject(PROJECT, await exampleFiles());
  const site = await openServiceSite(fake);
  try {
    const acknowledged = new Set<number>();
    let service = await site.started();
    for (let round = 0; round < kills + database; round += 1)
      service = await playRound(round, { fake, site, service, acknowledged, takesDatabase: round >= kills });
    await site.until(async () => isSettled(site), SETTLE_MS, service);
    const notes = [...acknowledged].map((number) => fake.notesOf(PROJECT, number).length);
    const exited = once(service.child, "exit");
    await whenSettled(service, site);
    await exited;
    return {
      kills: kills + database,
      acknowledged: acknowledged.size,
      lost: notes.filter((count) => count === 0).length,
      doubled: notes.filter((count) => count > 1).length,
    };
  } finally {
    await site.close();
    await fake.close();
  }
}

type Round = {
  fake: GitlabFake;
  site: ServiceSite;
  service: Service;
  acknowledged: Set<number>;
  takesDatabase: boolean;
};

async function playRound(round: number, { fake, site, service, ...rest }: Round): Promise<Service> {
  const kaniko = await readFile(join(PROJECT_ROOT, "test/fixtures/projects/kaniko-template.yml"), "utf8");
  const open = (): number =>
    fake.openMergeRequest(PROJECT, {
      author: "stranger",
      title: "Use kaniko",
      files: { [TEMPLATE]: kaniko },
    });
  const numbers = [open(), open()];
  const deliverAll = async () =>
    Promise.all(
      numbers.map(async (number) => {
        if (await deliver(fake, site, number)) rest.acknowledged.add(number);
      }),
    );
  const sending = deliverAll();
  // Somewhere between the first byte of a delivery and the last of a reply.
  await new Promise((resolve) => setTimeout(resolve, (round * 97) % 700));
  if (rest.takesDatabase) await killDatabase(site);
  const exited = once(service.child, "exit");
  service.child.kill("SIGKILL");
  await exited;
  await sending;
  const next = await site.started();
  // The forge sends again what was not acknowledged, and sometimes what was.
  await deliverAll();
  return next;
}

/** True where the event was acknowledged. */
async function deliver(fake: GitlabFake, site: ServiceSite, number: number): Promise<boolean> {
  const id = `delivery-${number}`;
  const event = fake.event(PROJECT, number, { action: "open", id, proof: { token: WEBHOOK_SECRET } });
  try {
    const response = await fetch(`http://127.0.0.1:${site.port}/gitlab/hooks`, event);
    await response.text();
    return response.status === 202;
  } catch {
    return false;
  }
}

async function isSettled(site: ServiceSite): Promise<boolean> {
  const ready = await site.readiness();
  return ready !== null && ready.waiting + ready.running + ready.replies === 0;
}

/** Ends PostgreSQL at once, as a machine's end would but for what the kernel has not written. */
async function killDatabase(site: ServiceSite): Promise<void> {
  const pid = (await readFile(join(site.data, "postgres/postmaster.pid"), "utf8")).split("\n")[0];
  process.kill(Number(pid), "SIGKILL");
}
