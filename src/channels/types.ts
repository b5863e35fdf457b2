import type { IncomingMessage, ServerResponse } from "node:http";
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
export type Answer = { kind: "report" | "refusal" | "problem" | "silence"; body: string; why?: string };

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
  /** Whether asking again later can help. */
  transient(error: unknown): boolean;
};

/** A path of the web process that answers POST. */
export type Door = {
  path: string;
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
};
