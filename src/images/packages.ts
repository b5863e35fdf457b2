import { chmod, cp, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type Docker from "dockerode";
import { Problem } from "../domain/problem.ts";
import { withDebian } from "./debian.ts";
import { findProgram, hostCommand } from "./host-commands.ts";
import { importDirectory, madeVersion, VERSION_LABEL } from "./import-image.ts";
import type { SetupDialogue, Tools } from "./types.ts";

/** What the archived original of kaniko was released as last; a Go module, so that it can be built by name. */
const KANIKO = { module: "github.com/GoogleContainerTools/kaniko", version: "v1.24.0" };

const NAMES = {
  docker: "localhost/tare/docker:trixie-1",
  kaniko: `localhost/tare/kaniko:${KANIKO.version}-1`,
  registry: "localhost/tare/registry:1",
} as const;

/** Makes the images of builders and registry from packages, those that the engine does not have yet. */
export async function makeTools(
  docker: Docker,
  cacheDirectory: string,
  dialogue: SetupDialogue,
): Promise<Tools> {
  const make = async (name: string, what: string, build: () => Promise<void>): Promise<string> => {
    const version = await madeVersion(docker, name);
    if (version !== null) return version;
    dialogue.say(`Making ${name}: ${what}`);
    await build();
    return (await madeVersion(docker, name)) ?? "";
  };
  const registry = await make(NAMES.registry, "Debian's docker-registry", () => makeRegistry(docker));
  const kaniko = await make(NAMES.kaniko, `${KANIKO.module} ${KANIKO.version}, built with Go`, () =>
    makeKaniko(docker, cacheDirectory),
  );
  const engine = await make(NAMES.docker, "dockerd and docker of Debian 13", () => makeDocker(docker));
  const origin = "made from packages" as const;
  return {
    docker: { image: NAMES.docker, version: engine, digest: null, origin },
    kaniko: { image: NAMES.kaniko, version: kaniko, digest: null, origin },
    registry: { image: NAMES.registry, version: registry, digest: null, origin },
    ownBases: true,
  };
}

async function withDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), "tare-image-"));
  try {
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Puts busybox and a link for each of its programs into a root directory. */
async function addBusybox(root: string, busybox: string): Promise<void> {
  await mkdir(join(root, "bin"), { recursive: true });
  await cp(busybox, join(root, "bin/busybox"), { dereference: true });
  const programs = (await hostCommand(busybox, ["--list"]))
    .split("\n")
    .filter((name) => name !== "" && name !== "busybox");
  for (const name of programs) await symlink("busybox", join(root, "bin", name));
}

async function required(program: string): Promise<string> {
  const path = await findProgram(program);
  if (path !== null) return path;
  throw new Problem("setup-refused", `${program} is not installed.`, "Run `tare setup`, which installs it.");
}

async function makeRegistry(docker: Docker): Promise<void> {
  const program = await required("docker-registry");
  const busybox = await required("busybox");
  const version = /(\d+\.\d+\.\d+)/.exec(await hostCommand(program, ["--version"]))?.[1] ?? "unknown";
  await withDirectory(async (root) => {
    await addBusybox(root, busybox);
    await cp(program, join(root, "bin/registry"), { dereference: true });
    for (const library of (await hostCommand("ldd", [program])).match(/\/[^\s)]+/g) ?? []) {
      await mkdir(join(root, library, ".."), { recursive: true });
      await cp(library, join(root, library), { dereference: true });
    }
    await mkdir(join(root, "tmp"), { recursive: true });
    await importDirectory(docker, root, NAMES.registry, [`LABEL ${VERSION_LABEL}=${version}`]);
  });
}

