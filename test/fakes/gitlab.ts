import { createHmac } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createGitStore, type Files, type GitStore } from "./git-store.ts";
import type { WebhookRequest } from "./github.ts";
import { page, startHttpRecorder, type ApiRequest, type HttpRecorder, type Reply } from "./http-recorder.ts";

export type GitlabUser = { id: number; username: string; name: string };
export type GitlabNote = {
  id: number;
  mergeRequest: string;
  author: GitlabUser;
  body: string;
  system: boolean;
};

type Project = {
  id: number;
  path: string;
  private: boolean;
  members: Map<number, number>;
  owner: GitlabUser | null;
};

type MergeRequest = {
  project: Project;
  iid: number;
  title: string;
  description: string | null;
  author: GitlabUser;
  state: "opened" | "closed" | "merged";
  draft: boolean;
  head: string;
  sourceProjectId: number;
  updates: number;
  /** Answers given without diff_refs before GitLab has prepared them. */
  unpreparedAnswers: number;
};

export type NewMergeRequest = {
  title?: string;
  description?: string | null;
  author: string;
  /** `"own"`: the author's fork; a username: that account's fork; null: a branch of the project. */
  fork?: string | null;
  draft?: boolean;
  unpreparedAnswers?: number;
  files: Files;
};

/** How the fake's webhook proves itself: a token in a header, or a Standard Webhooks signature. */
export type GitlabProof = { token: string } | { signing: string; at: Date };

/** GitLab as far as Tare uses it: state in memory, real git repositories behind, on loopback. */
export type GitlabFake = HttpRecorder & {
  token: string;
  git: GitStore;
  notes: GitlabNote[];
  /** Creates `group/name` with a first commit on main and returns that commit. */
  addProject(path: string, files: Files, options?: { private?: boolean }): string;
  /** GitLab's access level: 20 Reporter, 30 Developer, 40 Maintainer. */
  setAccessLevel(path: string, username: string, level: number): void;
  openMergeRequest(path: string, mergeRequest: NewMergeRequest): number;
  push(path: string, iid: number, files: Files): string;
  headOf(path: string, iid: number): string;
  addNote(path: string, iid: number, username: string, body: string): GitlabNote;
  notesOf(path: string, iid: number): GitlabNote[];
  event(
    path: string,
    iid: number,
    event: { action: string; oldrev?: string; id: string | null; proof: GitlabProof },
  ): WebhookRequest;
};

type State = {
  git: GitStore;
  users: Map<string, GitlabUser>;
  projects: Project[];
  mergeRequests: Map<string, MergeRequest>;
  notes: GitlabNote[];
  bot: GitlabUser;
  token: string;
};

export async function startGitlabFake(): Promise<GitlabFake> {
  const bot = { id: 900, username: "tare-bot", name: "Tare" };
  const state: State = {
    git: createGitStore(),
    users: new Map([[bot.username, bot]]),
    projects: [],
    mergeRequests: new Map(),
    notes: [],
    bot,
    token: "glpat-fake-token",
  };
  const recorder = await startHttpRecorder((url) => ({
    api: (request) => answerApi(state, url, request),
    git: (request, response, path, query) => answerGit(state, request, response, path, query),
  }));
  return {
    ...recorder,
    token: state.token,
    git: state.git,
    notes: state.notes,
    ...operations(state),
    async close() {
      await recorder.close();
      state.git.remove();
    },
  };
}

function userOf(state: State, username: string): GitlabUser {
  const user = state.users.get(username) ?? { id: 100 + state.users.size, username, name: username };
  state.users.set(username, user);
  return user;
}

function addProject(state: State, path: string, isPrivate: boolean, owner: GitlabUser | null): Project {
  const project = { id: 40 + state.projects.length, path, private: isPrivate, members: new Map(), owner };
  state.projects.push(project);
  return project;
}

function required<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new RangeError(`the fake has no ${what}`);
  return value;
}

type Operations = Omit<GitlabFake, keyof HttpRecorder | "token" | "git" | "notes">;

