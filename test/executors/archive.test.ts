import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { extract } from "tar-stream";
import { describe, expect, it } from "vitest";
import type { JobFile } from "../../src/domain/job.ts";
import { archiveOf } from "../../src/executors/archive.ts";

/** Entries of an archive: name, type, mode, owner, time and content or target. */
async function entriesOf(archive: Buffer) {
  const entries: unknown[] = [];
  const reader = extract();
  Readable.from([archive]).pipe(reader);
  for await (const entry of reader) {
    const { name, type, mode, uid, gid, mtime, linkname } = entry.header;
    const content = (await buffer(entry)).toString("utf8");
    const time = mtime?.getTime();
    entries.push([name, type, mode?.toString(8), uid, gid, time, linkname ?? content]);
  }
  return entries;
}

const file = (path: string, content: string, executable = false): JobFile => ({
  kind: "file",
  path,
  content: Buffer.from(content),
  executable,
});

describe("an archive of a job's files", () => {
  it("has each directory once, modes, root as the owner and no time", async () => {
    const files: JobFile[] = [
      file("/builds/group/a.txt", "text\n"),
      file("/builds/group/sub/run.sh", "#!/bin/sh\n", true),
      { kind: "symlink", path: "/builds/group/sub/link", target: "../../../etc/passwd" },
      file("/empty", ""),
    ];
    expect(await entriesOf(await archiveOf(files))).toStrictEqual([
      ["builds", "directory", "755", 0, 0, 0, ""],
      ["builds/group", "directory", "755", 0, 0, 0, ""],
      ["builds/group/a.txt", "file", "644", 0, 0, 0, "text\n"],
      ["builds/group/sub", "directory", "755", 0, 0, 0, ""],
      ["builds/group/sub/run.sh", "file", "755", 0, 0, 0, "#!/bin/sh\n"],
      ["builds/group/sub/link", "symlink", "644", 0, 0, 0, "../../../etc/passwd"],
      ["empty", "file", "644", 0, 0, 0, ""],
    ]);
  });

  it("never leaves the root", async () => {
    const entries = await entriesOf(await archiveOf([file("/a/../../../etc/x", "1"), file("//b//./y", "2")]));
    expect(entries.map((entry) => (entry as string[])[0])).toStrictEqual(["etc", "etc/x", "b", "b/y"]);
  });

  it("keeps names of any length and any letters, and binary content", async () => {
    const name = `${"ü".repeat(90)}/${"long".repeat(40)}`;
    const content = Buffer.from([0, 255, 10, 13, 128]);
    const archive = await archiveOf([{ kind: "file", path: `/${name}`, content, executable: false }]);
    const reader = extract();
    Readable.from([archive]).pipe(reader);
    const found: [string, string][] = [];
    for await (const entry of reader) found.push([entry.header.name, (await buffer(entry)).toString("hex")]);
    expect(found.at(-1)).toStrictEqual([name, content.toString("hex")]);
  });

  it("of no files is an empty archive", async () => {
    expect(await entriesOf(await archiveOf([]))).toStrictEqual([]);
  });
});
