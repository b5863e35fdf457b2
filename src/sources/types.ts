/** Plain JSON: whatever a source needs to go on. Its shape is the source's own, and checked when it comes back. */
export type Position =
  | null
  | boolean
  | number
  | string
  | readonly Position[]
  | { readonly [key: string]: Position };

/**
 * A message as it was read. `at` says where, for the log. `raw` may share its memory with the rest of its batch: copy
 * what outlives it. A message above the cap has no bytes, only their number; it is told, never dropped.
 */
export type SourceMessage =
  | { at: Position; raw: Buffer; tooLargeBytes: null }
  | { at: Position; raw: null; tooLargeBytes: number };

export type MailBatch = {
  messages: readonly SourceMessage[];
  /** Stored in one transaction with what came of the messages. A source that starts from it delivers what is after it. */
  position: Position;
  /** Only of sources whose senders wait for an answer: they are told whether the batch was stored. */
  answer?: (stored: boolean) => void;
};

export type MailSource = {
  /** Names the source in the store: its position is found by it. */
  id: string;
  /**
   * Delivers everything after a position once, then waits for more until the signal, or ends where no more can come.
   * Asking for the next batch means that the last one is stored. An Outage ends it: a new call goes on.
   */
  read(from: Position, signal: AbortSignal): AsyncIterable<MailBatch>;
};
