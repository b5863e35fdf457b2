import type { IncomingMessage, ServerResponse } from "node:http";
import type { Report } from "../domain/report.ts";
import type { Person, Trust } from "../domain/change.ts";

/** A pull or merge request as the forge's API states it at the moment of deciding. */
export type ForgeChange = {
  channel: "github" | "gitlab";
  /** `owner/repo#n` or `group/project!n`. */
  id: string;
  title: string;
  /** The forge does not tell addresses: `address` is empty. */
  author: Person & { login: string };
  message: string;
  trust: Trust;
  /** Without credentials: those are in `authorization` alone. */
  cloneUrl: string;
  /** Value of the HTTP header `Authorization` for git. Secret: never in a URL, an argument list, a log or a build. */
  authorization: string | null;
  /** `commit` is the merge base, not the tip of the branch. */
  base: { ref: string; commit: string };
  /** `refs/pull/n/head` or `refs/merge-requests/n/head`, on the base's repository. */
  head: { ref: string; commit: string };
  projectPath: string;
};

/** What is said to a change; `silence` posts nothing and `why` goes to the log. */
export type Answer = {
  kind: "report" | "refusal" | "problem" | "silence";
  body: string;
  why?: string;
  /** What a report's body was made from. */
  report?: Report;
};

/** The line behind the doors. Rejects with an Outage where the world failed: then nothing is posted. */
export type AnswerChange = (change: ForgeChange, signal: AbortSignal) => Promise<Answer>;

/** Whether any of these paths (git's, from the root) is a template. */
export type TouchesTemplate = (paths: readonly string[]) => boolean;

/** The few methods of a pino logger that channels use. Fields never hold a payload or a secret. */
export type ChannelLog = {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
};

/** One comment of a thread; `mine` when this very account wrote it. */
export type ThreadComment = { id: number; body: string; mine: boolean };

/** Where a change is discussed. `create` must not repeat itself: the caller lists again first. */
export type Thread = {
  maxChars: number;
  /** Takes the power to command the forge from a text. */
  safe(body: string): string;
  list(): Promise<ThreadComment[]>;
  create(body: string): Promise<void>;
  update(id: number, body: string): Promise<void>;
};

/** What the API says of a change before anything is decided. */
export type ReadChange = {
  head: string;
  paths: string[];
  /** False where the forge cuts its list of files short. */
  pathsComplete: boolean;
  /** Reads authority, merge base and git's authorization. */
  change(): Promise<ForgeChange>;
};

/** One change on one forge, by API. */
export type ForgeThread = {
  read(): Promise<ReadChange | { skip: string }>;
  /** The head's commit now; null once the change is closed. */
  currentHead(): Promise<string | null>;
  thread(): Promise<Thread>;
  /** Whether asking again at once can help. */
  transient(error: unknown): boolean;
  /** Whether the forge has said no for good. */
  final(error: unknown): boolean;
  /** How long the forge asks to be left alone, in milliseconds; null where it does not. */
  retryAfterMs(error: unknown): number | null;
};

/** A path of the web process that answers POST. */
export type Door = {
  path: string;
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
};

/** One event about a change, as a door takes it in: a hint that the worker checks by API. Plain data. */
export type ChangeEvent = {
  channel: "github" | "gitlab" | "mail";
  /** The forge's id of the delivery, the same when it is sent again. */
  deliveryId: string;
  /** The change, for example `github:owner/repo#7`. */
  key: string;
  project: string;
  head: string;
  /** When the forge says the change was updated, ms since 1970. */
  atMs: number;
  /** What leads the channel to the change. */
  reference: unknown;
};

/** `seen`: the delivery was taken in before; `known`: this head waits or runs; `older`: a newer one does; `full`: later. */
export type Admission = "queued" | "seen" | "known" | "older" | "full";

/** Takes an event in: when the promise is kept, it is on disk. Rejects where the database does not answer. */
export type Admit = (event: ChangeEvent) => Promise<Admission>;

/** A forge as worker and sender use it. Throws where the reference is not one of its own. */
export type Forge = { thread(reference: unknown, log: ChannelLog): ForgeThread };
