import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { defaultPaths, openOperatorFile } from "../../src/config/open-operator-file.ts";

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "tare-config-"));
  await mkdir(join(directory, "tare"));
  await writeFile(join(directory, "tare/tare.yml"), "repeats: 4\n");
  await writeFile(join(directory, "named.yml"), "repeats: 5\n");
  await writeFile(join(directory, "large.yml"), `repeats: 6\n${"# \n".repeat(30_000)}`);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe("the operator's file", () => {
  it("is looked for at two places", () => {
    expect(defaultPaths({})).toStrictEqual(["/etc/tare/tare.yml", join(homedir(), ".config/tare/tare.yml")]);
    expect(defaultPaths({ XDG_CONFIG_HOME: "/x" })[1]).toBe("/x/tare/tare.yml");
    expect(defaultPaths({ XDG_CONFIG_HOME: "" })[1]).toBe(join(homedir(), ".config/tare/tare.yml"));
  });

  it("is the named one, else the one that is there", async () => {
    const path = join(directory, "named.yml");
    const named = { TARE_CONFIG: path, XDG_CONFIG_HOME: directory };
    expect(await openOperatorFile(named)).toStrictEqual({ path, settings: { repeats: 5 } });
    const found = { path: join(directory, "tare/tare.yml"), settings: { repeats: 4 } };
    const places = [join(directory, "missing/tare.yml"), found.path, path];
    expect(await openOperatorFile({ TARE_CONFIG: "" }, places)).toStrictEqual(found);
  });

  it("is none where nothing is there", async () => {
    const missing = join(directory, "empty/tare/tare.yml");
    // A file stands where a directory is looked for.
    const odd = join(directory, "named.yml/tare/tare.yml");
    expect(await openOperatorFile({}, [missing, odd])).toStrictEqual({ path: null, settings: {} });
  });

  it.each(["missing.yml", "tare"])("is refused where the named one cannot be read: %s", async (name) => {
    const path = join(directory, name);
    await expect(openOperatorFile({ TARE_CONFIG: path })).rejects.toMatchObject({
      code: "configuration",
      message: `The operator's file ${path} cannot be read.`,
    });
  });

  it("is refused where it is too large, without reading all of it", async () => {
    const path = join(directory, "large.yml");
    await expect(openOperatorFile({ TARE_CONFIG: path })).rejects.toMatchObject({
      code: "configuration",
      details: ["large.yml:1:1: is larger than 64 kB"],
    });
    await expect(openOperatorFile({ TARE_CONFIG: "/dev/zero" })).rejects.toMatchObject({
      code: "configuration",
    });
  });
});
