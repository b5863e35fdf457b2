import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lastingParent, memoryCgroupOf, memoryDirectory, readMemory } from "../../src/executors/cgroup.ts";

let directory = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "cgroup-"));
});

afterEach(() => rmSync(directory, { recursive: true }));

const write = (files: Record<string, string>) => {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
};

describe("a memory cgroup", () => {
  it("of version 1 tells its peak and its processes' memory; kills are another group's", () => {
    write({
      "memory.max_usage_in_bytes": "8589934592\n",
      "memory.stat": "cache 10\nrss 20\ntotal_cache 30\ntotal_rss 40\n",
    });
    expect(readMemory(directory)).toStrictEqual({
      peakBytes: 8_589_934_592,
      anonymousBytes: 40,
      kills: null,
    });
  });

  it("of version 2 tells kills as well", () => {
    write({
      "memory.peak": "123456789\n",
      "memory.stat": "anon 5000\nfile 70\nanon_thp 0\n",
      "memory.events": "low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n",
    });
    expect(readMemory(directory)).toStrictEqual({ peakBytes: 123_456_789, anonymousBytes: 5_000, kills: 2 });
  });

  it("knows what its files tell, and no more", () => {
    expect(readMemory(directory)).toBeNull();
    write({ "memory.peak": "77\n" });
    expect(readMemory(directory)).toStrictEqual({ peakBytes: 77, anonymousBytes: null, kills: null });
    write({ "memory.peak": "max\n" });
    expect(readMemory(directory)).toBeNull();
    expect(readMemory(join(directory, "gone"))).toBeNull();
  });
});

describe("places of cgroups", () => {
  it("are known of a process that runs, and of none other", () => {
    expect(memoryCgroupOf(process.pid)).toMatch(/^\/sys\/fs\/cgroup/);
    expect(memoryCgroupOf(2 ** 30)).toBeNull();
  });

  it("last beyond a container where version 1 is driven by files, as root", () => {
    const engine = { cgroupDriver: "cgroupfs", cgroupVersion: "1" };
    expect(lastingParent("r1", engine)).toBe(process.getuid?.() === 0 ? "/tare/r1" : null);
    expect(lastingParent("r1", { ...engine, cgroupVersion: "2" })).toBeNull();
    expect(lastingParent("r1", { ...engine, cgroupDriver: "systemd" })).toBeNull();
    expect(memoryDirectory("/tare/r1")).toBe("/sys/fs/cgroup/memory/tare/r1");
  });
});
