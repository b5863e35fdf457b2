import type { CacheStrategy } from "./types.ts";

export const registryMin: CacheStrategy = {
  id: "registry-min",
  title: "registry cache, mode min",
  entry: { kind: "one manifest", mode: "min" },
};
