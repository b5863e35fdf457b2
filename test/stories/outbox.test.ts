import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { atOnce, openDatabases, type Databases } from "../fixtures/queue/databases.ts";
import { mailDraft, openOutboxBench, type OutboxBench } from "../fixtures/queue/outbox-bench.ts";
import { playTare } from "./tare-process.ts";

let databases: Databases;
let bench: OutboxBench;
let url = "";

beforeAll(async () => {
  databases = await openDatabases();
  const address = await databases.ready();
  if (!("host" in address)) throw new Error("a private database has a socket");
  const { host, user, password, database } = address;
  url = `postgresql://${user}:${password}@/${database}?host=${encodeURIComponent(host)}`;
  bench = openOutboxBench(address);
}, 60_000);
afterAll(async () => {
  await bench.close();
  await databases.close();
}, 60_000);

const play = async (...argv: string[]) => {
  const { code, stdout, stderr } = await playTare(["outbox", ...argv], {
    environment: { DATABASE_URL: url },
  });
  return { code, stdout, stderr };
};
const said = async (...argv: string[]) => {
  const played = await play(...argv);
  expect(played).toMatchObject({ code: 0, stderr: "" });
  return played.stdout;
};

it("holds every reply back, and lets them go again", async () => {
  await bench.keep({}, { stamp: {}, body: "Weighed \u001b[31mred\nand more." });
  await said("stop", "the forge is moved");
  expect((await bench.claim("github")).reply).toBeNull();
  const listed = await said("list");
  expect(listed).toMatch(/^Stopped at \d{4}-.*: the forge is moved$/mu);
  expect(listed).toMatch(/^0 held, 1 pending, 0 being sent, 0 unknown$/mu);
  expect(listed).toMatch(/^1 {2}github {2}github:acme\/images#1 {2}pending, due /mu);
  const shown = await said("show", "1");
  expect(shown).toContain("and more.");
  expect(shown).not.toContain("\u001b");
  await said("start");
  const { reply } = await bench.claim("github");
  expect(reply?.body).toContain("and more.");
}, 30_000);

it("sends a mail that may have arrived again only where it is told to, and never one that was discarded", async () => {
  await bench.keep({ channel: "mail", key: "mail:series" }, mailDraft("run1"));
  await bench.claim("mail");
  await bench.recover("mail");
  expect(await play("release", "2")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("Reply 2 is unknown: it cannot be released.") as string,
  });
  await said("discard", "2");
  expect((await bench.claim("mail")).reply).toBeNull();
  expect(await play("discard", "2")).toMatchObject({ code: 2 });
  await said("release", "2");
  expect((await bench.claim("mail")).reply).toMatchObject({ attempt: 2 });
  await bench.recover("mail");
  await said("release", "2", "--again");
  expect((await bench.claim("mail")).reply).toMatchObject({ attempt: 3 });
  expect(await play("show", "99")).toMatchObject({ code: 2 });
}, 40_000);

it("lets the first replies of a project go one by one, and later ones by themselves", async () => {
  const policy = { ...atOnce, holdFirst: 1 };
  const to = (number: number) => ({ channel: "gitlab", key: `gitlab:acme/images!${number}` }) as const;
  await bench.keep(to(1), { stamp: {}, body: "first" });
  await bench.keep(to(2), { stamp: {}, body: "second" });
  const { reply, transitions } = await bench.claim("gitlab", policy);
  expect(reply).toBeNull();
  expect(transitions.map(({ state }) => state)).toStrictEqual(["held", "held"]);
  await said("release", "3");
  expect((await bench.claim("gitlab", policy)).reply).toMatchObject({ body: "first" });
  await bench.keep(to(3), { stamp: {}, body: "third" });
  expect((await bench.claim("gitlab", policy)).reply).toMatchObject({ body: "third" });
  expect(await said("list")).toMatch(/ held: the first replies wait for the operator$/mu);
}, 30_000);

it("refuses a directory in which no service was", async () => {
  const directory = await mkdtemp(join(tmpdir(), "tare-none-"));
  const played = await playTare(["outbox", "list"], { environment: { TARE_DATA: directory } });
  await rm(directory, { recursive: true });
  expect(played.code).toBe(2);
  expect(played.stderr).toContain(`No database is in ${directory}.`);
});
