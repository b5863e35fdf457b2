import type { Service, ServiceSpec } from "../../src/domain/job.ts";
import { startFakeRegistry, type FakeRegistry } from "./registry.ts";

/** What became of a service: its spec, its registry while it runs, and whether it was removed. */
export type StartedService = {
  spec: ServiceSpec;
  registry: FakeRegistry | null;
  removed: boolean;
  restarts: number;
};

export type FakeServices = {
  started: StartedService[];
  startService(spec: ServiceSpec): Promise<Service>;
  close(): Promise<void>;
};

export type FakeServiceOptions = {
  dead?: (index: number) => boolean;
  /** Whether output comes late, as an engine's does: what is new is shown when it is asked for the next time. */
  lateOutput?: boolean;
};

/**
 * Services that are registries on loopback, at the port that their configuration names. `dead` tells which of them,
 * by place, end at once. The programs that Tare runs inside (find, cp) act on the fake's own content.
 */
export function fakeRegistryServices(options: FakeServiceOptions = {}): FakeServices {
  const started: StartedService[] = [];
  return {
    started,
    async startService(spec) {
      const dead = options.dead?.(started.length) ?? false;
      const registry = dead ? null : await startFakeRegistry({ port: portOf(spec) });
      const state: StartedService = { spec, registry, removed: false, restarts: 0 };
      started.push(state);
      return serviceOf(state, options.lateOutput === true);
    },
    async close() {
      for (const state of started) if (!state.removed) await state.registry?.close();
    },
  };
}

function portOf(spec: ServiceSpec): number {
  const file = spec.files.find((candidate) => candidate.path === spec.main[2]);
  const text = file?.kind === "file" ? Buffer.from(file.content).toString("utf8") : "";
  return Number(/addr: "127\.0\.0\.1:(\d+)"/.exec(text)?.[1]);
}

function serviceOf(state: StartedService, late: boolean): Service {
  let shown: string[] = [];
  return {
    async exec(argv) {
      const { registry } = state;
      const script = argv.at(-1) ?? "";
      if (script.includes("find ")) return listing(registry?.stored() ?? {});
      if (script.includes("rm -rf /var/lib/registry/mark")) registry?.mark();
      else registry?.rollBack();
      return "";
    },
    async output() {
      const before = shown;
      shown = [...(state.registry?.log ?? [])];
      return late ? before : shown;
    },
    errors: async () => state.registry?.complaints ?? [],
    tail: async () => ["listen tcp 127.0.0.1:5000: bind: address already in use"],
    running: async () => state.registry !== null && !state.removed,
    restart: async () => void (state.restarts += 1),
    async remove() {
      state.removed = true;
      await state.registry?.close();
    },
  };
}

/** Lines as `find … -exec stat -c '%s %n' {} +` prints them. */
function listing(stored: Record<string, number>): string {
  const lines = Object.entries(stored).map(([digest, bytes]) => {
    const hex = digest.slice("sha256:".length);
    return `${bytes} /var/lib/registry/docker/registry/v2/blobs/sha256/${hex.slice(0, 2)}/${hex}/data\n`;
  });
  return lines.join("");
}
