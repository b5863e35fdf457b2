import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawn } from "node:child_process";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { gitEnvironment } from "../../src/git/environment.ts";
import { fetchCommits } from "../../src/git/fetch-commits.ts";
import { readFiles } from "../../src/git/objects.ts";
import { openRepository, resolveTree } from "../../src/git/repository.ts";
import { sampleRepository } from "./sample-repository.ts";

let parent = "";
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), "sample-cache-"));
});
afterEach(async () => {
  await rm(parent, { recursive: true });
});

async function textAt(cacheDir: string, commit: string) {
  await using repository = await openRepository(cacheDir);
  const { tree } = await resolveTree(repository, commit);
  return (await readFiles(repository, tree, () => true)).map((file) => [file.path, file.content.toString()]);
}

/** git's own HTTP backend behind basic authentication. */
async function gitOverHttp(directory: string, authorization: string | null) {
  const seen: (string | undefined)[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    seen.push(request.headers.authorization);
    if (authorization !== null && request.headers.authorization !== authorization) {
      response.writeHead(401, { "www-authenticate": "Basic" }).end();
      return;
    }
    serve(directory, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { port, seen, [Symbol.asyncDispose]: async () => void server.close() };
}

function serve(directory: string, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? "/", "http://host");
  const header = (name: string) => String(request.headers[name] ?? "");
  const child = spawn("git", ["http-backend"], {
    env: gitEnvironment([], {
      GIT_PROJECT_ROOT: directory,
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method ?? "GET",
      CONTENT_TYPE: header("content-type"),
      HTTP_CONTENT_ENCODING: header("content-encoding"),
      GIT_PROTOCOL: header("git-protocol"),
    }),
  });
  request.pipe(child.stdin);
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.on("close", () => {
    const output = Buffer.concat(chunks);
    const end = output.indexOf("\r\n\r\n");
    const headers = output
      .toString("latin1", 0, end)
      .split("\r\n")
      .map((line) => line.split(": "));
    const status = headers.find(([name]) => name === "Status")?.[1];
    for (const [name, value] of headers)
      if (name && value && name !== "Status") response.setHeader(name, value);
    response.writeHead(Number.parseInt(status ?? "200", 10)).end(output.subarray(end + 4));
  });
}

describe("fetchCommits", () => {
  it("fetches by id and by ref from a path, and again without harm", async () => {
    await using sample = await sampleRepository([{ a: "1\n" }, { a: "2\n" }, { a: "3\n" }]);
    const cacheDir = join(parent, "cache");
    const [first = "", second = ""] = sample.commits;
    await fetchCommits({ cacheDir, url: sample.directory, refs: ["refs/heads/main"], shas: [first] });
    expect(await textAt(cacheDir, first)).toEqual([["a", "1\n"]]);
    expect(await textAt(cacheDir, "refs/tare/refs/heads/main")).toEqual([["a", "3\n"]]);
    await expect(textAt(cacheDir, second)).rejects.toMatchObject({ code: "revision-missing" });
    await Promise.all([
      fetchCommits({ cacheDir, url: `file://${sample.directory}`, refs: [], shas: [second] }),
      fetchCommits({ cacheDir, url: sample.directory, refs: ["refs/heads/main"], shas: [first, second] }),
    ]);
    expect(await textAt(cacheDir, second)).toEqual([["a", "2\n"]]);
    expect(await readdir(join(cacheDir, "hooks")).catch(() => [])).toEqual([]);
  });

  it("asks nobody where everything is there", async () => {
    await using sample = await sampleRepository([{ a: "1\n" }]);
    const cacheDir = join(parent, "cache");
    await fetchCommits({ cacheDir, url: sample.directory, refs: [], shas: sample.commits });
    await fetchCommits({ cacheDir, url: "http://127.0.0.1:1/nobody", refs: [], shas: sample.commits });
    expect(await textAt(cacheDir, sample.commits[0] ?? "")).toEqual([["a", "1\n"]]);
  });

  it("tells a commit that the remote lacks from a remote that does not answer", async () => {
    await using sample = await sampleRepository([{ a: "1\n" }]);
    const cacheDir = join(parent, "cache");
    const lost = "1234567890123456789012345678901234567890";
    await expect(
      fetchCommits({ cacheDir, url: sample.directory, refs: [], shas: [lost] }),
    ).rejects.toMatchObject({
      name: "Problem",
      code: "revision-missing",
      message: `${sample.directory} does not have ${lost}.`,
    });
    await expect(
      fetchCommits({
        cacheDir,
        url: "http://someone:hunter2secret@127.0.0.1:1/x.git",
        refs: [],
        shas: [lost],
      }),
    ).rejects.toSatisfy(
      (error: Error) => error.name === "Outage" && !error.message.includes("hunter2secret"),
    );
  });

  it("authenticates over HTTP without a word of it in argv or errors", async () => {
    await using sample = await sampleRepository([{ a: "1\n" }]);
    const header = `Authorization: Basic ${Buffer.from("x-access-token:s3cret-token").toString("base64")}`;
    await using server = await gitOverHttp(sample.directory, header.slice("Authorization: ".length));
    const url = `http://127.0.0.1:${server.port}/`;
    const cacheDir = join(parent, "cache");
    await fetchCommits({ cacheDir, url, refs: [], shas: sample.commits, header });
    expect(await textAt(cacheDir, sample.commits[0] ?? "")).toEqual([["a", "1\n"]]);
    expect(new Set(server.seen)).toEqual(new Set([header.slice("Authorization: ".length)]));
    const inUrl = url.replace("127", "x-access-token:s3cret-token@127");
    await fetchCommits({ cacheDir: join(parent, "other"), url: inUrl, refs: ["refs/heads/main"], shas: [] });
    await expect(
      fetchCommits({
        cacheDir: join(parent, "third"),
        url,
        refs: ["refs/heads/main"],
        shas: [],
        header: "Authorization: Basic d3Jvbmctb25l",
      }),
    ).rejects.toSatisfy((error: Error) => error.name === "Outage" && !error.message.includes("d3Jvbmctb25l"));
  });

  it.each([
    ["ext::sh -c touch% /tmp/pwned", "arguments"],
    ["ssh://host/x", "arguments"],
    ["git@host:x", "arguments"],
    ["--upload-pack=evil", "arguments"],
  ])("refuses the address %s", async (url, code) => {
    await expect(
      fetchCommits({ cacheDir: join(parent, "c"), url, refs: [], shas: [] }),
    ).rejects.toMatchObject({ code });
  });

  it.each([
    "--upload-pack=evil",
    "main",
    "refs/heads/a b",
    "refs/heads/a:refs/heads/b",
    "refs/../x",
    "refs/heads/*",
  ])("refuses the ref %s", async (ref) => {
    await expect(
      fetchCommits({ cacheDir: join(parent, "c"), url: "/nowhere", refs: [ref], shas: [] }),
    ).rejects.toMatchObject({ code: "revision-missing" });
  });
});
