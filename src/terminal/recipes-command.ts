import { readTree } from "../bot.ts";
import { openRepository, resolveTree } from "../git/repository.ts";
import { createTreeReader } from "../git/tree-reader.ts";
import { recipesJson, recipesText } from "../reports/recipes-text.ts";
import { plainLine } from "../reports/sanitise.ts";
import type { Unread } from "../recipes/types.ts";
import type { ExitCode } from "./exit-code.ts";

function unreadText(unread: readonly Unread[]): string {
  return unread
    .map(({ job, file, line, command, why }) => {
      const where = job === null ? `${file}:${line}` : `${file}:${line} (job ${job})`;
      return `tare: not read: ${plainLine(`${where}: ${command}: ${why}`)}\n`;
    })
    .join("");
}

/** `tare recipes`: what the templates of one tree say about building images. */
export async function recipesCommand(flags: {
  repo: string;
  rev: string;
  format: "text" | "json";
}): Promise<ExitCode> {
  await using repository = await openRepository(flags.repo);
  const tree = await resolveTree(repository, flags.rev);
  const { recipes, unread } = readTree(await createTreeReader(repository, tree));
  // The array is of recipes alone; what is none, and why, must not be lost to who reads that.
  if (flags.format === "json") process.stderr.write(unreadText(unread));
  process.stdout.write(flags.format === "json" ? recipesJson(recipes) : recipesText(recipes, unread));
  return 0;
}
