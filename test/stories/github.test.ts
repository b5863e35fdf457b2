import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { AnswerChange, ForgeChange } from "../../src/channels/types.ts";
import type { ServeConfig } from "../../src/config/serve.ts";
import { run } from "../../src/lib/spawn.ts";
import { createSecrets } from "../../src/lib/secrets.ts";
import { createWebLog } from "../../src/web/log.ts";
import { createWebServer, type WebStore } from "../../src/web/server.ts";
import { allowed } from "../fakes/github-permissions.ts";
import { signed, startGithubFake, type GithubFake } from "../fakes/github.ts";
import { answerOf, closeStories, startStory, storyTime, templateFiles, type Story } from "./forge-story.ts";

const secret = "a-github-secret-of-32-characters";
const oldSecret = "the-secret-of-before-32-characters";
const manifest = parse(readFileSync(join(import.meta.dirname, "../../app.yml"), "utf8")) as {
  default_permissions: Record<string, string>;
  default_events: string[];
};
const repository = "acme/images";
const edit = { ".gitlab-ci.yml": "a: 2\n" };

/** A store that nobody asks. */
const emptyStore: WebStore = {
  admit: async () => "queued",
  size: async () => ({ waiting: 0, running: 0, replies: 0 }),
  requests: async () => [],
  workers: async () => [],
  reportText: async () => null,
  states: async () => ({ requests: {}, replies: {} }),
};

let fake: GithubFake;
let story: Story | null = null;

afterAll(closeStories, 30_000);

beforeEach(async () => {
  fake = await startGithubFake({ permissions: manifest.default_permissions });
  fake.addRepository(repository, templateFiles);
  fake.setPermission(repository, "writer", "write");
});

afterEach(async () => {
  await story?.close();
  story = null;
  await fake.close();
});

function forge(): Pick<ServeConfig, "github" | "gitlab"> {
  const github = {
    appId: fake.app.id,
    privateKey: fake.app.privateKey,
    webhookSecrets: [secret, oldSecret],
    apiUrl: fake.url,
    webhookPath: "/github/hooks",
  };
  return { github, gitlab: null };
}

async function start(answer?: AnswerChange, now?: () => Date): Promise<Story> {
  story = await startStory({ forge: forge(), ...(answer ? { answer } : {}), ...(now ? { now } : {}) });
  return story;
}

async function deliver(number: number, action: string, delivery: string): Promise<number> {
  if (!story) throw new Error("no story");
  const status = await story.deliver(fake.event(repository, number, action, { secret, delivery }));
  await story.idle();
  return status;
}

const bodies = (number: number): string[] =>
  fake.commentsOf(repository, number).map((comment) => comment.body);

const writes = (): string[] =>
  fake.requests
    .filter((request) => request.method !== "GET" && request.path.includes("/issues/"))
    .map((request) => `${request.method} ${request.path}`);

