import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { Report } from "../../src/domain/report.ts";
import { exampleReport } from "../fixtures/report/example.ts";
import { startGithubFake, type GithubFake } from "../fakes/github.ts";
import { closeStories, PAGES_TOKEN, startStory, templateFiles, type Story } from "./forge-story.ts";

const SECRET = "a-github-secret-of-32-characters";
const REPOSITORY = "acme/images";
const manifest = parse(readFileSync(join(import.meta.dirname, "../../app.yml"), "utf8")) as {
  default_permissions: Record<string, string>;
};

let fake: GithubFake;
let story: Story;

beforeEach(async () => {
  fake = await startGithubFake({ permissions: manifest.default_permissions });
  fake.addRepository(REPOSITORY, templateFiles);
  fake.setPermission(REPOSITORY, "writer", "write");
  const github = {
    appId: fake.app.id,
    privateKey: fake.app.privateKey,
    webhookSecrets: [SECRET],
    apiUrl: fake.url,
    webhookPath: "/github/hooks",
  };
  story = await startStory({
    forge: { github, gitlab: null },
    answer: async () => ({ kind: "report", body: "Weighed.\n", report: exampleReport() }),
  });
  const number = fake.openPull(REPOSITORY, {
    author: "writer",
    fork: "own",
    files: { ".gitlab-ci.yml": "a: 2\n" },
  });
  await story.deliver(fake.event(REPOSITORY, number, "opened", { secret: SECRET, delivery: "d-1" }));
  await story.idle();
});

afterEach(async () => {
  await story.close();
  await fake.close();
});

afterAll(closeStories, 30_000);

const basic = (password: string) => `Basic ${Buffer.from(`anybody:${password}`).toString("base64")}`;
const get = async (path: string, authorization: string | null = basic(PAGES_TOKEN)) =>
  fetch(`${story.url}${path}`, authorization === null ? {} : { headers: { authorization } });

/** The address of the one report, as the list links it. */
async function reportPath(): Promise<string> {
  const list = await (await get("/requests")).text();
  return /href="(\/requests\/[0-9a-f-]{36})"/u.exec(list)?.[1] ?? "";
}

describe("pages", () => {
  it("list the requests and lead to their reports, which run nothing", async () => {
    const list = await (await get("/requests")).text();
    expect(list).toContain("github:acme/images#1");
    const page = await get(await reportPath());
    expect(page.status).toBe(200);
    expect(page.headers.get("content-security-policy")).toMatch(/^default-src 'none'/u);
    const text = await page.text();
    expect(text).toContain("after one edit by GitLab");
    expect(text).not.toContain("<script");
    const json = await get(`${await reportPath()}/report.json`);
    expect((await json.json()) as Report).toStrictEqual(exampleReport());
  });

  it.each([null, basic("a-token-of-somebody-else-of-32-char"), basic(""), "Bearer x", "Basic !"])(
    "are nobody's without the token: %s",
    async (authorization) => {
      const path = await reportPath();
      for (const each of ["/requests", path, `${path}/report.json`, "/metrics"]) {
        const response = await get(each, authorization);
        expect([each, response.status]).toStrictEqual([each, 401]);
        expect(await response.text()).not.toContain("acme");
      }
    },
  );

  it("are not there for what has no report", async () => {
    expect((await get(`/requests/${"0".repeat(8)}-0000-4000-8000-${"0".repeat(12)}`)).status).toBe(404);
    expect((await get("/requests/../../etc/passwd")).status).toBe(404);
  });

  it("tell Prometheus what is in which state", async () => {
    const metrics = await (await get("/metrics", `Bearer ${PAGES_TOKEN}`)).text();
    expect(metrics).toContain('tare_requests{state="answered"} 1\n');
    expect(metrics).toContain('tare_replies{state="sent"} 1\n');
  });
});
