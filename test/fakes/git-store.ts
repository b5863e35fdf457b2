import { execFileSync, spawn } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A file's new text by path; null deletes it. */
export type Files = Record<string, string | null>;

export type ChangedFile = { status: "added" | "modified" | "removed"; path: string };

/** Real bare repositories in a temporary directory, served by `git http-backend`. Commits have fixed dates and so fixed ids. */
export type GitStore = {
  directory(repository: string): string;
  create(repository: string): void;
  /** Fetches everything of another repository on disk. */
  copyFrom(repository: string, source: string, refspecs: readonly string[]): void;
  /** Commits on top of `parent` and points `ref` to it; returns the commit. */
  commit(repository: string, ref: string, parent: string | null, files: Files): string;
  point(repository: string, ref: string, commit: string): void;
  resolve(repository: string, revision: string): string;
  mergeBase(repository: string, one: string, other: string): string;
  changedFiles(repository: string, base: string, head: string): ChangedFile[];
  /** Answers a request of git's smart protocol; `path` is `/repository.git/info/refs` and the like. */
  serve(request: IncomingMessage, response: ServerResponse, path: string, query: string): void;
  remove(): void;
};

const environment = {
  PATH: process.env["PATH"] ?? "/usr/bin:/bin",
  HOME: "/nonexistent",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
};

export function createGitStore(): GitStore {
  const root = mkdtempSync(join(tmpdir(), "tare-forge-"));
  const directory = (repository: string): string => join(root, `${repository}.git`);
  const git = (repository: string, argv: readonly string[], input?: string): string =>
    execFileSync("git", ["--git-dir", directory(repository), ...argv], {
      env: environment,
      encoding: "utf8",
      ...(input === undefined ? {} : { input }),
    }).trim();

  // Starting git again and again is what would make the stories slow.
  const memory = new Map<string, string>();
  const remembered = (repository: string, argv: readonly string[]): string => {
    const key = [repository, ...argv].join(" ");
    const known = memory.get(key) ?? git(repository, argv);
    memory.set(key, known);
    return known;
  };
  const resolve = (repository: string, revision: string): string => {
    if (/^[0-9a-f]{40}$/.test(revision)) return revision;
    const loose = join(directory(repository), revision);
    if (revision.startsWith("refs/") && existsSync(loose)) return readFileSync(loose, "utf8").trim();
    return git(repository, ["rev-parse", "--verify", `${revision}^{commit}`]);
  };

  return {
    directory,
    create(repository) {
      mkdirSync(directory(repository), { recursive: true });
      git(repository, ["init", "--quiet", "--bare", "--initial-branch=main"]);
      // As the forges do: any commit can be asked for by id.
      const serving = "[uploadpack]\n\tallowAnySHA1InWant = true\n\tallowFilter = true\n";
      appendFileSync(join(directory(repository), "config"), serving);
    },
    copyFrom(repository, source, refspecs) {
      git(repository, ["fetch", "--quiet", source, ...refspecs]);
    },
    commit(repository, ref, parent, files) {
      git(repository, ["fast-import", "--quiet", "--force"], importStream(ref, parent, files));
      return resolve(repository, ref);
    },
    point: (repository, ref, commit) => void git(repository, ["update-ref", ref, commit]),
    resolve,
    mergeBase: (repository, one, other) =>
      remembered(repository, ["merge-base", resolve(repository, one), resolve(repository, other)]),
    changedFiles(repository, base, head) {
      const lines = remembered(repository, ["diff", "--no-renames", "--name-status", base, head]).split("\n");
      return lines.filter(Boolean).map((line) => {
        const [letter, path = ""] = line.split("\t");
        return { status: letter === "A" ? "added" : letter === "D" ? "removed" : "modified", path };
      });
    },
    serve: (request, response, path, query) => serveGit(root, request, response, path, query),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

function importStream(ref: string, parent: string | null, files: Files): string {
  const changes = Object.entries(files).map(([path, text]) =>
    text === null ? `D ${path}` : `M 100644 inline ${path}\ndata ${Buffer.byteLength(text)}\n${text}`,
  );
  return [
    `commit ${ref}`,
    "committer Fixed <fixed@example.org> 1700000000 +0000",
    "data 5",
    "Edit",
    ...(parent ? [`from ${parent}`] : []),
    ...changes,
    "",
  ].join("\n");
}

function serveGit(
  root: string,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  query: string,
): void {
  const child = spawn("git", ["http-backend"], {
    env: {
      ...environment,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: path,
      QUERY_STRING: query,
      REQUEST_METHOD: request.method ?? "GET",
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
      GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
      ...(request.headers["content-length"] ? { CONTENT_LENGTH: request.headers["content-length"] } : {}),
    },
    stdio: ["pipe", "pipe", "ignore"],
  });
  request.pipe(child.stdin);
  child.stdin.on("error", () => {});
  let head: Buffer = Buffer.alloc(0);
  let started = false;
  child.stdout.on("data", (chunk: Buffer) => {
    head = started ? chunk : Buffer.concat([head, chunk]);
    const end = started ? 0 : head.indexOf("\r\n\r\n");
    if (!started && end >= 0) startResponse(response, head.subarray(0, end).toString("latin1"));
    if (started) response.write(head);
    else if (end >= 0) response.write(head.subarray(end + 4));
    started ||= end >= 0;
  });
  child.on("close", () => response.end());
}

function startResponse(response: ServerResponse, head: string): void {
  let status = 200;
  for (const line of head.split("\r\n")) {
    const [name = "", value = ""] = line.split(/:\s*/, 2);
    if (name.toLowerCase() === "status") status = Number.parseInt(value, 10);
    else response.setHeader(name, value);
  }
  response.writeHead(status);
}
