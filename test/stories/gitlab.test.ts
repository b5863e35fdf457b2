import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AnswerChange } from "../../src/channels/types.ts";
import { startGitlabFake, type GitlabFake, type GitlabProof } from "../fakes/gitlab.ts";
import { answerOf, closeStories, startStory, storyTime, templateFiles, type Story } from "./forge-story.ts";

const token = "a-gitlab-secret-of-32-characters";
const signing = `whsec_${Buffer.from("a signing key of thirty-two byte").toString("base64")}`;
const project = "group/images";
const edit = { ".gitlab-ci.yml": "a: 2\n" };

let fake: GitlabFake;
let story: Story | null = null;

afterAll(closeStories, 30_000);

beforeEach(async () => {
  fake = await startGitlabFake();
  fake.addProject(project, templateFiles);
  fake.setAccessLevel(project, "dev", 30);
});

afterEach(async () => {
  await story?.close();
  story = null;
  await fake.close();
});

async function start(answer?: AnswerChange, webhookSecrets: string[] = [token, signing]): Promise<Story> {
  const gitlab = { url: fake.url, token: fake.token, webhookSecrets, webhookPath: "/gitlab/hooks" };
  story = await startStory({ forge: { github: null, gitlab }, ...(answer ? { answer } : {}) });
  return story;
}

async function deliver(
  iid: number,
  event: { action: string; oldrev?: string; id: string | null; proof?: GitlabProof },
): Promise<number> {
  if (!story) throw new Error("no story");
  const status = await story.deliver(fake.event(project, iid, { proof: { token }, ...event }));
  await story.idle();
  return status;
}

const bodies = (iid: number): string[] => fake.notesOf(project, iid).map((note) => note.body);

const writes = (): string[] =>
  fake.requests
    .filter((request) => request.method !== "GET" && request.path.startsWith("/api/"))
    .map((request) => `${request.method} ${request.path}`);

describe("a merge request of a Developer", () => {
  it("is answered with one exact note", async () => {
    const base = fake.git.resolve(project, "refs/heads/main");
    const iid = fake.openMergeRequest(project, {
      author: "dev",
      title: "Cache layers",
      description: "Why",
      files: edit,
    });
    const { asked } = await start();
    expect(await deliver(iid, { action: "open", id: "d-1" })).toBe(202);
    const head = fake.headOf(project, iid);
    expect(asked).toEqual([
      {
        channel: "gitlab",
        id: "group/images!1",
        title: "Cache layers",
        author: { name: "dev", login: "dev", address: "" },
        message: "Why",
        trust: "trusted",
        cloneUrl: `${fake.url}/group/images.git`,
        authorization: null,
        base: { ref: "refs/heads/main", commit: base },
        head: { ref: "refs/merge-requests/1/head", commit: head },
        projectPath: "group/images",
      },
    ]);
    const run = / run=([0-9a-f]{12}) /.exec(bodies(iid)[0] ?? "")?.[1] ?? "none";
    expect(bodies(iid)).toEqual([
      `<!-- tare:v1 key=group%2Fimages sha=${head} base=${base} run=${run} valid-at=2026-01-02T03:04:05.000Z -->\n` +
        `Weighed ${head.slice(0, 7)}.\n`,
    ]);
    expect(fake.notesOf(project, iid)[0]?.author.username).toBe("tare-bot");
  });

  it("has its note edited after a push, and not after an update without one", async () => {
    const iid = fake.openMergeRequest(project, { author: "dev", files: edit });
    const { asked } = await start();
    await deliver(iid, { action: "open", id: "d-1" });
    await deliver(iid, { action: "update", id: "d-2" });
    expect(asked).toHaveLength(1);
    const oldrev = fake.headOf(project, iid);
    const head = fake.push(project, iid, { ".gitlab-ci.yml": "a: 3\n" });
    await deliver(iid, { action: "update", oldrev, id: "d-3" });
    expect(bodies(iid)).toHaveLength(1);
    expect(bodies(iid)[0]).toContain(`Weighed ${head.slice(0, 7)}.`);
    expect(writes()).toEqual([
      "POST /api/v4/projects/40/merge_requests/1/notes",
      "PUT /api/v4/projects/40/merge_requests/1/notes/7000",
    ]);
  });

  it("is not answered twice by a second attempt, with an id or without", async () => {
    const iid = fake.openMergeRequest(project, { author: "dev", files: edit });
    const { asked } = await start();
    await deliver(iid, { action: "open", id: "d-1" });
    expect(await deliver(iid, { action: "open", id: "d-1" })).toBe(202);
    expect(asked).toHaveLength(1);
    await deliver(iid, { action: "reopen", id: null });
    await deliver(iid, { action: "reopen", id: null });
    expect(asked).toHaveLength(2);
    expect(writes()).toHaveLength(1);
  });

  it("gets git's header only where the project is not public", async () => {
    fake.addProject("group/private", templateFiles, { private: true });
    fake.setAccessLevel("group/private", "dev", 40);
    const iid = fake.openMergeRequest("group/private", { author: "dev", files: edit });
    const { asked } = await start();
    await story?.deliver(fake.event("group/private", iid, { action: "open", id: "d-1", proof: { token } }));
    await story?.idle();
    expect(asked[0]?.authorization).toBe(`Basic ${Buffer.from(`oauth2:${fake.token}`).toString("base64")}`);
    const refs = `${asked[0]?.cloneUrl}/info/refs?service=git-upload-pack`;
    expect((await fetch(refs)).status).toBe(401);
    const authorized = await fetch(refs, { headers: { authorization: asked[0]?.authorization ?? "" } });
    expect(authorized.status).toBe(200);
    expect(await authorized.text()).toContain(`${asked[0]?.head.commit} refs/merge-requests/1/head`);
  });
});

