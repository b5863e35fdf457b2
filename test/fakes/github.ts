import { createHmac, createPublicKey, generateKeyPairSync, verify, type KeyObject } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createGitStore, type Files, type GitStore } from "./git-store.ts";
import { allowed } from "./github-permissions.ts";
import { page, startHttpRecorder, type ApiRequest, type HttpRecorder, type Reply } from "./http-recorder.ts";

export type GithubUser = { id: number; login: string; type: "User" | "Bot" };
export type GithubComment = { id: number; pull: string; user: GithubUser; body: string };

type Pull = {
  repository: string;
  number: number;
  title: string;
  body: string | null;
  user: GithubUser;
  state: "open" | "closed";
  draft: boolean;
  head: string;
  /** Owner of the fork that holds the branch; null for a branch of the repository itself. */
  fork: GithubUser | null;
  updates: number;
};

type Repository = {
  id: number;
  path: string;
  main: string;
  private: boolean;
  permissions: Map<string, string>;
};
type Token = { permissions: Record<string, string>; repositoryIds: number[] | null };

export type NewPull = {
  title?: string;
  body?: string | null;
  author: string;
  /** `"own"`: the author's fork; a login: that account's fork; null: a branch of the repository. */
  fork?: string | null;
  draft?: boolean;
  files: Files;
};

/** GitHub as far as Tare uses it: state in memory, real git repositories behind, on loopback. */
export type GithubFake = HttpRecorder & {
  app: { id: number; slug: string; privateKey: string; installationId: number };
  git: GitStore;
  comments: GithubComment[];
  /** Creates `owner/name` with a first commit on main and returns that commit. */
  addRepository(path: string, files: Files, options?: { private?: boolean }): string;
  /** `admin`, `write`, `read` or `none`; an account without one is unknown to the repository. */
  setPermission(path: string, login: string, permission: string): void;
  /** Opens a pull request from main with one commit and returns its number. */
  openPull(path: string, pull: NewPull): number;
  /** Pushes one more commit to the pull request and returns it. */
  push(path: string, number: number, files: Files): string;
  closePull(path: string, number: number): void;
  headOf(path: string, number: number): string;
  addComment(path: string, number: number, login: string, body: string, type?: "User" | "Bot"): GithubComment;
  commentsOf(path: string, number: number): GithubComment[];
  /** The event as GitHub would send it: headers with id and signature, and the raw body. */
  event(
    path: string,
    number: number,
    action: string,
    options: { secret: string; delivery: string },
  ): WebhookRequest;
};

export type WebhookRequest = { method: "POST"; headers: Record<string, string>; body: string };

export async function startGithubFake(options: {
  /** The App's permissions, as in app.yml. */
  permissions: Record<string, string>;
  slug?: string;
}): Promise<GithubFake> {
  nextAppId += 1;
  const app = {
    id: nextAppId,
    slug: options.slug ?? "tare",
    privateKey: keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    installationId: 77,
  };
  const state = createState(app.slug);
  const api = (url: string) => ({
    api: (request: ApiRequest): Reply =>
      answerApi({ ...options, app, publicKey: keys.publicKey, state, url }, request),
    git: (request: IncomingMessage, response: ServerResponse, path: string, query: string): boolean =>
      answerGit(state, request, response, path, query),
  });
  const recorder = await startHttpRecorder(api);
  return {
    ...recorder,
    app,
    git: state.git,
    comments: state.comments,
    ...operations(state, app.installationId),
    async close() {
      await recorder.close();
      state.git.remove();
    },
  };
}

// One pair for all: making one takes a tenth of a second.
const keys = generateKeyPairSync("rsa", { modulusLength: 2048 });

// Each fake is another App, so that the client's pace of one does not slow the next.
let nextAppId = 1000;

type State = {
  git: GitStore;
  users: Map<string, GithubUser>;
  repositories: Map<string, Repository>;
  pulls: Map<string, Pull>;
  comments: GithubComment[];
  tokens: Map<string, Token>;
  bot: GithubUser;
};

