import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { appendFile, mkdir, mkdtemp, rename, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTransport } from "nodemailer";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MAX_MAIL_BYTES } from "../../src/domain/mail.ts";
import { createMaildirSource } from "../../src/sources/maildir.ts";
import { createMboxSource } from "../../src/sources/mbox.ts";
import { createPublicInboxSource } from "../../src/sources/public-inbox.ts";
import { readSources } from "../../src/sources/read-sources.ts";
import { createSmtpSource } from "../../src/sources/smtp.ts";
import { createStreamSource } from "../../src/sources/stdin.ts";
import type { MailSource, Position } from "../../src/sources/types.ts";

let directory = "";
beforeEach(async () => void (directory = await mkdtemp(join(tmpdir(), "tare-sources-"))));
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Reads what is there from a position; texts of the messages, and the size of those that are too large. */
async function drain(
  source: MailSource,
  from: Position = null,
): Promise<{ texts: string[]; position: Position }> {
  const texts: string[] = [];
  let position = from;
  for await (const batch of source.read(from, new AbortController().signal)) {
    for (const { raw, tooLargeBytes } of batch.messages)
      texts.push(raw?.toString("latin1") ?? `${tooLargeBytes}`);
    // What is stored is JSON.
    position = JSON.parse(JSON.stringify(batch.position)) as Position;
  }
  return { texts, position };
}

const ENVELOPE = "From a@example.net Mon Jan  5 10:00:00 2026\n";
const message = (name: string, body = "hello\n") => `Subject: ${name}\n\n${body}`;

describe("an mbox", () => {
  const source = () => createMboxSource({ id: "m", path: join(directory, "box"), follow: false });
  const write = (text: string) => writeFile(join(directory, "box"), text);
  const entry = (name: string, body?: string) => `${ENVELOPE}${message(name, body)}\n`;

  it("is split, with quoted and unquoted lines and without blank lines", async () => {
    await write(
      entry("a", ">From here\n>>From there\nFrom now on\n") + `${ENVELOPE}${message("b")}` + entry("c"),
    );
    const { texts } = await drain(source());
    expect(texts).toStrictEqual([
      message("a", "From here\n>From there\nFrom now on\n"),
      message("b"),
      message("c"),
    ]);
  });

  it("goes on where it was left, and reads a cut message again as a whole", async () => {
    await write(entry("a"));
    const first = await drain(source());
    expect((await drain(source(), first.position)).texts).toStrictEqual([]);
    await appendFile(join(directory, "box"), entry("b"));
    const second = await drain(source(), first.position);
    expect(second.texts).toStrictEqual([message("b")]);
    await appendFile(join(directory, "box"), "more of b\n");
    const third = await drain(source(), second.position);
    expect(third.texts).toStrictEqual([message("b", "hello\n\nmore of b\n")]);
  });

  it("is read from its start when it was truncated", async () => {
    await write(entry("a") + entry("b"));
    const { position } = await drain(source());
    await truncate(join(directory, "box"));
    await appendFile(join(directory, "box"), entry("c") + entry("d") + entry("e"));
    expect((await drain(source(), position)).texts).toStrictEqual(
      ["c", "d", "e"].map((name) => message(name)),
    );
  });

  it("gives what was left of a rotated file", async () => {
    await write(entry("a"));
    const { position } = await drain(source());
    await appendFile(join(directory, "box"), entry("b"));
    await rename(join(directory, "box"), join(directory, "box.1"));
    await write(entry("c"));
    expect((await drain(source(), position)).texts).toStrictEqual([message("b"), message("c")]);
  });

  it("tells of a message above the cap", async () => {
    const large = message("large", "x".repeat(MAX_MAIL_BYTES));
    await write(`${entry("a")}${ENVELOPE}${large}\n\n${entry("b")}`);
    const { texts } = await drain(source());
    expect(texts).toHaveLength(3);
    expect(Number(texts[1])).toBeGreaterThan(MAX_MAIL_BYTES);
    expect(texts[2]).toBe(message("b"));
  });
});

describe("a stream", () => {
  it("is one message or an mbox", async () => {
    const of = async (text: string) =>
      (
        await drain(
          createStreamSource(
            "s",
            (async function* () {
              yield Buffer.from(text.slice(0, 3));
              yield Buffer.from(text.slice(3));
            })(),
          ),
        )
      ).texts;
    expect(await of(message("a"))).toStrictEqual([message("a")]);
    expect(await of(`${ENVELOPE}${message("a")}\n${ENVELOPE}${message("b")}\n`)).toStrictEqual([
      message("a"),
      message("b"),
    ]);
  });
});

describe("a Maildir", () => {
  it("gives each message once, wherever it moves", async () => {
    const path = join(directory, "mail");
    for (const part of ["new", "cur", "tmp"]) await mkdir(join(path, part), { recursive: true });
    const source = () =>
      createMaildirSource({ id: "d", path, stateDirectory: join(directory, "state"), follow: false });
    await writeFile(join(path, "new", "2.x"), message("b"));
    await writeFile(join(path, "cur", "1.x:2,S"), message("a"));
    const first = await drain(source());
    expect(first.texts).toStrictEqual([message("a"), message("b")]);
    await rename(join(path, "new", "2.x"), join(path, "cur", "2.x:2,RS"));
    await writeFile(join(path, "new", "3.x"), message("c"));
    // What was read and not stored comes again.
    for (const _ of [1, 2])
      expect((await drain(source(), first.position)).texts).toStrictEqual([message("c")]);
  });
});

