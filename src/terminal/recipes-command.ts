import { readTree } from "../bot.ts";
import { openRepository, resolveTree } from "../git/repository.ts";
import { createTreeReader } from "../git/tree-reader.ts";
import { recipesJson, recipesText } from "../reports/recipes-text.ts";
import type { ExitCode } from "./exit-code.ts";

/** `tare recipes`: what the templates of one tree say about building images. */
export async function recipesCommand(flags: {
  repo: string;
  rev: string;
  format: "text" | "json";
}): Promise<ExitCode> {
  await using repository = await openRepository(flags.repo);
  const tree = await resolveTree(repository, flags.rev);
  const { recipes, unread } = readTree(await createTreeReader(repository, tree));
  process.stdout.write(flags.format === "json" ? recipesJson(recipes) : recipesText(recipes, unread));
  return 0;
}