describe("a pull request of somebody who may write", () => {
  it("is answered with one exact comment", async () => {
    const base = fake.git.resolve(repository, "refs/heads/main");
    const number = fake.openPull(repository, {
      author: "writer",
      title: "Cache layers",
      body: "Why",
      files: edit,
    });
    const { asked } = await start();
    expect(await deliver(number, "opened", "d-1")).toBe(202);
    const head = fake.headOf(repository, number);
    expect(asked).toEqual([
      {
        channel: "github",
        id: "acme/images#1",
        title: "Cache layers",
        author: { name: "writer", login: "writer", address: "" },
        message: "Why",
        trust: "trusted",
        cloneUrl: `${fake.url}/acme/images.git`,
        authorization: expect.stringMatching(/^Basic [A-Za-z0-9+/=]+$/),
        base: { ref: "refs/heads/main", commit: base },
        head: { ref: "refs/pull/1/head", commit: head },
        projectPath: "acme/images",
      },
    ]);
    expect(bodies(number)).toEqual([
      `<!-- tare:v1 key=acme%2Fimages sha=${head} base=${base} run=${runId(bodies(number)[0])} valid-at=2026-01-02T03:04:05.000Z -->\n` +
        `Weighed ${head.slice(0, 7)}.\n`,
    ]);
    expect(fake.commentsOf(repository, number)[0]?.user.login).toBe("tare[bot]");
  });

  it("gives git a header that can fetch the head, and only read", async () => {
    fake.addRepository("acme/private", templateFiles, { private: true });
    fake.setPermission("acme/private", "writer", "admin");
    const number = fake.openPull("acme/private", { author: "writer", files: edit });
    const { asked, deliver } = await start();
    await deliver(fake.event("acme/private", number, "opened", { secret, delivery: "d-1" }));
    await story?.idle();
    const [change] = asked;
    expect(await fetchWith(change, null)).toBe("refused");
    expect(await fetchWith(change, change?.authorization ?? null)).toBe(fake.headOf("acme/private", number));
    const scoped = fake.requests.filter((request) => request.path.endsWith("/access_tokens"));
    // The sender asks for a token of its own, after the worker's and git's.
    expect(scoped.map(({ body }) => body)).toContainEqual(
      expect.objectContaining({ permissions: { contents: "read" } }),
    );
    expect(fake.requests.every((request) => !request.query.includes("ghs_"))).toBe(true);
  });

  it("has its comment edited by the second push", async () => {
    const number = fake.openPull(repository, { author: "writer", files: edit });
    await start();
    await deliver(number, "opened", "d-1");
    const head = fake.push(repository, number, { ".gitlab-ci.yml": "a: 3\n" });
    await deliver(number, "synchronize", "d-2");
    expect(bodies(number)).toHaveLength(1);
    expect(bodies(number)[0]).toContain(`Weighed ${head.slice(0, 7)}.`);
    expect(writes()).toEqual([
      "POST /repos/acme/images/issues/1/comments",
      "PATCH /repos/acme/images/issues/comments/3000",
    ]);
  });

  it("is not answered twice by a redelivery, nor with the same text", async () => {
    const number = fake.openPull(repository, { author: "writer", files: edit });
    const { asked } = await start();
    await deliver(number, "opened", "d-1");
    expect(await deliver(number, "opened", "d-1")).toBe(202);
    expect(asked).toHaveLength(1);
    await deliver(number, "reopened", "d-2");
    expect(asked).toHaveLength(2);
    expect(writes()).toHaveLength(1);
  });
});

describe("trust", () => {
  const cases = [
    { name: "a reader's fork", author: "reader", permission: "read", fork: "own", trust: "stranger" },
    { name: "an unknown author's fork", author: "nobody", permission: null, fork: "own", trust: "stranger" },
    { name: "a writer's own fork", author: "writer", permission: "write", fork: "own", trust: "trusted" },
    { name: "an administrator's branch", author: "boss", permission: "admin", fork: null, trust: "trusted" },
    {
      name: "a writer's pull request from a stranger's fork",
      author: "writer",
      permission: "write",
      fork: "mallory",
      trust: "stranger",
    },
  ];
  for (const { name, author, permission, fork, trust } of cases) {
    it(`${name} is ${trust}`, async () => {
      if (permission) fake.setPermission(repository, author, permission);
      const number = fake.openPull(repository, { author, fork, files: edit });
      const { asked } = await start();
      await deliver(number, "opened", "d-1");
      expect(asked.map((change) => change.trust)).toEqual([trust]);
      const said = trust === "trusted" ? "Weighed" : "Nothing of";
      expect(bodies(number)[0]?.split("\n")[1]?.startsWith(said)).toBe(true);
    });
  }

  it("is read when it is decided, not when the event was sent", async () => {
    const number = fake.openPull(repository, { author: "writer", files: edit });
    const { asked } = await start();
    const event = fake.event(repository, number, "opened", { secret, delivery: "d-1" });
    fake.setPermission(repository, "writer", "read");
    await story?.deliver(event);
    await story?.idle();
    expect(asked.map((change) => change.trust)).toEqual(["stranger"]);
  });
});

