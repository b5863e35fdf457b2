import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gitEnvironment } from "../../src/git/environment.ts";
import { gitOutput } from "../../src/git/git-process.ts";

type Content = string | Uint8Array;
export type SampleFile = Content | { symlink: string } | { executable: Content } | { submodule: string };
export type SampleRepository = {
  directory: string;
  commits: string[];
  [Symbol.asyncDispose](): Promise<void>;
};

/** A bare repository with one commit for each of the given states; dates and names are fixed, so ids are too. */
export async function sampleRepository(states: Record<string, SampleFile>[]): Promise<SampleRepository> {
  const directory = await mkdtemp(join(tmpdir(), "sample-"));
  const env = gitEnvironment([], { GIT_DIR: directory });
  await gitOutput(["init", "--quiet", "--bare", "--template=", "--initial-branch=main"], { env });
  await gitOutput(["fast-import", "--quiet"], { env, input: Buffer.concat(states.map(commit)) });
  const log = await gitOutput(["rev-list", "--reverse", "main"], { env });
  return {
    directory,
    commits: log.toString("latin1").trim().split("\n"),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

function commit(files: Record<string, SampleFile>, index: number): Buffer {
  const who = `committer Sample <sample@example.org> ${1_700_000_000 + index} +0000`;
  const parts: Buffer[] = [Buffer.from(`commit refs/heads/main\n${who}\ndata 5\nstate\ndeleteall\n`)];
  for (const [path, file] of Object.entries(files)) parts.push(...entry(JSON.stringify(path), file));
  return Buffer.concat([...parts, Buffer.from("\n")]);
}

function entry(path: string, file: SampleFile): Buffer[] {
  if (typeof file === "string" || file instanceof Uint8Array) return inline("100644", path, file);
  if ("symlink" in file) return inline("120000", path, file.symlink);
  if ("executable" in file) return inline("100755", path, file.executable);
  return [Buffer.from(`M 160000 ${file.submodule} ${path}\n`)];
}

function inline(mode: string, path: string, content: Content): Buffer[] {
  const bytes = Buffer.from(content);
  return [Buffer.from(`M ${mode} inline ${path}\ndata ${bytes.length}\n`), bytes, Buffer.from("\n")];
}

export const MAIL_FIXTURES = join(import.meta.dirname, "../fixtures/mail");

/** The tree that the mails of test/fixtures/mail were made on. */
export async function mailBase(): Promise<Record<string, Buffer>> {
  const root = join(MAIL_FIXTURES, "base");
  const found = await readdir(root, { recursive: true, withFileTypes: true });
  const files: Record<string, Buffer> = {};
  for (const each of found.filter((one) => one.isFile())) {
    const path = join(each.parentPath, each.name);
    files[path.slice(root.length + 1)] = await readFile(path);
  }
  return files;
}

/** Names below the temporary directory that Tare's git room makes. */
export async function scratchDirectories(): Promise<string[]> {
  return (await readdir(tmpdir())).filter((name) => name.startsWith(`tare-git-${process.pid}-`));
}
