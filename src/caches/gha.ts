import { outsideCaches } from "../domain/outside-caches.ts";
import type { CacheStrategy } from "./types.ts";

export const gha: CacheStrategy = {
  id: "gha",
  title: "GitHub's Actions cache",
  entry: { kind: "outside the registry", where: outsideCaches.gha.where },
};