describe("silence", () => {
  it("where no template is touched", async () => {
    const number = fake.openPull(repository, { author: "writer", files: { "README.md": "Bye\n" } });
    const { asked } = await start();
    expect(await deliver(number, "opened", "d-1")).toBe(202);
    expect(asked).toEqual([]);
    expect(bodies(number)).toEqual([]);
  });

  it("where the template is on the second page of files", async () => {
    const many = Object.fromEntries(Array.from({ length: 150 }, (_, index) => [`a/${index}.txt`, "x\n"]));
    const number = fake.openPull(repository, {
      author: "writer",
      files: { ...many, "z/x.gitlab-ci.yml": "a: 2\n" },
    });
    const { asked } = await start();
    await deliver(number, "opened", "d-1");
    expect(asked).toHaveLength(1);
  });

  it("where the head moved during the work", async () => {
    const number = fake.openPull(repository, { author: "writer", files: edit });
    await start(async (change) => {
      fake.push(repository, number, { ".gitlab-ci.yml": "a: 4\n" });
      return answerOf(change);
    });
    await deliver(number, "opened", "d-1");
    expect(bodies(number)).toEqual([]);
  });

  it("where it is a draft, is closed, or the line says so", async () => {
    const draft = fake.openPull(repository, { author: "writer", draft: true, files: edit });
    const closed = fake.openPull(repository, { author: "writer", files: edit });
    const dull = fake.openPull(repository, { author: "writer", files: edit });
    fake.closePull(repository, closed);
    const { asked } = await start(async () => ({ kind: "silence", body: "", why: "no recipe changes" }));
    await deliver(draft, "opened", "d-1");
    await deliver(closed, "reopened", "d-2");
    await deliver(dull, "opened", "d-3");
    expect(asked.map((change) => change.id)).toEqual([`acme/images#${dull}`]);
    expect(fake.comments).toEqual([]);
  });

  it("for other events, which are answered 2xx", async () => {
    const { deliver, asked } = await start();
    expect(
      await deliver(signed("ping", '{"zen":"Keep it logically awesome."}', { secret, delivery: "d-1" })),
    ).toBe(202);
    expect(await deliver(signed("push", '{"ref":"refs/heads/main"}', { secret, delivery: "d-2" }))).toBe(202);
    expect(await deliver(signed("pull_request", '{"action":"opened"}', { secret, delivery: "d-3" }))).toBe(
      202,
    );
    await story?.idle();
    expect(asked).toEqual([]);
  });
});

describe("a newer head", () => {
  it("aborts the work on the older one", async () => {
    const number = fake.openPull(repository, { author: "writer", files: edit });
    const started = Promise.withResolvers<void>();
    const { asked } = await start(async (change, signal) => {
      if (asked.length > 1) return answerOf(change);
      started.resolve();
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      throw signal.reason;
    });
    await story?.deliver(fake.event(repository, number, "opened", { secret, delivery: "d-1" }));
    await started.promise;
    const head = fake.push(repository, number, { ".gitlab-ci.yml": "a: 5\n" });
    await deliver(number, "synchronize", "d-2");
    expect(asked).toHaveLength(2);
    expect(bodies(number)).toHaveLength(1);
    expect(bodies(number)[0]).toContain(head.slice(0, 7));
    expect(story?.log.some((line) => line.includes("no answer"))).toBe(false);
  });
});

describe("the comment", () => {
  it("is found on the second page, by stamp and own author", async () => {
    const number = fake.openPull(repository, { author: "writer", files: edit });
    const stamp = `<!-- tare:v1 key=acme%2Fimages sha=00 base=00 run=0 valid-at=2026-01-01T00:00:00.000Z -->`;
    const spoof = fake.addComment(repository, number, "mallory", `${stamp}\nSpoof\n`);
    for (let index = 0; index < 120; index += 1) fake.addComment(repository, number, "reader", "Chat");
    const own = fake.addComment(repository, number, "tare[bot]", `${stamp}\nOld\n`);
    await start();
    await deliver(number, "opened", "d-1");
    expect(spoof.body).toBe(`${stamp}\nSpoof\n`);
    expect(own.body.split("\n")[1]).toMatch(/^Weighed /);
    expect(writes()).toEqual([`PATCH /repos/acme/images/issues/comments/${own.id}`]);
  });

  it("is left alone where it is valid at a later time", async () => {
    const number = fake.openPull(repository, { author: "writer", files: edit });
    const later = `<!-- tare:v1 key=acme%2Fimages sha=00 base=00 run=0 valid-at=2026-01-03T00:00:00.000Z -->\nLater\n`;
    fake.addComment(repository, number, "tare[bot]", later);
    await start();
    await deliver(number, "opened", "d-1");
    expect(bodies(number)).toEqual([later]);
    expect(writes()).toEqual([]);
  });

  it("fits GitHub's limit", async () => {
    const number = fake.openPull(repository, { author: "writer", files: edit });
    await start(async () => ({ kind: "report", body: "A line of a report.\n\n".repeat(5000) }));
    await deliver(number, "opened", "d-1");
    expect(bodies(number)[0]?.length).toBeLessThanOrEqual(60_000);
    expect(
      bodies(number)[0]?.endsWith("A line of a report.\n\nThe rest does not fit into a comment.\n"),
    ).toBe(true);
  });
});

