import { chmod, cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostCommand } from "./host-commands.ts";
import { requiredProgram } from "./host-packages.ts";

/** Where Debian and its kin keep the certificates of public authorities. */
export const CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt";

/** The Debian package that puts them there. */
export const CERTIFICATES_PACKAGE = { "update-ca-certificates": "ca-certificates" };

/** Hands a new empty directory to `use` and removes it. */
export async function withDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), "tare-image-"));
  try {
    // The root of an image is read by everybody.
    await chmod(directory, 0o755);
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Puts busybox and a link for each of its programs into a root directory. */
export async function addBusybox(root: string): Promise<void> {
  const busybox = await requiredProgram("busybox");
  await mkdir(join(root, "bin"), { recursive: true });
  await cp(busybox, join(root, "bin/busybox"), { dereference: true });
  const programs = (await hostCommand(busybox, ["--list"]))
    .split("\n")
    .filter((name) => name !== "" && name !== "busybox");
  for (const name of programs) await symlink("busybox", join(root, "bin", name));
}

/** Puts a program of this machine into /bin of a root directory, with the libraries that it is linked to. */
export async function addProgram(root: string, path: string, name: string): Promise<void> {
  await mkdir(join(root, "bin"), { recursive: true });
  await cp(path, join(root, "bin", name), { dereference: true });
  for (const library of (await hostCommand("ldd", [path])).match(/\/[^\s)]+/g) ?? []) {
    await mkdir(join(root, library, ".."), { recursive: true });
    await cp(library, join(root, library), { dereference: true });
  }
}

/** What a program expects of any Linux: root's account and a directory for temporary files. */
export async function addAccounts(root: string): Promise<void> {
  await mkdir(join(root, "etc"), { recursive: true });
  await writeFile(join(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n");
  await writeFile(join(root, "etc/group"), "root:x:0:\n");
  await mkdir(join(root, "tmp"), { recursive: true });
  await chmod(join(root, "tmp"), 0o1777);
}
