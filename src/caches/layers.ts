import type { CacheStrategy } from "./types.ts";

export const layers: CacheStrategy = {
  id: "layers",
  title: "a cache tag per instruction",
  entry: { kind: "a tag per instruction" },
};
