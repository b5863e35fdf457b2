import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { query } from "../fixtures/queue/databases.ts";
import {
  openPrivateDatabase,
  privateAddress,
  type PrivateDatabase,
} from "../../src/queue/private-database.ts";

let directory = "";
let open: PrivateDatabase | null = null;

afterEach(async () => {
  await open?.stop();
  open = null;
  await rm(directory, { recursive: true, force: true });
});

it("is made once, keeps what was committed, and listens on a socket alone", async () => {
  directory = await mkdtemp(join(tmpdir(), "tare-own-"));
  expect(privateAddress(directory)).toBeNull();
  open = await openPrivateDatabase(directory);
  expect(privateAddress(directory)).toStrictEqual(open.address);
  await query(open.address, "CREATE TABLE kept AS SELECT 1 AS one");
  expect(await query(open.address, "SHOW listen_addresses")).toStrictEqual([{ listen_addresses: "" }]);
  expect((await stat(join(directory, "password"))).mode & 0o777).toBe(0o600);
  await open.stop();
  open = await openPrivateDatabase(directory);
  expect(await query(open.address, "SELECT one FROM kept")).toStrictEqual([{ one: 1 }]);
}, 60_000);

it("is one process's, and its server knows nothing of that process's environment", async () => {
  directory = await mkdtemp(join(tmpdir(), "tare-own-"));
  process.env["TARE_TEST_CANARY"] = "a-secret-of-the-service";
  try {
    open = await openPrivateDatabase(directory);
    await expect(openPrivateDatabase(directory)).rejects.toThrow(`Another \`tare serve\` uses ${directory}.`);
    const [pid] = (await readFile(join(directory, "postgres/postmaster.pid"), "utf8")).split("\n");
    const environment = await readFile(`/proc/${pid}/environ`, "utf8");
    expect(environment).toContain("PATH=");
    expect(environment).not.toContain("a-secret-of-the-service");
  } finally {
    delete process.env["TARE_TEST_CANARY"];
  }
}, 60_000);

it("says what is wrong where it cannot be made", async () => {
  directory = await mkdtemp(join(tmpdir(), "tare-own-"));
  const long = join(directory, "a".repeat(90));
  await expect(openPrivateDatabase(long)).rejects.toThrow(/is too long for a socket/u);
});
