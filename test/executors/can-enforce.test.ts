import { describe, expect, it } from "vitest";
import type { Canaries, Canary } from "../../src/executors/canaries.ts";
import { canEnforce, type GateProbe } from "../../src/executors/can-enforce.ts";
import { readAttempts } from "../../src/executors/gate-attempt.ts";

const facts = { local: true, name: "docker", rootDirectory: "/var/lib/docker" } as const;

function probe(more: Partial<GateProbe> = {}): GateProbe & { tried: number } {
  const made = {
    tried: 0,
    isRoot: () => true,
    lackedPrograms: async () => [],
    attempt: async () => {
      made.tried += 1;
      return [];
    },
    ...more,
  };
  return made;
}

describe("what a machine can enforce", () => {
  it("is all where every attempt of a job failed", async () => {
    const looked = probe();
    expect(await canEnforce(facts, looked)).toStrictEqual([]);
    expect(looked.tried).toBe(1);
  });

  it("is told in words where something is missing, and nothing is tried then", async () => {
    const looked = probe({ isRoot: () => false, lackedPrograms: async () => ["ip", "nsenter"] });
    const missing = await canEnforce({ local: false, name: "podman", rootDirectory: null }, looked);
    expect(missing).toStrictEqual([
      "the engine is on another machine: no gate can be put into its jobs' networks",
      "Tare does not run as root: it can enter no network and mount no disk",
      "the engine is not Docker: no limit of the disk is known for it",
      "the engine does not tell where it keeps its containers",
      "programs are not installed: ip, nsenter",
    ]);
    expect(looked.tried).toBe(0);
  });

  it("is what the attempts say where everything is there", async () => {
    const attempt = async () => ["a job's memory has no limit, or swap is used beside it"];
    expect(await canEnforce(facts, probe({ attempt }))).toStrictEqual(await attempt());
  });
});

describe("the attempts of a job", () => {
  const canary = (address: string, connections: number, bytes = 0): Canary => ({
    address,
    port: 1,
    heard: () => ({ connections, bytes }),
  });
  const canaries = (door: number, denied: Canary[]): Canaries => ({
    door: canary("127.0.0.1", door),
    denied,
    close: () => {},
  });

  it("are nothing where none came through and its own door did", () => {
    expect(readAttempts(["end"], canaries(1, [canary("127.0.0.1", 0), canary("::1", 0)]))).toStrictEqual([]);
  });

  it("prove nothing where its own door was not reached either, or the script broke off", () => {
    expect(readAttempts(["end"], canaries(0, []))).toStrictEqual([
      "a gated job does not reach its own registry",
    ]);
    expect(readAttempts(["sh: nc: not found"], canaries(1, []))).toStrictEqual([
      "the attempts of a gated job broke off: sh: nc: not found",
    ]);
  });

  it("are told by each address that heard of them, and by what the script got through with", () => {
    const denied = [canary("127.0.0.1", 0), canary("192.0.2.2", 1), canary("::1", 0, 7)];
    expect(
      readAttempts(["through root", "through ping", "through ping", "end"], canaries(1, denied)),
    ).toStrictEqual([
      "a gated job reaches this machine at 192.0.2.2",
      "a gated job reaches this machine at ::1",
      "what a job writes beside its volumes has no limit",
      "a gated job reaches others by ICMP",
    ]);
  });
});
