import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { withDebian } from "../../src/images/debian-root.ts";
import { goMissing, goPrograms } from "../../src/images/go-program.ts";
import { findProgram } from "../../src/images/host-commands.ts";
import { ensurePackages, missingPackages } from "../../src/images/host-packages.ts";
import { addAccounts, addProgram, withDirectory } from "../../src/images/root-directory.ts";

let directory = "";

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "roots-"));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

describe("a Debian that is kept", () => {
  /** Stands in for what debootstrap made: package lists, a cache and one file of the system. */
  async function keep(suite: string): Promise<void> {
    const root = join(directory, "made");
    for (const path of ["etc", "var/lib/apt/lists", "var/cache/apt/archives"])
      await mkdir(join(root, path), { recursive: true });
    await writeFile(join(root, "etc/debian_version"), "13.1\n");
    await writeFile(join(root, "var/lib/apt/lists/mirror_Packages"), "Package: x\n");
    await writeFile(join(root, "var/cache/apt/pkgcache.bin"), "x");
    await writeFile(join(root, "var/cache/apt/archives/x.deb"), "x");
    await mkdir(join(directory, "debian"));
    const archive = join(directory, "debian", `${suite}.tar`);
    expect(spawnSync("tar", ["-C", root, "-cf", archive, "."]).status).toBe(0);
  }

  it("is unpacked anew for each use, without package lists, and gone afterwards", async () => {
    await keep("trixie");
    const seen: string[] = [];
    for (const use of ["first", "second"]) {
      await withDebian("trixie", [], directory, async (root) => {
        seen.push(root);
        expect(await readFile(join(root, "etc/debian_version"), "utf8")).toBe("13.1\n");
        expect(await readdir(join(root, "var/lib/apt/lists"))).toStrictEqual([]);
        expect(await readdir(join(root, "var/cache/apt"))).toStrictEqual(["archives"]);
        expect(await readdir(join(root, "var/cache/apt/archives"))).toStrictEqual([]);
        expect(existsSync(join(root, "left-by-first"))).toBe(false);
        await writeFile(join(root, `left-by-${use}`), "");
      });
    }
    expect(new Set(seen).size).toBe(2);
    expect(seen.filter((root) => existsSync(root))).toStrictEqual([]);
  });
});

describe("the root directory of an image", () => {
  it("can be read by everybody and is removed even where its use fails", async () => {
    let root = "";
    const failing = withDirectory(async (path) => {
      root = path;
      expect((await stat(path)).mode & 0o777).toBe(0o755);
      throw new Error("disk full");
    });
    await expect(failing).rejects.toThrow("disk full");
    expect(existsSync(root)).toBe(false);
  });

  it("has root's account and a directory for everybody's temporary files", async () => {
    await addAccounts(directory);
    expect(await readFile(join(directory, "etc/passwd"), "utf8")).toBe("root:x:0:0:root:/root:/bin/sh\n");
    expect((await stat(join(directory, "tmp"))).mode & 0o7777).toBe(0o1777);
  });

  it("gets a program with the libraries that it is linked to", async () => {
    const shell = (await findProgram("sh")) ?? "";
    await addProgram(directory, shell, "shell");
    expect((await stat(join(directory, "bin/shell"))).mode & 0o111).toBe(0o111);
    const files = await readdir(directory, { recursive: true });
    expect(files.filter((name) => name.endsWith("/libc.so.6"))).toHaveLength(1);
  });
});

describe("programs that Go builds", () => {
  const module = {
    name: "example",
    module: "example.invalid/example",
    version: "v1.2.3",
    versionVariable: "example.invalid/example.version",
    packages: ["./cmd/example"],
    oldestGo: "1.26",
  };

  it("are taken from the cache directory where they are there", async () => {
    const built = join(directory, "go", "example-v1.2.3");
    await mkdir(built, { recursive: true });
    expect(await goPrograms(module, directory)).toBe(built);
  });

  it("need a Go, which the Problem names with its version", () => {
    expect(goMissing("buildkit", "1.26.3")).toMatchObject({
      code: "setup-refused",
      message: "buildkit is in no Debian package, and there is no Go here to build it.",
      remedy: "Install Go 1.26.3 or later, or give Tare a container engine that can pull public images.",
    });
  });
});

describe("Debian packages", () => {
  it("are missing where their program is not there", async () => {
    const wanted = { sh: "dash", "no-such-program-b": "package-b", "no-such-program-a": "package-a" };
    expect(await missingPackages(wanted)).toStrictEqual(["package-a", "package-b"]);
  });

  it("are not asked about where all are there", async () => {
    const asked: string[] = [];
    const dialogue = {
      say: (line: string) => void asked.push(line),
      ask: async (question: string) => asked.push(question) > 0,
    };
    await ensurePackages({ sh: "dash" }, dialogue);
    expect(asked).toStrictEqual([]);
  });

  it("are a Problem where the person says no or nothing can be installed", async () => {
    const dialogue = { say: () => {}, ask: async () => false };
    await expect(ensurePackages({ "no-such-program": "package-a" }, dialogue)).rejects.toMatchObject({
      code: "setup-refused",
      message: expect.stringContaining("package-a"),
    });
  });
});
