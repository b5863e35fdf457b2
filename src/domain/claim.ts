/** What a claim is about; one kind, one way to be answered. */
export const CLAIM_KINDS = [
  "storage multiplied",
  "growth by edits",
  "cleanup",
  "cache in forks",
  "compute",
  "memory",
  "copies from the context",
  "login",
  "runners",
] as const;

/** `answered`: a question that figures answer; it states nothing that could be true. */
export const CLAIM_MARKS = ["confirmed", "refuted", "depends", "not tested", "answered"] as const;

/** A statement of the thread beside what was measured. `alike` are further statements that the sentence answers. */
export type Claim = {
  kind: (typeof CLAIM_KINDS)[number];
  quote: string;
  author: string;
  /** ISO 8601; null where it is not known. */
  date: string | null;
  messageId: string | null;
  mark: (typeof CLAIM_MARKS)[number];
  sentence: string;
  alike: { quote: string; author: string }[];
};
