import type { Testbed } from "./images/testbed.ts";
import type { Secrets } from "./lib/secrets.ts";
import { createLink } from "./network/link.ts";
import { startRegistry, type TrialRegistry } from "./registry/trial-registry.ts";

/** Starts registries of a trial, each behind a link of the configured rate where there is one. */
export type RegistryStarter = {
  /** One that everybody may read and write: it stands in for a public registry. */
  startOpen(name: string): Promise<TrialRegistry>;
  /** One whose users have passwords and rights, as a forge's has. */
  startWithUsers(name: string): Promise<TrialRegistry>;
};

/** Passwords go to `secrets`. `contributor` is the root namespace of a fork in the trial. `bytesPerSecond` is null where nothing slows the link. */
export function registryStarter(
  testbed: Testbed,
  bytesPerSecond: number | null,
  contributor: string,
  secrets: Pick<Secrets, "add">,
): RegistryStarter {
  const start = async (name: string, users: { contributor?: string }) => {
    const registry = await startRegistry({
      name,
      image: testbed.tools.registry.image,
      volume: null,
      ...users,
      startService: (spec) => testbed.executor.service(spec),
    });
    for (const user of ["upstream", "contributor"] as const)
      if (registry.access !== null) secrets.add(registry.access.login(user).password);
    return bytesPerSecond === null ? registry : behindLink(registry, bytesPerSecond);
  };
  return {
    startOpen: (name) => start(name, {}),
    startWithUsers: (name) => start(name, { contributor }),
  };
}

/** Builders reach the registry through the link; Tare reads it directly. Tokens are a forge's, on another host. */
async function behindLink(registry: TrialRegistry, bytesPerSecond: number): Promise<TrialRegistry> {
  const link = await createLink({ targetHost: registry.host, bytesPerSecond });
  return {
    ...registry,
    host: link.host,
    async remove() {
      await link.close();
      await registry.remove();
    },
  };
}
