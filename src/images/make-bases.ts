import type Docker from "dockerode";
import { withDebian } from "./debian-root.ts";
import { importDirectory, VERSION_LABEL } from "./import-image.ts";
import { addAccounts, addBusybox, withDirectory } from "./root-directory.ts";

/** Makes the base image of busybox: one static program and its links, 1 MB compressed. */
export async function makeBusyboxBase(docker: Docker, name: string): Promise<void> {
  await withDirectory(async (root) => {
    await addBusybox(root);
    await addAccounts(root);
    await importDirectory(docker, root, name, ['CMD ["sh"]', `LABEL ${VERSION_LABEL}=1`]);
  });
}

/** Makes a Debian base image of one suite. */
export async function makeDebianBase(
  docker: Docker,
  suite: string,
  name: string,
  cacheDirectory: string,
): Promise<void> {
  await withDebian(suite, [], cacheDirectory, (root) =>
    importDirectory(docker, root, name, ['CMD ["bash"]', `LABEL ${VERSION_LABEL}=1`]),
  );
}
