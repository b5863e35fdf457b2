import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** Where Tare keeps what set-up made: TARE_CACHE, else the user's cache directory. An absolute path. */
export function cacheDirectory(environment: NodeJS.ProcessEnv): string {
  const named = environment["TARE_CACHE"];
  if (named !== undefined && named !== "") return resolve(named);
  const base = environment["XDG_CACHE_HOME"];
  return resolve(base === undefined || base === "" ? join(homedir(), ".cache") : base, "tare");
}
