import { watch } from "node:fs";
import { waitMs, type Wait } from "./wait.ts";

export type ChangeWatch = {
  /** Resolves when one of the paths may have changed, after the time at the latest. */
  next(atMostMs: number, signal: AbortSignal): Promise<void>;
  close(): void;
};

/** Watches files or directories where the file system tells of changes; elsewhere, on network file systems, time alone decides. */
export function watchPaths(paths: readonly string[], wait: Wait = waitMs): ChangeWatch {
  let changed = false;
  let wake = (): void => {};
  const watchers = paths.flatMap((path) => {
    try {
      const watcher = watch(path, { persistent: false }, () => {
        changed = true;
        wake();
      });
      // A watched directory that goes away is found by the next look.
      watcher.on("error", () => watcher.close());
      return [watcher];
    } catch {
      return [];
    }
  });
  return {
    async next(atMostMs, signal) {
      if (!changed && !signal.aborted) {
        const early = new AbortController();
        wake = () => early.abort();
        await wait(atMostMs, AbortSignal.any([signal, early.signal]));
        wake = () => {};
      }
      changed = false;
    },
    close: () => watchers.forEach((watcher) => watcher.close()),
  };
}
