import type { CacheStrategy } from "./types.ts";

export const none: CacheStrategy = { id: "none", title: "no cache", entry: { kind: "nothing" } };
