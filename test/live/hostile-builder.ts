import { randomBytes } from "node:crypto";
import type { Builder } from "../../src/builders/types.ts";
import type { Job, JobResult, Limits } from "../../src/domain/job.ts";
import { DEFAULT_LIMITS } from "../../src/domain/job.ts";
import type { Scenario } from "../../src/domain/report.ts";
import type { TrialRegistry } from "../../src/registry/trial-registry.ts";
import { runTrial, type TrialRecord } from "../../src/trials/run-trial.ts";
import { liveRecipe } from "../contracts/strategies.ts";
import { plannedRun } from "../fixtures/trial/build-run.ts";
import type { LiveTestbed } from "./live-testbed.ts";

/**
 * A builder of the shell alone: `push REPOSITORY TAG FILE` makes an image of one layer and pushes it, by the
 * distribution API over `nc`. $HOST is the trial's registry.
 */
const LIBRARY = String.raw`
request() { # METHOD PATH TYPE FILE
  { printf '%s %s HTTP/1.0\r\nHost: %s\r\nContent-Type: %s\r\nContent-Length: %s\r\n\r\n' \
      "$1" "$2" "$HOST" "$3" "$(wc -c < "$4")"; cat "$4"; sleep 0.1; } | nc "${"$"}{HOST%:*}" "${"$"}{HOST#*:}" | tr -d '\r'
}
location() { request POST "/v2/$1/blobs/uploads/" text/plain /dev/null | sed -n 's,^Location: http://[^/]*,,p'; }
digest() { echo "sha256:$(sha256sum "$1" | cut -d ' ' -f 1)"; }
blob() { request PUT "$(location "$1")&digest=$(digest "$2")" application/octet-stream "$2" | head -n 1; }
manifest() { request PUT "/v2/$1/manifests/$2" application/vnd.oci.image.manifest.v1+json "$3" | head -n 1; }
described() { printf '{"mediaType":"%s","digest":"%s","size":%s}' "$1" "$(digest "$2")" "$(wc -c < "$2")"; }
write_manifest() { # CONFIG LAYER > manifest
  printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":%s,"layers":[%s]}' \
    "$(described application/vnd.oci.image.config.v1+json "$1")" \
    "$(described application/vnd.oci.image.layer.v1.tar+gzip "$2")"
}
push() { # REPOSITORY TAG FILE
  printf '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["%s"]}}' "$(digest "$3")" > /tmp/config
  write_manifest /tmp/config "$3" > /tmp/manifest
  blob "$1" "$3"; blob "$1" /tmp/config; manifest "$1" "$2" /tmp/manifest
}
`;

/** How the script is run: as the container's main process, or as a command beside one. */
export type Form = "main" | "command";

export type HostileOptions = {
  limits?: Partial<Limits>;
  scenarios?: Scenario[];
  form?: Form;
  /** Around each run: what happens to the registry meanwhile. */
  around?: (run: () => Promise<JobResult>, registry: TrialRegistry) => Promise<JobResult>;
};

export type HostileTrial = { name: string; trial: Promise<TrialRecord> };

/** A trial of an image `group/project/image:latest` whose builder is this script, in a real container. */
export function hostileTrial(live: LiveTestbed, script: string, options: HostileOptions = {}): HostileTrial {
  const name = `hostile-${randomBytes(4).toString("hex")}`;
  const recipe = liveRecipe({ builder: "kaniko", strategy: "kaniko/none" });
  let registry: TrialRegistry | null = null;
  const trial = runTrial(
    {
      name,
      builder: hostileBuilder(script, options.form ?? "main"),
      prerequisites: [],
      scenarios: options.scenarios ?? ["cold"],
      describe: (scenario, host, limits) =>
        plannedRun(recipe, {
          name: `${name}-${scenario}`,
          images: [`${host}/group/project/image:latest`],
          registryHost: host,
          image: live.testbed.tools.registry.image,
          limits,
        }),
      limits: { ...DEFAULT_LIMITS, cpus: 1, durationMs: 60_000, ...options.limits },
      moreMemoryBytes: null,
      baseDiffIds: () => [],
      fork: null,
    },
    {
      run: (job) => {
        const run = () => live.run(job);
        return registry === null || options.around === undefined ? run() : options.around(run, registry);
      },
      startRegistry: async (of) => (registry = await live.startRegistry(of)),
      onRun: () => {},
      missedDownloads: () => false,
      monotonicMs: () => performance.now(),
    },
    new AbortController().signal,
  );
  return { name, trial };
}

function hostileBuilder(script: string, form: Form): Builder {
  const argv = ["sh", "-c", `${LIBRARY}\n${script}`];
  return {
    id: "kaniko",
    privileges: "none",
    needs: null,
    job: (run) => {
      const job: Job = {
        name: run.name,
        image: run.image,
        main: form === "main" ? argv : ["sleep", "600"],
        ready: null,
        commands:
          form === "main" ? [] : [{ phase: "build and push", argv, workingDirectory: "/", mayFail: false }],
        environment: { HOST: run.registryHost },
        workingDirectory: "/",
        files: [],
        volumes: ["/tmp"],
        privileges: "none",
        limits: run.limits,
      };
      return { job, dropped: [] };
    },
    phases: () => ({ buildMs: "unknown", pushMs: "unknown", totalMs: 0 }),
    adapt: () => "it is hostile",
  };
}
