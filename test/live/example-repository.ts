import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const MAIN = join(ROOT, "src/main.ts");
export const EXAMPLE_PATCH = join(ROOT, "example/replace-docker-with-kaniko.eml");

export type ExampleRepository = {
  directory: string;
  commit(files: Record<string, string>): string;
  remove(): void;
};

/** The example project in a repository of its own, with its history. `commit` writes files and returns the new commit. */
export function makeExampleRepository(): ExampleRepository {
  const directory = mkdtempSync(join(tmpdir(), "tare-example-"));
  const env = {
    ...process.env,
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_AUTHOR_NAME: "Ada Keeper",
    GIT_AUTHOR_EMAIL: "ada@lantern.example",
    GIT_COMMITTER_NAME: "Ada Keeper",
    GIT_COMMITTER_EMAIL: "ada@lantern.example",
  };
  const git = (...argv: string[]) =>
    execFileSync("git", ["-C", directory, ...argv], { env, encoding: "utf8" }).trim();
  const commit = (files: Record<string, string>) => {
    for (const [path, text] of Object.entries(files)) writeFileSync(join(directory, path), text);
    git("add", "-A");
    git("commit", "-q", "--allow-empty", "-m", "A change");
    return git("rev-parse", "HEAD");
  };
  execFileSync("sh", [join(ROOT, "scripts/example-repository.sh"), directory], { env });
  return { directory, commit, remove: () => rmSync(directory, { recursive: true, force: true }) };
}
