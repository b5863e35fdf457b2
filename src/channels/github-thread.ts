import { RequestError, type App, type Octokit } from "octokit";
import { z } from "zod";
import type { Trust } from "../domain/change.ts";
import { FINAL_STATUSES } from "./final-statuses.ts";
import { retryAfterMs } from "./retry-after.ts";
import type { Secrets } from "../lib/secrets.ts";
import type { ForgeChange, ForgeThread, ReadChange, Thread } from "./types.ts";

/** Where a pull request is. */
export type PullReference = {
  installationId: number;
  repositoryId: number;
  owner: string;
  repo: string;
  number: number;
};

type Pull = Awaited<ReturnType<Octokit["rest"]["pulls"]["get"]>>["data"];

/** GitHub lists at most this many files of a pull request. */
const maxListedFiles = 3000;
/** 65,536 are allowed; some room for what GitHub counts otherwise. */
const maxCommentChars = 60_000;

/** One pull request, read and answered with the installation's token. */
export function createGithubThread(app: App, at: PullReference, secrets: Pick<Secrets, "add">): ForgeThread {
  const client = (): Promise<Octokit> => app.getInstallationOctokit(at.installationId);
  const pull = async (): Promise<Pull> => {
    const octokit = await client();
    const { data } = await octokit.rest.pulls.get({ owner: at.owner, repo: at.repo, pull_number: at.number });
    return data;
  };
  return {
    async read() {
      const data = await pull();
      if (data.state !== "open") return { skip: "the pull request is closed" };
      if (data.draft) return { skip: "the pull request is a draft" };
      return readPull(await client(), at, data, secrets);
    },
    async currentHead() {
      const data = await pull();
      return data.state === "open" ? data.head.sha : null;
    },
    thread: async () => createThread(app, await client(), at),
    // octokit gives a failed connection the status 500.
    transient: (error) => error instanceof RequestError && (error.status >= 500 || error.status === 429),
    final: (error) =>
      error instanceof RequestError && FINAL_STATUSES.has(error.status) && !isRateLimit(error),
    retryAfterMs(error) {
      if (!(error instanceof RequestError)) return null;
      if (error.status !== 429 && !(error.status === 403 && isRateLimit(error))) return null;
      return retryAfterMs(error.response?.headers ?? {});
    },
  };
}

/** GitHub says 403 as well where it asks to slow down. */
function isRateLimit({ response }: RequestError): boolean {
  const headers = response?.headers ?? {};
  return headers["retry-after"] !== undefined || headers["x-ratelimit-remaining"] === "0";
}

async function readPull(
  octokit: Octokit,
  at: PullReference,
  pull: Pull,
  secrets: Pick<Secrets, "add">,
): Promise<ReadChange> {
  const { owner, repo } = at;
  const files = await octokit.paginate(octokit.rest.pulls.listFiles, {
    owner,
    repo,
    pull_number: at.number,
    per_page: 100,
  });
  return {
    head: pull.head.sha,
    paths: files.flatMap((file) =>
      file.previous_filename ? [file.previous_filename, file.filename] : [file.filename],
    ),
    pathsComplete: files.length < maxListedFiles,
    async change() {
      const { data: comparison } = await octokit.rest.repos.compareCommitsWithBasehead({
        owner,
        repo,
        basehead: `${pull.base.sha}...${pull.head.sha}`,
        per_page: 1,
      });
      const authorization = await gitAuthorization(octokit, at, secrets);
      // Last, so that it is the newest fact when the line decides.
      const trust = await trustOf(octokit, at, pull);
      return toChange(at, pull, { base: comparison.merge_base_commit.sha, trust, authorization });
    },
  };
}

function toChange(
  at: PullReference,
  pull: Pull,
  facts: { base: string; trust: Trust; authorization: string },
): ForgeChange {
  return {
    channel: "github",
    id: `${at.owner}/${at.repo}#${at.number}`,
    title: pull.title,
    author: { name: pull.user.login, login: pull.user.login, address: "" },
    message: pull.body ?? "",
    trust: facts.trust,
    cloneUrl: pull.base.repo.clone_url,
    authorization: facts.authorization,
    base: { ref: `refs/heads/${pull.base.ref}`, commit: facts.base },
    head: { ref: `refs/pull/${at.number}/head`, commit: pull.head.sha },
    projectPath: `${at.owner}/${at.repo}`,
  };
}

/**
 * Trusted: the author may write here, and the head's branch is here or in his own account.
 * A branch in somebody else's fork can be pushed to by others, whoever opened the pull request.
 */
async function trustOf(octokit: Octokit, at: PullReference, pull: Pull): Promise<Trust> {
  const home = pull.head.repo;
  if (!home || (home.id !== pull.base.repo.id && home.owner.id !== pull.user.id)) return "stranger";
  try {
    const { data } = await octokit.rest.repos.getCollaboratorPermissionLevel({
      owner: at.owner,
      repo: at.repo,
      username: pull.user.login,
    });
    return data.permission === "admin" || data.permission === "write" ? "trusted" : "stranger";
  } catch (error) {
    if (error instanceof RequestError && error.status === 404) return "stranger";
    throw error;
  }
}

/** A token of its own for git: this repository only, reading only. */
async function gitAuthorization(
  octokit: Octokit,
  at: PullReference,
  secrets: Pick<Secrets, "add">,
): Promise<string> {
  const authentication = await octokit.auth({
    type: "installation",
    repositoryIds: [at.repositoryId],
    permissions: { contents: "read" },
  });
  const { token } = z.object({ token: z.string() }).parse(authentication);
  secrets.add(token);
  return `Basic ${Buffer.from(`x-access-token:${token}`).toString("base64")}`;
}

async function createThread(app: App, octokit: Octokit, at: PullReference): Promise<Thread> {
  const { owner, repo } = at;
  const login = await ownLogin(app);
  return {
    maxChars: maxCommentChars,
    safe: (body) => body,
    async list() {
      const comments = await octokit.paginate(octokit.rest.issues.listComments, {
        owner,
        repo,
        issue_number: at.number,
        per_page: 100,
      });
      return comments.map(({ id, body, user }) => ({ id, body: body ?? "", mine: user?.login === login }));
    },
    async create(body) {
      // Not retried by the client: a 502 may hide a comment that was made.
      await octokit.rest.issues.createComment({
        owner,
        repo,
        issue_number: at.number,
        body,
        request: { retries: 0 },
      });
    },
    async update(id, body) {
      await octokit.rest.issues.updateComment({ owner, repo, comment_id: id, body });
    },
  };
}

const logins = new WeakMap<App, string>();

/** The App's account: its slug and `[bot]`, which no person can have. */
async function ownLogin(app: App): Promise<string> {
  const known = logins.get(app);
  if (known) return known;
  const { data } = await app.octokit.rest.apps.getAuthenticated();
  const slug = data?.slug;
  if (!slug) throw new TypeError("GitHub does not tell the App's slug");
  logins.set(app, `${slug}[bot]`);
  return `${slug}[bot]`;
}