describe("an outage", () => {
  it("of one request is retried", async () => {
    const number = fake.openPull(repository, { author: "writer", files: edit });
    fake.failNext({ method: "GET", path: /\/pulls\/1$/, status: 502 });
    await start();
    await deliver(number, "opened", "d-1");
    expect(fake.requests.filter((request) => request.status === 502)).toHaveLength(1);
    expect(bodies(number)).toHaveLength(1);
  });

  it("that hides a comment which was made does not make a second one", async () => {
    const number = fake.openPull(repository, { author: "writer", files: edit });
    fake.failNext({ method: "POST", path: /\/comments$/, status: 502, afterwards: true });
    await start();
    await deliver(number, "opened", "d-1");
    expect(bodies(number)).toHaveLength(1);
    expect(writes()).toHaveLength(1);
  });

  it("of the line posts nothing, and a redelivery tries again", async () => {
    const number = fake.openPull(repository, { author: "writer", files: edit });
    let calls = 0;
    await start(async (change) => {
      calls += 1;
      if (calls === 1) throw new Error("the engine is gone");
      return answerOf(change);
    });
    await deliver(number, "opened", "d-1");
    expect(bodies(number)).toEqual([]);
    await deliver(number, "opened", "d-1");
    expect(bodies(number)).toHaveLength(1);
  });
});

describe("the door", () => {
  it("answers 401 to a bad signature, an absent one and a wrong secret, and logs nothing of it", async () => {
    const number = fake.openPull(repository, { author: "writer", title: "CANARY", files: edit });
    const { deliver, asked, log } = await start();
    const event = fake.event(repository, number, "opened", { secret, delivery: "d-1" });
    const forged = {
      ...event,
      headers: { ...event.headers, "x-hub-signature-256": `sha256=${"0".repeat(64)}` },
    };
    const { "x-hub-signature-256": _, ...unsigned } = event.headers;
    expect(await deliver(forged)).toBe(401);
    expect(await deliver({ ...event, headers: unsigned })).toBe(401);
    expect(
      await deliver(fake.event(repository, number, "opened", { secret: "development", delivery: "d-1" })),
    ).toBe(401);
    expect(await deliver({ ...event, body: event.body.replace("CANARY", "CANARZ") })).toBe(401);
    await story?.idle();
    expect(asked).toEqual([]);
    expect(fake.requests).toEqual([]);
    expect(log.join("")).not.toMatch(/CANAR/);
    // Beyond debug there is no line at all.
    expect(log.filter((line) => !line.includes("listening") && !line.includes('"level":20'))).toEqual([]);
  });

  it("takes the older of two live secrets", async () => {
    const number = fake.openPull(repository, { author: "writer", files: edit });
    const { deliver } = await start();
    expect(
      await deliver(fake.event(repository, number, "opened", { secret: oldSecret, delivery: "d-1" })),
    ).toBe(202);
  });

  it("answers 413 to 30 MB, whether announced or not", async () => {
    const { url } = await start();
    const headers = { "x-hub-signature-256": `sha256=${"0".repeat(64)}`, "x-github-event": "pull_request" };
    const megabyte = Buffer.alloc(1_000_000, "a");
    const announced = await fetch(`${url}/github/hooks`, {
      method: "POST",
      headers,
      body: Buffer.alloc(30_000_000),
    });
    expect(announced.status).toBe(413);
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let sent = 0; sent < 30; sent += 1) controller.enqueue(megabyte);
        controller.close();
      },
    });
    const init = { method: "POST", headers, body: stream, duplex: "half" } as const;
    expect((await fetch(`${url}/github/hooks`, init)).status).toBe(413);
  });

  it("has a health page and no others", async () => {
    const { url } = await start();
    const health = await fetch(`${url}/healthz`);
    expect([health.status, await health.json()]).toEqual([200, { status: "ok" }]);
    const ready = await fetch(`${url}/readyz`);
    const nothing = { waiting: 0, running: 0, replies: 0 };
    expect([ready.status, await ready.json()]).toEqual([200, { status: "ready", ...nothing }]);
    expect((await fetch(`${url}/nothing`)).status).toBe(404);
    expect((await fetch(`${url}/github/hooks`)).status).toBe(405);
  });

  it("that is open already is a mistake of the one who starts it", async () => {
    const { url } = await start();
    const port = Number(new URL(url).port);
    const second = createWebServer({
      config: { host: "127.0.0.1", port, pagesToken: null, ...forge() },
      store: emptyStore,
      log: createWebLog({ secrets: createSecrets(), level: "silent" }),
      secrets: createSecrets(),
      now: () => storyTime,
    });
    await expect(second.listen()).rejects.toMatchObject({ name: "Problem", code: "port-taken" });
    await second.close();
  });

  it("logs no secret, token or payload of a whole story", async () => {
    const number = fake.openPull(repository, {
      author: "writer",
      title: "CANARY",
      body: "CANARY",
      files: edit,
    });
    const { log } = await start();
    await deliver(number, "opened", "d-1");
    expect(log.join("")).not.toMatch(/CANARY|ghs_fake|PRIVATE KEY|a-github-secret/);
  });
});

