import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { run } from "../../src/lib/spawn.ts";
import { seriesSchema } from "../../src/series/series-schema.ts";
import { readMailFiles } from "../../src/terminal/mail-files.ts";
import { mailText, patchText } from "../series/mails.ts";

const MAIN = join(import.meta.dirname, "../../src/main.ts");

let directory = "";
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), "tare-mails-"))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function file(name: string, content: string | Buffer): string {
  const path = join(directory, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, content);
  return path;
}

async function subjects(...paths: string[]): Promise<string[]> {
  const found: string[] = [];
  for await (const { raw, number } of readMailFiles(paths))
    found.push(`${number} ${/^Subject: (.*)$/m.exec(raw.toString())?.[1] ?? "?"}`);
  return found;
}

const ENVELOPE = "From jane@dev.example Mon Mar  4 10:00:00 2024\n";
const one = mailText({ subject: "[PATCH 1/2] oven" }).toString();
const two = mailText({ subject: "[PATCH 2/2] sink" }).toString();

describe("readMailFiles", () => {
  it.each<[string, string]>([
    ["mbox", `${ENVELOPE}${one}\n${ENVELOPE}${two}`],
    ["mbox after blank lines", `\n \n${ENVELOPE}${one}\n${ENVELOPE}${two}`],
    ["mbox without blank lines", `${ENVELOPE}${one.trimEnd()}\n${ENVELOPE}${two}`],
    ["mbox with CR LF", `${ENVELOPE}${one}\n${ENVELOPE}${two}`.replaceAll("\n", "\r\n")],
    [
      "mbox of patches",
      [one, two]
        .map((text) => `From 0123456789abcdef0123456789abcdef01234567 Mon Sep 17 00:00:00 2001\n${text}\n`)
        .join(""),
    ],
    ["mbox with From in a text", `${ENVELOPE}${one}\nFrom here on it is warm.\n\n${ENVELOPE}${two}`],
  ])("reads an %s", async (_, text) => {
    expect((await subjects(file("a.mbox", text))).map((found) => found.trim())).toEqual([
      "1 [PATCH 1/2] oven",
      "2 [PATCH 2/2] sink",
    ]);
  });

  it("takes the quote from quoted From lines", async () => {
    const quoted = `${ENVELOPE}${mailText({ subject: "x", body: ">From me\n>>From you\n" }).toString()}`;
    const [mail] = await Array.fromAsync(readMailFiles([file("a.mbox", quoted)]));
    expect(mail?.raw.toString()).toMatch(/\nFrom me\n>From you\n$/);
  });

  it("reads single mails, packed files, Maildirs and other directories", async () => {
    const maildir = ["cur/1709542801.a:2,S", "new/1709542800.b", "tmp/1709542802.c"];
    for (const [at, name] of maildir.entries()) file(`box/${name}`, [one, two, one][at] ?? "");
    file("plain/a.eml", one);
    file("plain/.hidden", one);
    expect(
      await subjects(file("a.eml", one), file("b.gz", gzipSync(`${ENVELOPE}${one}\n${ENVELOPE}${two}`))),
    ).toEqual(["1 [PATCH 1/2] oven", "1 [PATCH 1/2] oven", "2 [PATCH 2/2] sink"]);
    expect(await subjects(join(directory, "box"))).toEqual(["1 [PATCH 2/2] sink", "1 [PATCH 1/2] oven"]);
    expect(await subjects(join(directory, "plain"))).toEqual(["1 [PATCH 1/2] oven"]);
  });

  it("keeps the head of a mail above the limit", async () => {
    const large = Buffer.concat([Buffer.from(one), Buffer.alloc(27_000_000, "lorem ipsum\n")]);
    const [mail] = await Array.fromAsync(readMailFiles([file("a.eml", large)]));
    expect(mail?.bytes).toBe(large.length);
    expect(mail?.raw.length).toBeLessThan(100_000);
  });

  it("says which file cannot be read", async () => {
    await expect(subjects(join(directory, "none"))).rejects.toMatchObject({
      code: "arguments",
      message: expect.stringContaining("none cannot be read"),
    });
    await expect(
      subjects(file("a.gz", Buffer.concat([gzipSync(one).subarray(0, 40)]))),
    ).rejects.toMatchObject({ code: "arguments" });
  });

  it("lists an empty file", async () => {
    expect(await subjects(file("empty", ""))).toEqual(["1 ?"]);
  });
});

describe("tare series", () => {
  it("prints JSON that is of its schema, and text", async () => {
    const path = file(
      "a.mbox",
      `${ENVELOPE}${one}\n${ENVELOPE}${two}\n${ENVELOPE}${mailText({ subject: "hm", body: patchText() }).toString()}`,
    );
    const printed = await run(process.execPath, [MAIN, "series", path]);
    const json = seriesSchema.parse(JSON.parse(printed.stdout.toString()));
    expect(json.messages.map(({ source, number, type }) => [source, number, type])).toEqual(
      [1, 2, 3].map((number) => [path, number, "patch"]),
    );
    expect(json.series.map(({ title, parts }) => [title, parts.length])).toEqual([
      ["oven", 2],
      ["hm", 1],
    ]);
    const text = await run(process.execPath, [MAIN, "series", "--format", "text", path]);
    expect(text.stdout.toString()).toContain("oven: 2 of 2, ready\n  Jane Roe <jane@dev.example>");
    expect(text.stdout.toString()).toMatch(/\n3 mails, 2 series\.\n$/);
  });

  it("waits, as of a given time", async () => {
    const path = file("a.eml", one);
    const printed = await run(process.execPath, [
      MAIN,
      "series",
      "--now",
      "2024-03-04T09:05:00Z",
      "--settle",
      "10m",
      path,
    ]);
    expect(JSON.parse(printed.stdout.toString())).toMatchObject({
      series: [{ state: "waiting", missing: [2] }],
    });
  });
});