function createState(slug: string): State {
  const bot: GithubUser = { id: 900, login: `${slug}[bot]`, type: "Bot" };
  return {
    git: createGitStore(),
    users: new Map([[bot.login, bot]]),
    repositories: new Map(),
    pulls: new Map(),
    comments: [],
    tokens: new Map(),
    bot,
  };
}

function userOf(state: State, login: string, type: "User" | "Bot" = "User"): GithubUser {
  const user = state.users.get(login) ?? { id: 100 + state.users.size, login, type };
  state.users.set(login, user);
  return user;
}

function required<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new RangeError(`the fake has no ${what}`);
  return value;
}

type Operations = Omit<GithubFake, keyof HttpRecorder | "app" | "git" | "comments">;

function operations(state: State, installationId: number): Operations {
  const pullOf = (path: string, number: number): Pull =>
    required(state.pulls.get(`${path}#${number}`), `${path}#${number}`);
  return {
    addRepository(path, files, options) {
      state.git.create(path);
      const main = state.git.commit(path, "refs/heads/main", null, files);
      const id = 500 + state.repositories.size;
      const isPrivate = options?.private ?? false;
      state.repositories.set(path, { id, path, main, private: isPrivate, permissions: new Map() });
      return main;
    },
    setPermission(path, login, permission) {
      userOf(state, login);
      required(state.repositories.get(path), path).permissions.set(login, permission);
    },
    openPull(path, pull) {
      const number = [...state.pulls.values()].filter((other) => other.repository === path).length + 1;
      const main = state.git.resolve(path, "refs/heads/main");
      const fork = pull.fork === "own" ? pull.author : (pull.fork ?? null);
      state.pulls.set(`${path}#${number}`, {
        repository: path,
        number,
        title: pull.title ?? "Edit",
        body: pull.body ?? null,
        user: userOf(state, pull.author),
        state: "open",
        draft: pull.draft ?? false,
        head: state.git.commit(path, `refs/pull/${number}/head`, main, pull.files),
        fork: fork === null ? null : userOf(state, fork),
        updates: 0,
      });
      return number;
    },
    push(path, number, files) {
      const pull = pullOf(path, number);
      pull.head = state.git.commit(path, `refs/pull/${number}/head`, pull.head, files);
      pull.updates += 1;
      return pull.head;
    },
    closePull(path, number) {
      pullOf(path, number).state = "closed";
    },
    headOf: (path, number) => pullOf(path, number).head,
    addComment(path, number, login, body, type) {
      return pushComment(state, `${path}#${number}`, userOf(state, login, type), body);
    },
    commentsOf: (path, number) => state.comments.filter((comment) => comment.pull === `${path}#${number}`),
    event(path, number, action, options) {
      const pull = pullOf(path, number);
      const payload = {
        action,
        number,
        pull_request: pullJson("http://github.fake", state, pull),
        repository: repositoryJson("http://github.fake", required(state.repositories.get(path), path)),
        installation: { id: installationId },
        sender: pull.user,
      };
      return signed("pull_request", JSON.stringify(payload), options);
    },
  };
}

/** Any body as a delivery, signed with this secret. */
export function signed(
  event: string,
  body: string,
  options: { secret: string; delivery: string },
): WebhookRequest {
  const signature = createHmac("sha256", options.secret).update(body).digest("hex");
  return {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "user-agent": "GitHub-Hookshot/fake",
      "x-github-event": event,
      "x-github-delivery": options.delivery,
      "x-hub-signature-256": `sha256=${signature}`,
    },
    body,
  };
}

function pushComment(state: State, pull: string, user: GithubUser, body: string): GithubComment {
  const comment = { id: 3000 + state.comments.length, pull, user, body };
  state.comments.push(comment);
  return comment;
}

