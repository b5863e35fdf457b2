/** One text of a thread: the change's own message, or a reply to it. */
export type ThreadText = {
  /** Name of who wrote it. */
  author: string;
  /** ISO 8601; null where it is not known. */
  date: string | null;
  /** With angle brackets where it is a mail's, a forge's address of the comment otherwise; null for a bare message. */
  messageId: string | null;
  /** The text that it answers, in the same form; null where it is not said. */
  inReplyTo: string | null;
  /** As written: quotes, signature and diff included. */
  body: string;
};

/** "double" is 2. */
export type Factor = 2 | 3 | 4;

/** What somebody states, or asks for. One kind, one way to be answered. */
export type Assertion =
  | { kind: "storage multiplied"; factor: Factor; atLeast: boolean }
  /** `factor`: of the storage before; null where only growth is stated. */
  | { kind: "growth by edits"; factor: Factor | null }
  /** Cleanup bounds the growth. `factor`: what storage stays multiplied by nevertheless; null where nothing is said of it. */
  | { kind: "cleanup"; factor: Factor | null }
  | { kind: "cache in forks"; says: "works" | "fails" }
  /** `without`: of building without a cache. */
  | { kind: "compute"; says: "burnt" | "saved"; without: boolean }
  /** Builds run out of memory. */
  | { kind: "memory"; reproducible: boolean }
  | { kind: "copies from the context"; says: "none" | "some" }
  | { kind: "login"; says: "needed" | "not needed" }
  | { kind: "runners"; says: "fixed" | "no privileges" };

/** Who wrote a sentence, and where it stands. */
export type ClaimSource = {
  /** One sentence as it was written, line ends made spaces, at most 200 characters. */
  quote: string;
  author: string;
  date: string | null;
  messageId: string | null;
  /** The message that quotes it, where the message itself is not among the texts; null otherwise. */
  quotedIn: string | null;
};

/** A claim that was recognised. A question asks for it and states nothing. */
export type RecognisedClaim = ClaimSource & { isQuestion: boolean; assertion: Assertion };

/** `answered`: a question that figures answer; it states nothing that could be true. */
export type ClaimMark = "confirmed" | "refuted" | "depends" | "not tested" | "answered";

export type ClaimAnswer = {
  claim: RecognisedClaim;
  mark: ClaimMark;
  /** One sentence with the figures, or the file and line, that decide; how to test it where it was not tested. */
  sentence: string;
};
