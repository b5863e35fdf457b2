import { outsideCaches } from "../domain/outside-caches.ts";
import type { CacheStrategy } from "./types.ts";

export const s3: CacheStrategy = {
  id: "s3",
  title: "a bucket of S3",
  entry: { kind: "outside the registry", where: outsideCaches.s3.where },
};