function repositoryJson(url: string, repository: Repository): object {
  const [owner = "", name = ""] = repository.path.split("/");
  return {
    id: repository.id,
    name,
    full_name: repository.path,
    private: repository.private,
    owner: { id: 50, login: owner, type: "Organization" },
    clone_url: `${url}/${repository.path}.git`,
  };
}

function pullJson(url: string, state: State, pull: Pull): object {
  const repository = required(state.repositories.get(pull.repository), pull.repository);
  const own = repositoryJson(url, repository);
  const head = pull.fork ? { id: 10_000 + pull.fork.id, name: "fork", owner: pull.fork } : own;
  const main = state.git.resolve(pull.repository, "refs/heads/main");
  return {
    number: pull.number,
    title: pull.title,
    body: pull.body,
    user: pull.user,
    state: pull.state,
    draft: pull.draft,
    updated_at: new Date(Date.UTC(2026, 0, 1) + pull.updates * 1000).toISOString(),
    base: { ref: "main", sha: main, repo: own },
    head: { ref: "edit", sha: pull.head, repo: head },
  };
}

type Context = {
  permissions: Record<string, string>;
  app: GithubFake["app"];
  publicKey: KeyObject;
  state: State;
  url: string;
};

const notFound: Reply = { status: 404, body: { message: "Not Found" } };

function answerApi(context: Context, request: ApiRequest): Reply {
  if (request.path.startsWith("/app")) return answerAsApp(context, request);
  const [, owner, repo, rest = ""] = /^\/repos\/([^/]+)\/([^/]+)\/(.*)$/.exec(request.path) ?? [];
  const repository = context.state.repositories.get(`${owner}/${repo}`);
  if (!repository) return notFound;
  const bearer = /^(?:token|bearer) (.+)$/i.exec(request.headers.authorization ?? "")?.[1] ?? "";
  const token = context.state.tokens.get(bearer);
  if (!token) return { status: 401, body: { message: "Bad credentials" } };
  if (token.repositoryIds && !token.repositoryIds.includes(repository.id)) return notFound;
  if (!allowed(request.method, request.path, token.permissions)) {
    return { status: 403, body: { message: "Resource not accessible by integration" } };
  }
  return answerRepository(context, repository, request, rest);
}

function answerAsApp(context: Context, request: ApiRequest): Reply {
  if (!isAppToken(context, request.headers.authorization ?? "")) {
    return { status: 401, body: { message: "A JSON web token could not be decoded" } };
  }
  if (request.method === "GET" && request.path === "/app") {
    return { status: 200, body: { id: context.app.id, slug: context.app.slug, name: "Tare" } };
  }
  const installation = /^\/app\/installations\/(\d+)\/access_tokens$/.exec(request.path)?.[1];
  if (request.method !== "POST" || Number(installation) !== context.app.installationId) return notFound;
  const asked = (request.body["permissions"] ?? context.permissions) as Record<string, string>;
  const excess = Object.entries(asked).some(([name, access]) => {
    const granted = context.permissions[name];
    return granted !== "write" && granted !== access;
  });
  if (excess) return { status: 422, body: { message: "The permissions requested are not granted" } };
  const token = `ghs_fake${context.state.tokens.size}`;
  const repositoryIds = (request.body["repository_ids"] ?? null) as number[] | null;
  // Every installation token can read metadata.
  context.state.tokens.set(token, { permissions: { metadata: "read", ...asked }, repositoryIds });
  const expires = new Date(Date.now() + 3_600_000).toISOString();
  return {
    status: 201,
    body: {
      token,
      expires_at: expires,
      permissions: asked,
      repository_selection: repositoryIds ? "selected" : "all",
    },
  };
}

function isAppToken(context: Context, authorization: string): boolean {
  const [header = "", claims = "", signature = ""] = authorization.replace(/^bearer /i, "").split(".");
  const input = Buffer.from(`${header}.${claims}`);
  const key = createPublicKey(context.publicKey.export({ type: "spki", format: "pem" }));
  if (!verify("sha256", input, key, Buffer.from(signature, "base64url"))) return false;
  const { iss } = JSON.parse(Buffer.from(claims, "base64url").toString()) as { iss: unknown };
  return Number(iss) === context.app.id;
}

