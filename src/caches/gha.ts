import type { CacheStrategy } from "./types.ts";

export const gha: CacheStrategy = {
  id: "gha",
  title: "GitHub's Actions cache",
  entry: { kind: "outside the registry", where: "GitHub's Actions cache" },
};