describe("trust", () => {
  const cases = [
    { name: "a Reporter's fork", author: "reporter", level: 20, fork: "own", trust: "stranger" },
    { name: "an unknown author's fork", author: "nobody", level: null, fork: "own", trust: "stranger" },
    { name: "a Developer's own fork", author: "dev", level: 30, fork: "own", trust: "trusted" },
    { name: "a Maintainer's branch", author: "boss", level: 40, fork: null, trust: "trusted" },
    {
      name: "a Developer's from a stranger's fork",
      author: "dev",
      level: 30,
      fork: "mallory",
      trust: "stranger",
    },
  ];
  for (const { name, author, level, fork, trust } of cases) {
    it(`${name} is ${trust}`, async () => {
      if (level !== null) fake.setAccessLevel(project, author, level);
      const iid = fake.openMergeRequest(project, { author, fork, files: edit });
      const { asked } = await start();
      await deliver(iid, { action: "open", id: "d-1" });
      expect(asked.map((change) => change.trust)).toEqual([trust]);
      const said = trust === "trusted" ? "Weighed" : "Nothing of";
      expect(bodies(iid)[0]?.split("\n")[1]?.startsWith(said)).toBe(true);
    });
  }
});

describe("silence", () => {
  it("where no template is touched, or it is a draft", async () => {
    const dull = fake.openMergeRequest(project, { author: "dev", files: { "README.md": "Bye\n" } });
    const draft = fake.openMergeRequest(project, { author: "dev", draft: true, files: edit });
    const { asked } = await start();
    await deliver(dull, { action: "open", id: "d-1" });
    await deliver(draft, { action: "open", id: "d-2" });
    expect(asked).toEqual([]);
    expect(fake.notes).toEqual([]);
  });

  it("where the head moved during the work", async () => {
    const iid = fake.openMergeRequest(project, { author: "dev", files: edit });
    await start(async (change) => {
      fake.push(project, iid, { ".gitlab-ci.yml": "a: 4\n" });
      return answerOf(change);
    });
    await deliver(iid, { action: "open", id: "d-1" });
    expect(bodies(iid)).toEqual([]);
  });
});

