import type { CacheId } from "../domain/recipe.ts";
import { azblob } from "./azblob.ts";
import { gha } from "./gha.ts";
import { inline } from "./inline.ts";
import { layers } from "./layers.ts";
import { local } from "./local.ts";
import { none } from "./none.ts";
import { registryMax } from "./registry-max.ts";
import { registryMin } from "./registry-min.ts";
import { s3 } from "./s3.ts";
import type { CacheStrategy } from "./types.ts";

/** Every cache strategy that Tare knows. */
export const caches = {
  none,
  inline,
  "registry-min": registryMin,
  "registry-max": registryMax,
  layers,
  local,
  gha,
  s3,
  azblob,
} satisfies Record<CacheId, CacheStrategy>;