describe("LMTP and SMTP", () => {
  it.each(["lmtp", "smtp"] as const)("%s answers when the store has answered", async (protocol) => {
    const ready = Promise.withResolvers<number>();
    const source = createSmtpSource({
      id: "l",
      protocol,
      listen: { host: "127.0.0.1", port: 0 },
      recipients: ["tare@ci.example.org"],
      onListening: (address) => ready.resolve(typeof address === "string" ? 0 : address.port),
    });
    const stop = new AbortController();
    const stored: string[] = [];
    let isBroken = true;
    const reading = readSources(
      [source],
      { of: async () => null },
      async (_, { messages }) => {
        if (isBroken) throw new Error("the store is away");
        stored.push(...messages.map(({ raw }) => raw?.toString("latin1") ?? ""));
      },
      stop.signal,
    );
    const transport = createTransport({
      host: "127.0.0.1",
      port: await ready.promise,
      lmtp: protocol === "lmtp",
      ignoreTLS: true,
    });
    const send = (to: string) =>
      transport.sendMail({ envelope: { from: "a@example.net", to }, raw: "Subject: x\r\n\r\n.dot\r\n" }).then(
        ({ response }) => Number(response.slice(0, 3)),
        (error: { responseCode: number }) => error.responseCode,
      );
    expect(await send("tare+x@CI.example.org")).toBe(451);
    expect(await send("other@ci.example.org")).toBe(550);
    isBroken = false;
    expect(await send("tare@ci.example.org")).toBe(250);
    expect(stored).toStrictEqual(["Subject: x\r\n\r\n.dot\r\n"]);
    stop.abort();
    await reading;
  });
});

describe("a public-inbox archive", () => {
  const inbox = () => join(directory, "inbox");
  const source = () =>
    createPublicInboxSource({
      id: "p",
      url: inbox(),
      mirrorDirectory: join(directory, "mirror"),
      follow: false,
    });
  /** Writes an epoch anew: `m` messages, and `d` before those that are removed. */
  function epoch(number: number, entries: readonly string[]): void {
    const path = join(inbox(), "git", `${number}.git`);
    if (!existsSync(path))
      execFileSync("git", ["init", "--quiet", "--bare", "--initial-branch=master", path]);
    const who = "A <a@example.net> 1767607200 +0000";
    const commits = entries.map((entry, index) => {
      const isRemoval = entry.startsWith("-");
      const text = entry.slice(isRemoval ? 1 : 0);
      const file = `deleteall\nM 100644 inline ${isRemoval ? "d" : "m"}\ndata ${text.length}\n${text}\n`;
      // Without a parent, the first one rewrites the branch.
      const start = index === 0 ? "reset refs/heads/master\n\n" : "";
      return `${start}commit refs/heads/master\ncommitter ${who}\ndata 1\nx\n${file}`;
    });
    execFileSync("git", ["-C", path, "fast-import", "--quiet", "--force"], { input: commits.join("") });
  }

  it("is read epoch by epoch, and a purged one gives only what is new", async () => {
    epoch(0, ["a", "b", "-b"]);
    const first = await drain(source());
    expect(first.texts).toStrictEqual(["a", "b"]);
    epoch(0, ["a", "b", "-b", "c"]);
    epoch(1, ["d"]);
    const second = await drain(source(), first.position);
    expect(second.texts).toStrictEqual(["c", "d"]);
    epoch(0, ["b", "c", "e"]);
    const third = await drain(source(), second.position);
    expect(third.texts).toStrictEqual(["e"]);
    expect((await drain(source(), third.position)).texts).toStrictEqual([]);
  });
});

describe("readSources", () => {
  it("starts again from what is stored, after waiting longer each time", async () => {
    const positions: Position[] = [];
    const waits: number[] = [];
    const stored: number[] = [];
    let position: Position = null;
    let failures = 0;
    const source: MailSource = {
      id: "x",
      async *read(from) {
        positions.push(from);
        const next = Number(from) + 1;
        yield { messages: [{ at: next, raw: Buffer.from("x"), tooLargeBytes: null }], position: next };
        if (next < 3) throw new Error("cut");
      },
    };
    await readSources(
      [source],
      { of: async () => position },
      async (_, batch) => {
        if (failures++ < 2) throw new Error("the store is away");
        position = batch.position;
        stored.push(Number(batch.position));
      },
      new AbortController().signal,
      { wait: async (ms) => void waits.push(ms) },
    );
    expect(stored).toStrictEqual([1, 2, 3]);
    expect(positions).toStrictEqual([null, null, null, 1, 2]);
    expect(waits).toStrictEqual([1000, 2000, 1000, 1000]);
  });
});
