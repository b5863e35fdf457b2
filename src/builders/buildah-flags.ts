import { all, drop, keep, own, refuse, WHY, type FlagRule } from "./flags.ts";

/** Flags of `buildah build` and `podman build` (buildah-build(1), podman-build(1)). */
export const RULES: Readonly<Record<string, FlagRule>> = {
  ...all("tag file cache-from cache-to build-arg target", own),
  ...all("layers no-cache cache-ttl squash format timestamp source-date-epoch rewrite-timestamp", keep),
  ...all(
    "label layer-label annotation env unsetenv unsetlabel unsetannotation identity-label omit-history",
    keep,
  ),
  ...all("platform arch os variant os-feature os-version", keep),
  ...all("pull pull-always pull-never rm force-rm jobs skip-unused-stages compat-volumes cpp-flag", keep),
  ...all("shm-size ulimit disable-compression http-proxy no-hosts no-hostname inherit-labels", keep),
  ...all("quiet log-level log-split logsplit", drop(WHY.shown)),
  ...all("iidfile logfile logwriter metadata-file", drop(WHY.file)),
  ...all("network net dns dns-option dns-search", drop(WHY.network)),
  ...all("memory memory-swap cpu-period cpu-quota cpu-shares cpuset-cpus cpuset-mems", drop(WHY.limits)),
  ...all("tls-verify authfile creds cert-dir signature-policy", drop(WHY.registries)),
  ...all("retry retry-delay", drop(WHY.retry)),
  ...all("storage-driver storage-opt root runroot", drop("the job has storage of its own")),
  ...all("isolation runtime runtime-flag no-pivot-root", drop("every RUN of the job is run in a chroot")),
  ...all("compress disable-content-trust", drop("it is without effect")),
  ...all(
    "add-host build-context build-arg-file cap-add cap-drop cgroup-parent cgroupns device",
    refuse(WHY.host),
  ),
  ...all(
    "connection cdi-config-dir group-add hooks-dir ipc pid remote run-flags security-opt url",
    refuse(WHY.host),
  ),
  ...all(
    "userns userns-uid-map userns-gid-map userns-uid-map-user userns-gid-map-group uts volume",
    refuse(WHY.host),
  ),
  ...all("ignorefile module", refuse(WHY.host)),
  ...all("secret ssh decryption-key sign-by cw", refuse(WHY.secret)),
  ...all("output", refuse(WHY.notPushed)),
  "--from": refuse("it takes another base image than the Dockerfile names"),
  "--manifest": refuse("it makes a list of images"),
  "--all-platforms": refuse("it builds for machines other than this one"),
  "--squash-all": refuse("buildah has no such flag"),
};
