import type { EngineFacts } from "./engine-connection.ts";

/** How a machine is looked at: its programs first, then what a job there can really do. */
export type GateProbe = {
  /** Root's rights of this process. */
  isRoot(): boolean;
  /** Programs of these that are not on this machine. */
  lackedPrograms(programs: readonly string[]): Promise<string[]>;
  /** What a job that tries everything got through with, in words. */
  attempt(): Promise<string[]>;
};

/** Programs by which a gate and a disk are made. */
const PROGRAMS = ["nsenter", "ip", "mkfs.ext4", "mount", "umount"];

/** What is missing on this machine to hold jobs of others, in words; none where everything was tried and held. */
export async function canEnforce(
  facts: Pick<EngineFacts, "local" | "name" | "rootDirectory">,
  probe: GateProbe,
): Promise<string[]> {
  const missing: string[] = [];
  if (!facts.local)
    missing.push("the engine is on another machine: no gate can be put into its jobs' networks");
  if (!probe.isRoot()) missing.push("Tare does not run as root: it can enter no network and mount no disk");
  if (facts.name !== "docker") missing.push("the engine is not Docker: no limit of the disk is known for it");
  if (facts.rootDirectory === null) missing.push("the engine does not tell where it keeps its containers");
  const programs = await probe.lackedPrograms(PROGRAMS);
  if (programs.length > 0) missing.push(`programs are not installed: ${programs.join(", ")}`);
  // What cannot be set up cannot be tried.
  return missing.length > 0 ? missing : probe.attempt();
}
