import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDownloadCache, type DownloadCache } from "../../src/network/download-cache.ts";

const run = promisify(execFile);
const PACKAGES = ["hello", "busybox", "bash"];

let directory: string;
let cache: DownloadCache;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "tare-apt-"));
  cache = await createDownloadCache({ directory: join(directory, "cache") });
});

afterAll(async () => {
  await cache?.close();
  rmSync(directory, { recursive: true });
});

/** apt with the machine's own sources and an empty state of its own, behind the cache; resolves with the packages it got. */
async function updateAndDownload(name: string): Promise<string[]> {
  const root = join(directory, name);
  for (const part of ["state/lists/partial", "cache/archives/partial", "packages"]) {
    mkdirSync(join(root, part), { recursive: true });
  }
  const options = {
    "Acquire::http::Proxy": cache.address,
    "Acquire::https::Proxy": cache.address,
    "Acquire::Languages": "none",
    "APT::Sandbox::User": "root",
    "APT::Update::Post-Invoke-Success::": "",
    "Dir::State": join(root, "state"),
    "Dir::State::status": "/var/lib/dpkg/status",
    "Dir::Cache": join(root, "cache"),
  };
  const flags = Object.entries(options).flatMap(([key, value]) => ["-o", `${key}=${value}`]);
  const cwd = join(root, "packages");
  await run("apt-get", [...flags, "--error-on=any", "update"], { cwd });
  await run("apt-get", [...flags, "download", ...PACKAGES], { cwd });
  return readdirSync(cwd).toSorted();
}

describe("apt behind the download cache", () => {
  let first: string[] = [];

  it("fetches what it needs once", async () => {
    first = await updateAndDownload("first");
    expect(first.map((name) => name.split("_", 1)[0])).toStrictEqual(PACKAGES.toSorted());
    const report = cache.take();
    expect(report.requests).toBeGreaterThan(PACKAGES.length);
    expect(report).toMatchObject({ missed: report.requests, served: 0, bytesFromCache: 0 });
    expect(report.bytesFetched).toBeGreaterThan(1_000_000);
  });

  it("gets the same from the cache alone, and nothing is fetched", async () => {
    expect(await updateAndDownload("second")).toStrictEqual(first);
    const report = cache.take();
    expect(report).toMatchObject({ served: report.requests, missed: 0, bytesFetched: 0 });
    expect(report.bytesFromCache).toBeGreaterThan(1_000_000);
  });

  it("asks for little when it has the lists and packages already", async () => {
    await updateAndDownload("second");
    const report = cache.take();
    expect(report).toMatchObject({ served: report.requests, missed: 0, bytesFetched: 0 });
    // InRelease files are sent again at most, where the mirror tells no dates; the rest apt knows by its hashes.
    expect(report.bytesFromCache).toBeLessThan(1_000_000);
  });
});
