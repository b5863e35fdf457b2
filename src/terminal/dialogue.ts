import { createInterface } from "node:readline/promises";
import type { SetupDialogue } from "../images/types.ts";
import type { Progress } from "../trials/conduct.ts";
import { formatDuration } from "../domain/quantities.ts";

/** A person at a terminal, or nobody: then nothing is asked and `assumed` is the answer. */
export function createDialogue(options: { assumed: boolean; interactive: boolean }): SetupDialogue {
  return {
    say: (line) => void process.stderr.write(`tare: ${line}\n`),
    async ask(question) {
      if (!options.interactive) return options.assumed;
      const reader = createInterface({ input: process.stdin, output: process.stderr });
      try {
        return /^y(es)?$/i.test((await reader.question(`tare: ${question} [y/N] `)).trim());
      } finally {
        reader.close();
      }
    },
  };
}

/** True where somebody can be asked and sees progress. CI has no such person even where it has a terminal. */
export function isInteractive(environment: NodeJS.ProcessEnv): boolean {
  return process.stdin.isTTY && process.stderr.isTTY && !environment["CI"];
}

/**
 * Shows what is running, with the time left once a first run has ended. On a terminal one line is rewritten;
 * elsewhere each run is a line of its own.
 */
export function createProgress(nowMs: () => number): { show(progress: Progress): void; end(): void } {
  const startedMs = nowMs();
  const live = process.stderr.isTTY;
  return {
    show({ done, total, label }) {
      const left = done === 0 || done >= total ? null : ((nowMs() - startedMs) / done) * (total - done);
      const time = left === null ? "" : `, about ${formatDuration(left)} left`;
      const line = `tare: run ${Math.min(done + 1, total)} of ${total}: ${label}${time}`;
      process.stderr.write(live ? `\r\x1b[2K${line}` : `${line}\n`);
    },
    end() {
      if (live) process.stderr.write("\r\x1b[2K");
    },
  };
}
