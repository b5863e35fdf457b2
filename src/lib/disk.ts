import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { codeOf } from "./error-text.ts";

/** Bytes free to this user on the file system of a path, or of the nearest directory above it that exists. */
export async function freeBytes(path: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  } catch (error) {
    const above = dirname(path);
    if (codeOf(error) !== "ENOENT" || above === path) throw error;
    return freeBytes(above);
  }
}
