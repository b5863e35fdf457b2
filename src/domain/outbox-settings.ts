/** What the operator says of replies: how many are held first, and how many leave in a span of time. */
export type OutboxSettings = {
  holdFirst: number;
  /** Between two edits of one comment; 0 for none. */
  commentPauseSeconds: number;
  githubPerMinute: number;
  githubPerHour: number;
  gitlabPerMinute: number;
  listPerHour: number;
  listPerDay: number;
  threadPerDay: number;
  authorPerDay: number;
};
