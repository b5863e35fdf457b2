import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cutOff, listenOnLoopback } from "../../src/lib/listen.ts";
import { openPrivateDatabase } from "../../src/queue/private-database.ts";
import { startGitlabFake, type GitlabFake } from "../fakes/gitlab.ts";
import { exampleFiles } from "../stories/projects.ts";
import { PROJECT_ROOT } from "../stories/tare-process.ts";

const PROJECT = "acme/images";
const TEMPLATE = ".gitlab-ci.d/container-template.yml";
const SECRET = "a-gitlab-secret-of-32-characters";
/** `npm run bench` has the larger counts. */
const SERVICE_KILLS = Number(process.env["TARE_SERVICE_KILLS"] ?? "30");
const DATABASE_KILLS = Number(process.env["TARE_DATABASE_KILLS"] ?? "3");

let fake: GitlabFake;
let world: string;
let data: string;
let port: number;

beforeAll(async () => {
  fake = await startGitlabFake();
  fake.addProject(PROJECT, await exampleFiles());
  world = await mkdtemp(join(tmpdir(), "tare-durable-"));
  data = await mkdtemp(join(tmpdir(), "tare-data-"));
  const server = createServer();
  port = await listenOnLoopback(server);
  await cutOff(server, []);
});

afterAll(async () => {
  // A service that was killed leaves its database running.
  const database = await openPrivateDatabase(data);
  await database.stop();
  await fake.close();
  for (const directory of [world, data]) await rm(directory, { recursive: true, force: true });
});

type Service = { child: ChildProcess; said: string[] };

function startService(): Service {
  const said: string[] = [];
  const child = spawn(process.execPath, [join(PROJECT_ROOT, "src/main.ts"), "serve"], {
    cwd: world,
    env: {
      PATH: process.env["PATH"] ?? "/usr/bin:/bin",
      HOME: world,
      TMPDIR: tmpdir(),
      TARE_CACHE: join(world, "cache"),
      TARE_CONFIG: "/dev/null",
      TARE_DATA: data,
      TARE_PORT: String(port),
      GITLAB_URL: fake.url,
      GITLAB_TOKEN: fake.token,
      GITLAB_WEBHOOK_SECRET: SECRET,
      NODE_COMPILE_CACHE: join(PROJECT_ROOT, "node_modules/.cache/compiled"),
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk: Buffer) => void said.push(chunk.toString("utf8")));
  return { child, said };
}

type Ready = { waiting: number; running: number; replies: number };

async function readiness(): Promise<Ready | null> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(2_000) });
    const ready = (await response.json()) as Ready;
    return response.status === 200 ? ready : null;
  } catch {
    return null;
  }
}

async function until(met: () => Promise<boolean>, limitMs: number, service: Service): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await met())) {
    if (performance.now() > deadline) throw new Error(`too late: ${service.said.slice(-20).join("")}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

async function started(): Promise<Service> {
  const service = startService();
  await until(async () => (await readiness()) !== null, 30_000, service);
  return service;
}

async function kill(service: Service): Promise<void> {
  service.child.kill("SIGKILL");
  await once(service.child, "exit");
}

/** True where the event was acknowledged. */
async function deliver(number: number, id: string): Promise<boolean> {
  const event = fake.event(PROJECT, number, { action: "open", id, proof: { token: SECRET } });
  try {
    const response = await fetch(`http://127.0.0.1:${port}/gitlab/hooks`, event);
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
    let service = await started();
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
      service = await started();
      // The forge sends again what was not acknowledged, and sometimes what was.
      for (const number of numbers)
        if (await deliver(number, `delivery-${number}`)) acknowledged.set(number, "");
    }
    const settled = async () => {
      const { waiting, running, replies } = (await readiness()) ?? { waiting: 1, running: 1, replies: 1 };
      return waiting + running + replies === 0;
    };
    await until(settled, 240_000, service);
    const notes = [...acknowledged.keys()].map((number) => fake.notesOf(PROJECT, number).length);
    expect(acknowledged.size).toBe(2 * (SERVICE_KILLS + DATABASE_KILLS));
    expect(notes.filter((count) => count === 0)).toHaveLength(0);
    expect(notes.filter((count) => count > 1)).toHaveLength(0);
    service.child.kill("SIGTERM");
    const [code] = (await once(service.child, "exit")) as [number | null];
    // Ended by the signal, after what was in hand.
    expect(code).toBe(143);
  });
});

/** Ends PostgreSQL at once, as a machine's end would but for what the kernel has not written. */
async function killDatabase(): Promise<void> {
  const pid = (await readFile(join(data, "postgres/postmaster.pid"), "utf8")).split("\n")[0];
  process.kill(Number(pid), "SIGKILL");
}
