import {
  AccessLevel,
  GitbeakerRequestError,
  GitbeakerRetryError,
  GitbeakerTimeoutError,
  type ExpandedMergeRequestSchema,
  type Gitlab,
} from "@gitbeaker/rest";
import type { Trust } from "../domain/change.ts";
import { Outage } from "../domain/problem.ts";
import { FINAL_STATUSES } from "./final-statuses.ts";
import { retryAfterMs } from "./retry-after.ts";
import { fetchWithDeadline } from "./fetch-with-deadline.ts";
import { retry } from "./retry.ts";
import type { ForgeChange, ForgeThread, ReadChange, Thread } from "./types.ts";
import { withoutQuickActions } from "./without-quick-actions.ts";

export type GitlabClient = InstanceType<typeof Gitlab<false>>;

/** The bot's account. The token is secret. */
export type GitlabAccount = { url: string; token: string };

/** Where a merge request is: the project's id and the number in it. */
export type MergeRequestReference = { projectId: number; iid: number };

type MergeRequest = ExpandedMergeRequestSchema;

/** About 1,000,000 are allowed. */
const maxNoteChars = 900_000;

/** One merge request, read and answered with the bot's token. */
export function createGitlabThread(
  client: GitlabClient,
  account: GitlabAccount,
  at: MergeRequestReference,
): ForgeThread {
  return {
    async read() {
      const mergeRequest = await prepared(client, at);
      if (mergeRequest.state !== "opened") return { skip: "the merge request is not open" };
      if (mergeRequest.draft) return { skip: "the merge request is a draft" };
      return readMergeRequest(client, account.token, at, mergeRequest);
    },
    async currentHead() {
      const mergeRequest = await again(() => client.MergeRequests.show(at.projectId, at.iid));
      return mergeRequest.state === "opened" ? mergeRequest.sha : null;
    },
    thread: () => createThread(client, account, at),
    transient,
    final: (error) => FINAL_STATUSES.has(statusOf(error) ?? 0),
    retryAfterMs: (error) => (statusOf(error) === 429 ? retryAfterMs(headersOf(error)) : null),
  };
}

async function readMergeRequest(
  client: GitlabClient,
  token: string,
  at: MergeRequestReference,
  mergeRequest: MergeRequest,
): Promise<ReadChange> {
  const diffs = await again(() => client.MergeRequests.allDiffs(at.projectId, at.iid, { perPage: 100 }));
  return {
    head: mergeRequest.diff_refs.head_sha,
    paths: diffs.flatMap((diff) =>
      diff.old_path === diff.new_path ? [diff.new_path] : [diff.old_path, diff.new_path],
    ),
    // "1000+" where GitLab stopped counting.
    pathsComplete: !mergeRequest.changes_count?.endsWith("+"),
    async change() {
      const project = await again(() => client.Projects.show(at.projectId));
      const trust = await trustOf(client, at, mergeRequest);
      return toChange(at, mergeRequest, {
        path: project.path_with_namespace,
        cloneUrl: project.http_url_to_repo,
        trust,
        // The token may do more than read: git gets it only where it must.
        authorization:
          project.visibility === "public"
            ? null
            : `Basic ${Buffer.from(`oauth2:${token}`).toString("base64")}`,
      });
    },
  };
}

/** GitLab computes base and head of a new merge request a moment after it sent the event. */
async function prepared(client: GitlabClient, at: MergeRequestReference): Promise<MergeRequest> {
  const show = async (): Promise<MergeRequest> => {
    const mergeRequest = await client.MergeRequests.show(at.projectId, at.iid);
    // Null at first, whatever the client's types say.
    const refs: Partial<MergeRequest["diff_refs"]> | null = mergeRequest.diff_refs;
    if (!refs?.base_sha || !refs.head_sha) {
      throw new Outage(`GitLab has not prepared merge request ${at.iid} yet`, "Deliver the event again.");
    }
    return mergeRequest;
  };
  return retry(show, { transient: (error) => error instanceof Outage || transient(error) });
}

function toChange(
  at: MergeRequestReference,
  mergeRequest: MergeRequest,
  facts: { path: string; cloneUrl: string; trust: Trust; authorization: string | null },
): ForgeChange {
  return {
    channel: "gitlab",
    id: `${facts.path}!${at.iid}`,
    title: mergeRequest.title,
    author: { name: mergeRequest.author.name, login: mergeRequest.author.username, address: "" },
    message: mergeRequest.description ?? "",
    trust: facts.trust,
    cloneUrl: facts.cloneUrl,
    authorization: facts.authorization,
    base: { ref: `refs/heads/${mergeRequest.target_branch}`, commit: mergeRequest.diff_refs.base_sha },
    head: { ref: `refs/merge-requests/${at.iid}/head`, commit: mergeRequest.diff_refs.head_sha },
    projectPath: facts.path,
  };
}

