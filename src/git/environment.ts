import { tmpdir } from "node:os";

/** Settings of every call: nothing of a repository or a machine may start a program, a hook or a connection. */
const CONFIG: readonly (readonly [string, string])[] = [
  ["core.hooksPath", "/dev/null"],
  ["core.attributesFile", "/dev/null"],
  ["core.excludesFile", "/dev/null"],
  ["core.symlinks", "false"],
  ["core.fsmonitor", "false"],
  ["core.quotePath", "true"],
  ["protocol.allow", "never"],
  ["safe.directory", "*"],
  ["submodule.recurse", "false"],
  ["fetch.recurseSubmodules", "false"],
  ["credential.helper", ""],
  ["gc.auto", "0"],
  ["maintenance.auto", "false"],
];

/**
 * The whole environment of a git process. `config` is added to the hardened settings and may hold secrets:
 * they travel in the environment, never in argv.
 */
export function gitEnvironment(
  config: readonly (readonly [string, string])[] = [],
  more: Record<string, string> = {},
): Record<string, string> {
  const environment: Record<string, string> = {
    PATH: process.env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin",
    HOME: "/nonexistent",
    TMPDIR: tmpdir(),
    LC_ALL: "C",
    TZ: "UTC",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: "true",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_NO_LAZY_FETCH: "1",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_LITERAL_PATHSPECS: "1",
    ...more,
  };
  const all = [...CONFIG, ...config];
  environment["GIT_CONFIG_COUNT"] = String(all.length);
  for (const [index, [key, value]] of all.entries()) {
    environment[`GIT_CONFIG_KEY_${index}`] = key;
    environment[`GIT_CONFIG_VALUE_${index}`] = value;
  }
  return environment;
}
