import { execFileSync, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdtemp, mkdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { gitEnvironment } from "../src/git/environment.ts";
import { createMboxSource } from "../src/sources/mbox.ts";
import { createPublicInboxSource } from "../src/sources/public-inbox.ts";
import { createScan, TEMPLATE_PATH_PARTS } from "../src/sources/scan.ts";
import type { MailSource } from "../src/sources/types.ts";
import { spread, timed } from "./figures.ts";

const MESSAGES = 5000;
const CONCERNING = 90;
const PASSES = 10;
const PAIRS = 7;

/**
 * List messages of about 10 kB, 1.8 % of which concern Tare: from an mbox end to end (read, split, scan, hand over; target
 * 20,000/s), and from a public-inbox archive against `git cat-file --batch` of the same objects (target 0.8). No parsing.
 */
export async function benchMailIntake(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "tare-bench-mail-"));
  try {
    const mails = Array.from({ length: MESSAGES }, (_, index) => listMail(index));
    const bytes = mails.reduce((sum, { length }) => sum + length, 0);
    const size = `${MESSAGES} messages, ${(bytes / 1e6).toFixed(1)} MB`;
    await benchMbox(directory, mails, size);
    await benchArchive(directory, mails, size);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function benchMbox(directory: string, mails: readonly string[], size: string): Promise<void> {
  const path = join(directory, "list.mbox");
  const file = createWriteStream(path);
  for (const mail of mails) {
    const quoted = mail.replaceAll(/^(>*From )/gm, ">$1");
    if (!file.write(`From a@example.net Mon Jan  5 10:00:00 2026\n${quoted}\n`)) await once(file, "drain");
  }
  file.end();
  await once(file, "close");
  const source = createMboxSource({ id: "bench", path, follow: false });
  await pass(source);
  const before = residentBytes();
  const ms: number[] = [];
  for (let index = 0; index < PASSES; index += 1) ms.push(await timed(() => pass(source)));
  const after = residentBytes();
  console.log(`mail from mbox, ${size}: ${rates(ms)}, ${CONCERNING} of ${CONCERNING} found in each pass`);
  console.log(
    `memory over ${PASSES} passes: ${(before / 1e6).toFixed(0)} MB before, ${(after / 1e6).toFixed(0)} MB after`,
  );
}

async function benchArchive(directory: string, mails: readonly string[], size: string): Promise<void> {
  const inbox = join(directory, "inbox");
  await makeEpoch(join(inbox, "git", "0.git"), mails);
  const mirrorDirectory = join(directory, "mirror");
  const source = createPublicInboxSource({ id: "bench", url: inbox, mirrorDirectory, follow: false });
  // The first pass fetches the mirror; later ones ask whether there is more.
  await pass(source);
  const mirror = join(mirrorDirectory, "0.git");
  const env = gitEnvironment([], { GIT_DIR: mirror });
  const names = execFileSync(
    "git",
    ["rev-list", "--reverse", "--objects", "--all", "--filter=object:type=blob", "--filter-provided-objects"],
    { env, encoding: "utf8" },
  );
  const ids = names
    .split("\n")
    .map((line) => line.slice(0, 40))
    .filter(Boolean)
    .join("\n");
  const raw: number[] = [];
  const ours: number[] = [];
  for (let index = 0; index < PAIRS; index += 1) {
    raw.push(await timed(() => catFile(ids, env)));
    ours.push(await timed(() => pass(source)));
  }
  const ratios = spread(raw.map((value, index) => value / (ours[index] ?? Number.NaN)));
  console.log(`mail from public-inbox, ${size}: ${rates(ours)}; git cat-file --batch alone: ${rates(raw)}`);
  console.log(
    `public-inbox against git cat-file --batch: ${ratios.median.toFixed(2)} of its rate (${ratios.least.toFixed(2)} to ${ratios.greatest.toFixed(2)}, n=${PAIRS})`,
  );
}

/** Reads a source from its start; what concerns Tare is handed over, and all of it must be. */
async function pass(source: MailSource): Promise<void> {
  const scan = createScan({
    pathParts: TEMPLATE_PATH_PARTS,
    addresses: ["tare@ci.example.org"],
    knownIds: new Set(["<seen@example.org>"]),
  });
  const found: string[] = [];
  let read = 0;
  for await (const { messages } of source.read(null, new AbortController().signal)) {
    for (const { raw } of messages) {
      read += 1;
      if (raw && scan(raw)) found.push(/^Message-ID: <(\d+)@/m.exec(raw.toString("latin1"))?.[1] ?? "");
    }
  }
  const wrong = found.filter((id) => !concerns(Number(id)));
  if (read !== MESSAGES || found.length !== CONCERNING || wrong.length > 0)
    throw new Error(`${read} messages read, ${found.length} found, ${wrong.length} of them wrongly`);
}

/** The same objects, read and thrown away by a pipe. */
async function catFile(ids: string, env: Record<string, string>): Promise<void> {
  const child = spawn("git", ["cat-file", "--batch"], { env, stdio: ["pipe", "pipe", "inherit"] });
  child.stdout.resume();
  child.stdin.end(`${ids}\n`);
  await once(child, "close");
}

function rates(ms: readonly number[]): string {
  const { median, least, greatest } = spread(ms.map((value) => (MESSAGES / value) * 1000));
  const count = (value: number) => Math.round(value).toLocaleString("en-US");
  return `median ${count(median)}/s (${count(least)} to ${count(greatest)}, n=${ms.length})`;
}

function residentBytes(): number {
  // Garbage that nobody has collected yet would be counted as a leak.
  globalThis.gc?.();
  return process.memoryUsage().rss;
}

const concerns = (index: number): boolean => index % 50 === 7 && index < CONCERNING * 50;

const WORDS =
  "static int ret struct device kernel memory list patch handler return value error queue lock buffer page driver net index count".split(
    " ",
  );

/** A patch mail of a list; those that concern Tare do so in a different way each. */
function listMail(index: number): string {
  let state = index + 1;
  const word = () => {
    state = (state * 1_103_515_245 + 12_345) & 0x7f_ff_ff_ff;
    return WORDS[(state >> 8) % WORDS.length] ?? "";
  };
  const way = concerns(index) ? (index - 7) / 50 : null;
  const path = way !== null && way % 4 === 0 ? "tests/docker/Dockerfile" : `drivers/net/part${index % 97}.c`;
  const to = way !== null && way % 4 === 1 ? ", Tare <tare@ci.example.org>" : "";
  const parent = way !== null && way % 4 === 2 ? "<seen@example.org>" : `<${index - 1}@lists.example.org>`;
  let body = `${word()} ${word()}\n\n---\ndiff --git a/${path} b/${path}\n--- a/${path}\n+++ b/${path}\n@@ -1,9 +1,9 @@\n`;
  while (body.length < 9400)
    body += `${state % 5 === 0 ? "+" : " "}\t${word()} = ${word()}(${word()}, ${word()});\n`;
  const isQuoted = index % 10 === 3 || (way !== null && way % 4 === 3);
  if (way !== null && way % 4 === 3) body = body.replaceAll(path, "ci/Docker=\nfile");
  return [
    `Received: from mx.example.net by lists.example.org; Mon, 5 Jan 2026 10:00:00 +0000`,
    "From: Ada Example <ada@example.net>",
    `To: list@lists.example.org${to}`,
    `Subject: [PATCH] ${word()} ${word()}`,
    "Date: Mon, 5 Jan 2026 10:00:00 +0000",
    `Message-ID: <${index}@lists.example.org>`,
    `In-Reply-To: ${parent}`,
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=UTF-8",
    `Content-Transfer-Encoding: ${isQuoted ? "quoted-printable" : "8bit"}`,
    "",
    isQuoted ? body.replaceAll(/=(?!\n)/g, "=3D") : body,
  ].join("\n");
}

/** An epoch as public-inbox writes it: a commit for each message, a tree with one file. */
async function makeEpoch(directory: string, mails: readonly string[]): Promise<void> {
  await mkdir(directory, { recursive: true });
  const env = gitEnvironment([], { GIT_DIR: directory });
  execFileSync("git", ["init", "--quiet", "--bare", "--initial-branch=master"], { env });
  const stream = spawn("git", ["fast-import", "--quiet"], { env, stdio: ["pipe", "inherit", "inherit"] });
  const who = "A <a@example.net> 1767607200 +0000";
  for (const mail of mails) {
    const size = Buffer.byteLength(mail);
    const commit = `commit refs/heads/master\nauthor ${who}\ncommitter ${who}\ndata 1\nx\n`;
    stream.stdin.write(`${commit}M 100644 inline m\ndata ${size}\n${mail}\n`);
  }
  stream.stdin.end();
  await once(stream, "close");
  execFileSync("git", ["repack", "-adq"], { env });
}
