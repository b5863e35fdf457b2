import { flagTable } from "./flags.ts";

/** Flags of `docker` itself, before the subcommand. */
export const DOCKER_GLOBAL = flagTable(
  "config context host log-level tlscacert tlscert tlskey",
  "debug tls tlsverify version help",
  "c=context H=host l=log-level D=debug v=version",
);

/** Flags of `docker build`, both of the builder of Docker Engine 23 and later (buildx) and of the older one. */
export const DOCKER_BUILD = flagTable(
  [
    "add-host allow annotation attest build-arg build-context builder cache-from cache-to call cgroup-parent",
    "cpu-period cpu-quota cpu-shares cpuset-cpus cpuset-mems file iidfile invoke isolation label memory",
    "memory-swap metadata-file network no-cache-filter output platform policy print progress provenance sbom secret",
    "security-opt shm-size ssh tag target ulimit",
  ].join(" "),
  [
    "check compress debug disable-content-trust force-rm load no-cache pull push quiet rm squash stream help",
  ].join(" "),
  "t=tag f=file c=cpu-shares m=memory o=output q=quiet D=debug",
);

/** Flags of `docker push`. */
export const DOCKER_PUSH = flagTable(
  "platform",
  "all-tags disable-content-trust quiet help",
  "a=all-tags q=quiet",
);

/** Flags of `docker login`. */
export const DOCKER_LOGIN = flagTable("username password", "password-stdin help", "u=username p=password");

/** Flags of kaniko's executor. Switches never take the next word: `--cache` alone is true. */
export const KANIKO = flagTable(
  [
    "annotation bucket build-arg cache-dir cache-repo cache-ttl compression compression-level context",
    "context-sub-path credential-helpers custom-platform customPlatform destination digest-file dockerfile git",
    "ignore-path image-download-retry image-format image-fs-extract-retry image-name-tag-with-digest-file",
    "image-name-with-digest-file insecure-registry kaniko-dir label log-format oci-layout-path push-retry",
    "registry-certificate registry-client-cert registry-map registry-mirror secret skip-tls-verify-registry",
    "snapshot-mode snapshotMode source-date-epoch tar-path tarPath target verbosity",
  ].join(" "),
  [
    "cache cache-copy-layers cache-run-layers cleanup compressed-caching dryrun force help ignore-var-run insecure",
    "insecure-pull log-timestamp materialize no-push no-push-cache pre-cleanup preserve-context",
    "push-ignore-immutable-tag-errors reproducible single-snapshot skip-default-registry-fallback",
    "skip-push-permission-check skip-tls-verify skip-tls-verify-pull skip-unused-stages use-new-run",
    "whitelist-var-run",
  ].join(" "),
  "b=bucket c=context d=destination f=dockerfile v=verbosity h=help",
);
