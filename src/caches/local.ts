import type { CacheStrategy } from "./types.ts";

export const local: CacheStrategy = {
  id: "local",
  title: "a cache directory",
  entry: { kind: "outside the registry", where: "a directory of the runner" },
};
