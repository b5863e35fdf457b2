import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { parse } from "yaml";
import { mapTexts } from "../../src/lib/map-texts.ts";
import { createSecrets } from "../../src/lib/secrets.ts";
import { renderMarkdown } from "../../src/reports/markdown.ts";
import { startGithubFake } from "../fakes/github.ts";
import { exampleReport } from "../fixtures/report/example.ts";
import { closeStories, PAGES_TOKEN, startStory, templateFiles } from "./forge-story.ts";

const SECRET = "a-github-secret-of-32-characters";
const REPOSITORY = "acme/images";
const CANARIES = [
  "canary-database-password",
  "canary/smtp+pass&word",
  "canary-registry-password",
  SECRET,
  PAGES_TOKEN,
];
const manifest = parse(readFileSync(join(import.meta.dirname, "../../app.yml"), "utf8")) as {
  default_permissions: Record<string, string>;
};

afterAll(closeStories, 30_000);

/** Every way in which a canary may be written. */
const written = (canary: string) => [
  canary,
  encodeURIComponent(canary),
  Buffer.from(canary).toString("base64"),
  Buffer.from(`user:${canary}`).toString("base64"),
];

it("no secret leaves in a log, a comment, a page or report.json, whatever text it was planted in", async () => {
  const fake = await startGithubFake({ permissions: manifest.default_permissions });
  fake.addRepository(REPOSITORY, templateFiles);
  fake.setPermission(REPOSITORY, "writer", "write");
  const github = {
    appId: fake.app.id,
    privateKey: fake.app.privateKey,
    webhookSecrets: [SECRET],
    apiUrl: fake.url,
    webhookPath: "/github/hooks",
  };
  const secrets = createSecrets([...CANARIES, fake.app.privateKey]);
  const planted = CANARIES.flatMap(written).join(" ");
  const keyLine = fake.app.privateKey.split("\n")[3] ?? "";
  const report = exampleReport();
  report.change.title = `title ${planted}`;
  report.change.author.name = planted;
  report.notes.push(`${planted} ${keyLine}`);
  report.images[0]?.strategies[0]?.runs.forEach((run) => (run.failure = planted.split(" ")));
  report.excerpts = [{ file: "a", line: 1, side: "head", lines: [] }];
  report.command = `tare trial ${planted}`;
  const body = renderMarkdown(
    mapTexts(report, (text) => text),
    { marker: false },
  );
  const tokens = new Set<string>();
  let fails = true;
  const story = await startStory({
    forge: { github, gitlab: null },
    secrets,
    answer: async (change) => {
      tokens.add(Buffer.from((change.authorization ?? "").slice("Basic ".length), "base64").toString());
      // What git, an engine or a mail server says may hold anything.
      if (fails) throw new Error(`the engine said ${planted} ${change.authorization} ${keyLine}`);
      return { kind: "report", body: `${body}\n${change.authorization}\n`, report };
    },
  });
  const open = (delivery: string, text: string) => {
    const number = fake.openPull(REPOSITORY, {
      author: "writer",
      fork: "own",
      files: { ".gitlab-ci.yml": text },
    });
    return story.deliver(fake.event(REPOSITORY, number, "opened", { secret: SECRET, delivery }));
  };
  try {
    await open("d-1", "a: 2\n");
    await story.idle();
    fails = false;
    await open("d-2", "a: 3\n");
    await story.idle();
    const get = async (path: string) =>
      (await fetch(`${story.url}${path}`, { headers: { authorization: `Bearer ${PAGES_TOKEN}` } })).text();
    const list = await get("/requests");
    const path = /href="(\/requests\/[0-9a-f-]{36})"/u.exec(list)?.[1] ?? "";
    const comments = fake.comments.map(({ body: said }) => said);
    const page = await get(path);
    const out = {
      log: story.log.join(""),
      comments: comments.join("\n"),
      list,
      page,
      json: await get(`${path}/report.json`),
      metrics: await get("/metrics"),
    };
    expect(comments).toHaveLength(1);
    expect([out.log, out.page, out.json].filter((text) => !text.includes("[redacted]"))).toStrictEqual([]);
    const texts = CANARIES.flatMap(written);
    const short = [...tokens].map((token) => token.slice(token.indexOf(":") + 1));
    expect(short.filter((token) => token.length >= 4)).not.toHaveLength(0);
    const leaks = Object.entries(out).flatMap(([where, text]) =>
      [...texts, ...short, keyLine].filter((each) => text.includes(each)).map((each) => `${where}: ${each}`),
    );
    expect(leaks).toStrictEqual([]);
  } finally {
    await story.close();
    await fake.close();
  }
});