function operations(state: State): Operations {
  const projectOf = (path: string): Project =>
    required(
      state.projects.find((project) => project.path === path),
      path,
    );
  const mergeRequestOf = (path: string, iid: number): MergeRequest =>
    required(state.mergeRequests.get(`${path}!${iid}`), `${path}!${iid}`);
  return {
    addProject(path, files, options) {
      state.git.create(path);
      addProject(state, path, options?.private ?? false, null);
      return state.git.commit(path, "refs/heads/main", null, files);
    },
    setAccessLevel(path, username, level) {
      projectOf(path).members.set(userOf(state, username).id, level);
    },
    openMergeRequest: (path, mergeRequest) => openMergeRequest(state, projectOf(path), mergeRequest),
    push(path, iid, files) {
      const mergeRequest = mergeRequestOf(path, iid);
      const ref = `refs/merge-requests/${iid}/head`;
      mergeRequest.head = state.git.commit(path, ref, mergeRequest.head, files);
      mergeRequest.updates += 1;
      return mergeRequest.head;
    },
    headOf: (path, iid) => mergeRequestOf(path, iid).head,
    addNote: (path, iid, username, body) => pushNote(state, `${path}!${iid}`, userOf(state, username), body),
    notesOf: (path, iid) => state.notes.filter((note) => note.mergeRequest === `${path}!${iid}`),
    event(path, iid, event) {
      return webhook(eventBody(mergeRequestOf(path, iid), event.action, event.oldrev), event.id, event.proof);
    },
  };
}

function openMergeRequest(state: State, project: Project, wanted: NewMergeRequest): number {
  const iid = [...state.mergeRequests.values()].filter((other) => other.project === project).length + 1;
  const main = state.git.resolve(project.path, "refs/heads/main");
  const fork = wanted.fork === "own" ? wanted.author : wanted.fork;
  const source = fork
    ? addProject(state, `${fork}/fork${state.projects.length}`, false, userOf(state, fork))
    : project;
  state.mergeRequests.set(`${project.path}!${iid}`, {
    project,
    iid,
    title: wanted.title ?? "Edit",
    description: wanted.description ?? null,
    author: userOf(state, wanted.author),
    state: "opened",
    draft: wanted.draft ?? false,
    head: state.git.commit(project.path, `refs/merge-requests/${iid}/head`, main, wanted.files),
    sourceProjectId: source.id,
    updates: 0,
    unpreparedAnswers: wanted.unpreparedAnswers ?? 0,
  });
  return iid;
}

function eventBody(mergeRequest: MergeRequest, action: string, oldrev: string | undefined): string {
  const updatedAt = new Date(Date.UTC(2026, 0, 1) + mergeRequest.updates * 1000);
  return JSON.stringify({
    object_kind: "merge_request",
    event_type: "merge_request",
    user: { id: mergeRequest.author.id, username: mergeRequest.author.username },
    project: { id: mergeRequest.project.id, path_with_namespace: mergeRequest.project.path },
    object_attributes: {
      iid: mergeRequest.iid,
      action,
      state: mergeRequest.state,
      ...(oldrev === undefined ? {} : { oldrev }),
      // GitLab's own notation.
      updated_at: updatedAt
        .toISOString()
        .replace("T", " ")
        .replace(/\.\d+Z$/, " UTC"),
      last_commit: { id: mergeRequest.head },
    },
    changes: {},
  });
}

function webhook(body: string, id: string | null, proof: GitlabProof): WebhookRequest {
  const headers: Record<string, string> = {
    "content-type": "application/json",
    "x-gitlab-event": "Merge Request Hook",
    ...(id === null ? {} : { "idempotency-key": id }),
  };
  if ("token" in proof)
    return { method: "POST", headers: { ...headers, "x-gitlab-token": proof.token }, body };
  const timestamp = String(Math.floor(proof.at.getTime() / 1000));
  const key = Buffer.from(proof.signing.slice("whsec_".length), "base64");
  const signature = createHmac("sha256", key)
    .update(`${id ?? ""}.${timestamp}.${body}`)
    .digest("base64");
  return {
    method: "POST",
    headers: {
      ...headers,
      "webhook-id": id ?? "",
      "webhook-timestamp": timestamp,
      "webhook-signature": `v1,${signature}`,
    },
    body,
  };
}

function pushNote(state: State, mergeRequest: string, author: GitlabUser, body: string): GitlabNote {
  const note = { id: 7000 + state.notes.length, mergeRequest, author, body, system: false };
  state.notes.push(note);
  return note;
}

const notFound: Reply = { status: 404, body: { message: "404 Not found" } };

