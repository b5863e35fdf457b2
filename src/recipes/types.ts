/** Files of one tree, already at hand: the caller loads them from git objects. Paths are git's: no leading `/`. */
export type TreeFiles = {
  /** Text of a file; null where the tree has no such file. */
  read(path: string): string | null;
  /** Why `read` gave null, for people. */
  whyNot?(path: string): string | null;
  /** Every path of the tree. */
  list(): readonly string[];
  /** Paths of the files that lie in a directory itself: cheaper than all of the tree. */
  below?(directory: string): readonly string[];
};

/** Something that a template says and that no recipe could be made of. Nothing is guessed. */
export type Unread = {
  /** Job that says it; null where it is said outside of any job. */
  job: string | null;
  file: string;
  /** 1-based. */
  line: number;
  /** The command or key as written. */
  command: string;
  why: string;
};
