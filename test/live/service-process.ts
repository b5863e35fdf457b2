import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cutOff, listenOnLoopback } from "../../src/lib/listen.ts";
import { openPrivateDatabase } from "../../src/queue/private-database.ts";
import type { GitlabFake } from "../fakes/gitlab.ts";
import { PROJECT_ROOT } from "../stories/tare-process.ts";

export const WEBHOOK_SECRET = "a-gitlab-secret-of-32-characters";

export type Service = { child: ChildProcess; said: string[] };

/** What `/readyz` says. */
export type Ready = { waiting: number; running: number; replies: number };

/** Where real services of one test run, one after the other, with a private database. */
export type ServiceSite = {
  port: number;
  /** Where the database is. */
  data: string;
  /** A service that may not come up. */
  launch(...argv: string[]): Service;
  /** The service, when it is ready. */
  started(...argv: string[]): Promise<Service>;
  readiness(): Promise<Ready | null>;
  until(met: () => Promise<boolean>, limitMs: number, service: Service): Promise<void>;
  /** Ends the database that a killed service left running, and removes everything. */
  close(): Promise<void>;
};

export async function openServiceSite(
  fake: GitlabFake,
  /** Where the database is to be; made and removed with the site otherwise. */
  given: { data?: string } = {},
): Promise<ServiceSite> {
  const world = await mkdtemp(join(tmpdir(), "tare-service-"));
  const data = given.data ?? (await mkdtemp(join(tmpdir(), "tare-data-")));
  await writeFile(settingsPath(world), SETTINGS);
  const server = createServer();
  const port = await listenOnLoopback(server);
  await cutOff(server, []);
  const readiness = async (): Promise<Ready | null> => {
    try {
      const signal = AbortSignal.timeout(2_000);
      const response = await fetch(`http://127.0.0.1:${port}/readyz`, { signal });
      const ready = (await response.json()) as Ready;
      return response.status === 200 ? ready : null;
    } catch {
      return null;
    }
  };
  const until: ServiceSite["until"] = async (met, limitMs, service) => {
    const deadline = performance.now() + limitMs;
    while (!(await met())) {
      if (performance.now() > deadline) throw new Error(`too late: ${service.said.slice(-20).join("")}`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  };
  return {
    port,
    data,
    readiness,
    until,
    launch: (...argv) => startService(argv, environmentOf(fake, { world, data, port })),
    async started(...argv) {
      const service = startService(argv, environmentOf(fake, { world, data, port }));
      await until(async () => (await readiness()) !== null, 30_000, service);
      return service;
    },
    async close() {
      await (await openPrivateDatabase(data)).stop();
      for (const directory of [world, data]) await rm(directory, { recursive: true, force: true });
    },
  };
}

/** What a test sends in minutes a forge gets in days. */
const SETTINGS = "outbox:\n  gitlabPerMinute: 1000000\n  commentPauseSeconds: 0\n";

const settingsPath = (world: string) => join(world, "tare.yml");

function environmentOf(
  fake: GitlabFake,
  { world, data, port }: { world: string; data: string; port: number },
): NodeJS.ProcessEnv {
  return {
    PATH: process.env["PATH"] ?? "/usr/bin:/bin",
    HOME: world,
    TMPDIR: tmpdir(),
    TARE_CACHE: join(world, "cache"),
    TARE_CONFIG: settingsPath(world),
    TARE_DATA: data,
    TARE_PORT: String(port),
    GITLAB_URL: fake.url,
    GITLAB_TOKEN: fake.token,
    GITLAB_WEBHOOK_SECRET: WEBHOOK_SECRET,
    NODE_COMPILE_CACHE: join(PROJECT_ROOT, "node_modules/.cache/compiled"),
  };
}

function startService(argv: readonly string[], env: NodeJS.ProcessEnv): Service {
  const said: string[] = [];
  const child = spawn(process.execPath, [join(PROJECT_ROOT, "src/main.ts"), "serve", ...argv], {
    cwd: env["HOME"],
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk: Buffer) => void said.push(chunk.toString("utf8")));
  return { child, said };
}
