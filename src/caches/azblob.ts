import { outsideCaches } from "../domain/outside-caches.ts";
import type { CacheStrategy } from "./types.ts";

export const azblob: CacheStrategy = {
  id: "azblob",
  title: "a container of Azure Blob Storage",
  entry: { kind: "outside the registry", where: outsideCaches.azblob.where },
};