async function makeKaniko(docker: Docker, cacheDirectory: string): Promise<void> {
  const executor = join(cacheDirectory, "kaniko", KANIKO.version, "executor");
  await stat(executor).catch(() => buildKaniko(executor));
  await withDirectory(async (root) => {
    for (const directory of ["kaniko", "workspace", "tmp"])
      await mkdir(join(root, directory), { recursive: true });
    await chmod(join(root, "tmp"), 0o1777);
    await cp(executor, join(root, "kaniko/executor"));
    await writeFile(
      join(root, "kaniko/ca-certificates.crt"),
      await readFile("/etc/ssl/certs/ca-certificates.crt"),
    );
    await importDirectory(docker, root, NAMES.kaniko, [
      "ENV HOME=/root",
      "ENV USER=root",
      "ENV PATH=/usr/local/bin:/kaniko",
      "ENV SSL_CERT_FILE=/kaniko/ca-certificates.crt",
      "ENV DOCKER_CONFIG=/kaniko/.docker/",
      "WORKDIR /workspace",
      `LABEL ${VERSION_LABEL}=${KANIKO.version}`,
    ]);
  });
}

/**
 * Builds the executor in the module's own directory, with the versions of its own go.sum. `go install PATH@VERSION`
 * is not used: it first asks for a module of every longer path, and a proxy that answers 403 there ends it.
 */
async function buildKaniko(executor: string): Promise<void> {
  const go = await findProgram("go");
  if (go === null) {
    throw new Problem(
      "setup-refused",
      "kaniko is in no Debian package, and there is no Go here to build it.",
      "Install Go 1.24 or later, or give Tare a container engine that can pull public images.",
    );
  }
  const env = { CGO_ENABLED: "0", GOFLAGS: "-mod=mod" };
  const said = await hostCommand(go, ["mod", "download", "-json", `${KANIKO.module}@${KANIKO.version}`], {
    env,
  });
  const { Dir } = JSON.parse(said) as { Dir: string };
  await mkdir(join(executor, ".."), { recursive: true });
  await hostCommand(go, ["build", "-trimpath", "-ldflags", "-s -w", "-o", executor, "./cmd/executor"], {
    env: { CGO_ENABLED: "0", GOFLAGS: "" },
    cwd: Dir,
  });
}

const DOCKER_PACKAGES = ["docker.io", "docker-cli", "docker-buildx", "iptables", "ca-certificates"];

async function makeDocker(docker: Docker): Promise<void> {
  await withDebian("trixie", DOCKER_PACKAGES, async (root) => {
    await mkdir(join(root, "etc/docker"), { recursive: true });
    // A fresh install of Engine 29 keeps images in containerd: the older one is told to do the same.
    const settings = { features: { "containerd-snapshotter": true } };
    await writeFile(join(root, "etc/docker/daemon.json"), JSON.stringify(settings));
    const said = await hostCommand("chroot", [root, "dockerd", "--version"]);
    const version = /version (\d+\.\d+\.\d+)/.exec(said)?.[1] ?? "unknown";
    await importDirectory(docker, root, NAMES.docker, [`LABEL ${VERSION_LABEL}=${version}`]);
  });
}

/** Makes the base image of busybox: one static program and its links, 1 MB compressed. */
export async function makeBusyboxBase(docker: Docker, name: string): Promise<void> {
  const busybox = await required("busybox");
  await withDirectory(async (root) => {
    await addBusybox(root, busybox);
    await mkdir(join(root, "etc"), { recursive: true });
    await mkdir(join(root, "tmp"), { recursive: true });
    await chmod(join(root, "tmp"), 0o1777);
    await writeFile(join(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n");
    await writeFile(join(root, "etc/group"), "root:x:0:\n");
    await importDirectory(docker, root, name, ['CMD ["sh"]', `LABEL ${VERSION_LABEL}=1`]);
  });
}

/** Makes a Debian base image of one suite. */
export async function makeDebianBase(docker: Docker, suite: string, name: string): Promise<void> {
  await withDebian(suite, [], async (root) => {
    await importDirectory(docker, root, name, ['CMD ["bash"]', `LABEL ${VERSION_LABEL}=1`]);
  });
}