describe("app.yml", () => {
  it("covers each request of a whole story, and names no permission that none needs", async () => {
    const number = fake.openPull(repository, { author: "writer", fork: "own", files: edit });
    await start();
    await deliver(number, "opened", "d-1");
    fake.push(repository, number, { ".gitlab-ci.yml": "a: 3\n" });
    await deliver(number, "synchronize", "d-2");
    const asInstallation = fake.requests.filter((request) => !request.path.startsWith("/app"));
    const covered = (granted: Record<string, string>): boolean =>
      asInstallation.every((request) => allowed(request.method, request.path, granted) === true);
    expect(covered(manifest.default_permissions)).toBe(true);
    expect(manifest.default_permissions).toEqual({
      contents: "read",
      metadata: "read",
      pull_requests: "write",
    });
    for (const name of Object.keys(manifest.default_permissions)) {
      const { [name]: _, ...fewer } = manifest.default_permissions;
      expect([name, covered(fewer)]).toEqual([name, false]);
    }
    expect(manifest.default_events).toEqual(["pull_request"]);
  });

  it("with less is refused by the fake, and nothing is posted", async () => {
    await fake.close();
    fake = await startGithubFake({ permissions: { ...manifest.default_permissions, pull_requests: "read" } });
    fake.addRepository(repository, templateFiles);
    fake.setPermission(repository, "writer", "write");
    const number = fake.openPull(repository, { author: "writer", files: edit });
    await start();
    await deliver(number, "opened", "d-1");
    expect(bodies(number)).toEqual([]);
    expect(fake.requests.filter((request) => request.status === 403)).toHaveLength(1);
  });
});

function runId(body: string | undefined): string {
  return / run=([0-9a-f]{12}) /.exec(body ?? "")?.[1] ?? "none";
}

/** Fetches the change's head as the line would, the header in git's environment; the commit, or `refused`. */
async function fetchWith(change: ForgeChange | undefined, header: string | null): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "tare-fetch-"));
  const value = header === null ? "X-None: 1" : `Authorization: ${header}`;
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: directory,
    GIT_TERMINAL_PROMPT: "0",
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "http.extraHeader",
    GIT_CONFIG_VALUE_0: value,
  };
  const git = (...argv: string[]): ReturnType<typeof run> => run("git", ["-C", directory, ...argv], { env });
  try {
    await git("init", "--quiet", "--bare");
    const fetched = await git("fetch", "--quiet", change?.cloneUrl ?? "", change?.head.ref ?? "");
    if (fetched.exitCode !== 0) return "refused";
    return (await git("rev-parse", "FETCH_HEAD")).stdout.toString().trim();
  } finally {
    rmSync(directory, { recursive: true });
  }
}