/**
 * Trusted: the author is at least a Developer here, and the head's branch is here or in his own namespace.
 * A branch in somebody else's fork can be pushed to by others, whoever opened the merge request.
 */
async function trustOf(
  client: GitlabClient,
  at: MergeRequestReference,
  mergeRequest: MergeRequest,
): Promise<Trust> {
  if (mergeRequest.source_project_id !== at.projectId && !(await isOwnFork(client, mergeRequest))) {
    return "stranger";
  }
  const member = await found(() =>
    client.ProjectMembers.show(at.projectId, mergeRequest.author.id, { includeInherited: true }),
  );
  // A Developer is the first who may push.
  return member?.state === "active" && member.access_level >= AccessLevel.DEVELOPER ? "trusted" : "stranger";
}

async function isOwnFork(client: GitlabClient, mergeRequest: MergeRequest): Promise<boolean> {
  // Null once the fork is deleted.
  const source: number | null = mergeRequest.source_project_id;
  const fork = source === null ? null : await found(() => client.Projects.show(source));
  return fork?.namespace.kind === "user" && fork.namespace.path === mergeRequest.author.username;
}

async function createThread(
  client: GitlabClient,
  account: GitlabAccount,
  at: MergeRequestReference,
): Promise<Thread> {
  const self = await again(() => client.Users.showCurrentUser());
  return {
    maxChars: maxNoteChars,
    safe: withoutQuickActions,
    async list() {
      const notes = await client.MergeRequestNotes.all(at.projectId, at.iid, {
        sort: "asc",
        orderBy: "created_at",
        perPage: 100,
      });
      return notes
        .filter((note) => !note.system)
        .map(({ id, body, author }) => ({ id, body, mine: author.id === self.id }));
    },
    async create(body) {
      await writeNote(account, at, { method: "POST", body });
    },
    async update(id, body) {
      await writeNote(account, at, { method: "PUT", id, body });
    },
  };
}

/** Not by the client, which repeats a request that a proxy answered for: a 502 may hide a note that was made. */
async function writeNote(
  { url, token }: GitlabAccount,
  { projectId, iid }: MergeRequestReference,
  { method, id, body }: { method: "POST" | "PUT"; id?: number; body: string },
): Promise<void> {
  const notes = `${url}/api/v4/projects/${projectId}/merge_requests/${iid}/notes`;
  const response = await fetchWithDeadline(30_000)(id === undefined ? notes : `${notes}/${id}`, {
    method,
    headers: { "private-token": token, "content-type": "application/json" },
    body: JSON.stringify({ body }),
  });
  await response.arrayBuffer();
  if (!response.ok) throw new NoteRefused(response.status, Object.fromEntries(response.headers));
}

class NoteRefused extends Error {
  override readonly name = "NoteRefused";
  readonly status: number;
  readonly headers: Record<string, string>;

  constructor(status: number, headers: Record<string, string>) {
    super(`GitLab answered a note with ${status}`);
    this.status = status;
    this.headers = headers;
  }
}

// The client gives up on 429 and 502 within 300 ms, and on other outages at once.
function again<T>(work: () => Promise<T>): Promise<T> {
  return retry(work, { transient });
}

async function found<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await again(work);
  } catch (error) {
    if (statusOf(error) === 404) return null;
    throw error;
  }
}

function transient(error: unknown): boolean {
  if (error instanceof GitbeakerRetryError || error instanceof GitbeakerTimeoutError) return true;
  // What `fetch` throws when there is no connection.
  if (error instanceof TypeError && error.cause !== undefined) return true;
  return (statusOf(error) ?? 0) >= 500;
}

function statusOf(error: unknown): number | null {
  if (error instanceof NoteRefused) return error.status;
  return error instanceof GitbeakerRequestError ? (error.cause?.response.status ?? null) : null;
}

function headersOf(error: unknown): Record<string, string> {
  if (error instanceof NoteRefused) return error.headers;
  if (!(error instanceof GitbeakerRequestError) || !error.cause) return {};
  return Object.fromEntries(error.cause.response.headers);
}
