import type { Person } from "../domain/change.ts";
import type { DiffFile } from "./diff-files.ts";

/** What is odd about a mail or a series, for people; `code` is what programs match on. */
export type Flaw = { code: FlawCode; message: string };

export type FlawCode =
  | "charset-unknown"
  | "date-implausible"
  | "date-missing"
  | "duplicate"
  | "empty"
  | "from-missing"
  | "header-doubled"
  | "html-only"
  | "hunk-damaged"
  | "message-id-missing"
  | "message-id-reused"
  | "no-patch"
  | "nul-bytes"
  | "packed"
  | "part-again"
  | "part-beyond-total"
  | "patch-in-reply"
  | "references-many"
  | "several-patches"
  | "structure"
  | "too-large"
  | "version-differs"
  | "total-zero";

export type MessageType = "patch" | "cover" | "reply" | "other";

/** `Reviewed-by: Jane <jane@example.org>`: the name as it is written by convention, the value as sent. */
export type Trailer = { name: string; value: string };

/** What a mail says of the tree that its patches were made on. */
export type BaseHints = {
  /** `base-commit:` */
  baseCommit: string | null;
  /** `Based-on:` and `Depends-on:`: Message-IDs with angle brackets, commits, or text as written. */
  basedOn: string[];
  dependsOn: string[];
  /** `prerequisite-patch-id:` in order. */
  prerequisites: string[];
  prerequisiteMessageIds: string[];
  /** `prerequisite-change-id:` as written, `name:v1`. */
  prerequisiteChangeIds: string[];
  /** `change-id:` of b4: the same for all versions of a series. */
  changeId: string | null;
  /** Words in the subject's brackets. */
  subjectTags: string[];
};

export type PatchOfMail = {
  content: Buffer;
  /** As `git patch-id --stable` gives it; null where git gives none. */
  id: string | null;
  files: DiffFile[];
};

export type CommandName = "run" | "rerun" | "cancel" | "status" | "mute" | "stop" | "help" | "no";

/** An order to Tare in a mail. `error` says what is wrong with it; whether anybody is told is decided elsewhere. */
export type MailCommand = {
  /** Line of the unquoted text, as written. */
  text: string;
  name: CommandName | null;
  strategies: string[];
  images: string[];
  edits: number | null;
  repeat: number | null;
  error: string | null;
};

/** A mail, understood by itself. */
export type Message = {
  /** With angle brackets; made from the content where the mail has none. */
  id: string;
  isDerivedId: boolean;
  type: MessageType;
  subject: string;
  title: string;
  version: number;
  /** Its subject says the version. */
  hasVersion: boolean;
  part: number | null;
  total: number | null;
  isMarked: boolean;
  isRfc: boolean;
  isResend: boolean;
  isPullRequest: boolean;
  date: Date | null;
  /** When a server took it, as its Received headers tell. */
  receivedAt: Date | null;
  /** Who wrote the patch, and who sent the mail: mangled senders are put right. */
  author: Person;
  sender: Person;
  inReplyTo: string | null;
  references: string[];
  /** What the mails of one `git send-email` or `hg email` have in common in their ids or headers; null where nothing is. */
  batch: string | null;
  /** Why it is taken for a program's mail. */
  robot: string | null;
  patch: PatchOfMail | null;
  /** Commit message or cover text. */
  message: string;
  base: BaseHints;
  /** Of the commit message. */
  trailers: Trailer[];
  /** Of unquoted lines of a reply. */
  tags: Trailer[];
  /** `Supersedes:` names series that this one, or its author's reply, replaces. */
  supersedes: string[];
  commands: MailCommand[];
  /** Why nothing of its series is to be answered. */
  optOut: string | null;
  flaws: Flaw[];
  /** The same for copies of one mail, whatever lists added. */
  fingerprint: string;
};
