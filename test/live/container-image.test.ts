import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
} from "node:fs";
import { rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type Docker from "dockerode";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { withDebian } from "../../src/images/debian-root.ts";
import { finished, importDirectory } from "../../src/images/import-image.ts";
import { openTestbed, type Testbed } from "../../src/images/testbed.ts";
import { cacheDirectory } from "../../src/lib/cache-directory.ts";
import { cutOff, listenOnLoopback } from "../../src/lib/listen.ts";
import { startGitlabFake, type GitlabFake } from "../fakes/gitlab.ts";
import { openDatabaseProxy, type DatabaseProxy } from "../fixtures/queue/database-proxy.ts";
import { openDatabases, type Databases } from "../fixtures/queue/databases.ts";
import { PROJECT_ROOT } from "../stories/tare-process.ts";
import { WEBHOOK_SECRET } from "./service-process.ts";

const PROJECT = "acme/images";
const BASE = "localhost/tare-test/node:24";
const IMAGE = "localhost/tare-test/tare:now";
const MACHINE_CERTIFICATES = "/usr/local/share/machine.crt";

let world = "";
let testbed: Testbed;
let databases: Databases;
let proxy: DatabaseProxy | null = null;
let fake: GitlabFake;

beforeAll(async () => {
  world = mkdtempSync(join(tmpdir(), "tare-image-"));
  const dialogue = { say: () => {}, ask: async () => true };
  const where = { cacheDirectory: cacheDirectory(process.env), environment: process.env };
  testbed = await openTestbed({ ...where, dialogue, builders: [], archivedKaniko: false });
  databases = await openDatabases();
  fake = await startGitlabFake();
});

afterAll(async () => {
  await proxy?.close();
  await databases.close();
  await fake.close();
  const { docker } = testbed.engine;
  for (const name of [IMAGE, BASE]) await docker.getImage(name).remove({ force: true });
  await testbed.close();
  rmSync(world, { recursive: true, force: true });
});

/** What `node:24-bookworm-slim` is, of packages: Debian with this Node and npm. */
async function makeNodeBase(docker: Docker): Promise<void> {
  await withDebian("bookworm", ["ca-certificates"], cacheDirectory(process.env), async (root) => {
    const npm = dirname(dirname(realpathSync(execFileSync("which", ["npm"], { encoding: "utf8" }).trim())));
    mkdirSync(join(root, "usr/local/lib/node_modules"), { recursive: true });
    copyFileSync(realpathSync(process.execPath), join(root, "usr/local/bin/node"));
    chmodSync(join(root, "usr/local/bin/node"), 0o755);
    cpSync(npm, join(root, "usr/local/lib/node_modules/npm"), { recursive: true });
    symlinkSync("../lib/node_modules/npm/bin/npm-cli.js", join(root, "usr/local/bin/npm"));
    // The machine's own certificates, for registries behind a proxy of its own; the package's would take their place.
    copyFileSync("/etc/ssl/certs/ca-certificates.crt", join(root, MACHINE_CERTIFICATES));
    await importDirectory(docker, root, BASE, [`ENV NODE_EXTRA_CA_CERTS=${MACHINE_CERTIFICATES}`]);
  });
}

async function buildImage(docker: Docker): Promise<void> {
  execFileSync("npm", ["pack", "--pack-destination", world], { cwd: PROJECT_ROOT, stdio: "ignore" });
  const archive = readdirSync(world).find((name) => name.endsWith(".tgz")) ?? "";
  mkdirSync(join(world, "deploy"));
  copyFileSync(join(PROJECT_ROOT, "deploy/Containerfile"), join(world, "deploy/Containerfile"));
  execFileSync("tar", ["-C", world, "-cf", join(world, "context.tar"), "deploy", archive]);
  const progress = await docker.buildImage(join(world, "context.tar"), {
    dockerfile: "deploy/Containerfile",
    t: IMAGE,
    buildargs: { BASE },
    // This engine has no network of its own; what is built is this project.
    networkmode: "host",
  });
  await finished(docker, progress);
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenOnLoopback(server);
  await cutOff(server, []);
  return port;
}

it("the image takes hooks in and sends what a worker elsewhere answers", async () => {
  const { docker } = testbed.engine;
  await makeNodeBase(docker);
  await buildImage(docker);

  fake.addProject(PROJECT, {
    ".gitlab-ci.yml": template("docker build -t $CI_REGISTRY_IMAGE ."),
    Dockerfile: "FROM busybox\n",
  });
  fake.openMergeRequest(PROJECT, {
    author: "stranger",
    files: {
      ".gitlab-ci.yml": template("docker build --cache-from $CI_REGISTRY_IMAGE -t $CI_REGISTRY_IMAGE ."),
    },
  });
  const address = await databases.ready();
  if (!("host" in address)) throw new Error("a private database has a socket");
  proxy = await openDatabaseProxy(join(address.host, ".s.PGSQL.5432"));
  const url = `postgresql://${address.user}:${address.password}@127.0.0.1:${proxy.port}/${address.database}`;
  writeFileSync(join(world, "database-url"), `${url}\n`, { mode: 0o644 });
  const forge = { GITLAB_URL: fake.url, GITLAB_TOKEN: fake.token, GITLAB_WEBHOOK_SECRET: WEBHOOK_SECRET };
  const port = await freePort();
  const container = await docker.createContainer({
    Image: IMAGE,
    Env: Object.entries({
      ...forge,
      DATABASE_URL_FILE: "/run/secrets/database-url",
      TARE_CONFIG: "/dev/null",
      TARE_HOST: "127.0.0.1",
      TARE_PORT: String(port),
    }).map(([name, value]) => `${name}=${value}`),
    // As in deploy/compose.yaml, but for the network.
    HostConfig: {
      NetworkMode: "host",
      ReadonlyRootfs: true,
      Tmpfs: { "/tmp": "" },
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges:true"],
      Binds: [`${join(world, "database-url")}:/run/secrets/database-url:ro`],
    },
  });
  const worker = spawn(process.execPath, [join(PROJECT_ROOT, "src/main.ts"), "worker"], {
    env: {
      PATH: process.env["PATH"] ?? "/usr/bin:/bin",
      HOME: world,
      TARE_CACHE: join(world, "cache"),
      TARE_CONFIG: "/dev/null",
      DATABASE_URL: url,
      ...forge,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said: string[] = [];
  for (const stream of [worker.stdout, worker.stderr])
    stream.on("data", (chunk: Buffer) => void said.push(chunk.toString("utf8")));
  try {
    await container.start();
    const at = (path: string) => `http://127.0.0.1:${port}${path}`;
    await vi.waitUntil(async () => (await fetch(at("/readyz")).catch(() => null))?.status === 200, {
      timeout: 60_000,
      interval: 100,
    });
    const event = fake.event(PROJECT, 1, { action: "open", id: "one", proof: { token: WEBHOOK_SECRET } });
    expect((await fetch(at("/gitlab/hooks"), event)).status).toBe(202);
    await vi.waitUntil(() => fake.notesOf(PROJECT, 1).length === 1 || worker.exitCode !== null, {
      timeout: 60_000,
      interval: 100,
    });
    // The log says of which request it speaks.
    expect(said.join("")).toMatch(/"requestId":"[0-9a-f-]{36}"/u);
    expect(fake.notesOf(PROJECT, 1)[0]?.body).toContain("Nothing was built or measured");

    const healthy = async () => (await container.inspect()).State.Health?.Status === "healthy";
    await vi.waitUntil(healthy, { timeout: 30_000, interval: 250 });
    const { State } = await container.inspect();
    const status = readFileSync(`/proc/${State.Pid}/status`, "utf8");
    expect(/^Uid:\s+(\d+)/mu.exec(status)?.[1]).toBe("10001");
    expect(/^CapEff:\s+(\w+)/mu.exec(status)?.[1]).toMatch(/^0+$/u);
    await container.stop({ t: 20 });
    expect((await container.inspect()).State.ExitCode).toBe(0);
  } finally {
    worker.kill("SIGTERM");
    await once(worker, "exit");
    await container.remove({ force: true, v: true });
  }
});

const template = (line: string) =>
  `build-image:\n  stage: build\n  script:\n    - ${line}\n    - docker push $CI_REGISTRY_IMAGE\n`;
