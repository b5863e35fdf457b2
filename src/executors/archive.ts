import { posix } from "node:path";
import { pack } from "tar-stream";
import type { JobFile } from "../domain/job.ts";

/** A tar archive of a job's files with absolute paths made relative to `/`. Owners are root, times are zero. */
export async function archiveOf(files: readonly JobFile[]): Promise<Buffer> {
  const archive = pack();
  const chunks: Buffer[] = [];
  const collected = (async () => {
    for await (const chunk of archive) chunks.push(chunk as Buffer);
  })();
  const made = new Set<string>(["."]);
  for (const file of files) {
    const name = posix.normalize(file.path).replace(/^\/+/, "");
    for (const directory of parentsOf(name)) {
      if (made.has(directory)) continue;
      made.add(directory);
      archive.entry({ name: directory, type: "directory", mode: 0o755, mtime: new Date(0) });
    }
    if (file.kind === "symlink") {
      archive.entry({ name, type: "symlink", linkname: file.target, mtime: new Date(0) });
    } else {
      const mode = file.executable ? 0o755 : 0o644;
      archive.entry({ name, mode, mtime: new Date(0) }, Buffer.from(file.content));
    }
  }
  archive.finalize();
  await collected;
  return Buffer.concat(chunks);
}

function parentsOf(name: string): string[] {
  const parts = name.split("/").slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}