function answerRepository(
  context: Context,
  repository: Repository,
  request: ApiRequest,
  rest: string,
): Reply {
  const { state, url } = context;
  const login = /^collaborators\/([^/]+)\/permission$/.exec(rest)?.[1];
  if (login !== undefined) {
    const user = state.users.get(decodeURIComponent(login));
    if (!user) return notFound;
    const permission = repository.permissions.get(user.login) ?? (repository.private ? "none" : "read");
    return { status: 200, body: { permission, role_name: permission, user } };
  }
  const range = /^compare\/([0-9a-f]+)\.\.\.([0-9a-f]+)$/.exec(decodeURIComponent(rest));
  if (range) {
    const base = state.git.mergeBase(repository.path, range[1] ?? "", range[2] ?? "");
    return { status: 200, body: { merge_base_commit: { sha: base }, commits: [], files: [] } };
  }
  const edited = /^issues\/comments\/(\d+)$/.exec(rest)?.[1];
  if (edited !== undefined) return editComment(state, Number(edited), request);
  const [, , number, part] = /^(pulls|issues)\/(\d+)(?:\/(files|comments))?$/.exec(rest) ?? [];
  const pull = state.pulls.get(`${repository.path}#${number}`);
  if (!pull) return notFound;
  if (part === "comments") return answerComments(context, pull, request);
  if (part !== "files") return { status: 200, body: pullJson(url, state, pull) };
  const base = state.git.mergeBase(repository.path, "refs/heads/main", pull.head);
  const files = state.git.changedFiles(repository.path, base, pull.head);
  return page(
    url,
    request,
    files.map(({ path, status }) => ({ filename: path, status })),
  );
}

function commentJson({ id, user, body }: GithubComment): object {
  return { id, user, body };
}

function answerComments({ state, url }: Context, pull: Pull, request: ApiRequest): Reply {
  const key = `${pull.repository}#${pull.number}`;
  if (request.method === "GET") {
    return page(url, request, state.comments.filter((comment) => comment.pull === key).map(commentJson));
  }
  const body = String(request.body["body"]);
  if (body.length > 65_536) return { status: 422, body: { message: "Body is too long" } };
  return { status: 201, body: commentJson(pushComment(state, key, state.bot, body)) };
}

function editComment(state: State, id: number, request: ApiRequest): Reply {
  const comment = state.comments.find((comment) => comment.id === id);
  if (!comment) return notFound;
  if (comment.user.id !== state.bot.id) return { status: 403, body: { message: "Not yours" } };
  comment.body = String(request.body["body"]);
  return { status: 200, body: commentJson(comment) };
}

/** git over HTTP: public repositories for everybody, private ones for a token that may read contents. */
function answerGit(
  state: State,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  query: string,
): boolean {
  const name = /^\/([^/]+\/[^/]+)\.git\//.exec(path)?.[1];
  if (name === undefined) return false;
  const repository = state.repositories.get(name);
  const basic = /^Basic (.+)$/.exec(request.headers.authorization ?? "")?.[1];
  const [user, password = ""] = Buffer.from(basic ?? "", "base64")
    .toString()
    .split(":");
  const token = user === "x-access-token" ? state.tokens.get(password) : undefined;
  const authorized =
    token !== undefined &&
    repository !== undefined &&
    (token.repositoryIds === null || token.repositoryIds.includes(repository.id)) &&
    allowed(request.method ?? "GET", path, token.permissions) === true;
  if (!repository || (basic !== undefined && !authorized) || (repository.private && !authorized)) {
    response.writeHead(401, { "www-authenticate": 'Basic realm="GitHub"' }).end();
    return true;
  }
  state.git.serve(request, response, path, query);
  return true;
}