function answerApi(state: State, url: string, request: ApiRequest): Reply {
  if (request.headers["private-token"] !== state.token) {
    return { status: 401, body: { message: "401 Unauthorized" } };
  }
  if (request.path === "/api/v4/user") return { status: 200, body: state.bot };
  const [, id, rest = ""] = /^\/api\/v4\/projects\/([^/]+)\/?(.*)$/.exec(request.path) ?? [];
  const project = state.projects.find(
    (project) => String(project.id) === id || project.path === decodeURIComponent(id ?? ""),
  );
  if (!project) return notFound;
  if (rest === "") return { status: 200, body: projectJson(url, project) };
  const member = /^members\/all\/(\d+)$/.exec(rest)?.[1];
  if (member !== undefined) {
    const level = project.members.get(Number(member));
    if (level === undefined) return notFound;
    return { status: 200, body: { id: Number(member), state: "active", access_level: level } };
  }
  const [, iid, part, note] = /^merge_requests\/(\d+)(?:\/(diffs|notes)(?:\/(\d+))?)?$/.exec(rest) ?? [];
  const mergeRequest = state.mergeRequests.get(`${project.path}!${iid}`);
  if (!mergeRequest) return notFound;
  if (part === "notes") return answerNotes(state, url, mergeRequest, request, note);
  if (part === "diffs") return page(url, request, diffs(state, mergeRequest));
  return { status: 200, body: mergeRequestJson(state, mergeRequest) };
}

function projectJson(url: string, project: Project): object {
  return {
    id: project.id,
    path_with_namespace: project.path,
    visibility: project.private ? "private" : "public",
    http_url_to_repo: `${url}/${project.path}.git`,
    namespace: {
      kind: project.owner ? "user" : "group",
      path: project.path.split("/").slice(0, -1).join("/"),
    },
  };
}

function mergeRequestJson(state: State, mergeRequest: MergeRequest): object {
  const path = mergeRequest.project.path;
  const base = state.git.mergeBase(path, "refs/heads/main", mergeRequest.head);
  const unprepared = mergeRequest.unpreparedAnswers > 0;
  if (unprepared) mergeRequest.unpreparedAnswers -= 1;
  return {
    iid: mergeRequest.iid,
    title: mergeRequest.title,
    description: mergeRequest.description,
    author: mergeRequest.author,
    state: mergeRequest.state,
    draft: mergeRequest.draft,
    sha: mergeRequest.head,
    target_branch: "main",
    source_project_id: mergeRequest.sourceProjectId,
    target_project_id: mergeRequest.project.id,
    changes_count: unprepared ? null : String(diffs(state, mergeRequest).length),
    diff_refs: unprepared ? null : { base_sha: base, head_sha: mergeRequest.head, start_sha: base },
  };
}

function diffs(state: State, mergeRequest: MergeRequest): { old_path: string; new_path: string }[] {
  const path = mergeRequest.project.path;
  const base = state.git.mergeBase(path, "refs/heads/main", mergeRequest.head);
  return state.git
    .changedFiles(path, base, mergeRequest.head)
    .map((file) => ({ old_path: file.path, new_path: file.path }));
}

function noteJson({ id, author, body, system }: GitlabNote): object {
  return { id, author, body, system };
}

function answerNotes(
  state: State,
  url: string,
  mergeRequest: MergeRequest,
  request: ApiRequest,
  id: string | undefined,
): Reply {
  const key = `${mergeRequest.project.path}!${mergeRequest.iid}`;
  const notes = state.notes.filter((note) => note.mergeRequest === key);
  if (request.method === "GET") return page(url, request, notes.map(noteJson));
  const body = String(request.body["body"]);
  if (request.method === "POST")
    return { status: 201, body: noteJson(pushNote(state, key, state.bot, body)) };
  const note = notes.find((note) => note.id === Number(id));
  if (!note) return notFound;
  if (note.author.id !== state.bot.id) return { status: 403, body: { message: "403 Forbidden" } };
  note.body = body;
  return { status: 200, body: noteJson(note) };
}

/** git over HTTP: public projects for everybody, private ones with the token. */
function answerGit(
  state: State,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  query: string,
): boolean {
  const name = /^\/(?!api\/)(.+)\.git\//.exec(path)?.[1];
  if (name === undefined) return false;
  const project = state.projects.find((project) => project.path === name);
  const basic = /^Basic (.+)$/.exec(request.headers.authorization ?? "")?.[1];
  const password = Buffer.from(basic ?? "", "base64")
    .toString()
    .split(":")[1];
  const authorized = password === state.token;
  if (!project || (basic !== undefined && !authorized) || (project.private && !authorized)) {
    response.writeHead(401, { "www-authenticate": 'Basic realm="GitLab"' }).end();
    return true;
  }
  state.git.serve(request, response, path, query);
  return true;
}
