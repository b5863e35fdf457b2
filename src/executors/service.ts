import type Docker from "dockerode";
import { Outage } from "../domain/problem.ts";
import type { Service, ServiceSpec } from "../domain/job.ts";
import { archiveOf } from "./archive.ts";
import { createFromImage } from "./create-container.ts";
import { exec } from "./exec.ts";
import { framesOf } from "./log-lines.ts";
import { errorText } from "../lib/error-text.ts";

/** Starts a container that stays beside the jobs until it is removed. */
export async function startService(
  docker: Docker,
  spec: ServiceSpec,
  labels: Record<string, string>,
): Promise<Service> {
  const container = await create(docker, spec, labels);
  const linesOf = async (streams: { stdout: boolean; stderr: boolean; tail?: number }): Promise<string[]> => {
    const buffer = await container.logs({ ...streams, follow: false });
    const payloads = [...framesOf(buffer)].map((frame) => frame.payload);
    return Buffer.concat(payloads).toString("utf8").split("\n").filter(Boolean);
  };
  try {
    if (spec.files.length > 0) await container.putArchive(await archiveOf(spec.files), { path: "/" });
    await container.start();
  } catch (error) {
    await container.remove({ force: true, v: true }).catch(() => {});
    throw new Outage(
      `The engine could not start ${spec.name}: ${errorText(error)}`,
      "Run `tare doctor`: it tells what this engine may do.",
      { cause: error },
    );
  }
  return {
    async exec(argv) {
      const output: Buffer[] = [];
      const errors: Buffer[] = [];
      const exitCode = await exec(container, argv, "/", (stream, chunk) =>
        (stream === "stdout" ? output : errors).push(chunk),
      );
      if (exitCode !== 0) {
        const said = Buffer.concat(errors).toString("utf8").trim();
        throw new Outage(`${argv[0]} failed in ${spec.name} (${exitCode}): ${said}`, "Run it again.");
      }
      return Buffer.concat(output).toString("utf8");
    },
    output: () => linesOf({ stdout: true, stderr: false }),
    errors: () => linesOf({ stdout: false, stderr: true }),
    tail: () => linesOf({ stdout: true, stderr: true, tail: 10 }),
    running: async () => (await container.inspect()).State.Running,
    restart: async () => {
      await container.restart({ t: 1 });
    },
    remove: async () => {
      await container.remove({ force: true, v: true }).catch(() => {});
    },
  };
}

function create(
  docker: Docker,
  spec: ServiceSpec,
  labels: Record<string, string>,
): Promise<Docker.Container> {
  const [program, ...rest] = spec.main;
  return createFromImage(docker, {
    name: `tare-${spec.name}`,
    Image: spec.image,
    Entrypoint: program === undefined ? [] : [program],
    Cmd: rest,
    Env: Object.entries(spec.environment).map(([name, value]) => `${name}=${value}`),
    Labels: labels,
    Volumes: Object.fromEntries(
      spec.volumes.filter((volume) => volume.name === null).map((volume) => [volume.path, {}]),
    ),
    HostConfig: {
      NetworkMode: "host",
      Binds: spec.volumes.flatMap((volume) =>
        volume.name === null ? [] : [`${volume.name}:${volume.path}`],
      ),
    },
  });
}
