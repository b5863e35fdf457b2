import { openTestbed, type Testbed, type TestbedOptions } from "../images/testbed.ts";
import { createDialogue, isInteractive } from "./dialogue.ts";
import { cacheDirectory } from "../lib/cache-directory.ts";
import type { SetupDialogue } from "../images/types.ts";
import { engineSettings } from "./settings-environment.ts";

/** A signal that Ctrl-C and a request to end abort: what was started is then removed before the process ends. */
export function interruption(): { signal: AbortSignal; dispose(): void } {
  const controller = new AbortController();
  const stop = (signal: NodeJS.Signals) => {
    process.stderr.write(`\ntare: ${signal}: removing what was started\n`);
    controller.abort(new Interrupted(signal));
  };
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  return {
    signal: controller.signal,
    dispose() {
      process.off("SIGINT", stop);
      process.off("SIGTERM", stop);
    },
  };
}

/** The reason of an abort by a person. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  readonly signal: NodeJS.Signals;

  constructor(signal: NodeJS.Signals) {
    super(`interrupted by ${signal}`);
    this.signal = signal;
  }
}

/** Opens the testbed, hands it to `use`, and closes it whatever happens. */
export async function withTestbed<T>(
  options: Pick<TestbedOptions, "builders" | "others" | "archivedKaniko"> & { assumeYes: boolean },
  use: (testbed: Testbed, dialogue: SetupDialogue) => Promise<T>,
): Promise<T> {
  const interactive = isInteractive(process.env) && !options.assumeYes;
  const dialogue = createDialogue({ interactive, assumed: true });
  const { assumeYes: _, ...wanted } = options;
  const testbed = await openTestbed({
    ...wanted,
    cacheDirectory: cacheDirectory(process.env),
    ...(await engineSettings()),
    dialogue,
  });
  try {
    return await use(testbed, dialogue);
  } finally {
    await testbed.close();
  }
}
