import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { freeBytes } from "../../src/lib/disk.ts";
import { codeOf, errorText, statusOf } from "../../src/lib/error-text.ts";
import { isRunning, ownIdentity } from "../../src/lib/process-identity.ts";

describe("what a thrown value says", () => {
  it("is an error's message, or the value", () => {
    expect([new TypeError("why"), "text", 7, null, undefined].map(errorText)).toStrictEqual([
      "why",
      "text",
      "7",
      "null",
      "undefined",
    ]);
  });

  it("may carry a status of HTTP or a code of the system", () => {
    const values = [{ statusCode: 404 }, { status: 500 }, { status: "500" }, null, "404", new Error("x")];
    expect(values.map(statusOf)).toStrictEqual([404, 500, null, null, null, null]);
    const errors = [Object.assign(new Error("x"), { code: "ENOENT" }), { code: 7 }, null, "ENOENT"];
    expect(errors.map(codeOf)).toStrictEqual(["ENOENT", null, null, null]);
  });
});

describe("free space", () => {
  it("is that of the nearest directory above that is there", async () => {
    const here = await freeBytes(tmpdir());
    expect(here).toBeGreaterThan(0);
    const below = await freeBytes(join(tmpdir(), "not", "there", "yet"));
    expect(Math.abs(below - here)).toBeLessThan(1e9);
  });

  it("is an error where the path leads through a file", async () => {
    await expect(freeBytes(join(import.meta.filename, "below"))).rejects.toMatchObject({ code: "ENOTDIR" });
  });
});

describe("the identity of a process", () => {
  it("is host, process and start, and is running now", () => {
    expect(ownIdentity()).toMatch(new RegExp(`^${hostname()}/${process.pid}/\\d+$`));
    expect(isRunning(ownIdentity())).toBe(true);
  });

  it("is gone with its process, also where another one got its number", async () => {
    const [host, pid, ticks] = ownIdentity().split("/");
    expect(isRunning(`${host}/${pid}/${Number(ticks) - 1}`)).toBe(false);
    expect(isRunning(`${host}/${2 ** 30}/5`)).toBe(false);
    const child = spawn("/bin/true");
    await once(child, "exit");
    expect(isRunning(`${host}/${child.pid}/5`)).toBe(false);
  });

  it("of another host counts as running: nobody here can tell", () => {
    expect(isRunning(`not-${hostname()}/1/1`)).toBe(true);
  });

  it("that is none is not running on this host", () => {
    expect(isRunning(hostname())).toBe(false);
  });
});
