import type { CacheStrategy } from "./types.ts";

export const inline: CacheStrategy = { id: "inline", title: "inline cache", entry: { kind: "in the image" } };
