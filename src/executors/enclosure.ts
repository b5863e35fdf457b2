import type Docker from "dockerode";
import type { Job } from "../domain/job.ts";
import type { Egress } from "../network/egress.ts";
import { GATE_ADDRESS, openGate, openingsOf } from "../network/gate.ts";
import type { Engine } from "./engine-connection.ts";
import { createJobDisk } from "./job-disk.ts";
import { holdNamespace } from "./network-namespace.ts";

/** What jobs of others are held in; without it they are refused. */
export type GateOptions = {
  /** What leads out. */
  egress: Egress;
  /** Container image with `sleep` and a shell, on the engine. */
  holderImage: string;
};

/** What is around the container of one job. */
export type Enclosure = {
  network: string;
  /** Empty storage: volumes of the engine's own, or directories of the job's disk. */
  storage: Pick<Docker.ContainerCreateOptions, "Volumes"> & { Mounts: Docker.MountSettings[] };
  /** Between the making of the container and its first file. */
  take(container: Docker.Container): Promise<void>;
  /** After the container is gone. */
  remove(): Promise<void>;
};

export type EnclosureOwner = { owner: string; labels: Record<string, string>; gate: GateOptions | null };

/** Sets up the network and the disk of a job as it asks for them. */
export async function encloseJob(engine: Engine, job: Job, own: EnclosureOwner): Promise<Enclosure> {
  const stack = new AsyncDisposableStack();
  try {
    const network = job.network === "gated" ? await gatedNetwork(engine, job, own, stack) : "host";
    const disk = await diskOf(engine, job, own);
    if (disk !== null) stack.defer(() => disk.remove());
    return {
      network,
      storage:
        disk === null
          ? { Volumes: Object.fromEntries(job.volumes.map((path) => [path, {}])), Mounts: [] }
          : { Mounts: disk.mounts },
      take: async (container) => disk?.takeLayer(container),
      remove: () => stack.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** A network of a gate alone. The gate answers before the job's first process is there. */
async function gatedNetwork(
  { docker }: Engine,
  job: Job,
  { gate, labels }: EnclosureOwner,
  stack: AsyncDisposableStack,
): Promise<string> {
  if (gate === null) throw new RangeError("a gated job where there is no gate");
  const services = job.services ?? [];
  const openings = openingsOf(services);
  const space = await holdNamespace(docker, { name: job.name, image: gate.holderImage, labels });
  stack.defer(() => space.remove());
  await space.addAddress(GATE_ADDRESS);
  const opened = openGate(await space.listen(openings), services, gate.egress);
  stack.defer(() => opened.close());
  return space.mode;
}

async function diskOf({ docker, facts }: Engine, job: Job, { owner }: EnclosureOwner) {
  const { diskBytes: bytes } = job.limits;
  const { rootDirectory: engineDirectory } = facts;
  if (bytes === null) return null;
  if (engineDirectory === null) throw new RangeError("a disk where the engine does not tell its own");
  const { Config } = await docker.getImage(job.image).inspect();
  // What the image itself wants as volumes would lie on the engine's disk.
  const volumes = [...job.volumes, ...Object.keys(Config.Volumes ?? {})];
  return createJobDisk({ name: job.name, owner, bytes, volumes, etc: etcOf(job), engineDirectory });
}

/** Files that an engine writes for every container. */
function etcOf(job: Job): Record<string, string> {
  if (job.network !== "gated") return {};
  return {
    "/etc/resolv.conf": `nameserver ${GATE_ADDRESS}\noptions timeout:2 attempts:1\n`,
    "/etc/hosts": "127.0.0.1 localhost runner\n",
    "/etc/hostname": "runner\n",
  };
}