describe("the note", () => {
  it("is found on the second page, by stamp and own author", async () => {
    const iid = fake.openMergeRequest(project, { author: "dev", files: edit });
    const stamp =
      "<!-- tare:v1 key=group%2Fimages sha=00 base=00 run=0 valid-at=2026-01-01T00:00:00.000Z -->";
    const spoof = fake.addNote(project, iid, "mallory", `${stamp}\nSpoof\n`);
    for (let index = 0; index < 120; index += 1) fake.addNote(project, iid, "reporter", "Chat");
    const own = fake.addNote(project, iid, "tare-bot", `${stamp}\nOld\n`);
    await start();
    await deliver(iid, { action: "open", id: "d-1" });
    expect(spoof.body).toBe(`${stamp}\nSpoof\n`);
    expect(own.body.split("\n")[1]).toMatch(/^Weighed /);
    expect(writes()).toEqual([`PUT /api/v4/projects/40/merge_requests/1/notes/${own.id}`]);
  });

  it("cannot command GitLab, and is still known when it comes again", async () => {
    const iid = fake.openMergeRequest(project, { author: "dev", files: edit });
    await start(async () => ({ kind: "report", body: "Title\n/merge\n\n```\n/kaniko/executor\n```\n" }));
    await deliver(iid, { action: "open", id: "d-1" });
    expect(bodies(iid)[0]?.split("\n").slice(1)).toEqual([
      "Title",
      "\\/merge",
      "",
      "```",
      "/kaniko/executor",
      "```",
      "",
    ]);
    await deliver(iid, { action: "reopen", id: "d-2" });
    expect(writes()).toHaveLength(1);
  });
});

describe("an outage", () => {
  it("of one request is retried, and a merge request that is not prepared is waited for", async () => {
    const iid = fake.openMergeRequest(project, { author: "dev", unpreparedAnswers: 1, files: edit });
    fake.failNext({ method: "GET", path: /\/diffs$/, status: 502 });
    await start();
    await deliver(iid, { action: "open", id: "d-1" });
    expect(fake.requests.filter((request) => request.status === 502)).toHaveLength(1);
    expect(bodies(iid)).toHaveLength(1);
  });

  it("that hides a note which was made does not make a second one", async () => {
    const iid = fake.openMergeRequest(project, { author: "dev", files: edit });
    fake.failNext({ method: "POST", path: /\/notes$/, status: 502, afterwards: true });
    await start();
    await deliver(iid, { action: "open", id: "d-1" });
    expect(bodies(iid)).toHaveLength(1);
    expect(writes()).toHaveLength(1);
  });
});

describe("the door", () => {
  it("takes a signed event, and refuses one that is old, of another body or signed by another", async () => {
    const iid = fake.openMergeRequest(project, { author: "dev", title: "CANARY", files: edit });
    const { asked, log } = await start(undefined, [signing]);
    const at = (ms: number): Date => new Date(storyTime.getTime() + ms);
    const event = (proof: GitlabProof): ReturnType<GitlabFake["event"]> =>
      fake.event(project, iid, { action: "open", id: "d-1", proof });
    const send = (request: ReturnType<GitlabFake["event"]>): Promise<number> | undefined =>
      story?.deliver(request);
    const good = event({ signing, at: storyTime });
    const other = `whsec_${Buffer.from("another key of thirty-two bytes!").toString("base64")}`;
    expect(await send(event({ signing, at: at(-301_000) }))).toBe(401);
    expect(await send(event({ signing, at: at(301_000) }))).toBe(401);
    expect(await send(event({ signing: other, at: storyTime }))).toBe(401);
    expect(await send({ ...good, body: good.body.replace("open", "opeN") })).toBe(401);
    expect(await send({ ...good, headers: { ...good.headers, "webhook-id": "d-2" } })).toBe(401);
    expect(await send(event({ token: "wrong" }))).toBe(401);
    // A signing secret is never taken as a token.
    expect(await send(event({ token: signing }))).toBe(401);
    expect(asked).toEqual([]);
    expect(log.filter((line) => !line.includes("listening") && !line.includes('"level":20'))).toEqual([]);
    expect(await send(good)).toBe(202);
    await story?.idle();
    expect(asked).toHaveLength(1);
    expect(log.join("")).not.toMatch(/CANARY|glpat|whsec/);
  });

  it("answers 401 to a wrong token and 413 to 30 MB", async () => {
    const iid = fake.openMergeRequest(project, { author: "dev", files: edit });
    const { url } = await start();
    expect(await deliver(iid, { action: "open", id: "d-1", proof: { token: "x".repeat(32) } })).toBe(401);
    const headers = { "x-gitlab-token": token };
    const large = await fetch(`${url}/gitlab/hooks`, {
      method: "POST",
      headers,
      body: Buffer.alloc(30_000_000),
    });
    expect(large.status).toBe(413);
  });

  it("takes other events in silence", async () => {
    const { url } = await start();
    const headers = { "x-gitlab-token": token };
    const push = await fetch(`${url}/gitlab/hooks`, {
      method: "POST",
      headers,
      body: '{"object_kind":"push"}',
    });
    expect(push.status).toBe(202);
  });
});
