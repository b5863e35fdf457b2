import type Docker from "dockerode";
import type { Mirror } from "../domain/mirror.ts";
import { Outage, Problem } from "../domain/problem.ts";
import { errorText } from "../lib/error-text.ts";
import { finished, madeVersion } from "./import-image.ts";
import { makeBusyboxBase, makeDebianBase } from "./make-bases.ts";
import type { SetupDialogue } from "./types.ts";
import { hostOf, splitReference } from "../domain/image-reference.ts";

/** A base image as a trial needs it: where it is on the engine, and what its layers are when unpacked. */
export type BaseImage = {
  name: string;
  image: string;
  digest: string | null;
  diffIds: string[];
  madeHere: boolean;
  /** Host of the mirror that it was pulled through; null: its own registry, or made here. */
  mirror: string | null;
};

const DEBIAN_SUITES: ReadonlyMap<string, string> = new Map([
  ["11", "bullseye"],
  ["bullseye", "bullseye"],
  ["12", "bookworm"],
  ["bookworm", "bookworm"],
  ["13", "trixie"],
  ["trixie", "trixie"],
]);

/** `debian:12-slim` and `docker.io/library/debian:12-slim` are one image. Digests are cut off. */
export function canonicalName(name: string): { host: string; path: string; tag: string } {
  const { repository: path, tag } = splitReference(name);
  const named = hostOf(path);
  const host = named ?? "docker.io";
  const rest = named === null ? path : path.slice(named.length + 1);
  return {
    host,
    path: host === "docker.io" && !rest.includes("/") ? `library/${rest}` : rest,
    tag: tag ?? "latest",
  };
}

/** How a base image can be made from packages; null where it cannot. */
export function packageRecipe(name: string): { kind: "busybox" } | { kind: "debian"; suite: string } | null {
  const { host, path, tag } = canonicalName(name);
  if (host !== "docker.io") return null;
  if (path === "library/busybox") return { kind: "busybox" };
  const suite = path === "library/debian" ? DEBIAN_SUITES.get(tag.replace(/-slim$/, "")) : undefined;
  return suite === undefined ? null : { kind: "debian", suite };
}

/** Makes a base image from packages where the engine does not have it yet. Problem base-image-missing where that is not known how. */
export async function makeBase(
  docker: Docker,
  name: string,
  dialogue: SetupDialogue,
  cacheDirectory: string,
): Promise<BaseImage> {
  const recipe = packageRecipe(name);
  if (recipe === null) {
    throw new Problem(
      "base-image-missing",
      `The base image ${name} cannot be had: no public registry is in reach, and no package makes it.`,
      "Choose images that start from Debian 11 to 13 or busybox with --images, or use an engine that can pull.",
    );
  }
  const image =
    recipe.kind === "busybox"
      ? "localhost/tare/base-busybox:2"
      : `localhost/tare/base-debian-${recipe.suite}:2`;
  if ((await madeVersion(docker, image)) === null) {
    dialogue.say(`Making ${image} in place of ${name}`);
    if (recipe.kind === "busybox") await makeBusyboxBase(docker, image);
    else await makeDebianBase(docker, recipe.suite, image, cacheDirectory);
  }
  const info = await docker.getImage(image).inspect();
  return { name, image, digest: null, diffIds: info.RootFS.Layers ?? [], madeHere: true, mirror: null };
}

/** The mirror that the operator names for a base image's registry; null where there is none. */
export function mirrorOf(name: string, mirrors: readonly Mirror[]): Mirror | null {
  const { host } = canonicalName(name);
  return mirrors.find(({ registry }) => registry === host) ?? null;
}

/** Where names of docker.io lead. */
const DOCKER_HUB = "registry-1.docker.io";

/**
 * Problem not-trusted where a Dockerfile that is not trusted names a base image on a host that its jobs may not reach:
 * the engine pulls on the machine's own network, and must not be led where a gate does not lead. A registry that the
 * operator names a mirror of is named well enough.
 */
export function refuseUnlistedBase(
  name: string,
  mirrors: readonly Mirror[],
  allowsHost: (host: string, port: number) => boolean,
): void {
  if (mirrorOf(name, mirrors) !== null) return;
  const { host } = canonicalName(name);
  const at = URL.parse(`https://${host === "docker.io" ? DOCKER_HUB : host}/`);
  if (at !== null && allowsHost(at.hostname, Number(at.port || 443))) return;
  throw new Problem(
    "not-trusted",
    `The base image ${name} is at ${at?.hostname ?? host}, which is not among the hosts that this change may reach.`,
    "Name its host under egress in tare.yml, or have somebody read the change and run it as trusted.",
  );
}

/**
 * Pulls a base image, so that its digest and layers are known: through its registry's mirror, and where that does not
 * have it from the registry itself, as builders do. Problem base-image-missing where neither has it.
 */
export async function pullBase(
  docker: Docker,
  name: string,
  mirrors: readonly Mirror[] = [],
): Promise<BaseImage> {
  const mirror = mirrorOf(name, mirrors);
  const failures: string[] = [];
  const places = mirror === null ? [] : [{ image: nameAt(mirror.host, name), mirror: mirror.host }];
  for (const place of [...places, { image: name, mirror: null }]) {
    try {
      return { name, ...place, ...(await pulled(docker, place.image)), madeHere: false };
    } catch (error) {
      failures.push(place.mirror === null ? errorText(error) : `${place.mirror}: ${errorText(error)}`);
    }
  }
  throw new Problem(
    "base-image-missing",
    `The base image ${name} cannot be pulled.`,
    "Look at its name, or choose other images with --images.",
    failures,
  );
}

async function pulled(docker: Docker, image: string): Promise<Pick<BaseImage, "digest" | "diffIds">> {
  await finished(docker, await docker.pull(image));
  const info = await docker.getImage(image).inspect();
  const digest = info.RepoDigests?.[0]?.split("@")[1] ?? null;
  return { digest, diffIds: info.RootFS.Layers ?? [] };
}

/** A base image's name at its mirror, with the tag or digest that it has. */
function nameAt(mirrorHost: string, name: string): string {
  const { path, tag } = canonicalName(name);
  const digest = name.split("@")[1];
  return `${mirrorHost}/${path}${digest === undefined ? `:${tag}` : `@${digest}`}`;
}

/** A registry of Tare's own in docker.io's place, as builders take a mirror. */
export function standIn(host: string): Mirror {
  return { registry: "docker.io", host, insecure: true };
}

/** Pushes a base image to the registry that stands in for docker.io, under the name that a Dockerfile uses. Returns its digest. */
export async function serveBase(docker: Docker, base: BaseImage, host: string): Promise<string | null> {
  const { path, tag } = canonicalName(base.name);
  const repo = `${host}/${path}`;
  const image = docker.getImage(base.image);
  await image.tag({ repo, tag });
  const pushed = docker.getImage(`${repo}:${tag}`);
  try {
    await finished(
      docker,
      await pushed.push({ authconfig: { username: "", password: "", serveraddress: host } }),
    );
    const info = await pushed.inspect();
    const own = info.RepoDigests?.find((reference) => reference.startsWith(`${repo}@`));
    return own?.split("@")[1] ?? null;
  } catch (error) {
    throw new Outage(
      `The engine could not hand ${base.name} to the registry of base images: ${errorText(error)}`,
      "Podman wants registries without HTTPS named in registries.conf; Docker takes loopback as it is.",
      { cause: error },
    );
  } finally {
    await pushed.remove({ noprune: true }).catch(() => {});
  }
}
