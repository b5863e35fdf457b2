import { mayLeadToBuilder } from "./makefile.ts";
import { TELLING_NAME } from "./other-builders.ts";
import { mentionsBuilder } from "./shell-files.ts";
import type { ScriptFiles } from "./shell-files.ts";
import { joinTreePath } from "./tree-path.ts";

/** A path with a variable in it where a program stands. */
const PROGRAM =
  /(?:(?:^|[;&|(`])[ \t]{0,20}|\b(?:then|do|else|sudo|exec|source|sh|bash|python3?)[ \t]{1,20})["']?([^\s;&|()<>"'`=]{0,100}\$[^\s;&|()<>"'`=]{0,100}\/[^\s;&|()<>"'`=]{1,200})/gm;

/** Most words that are looked at; longer scripts are followed. */
const MOST_WORDS = 5000;

/**
 * Whether lines of a script that name no builder may call one through a file of the tree. Most jobs do not, and
 * need not be followed: only where this is not sure is the shell asked.
 */
export function mayCallBuilder(files: ScriptFiles, text: string): boolean {
  const words = text.split(/[\s;&|()<>"'`=]+/);
  if (words.length > MOST_WORDS) return true;
  const directories = directoriesOf(words);
  const isProgram = new Set([...text.matchAll(PROGRAM)].map((match) => match[1] ?? ""));
  return words.some((word, at) => {
    if (/^g?make$/.test(word)) return TELLING_NAME.test(text) || makefileCalls(files, directories);
    const isCalled =
      word.includes("/") ||
      /^(?:\.|source|sh|bash|ash|dash|python[\d.]*|ruby|node|perl)$/.test(words[at - 1] ?? "");
    if (!isCalled && !/\.(?:sh|bash|py|rb|pl|js)$/.test(word)) return false;
    const path = word.replace(/^(?:\$\{?(?:CI_PROJECT_DIR|PWD)\}?\/)?(?:\.{0,2}\/)*/, "");
    if (TELLING_NAME.test(path)) return true;
    if (path.includes("$")) return isProgram.has(word);
    return directories.some((directory) => {
      const found = joinTreePath(directory, path);
      return found !== null && files.tree.read(found) !== null && mentionsBuilder(files, found, 0);
    });
  });
}

/** The root, and what the lines change to: one below the other, and each below the root. */
function directoriesOf(words: readonly string[]): string[] {
  const directories = ["."];
  for (const [at, word] of words.entries()) {
    if (!/^(?:cd|pushd|-C)$/.test(word)) continue;
    const next = (words[at + 1] ?? "").replace(/^(?:\$\{?(?:CI_PROJECT_DIR|PWD)\}?\/)?/, "");
    for (const directory of directories.slice(0, 8)) {
      const joined = joinTreePath(directory, next);
      if (joined !== null && !directories.includes(joined)) directories.push(joined);
    }
  }
  return directories.slice(0, 16);
}

function makefileCalls(files: ScriptFiles, directories: readonly string[]): boolean {
  return directories.some((directory) =>
    ["GNUmakefile", "makefile", "Makefile"].some((name) => {
      const path = joinTreePath(directory, name);
      const text = path === null ? null : files.tree.read(path);
      return text !== null && (mayLeadToBuilder(text) || /^[ \t]*[-s]?include\b/m.test(text));
    }),
  );
}
