import { createEngineExecutor } from "../executors/engine.ts";
import type { Engine } from "../executors/engine-connection.ts";
import { madeVersion } from "../images/import-image.ts";
import { MAKERS } from "../images/packages.ts";
import { pulledBy } from "../images/pins.ts";
import { acquirePrivateEngine } from "../images/private-engine.ts";
import { egressTo } from "../network/egress.ts";
import { cacheDirectory } from "../lib/cache-directory.ts";
import type { EngineSeen, Finding } from "./builder-finding.ts";

/** Whether this machine holds jobs of changes that are not trusted: a job tries, and is gone again. */
export async function gateFindings(
  seen: EngineSeen,
  named: string | undefined,
  egress: readonly string[],
): Promise<Finding[]> {
  if (seen.kind === "none") return [];
  if (seen.kind === "running") return attempt(seen.engine, named, egress);
  if (!seen.hadBefore) return [later("no engine of Tare's own was started yet")];
  const own = await acquirePrivateEngine(cacheDirectory(process.env));
  try {
    return await attempt(own.engine, named, egress);
  } finally {
    await own.release();
  }
}

const later = (why: string): Finding => ({
  what: "gate",
  state: "on first use",
  detail: `what is enforced on jobs of others is tried then: ${why}`,
});

async function attempt(
  engine: Engine,
  named: string | undefined,
  egress: readonly string[],
): Promise<Finding[]> {
  const images = [...(named === undefined ? [] : [named]), pulledBy("registry"), MAKERS.registry.image];
  const there = await Promise.all(images.map((image) => madeVersion(engine.docker, image)));
  const holderImage = images.find((_, index) => there[index] !== null);
  if (holderImage === undefined) return [later("the engine has no image of the registry yet")];
  const gate = { egress: egressTo(egress), holderImage };
  const missing = await createEngineExecutor(engine, undefined, gate).missingForGate();
  if (missing.length === 0) {
    const hosts = egress.length === 0 ? "nothing, as `egress` names no host" : egress.join(", ");
    const detail = `jobs of others are held by network, disk, memory, CPUs and processes; they may reach ${hosts}`;
    return [{ what: "gate", state: "usable", detail }];
  }
  const remedy = "Until it is mended, jobs of changes that are not trusted are refused.";
  return missing.map((detail, index) => ({
    what: "gate",
    state: "not usable",
    detail,
    ...(index === missing.length - 1 ? { remedy } : {}),
  }));
}
