import type { CacheStrategy } from "./types.ts";

export const registryMax: CacheStrategy = {
  id: "registry-max",
  title: "registry cache, mode max",
  entry: { kind: "one manifest", mode: "max" },
};
