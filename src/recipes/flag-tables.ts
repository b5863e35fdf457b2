import { flagTable, withGlobals } from "./flags.ts";

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

/** Flags of `docker pull`. */
export const DOCKER_PULL = flagTable(
  "platform",
  "all-tags disable-content-trust quiet help",
  "a=all-tags q=quiet",
);

/** Flags of `docker buildx` itself, before its action. */
export const BUILDX_GLOBAL = flagTable("builder", "debug help", "D=debug");

/** Flags of `docker buildx create`, `use` and `rm`. */
export const BUILDX_CREATE = flagTable(
  "buildkitd-config buildkitd-flags config driver driver-opt name node platform timeout",
  "all-inactive append bootstrap debug default force global keep-daemon keep-state leave use help",
  "D=debug f=force",
);

/** Flags of `docker run`, as far as a builder is run by it. */
export const DOCKER_RUN = flagTable(
  [
    "add-host annotation attach blkio-weight cap-add cap-drop cgroup-parent cgroupns cidfile cpu-shares cpus",
    "cpuset-cpus device dns entrypoint env env-file expose gpus group-add hostname init-path ip ipc label",
    "label-file link log-driver log-opt mac-address memory memory-swap mount name network net pid pids-limit",
    "platform publish pull restart runtime security-opt shm-size stop-signal storage-opt sysctl tmpfs ulimit",
    "user userns uts volume volumes-from workdir",
  ].join(" "),
  "detach init interactive no-healthcheck oom-kill-disable privileged publish-all quiet read-only rm sig-proxy tty help",
  "a=attach c=cpu-shares d=detach e=env h=hostname i=interactive l=label m=memory p=publish P=publish-all q=quiet t=tty u=user v=volume w=workdir",
);

/** Flags of `buildctl` itself. */
export const BUILDCTL_GLOBAL = flagTable(
  "addr log-format timeout tlscacert tlscert tlsdir tlskey tlsservername wait",
  "debug help version",
  "h=help v=version",
);

/** Flags of `buildctl build`, older ones included. */
export const BUILDCTL_BUILD = flagTable(
  [
    "allow build-arg export-cache export-cache-opt exporter exporter-opt frontend frontend-opt import-cache local",
    "metadata-file oci-layout opt output progress ref-file registry-auth-tlscontext secret source-policy-file ssh trace",
  ].join(" "),
  "debug-json-cache-metrics no-cache help",
  "o=output h=help",
);

/** Flags of `buildah` and `podman` themselves: they may stand behind the command, too. */
export const BUILDAH_GLOBAL = flagTable(
  [
    "cgroup-manager conmon connection events-backend hooks-dir identity imagestore log-level module network-cmd-path",
    "network-config-dir out pull-option registries-conf registries-conf-dir root runroot runtime runtime-flag",
    "short-name-alias-conf ssh storage-driver storage-opt tmpdir url userns-gid-map userns-uid-map volumepath",
  ].join(" "),
  "debug help noout remote syslog transient-store version",
  "c=connection h=help r=remote v=version",
);

/** Flags of `buildah build` and `podman build`. */
export const BUILDAH_BUILD = withGlobals(
  flagTable(
    [
      "add-host annotation arch authfile blkio-weight build-arg build-arg-file build-context cache-from cache-to cache-ttl",
      "cap-add cap-drop cert-dir cgroup-parent cgroupns cni-config-dir cni-plugin-path compat-volumes-opt cpp-flag",
      "cpu-period cpu-quota cpu-shares cpuset-cpus cpuset-mems creds cw decryption-key device dns dns-option",
      "dns-search env file format from group-add hooks-dir http-proxy-opt ignorefile iidfile ipc isolation jobs label",
      "layer-label log-driver log-opt logfile loglevel manifest memory memory-swap metadata-file network os os-feature",
      "os-version output pid platform pull-policy retry retry-delay runtime runtime-flag sbom sbom-image-output",
      "sbom-merge-strategy sbom-output sbom-purl-output sbom-scanner-command sbom-scanner-image secret security-opt",
      "shm-size sign-by signature-policy source-date-epoch source-policy-file ssh tag target timestamp ulimit unsetannotation unsetenv",
      "unsetlabel userns userns-gid-map userns-gid-map-group userns-uid-map userns-uid-map-user uts variant volume",
    ].join(" "),
    [
      "all-platforms compat-volumes compress created-annotation disable-compression disable-content-trust force-rm",
      "http-proxy identity-label inherit-annotations inherit-labels layers logsplit no-cache no-hostname no-hosts omit-history pull",
      "pull-always pull-never quiet rewrite-timestamp rm save-stages skip-unused-stages squash squash-all stdin tls-verify help",
    ].join(" "),
    "t=tag f=file c=cpu-shares m=memory o=output q=quiet v=volume e=env h=help",
  ),
  BUILDAH_GLOBAL,
);

/** Flags of `buildah push`, `tag`, `login`, `manifest` and of podman's commands of the same names. */
export const BUILDAH_IMAGE = withGlobals(
  flagTable(
    [
      "add-compression annotation arch authfile cert-dir certdir compat-auth-file compression-format compression-level",
      "creds digestfile encrypt-layer encryption-key features format os os-version password retry retry-delay secret",
      "sign-by sign-by-sigstore sign-by-sigstore-private-key sign-passphrase-file signature-policy username variant",
    ].join(" "),
    [
      "all amend compress disable-compression disable-content-trust force-compression get-login insecure password-stdin",
      "purge quiet remove-signatures rm tls-verify verbose help",
    ].join(" "),
    "D=disable-compression f=format h=help p=password q=quiet u=username v=verbose",
  ),
  BUILDAH_GLOBAL,
);

/** Flags of `skopeo copy`. */
export const SKOPEO_COPY = flagTable(
  [
    "additional-tag authfile command-timeout dest-authfile dest-cert-dir dest-compress-format dest-compress-level",
    "dest-creds dest-daemon-host dest-password dest-registry-token dest-shared-blob-dir dest-username digestfile encrypt-layer",
    "encryption-key decryption-key format image-parallel-copies multi-arch override-arch override-os override-variant policy registries-conf",
    "registries.d retry-delay retry-times sign-by sign-by-sigstore sign-by-sigstore-private-key sign-identity",
    "sign-passphrase-file src-authfile src-cert-dir src-creds src-daemon-host src-password src-registry-token",
    "src-shared-blob-dir src-username tmpdir",
  ].join(" "),
  [
    "all debug dest-compress dest-decompress dest-force-compress-format dest-no-creds dest-oci-accept-uncompressed-layers",
    "dest-precompute-digests dest-tls-verify insecure-policy preserve-digests quiet remove-signatures src-no-creds",
    "src-tls-verify help version",
  ].join(" "),
  "a=all f=format h=help q=quiet",
);

/** Flags of `docker buildx bake`. */
export const BAKE = flagTable(
  "allow builder call file list metadata-file progress provenance sbom set var",
  "check debug help load no-cache print pull push",
  "f=file D=debug",
);
