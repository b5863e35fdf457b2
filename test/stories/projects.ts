import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { PROJECT_ROOT } from "./tare-process.ts";

export type Files = Record<string, string>;

/** Files of a directory by their paths below it. */
async function filesOf(directory: string): Promise<Files> {
  const found = await readdir(directory, { recursive: true, withFileTypes: true });
  const files: Files = {};
  for (const entry of found.filter((one) => one.isFile())) {
    const path = join(entry.parentPath, entry.name);
    files[path.slice(directory.length + 1)] = await readFile(path, "utf8");
  }
  return files;
}

/** The example project of this repository, and the patch mail to it. */
export const exampleFiles = () => filesOf(join(PROJECT_ROOT, "example/project"));
export const EXAMPLE_MAIL = join(PROJECT_ROOT, "example/replace-docker-with-kaniko.eml");

/** A project with one job that builds one image with docker and an inline cache. */
export const oneImageFiles = () => filesOf(join(PROJECT_ROOT, "test/fixtures/projects/one-image"));

/** The files with one of them edited; what is to be replaced must be there. */
export function edited(files: Files, path: string, before: string, after: string): Files {
  const text = files[path];
  if (text?.includes(before) !== true) throw new RangeError(`${path} does not hold ${before}`);
  return { ...files, [path]: text.replace(before, () => after) };
}
