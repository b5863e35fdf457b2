import type Docker from "dockerode";
import type { BuilderId } from "../domain/recipe.ts";

/** Images that a trial needs on the engine, and where they came from. */
export type ToolImage = {
  /** Name on the engine. */
  image: string;
  /** As the program itself prints it. */
  version: string;
  digest: string | null;
  origin: "official image" | "made from packages" | "named by the operator";
};

export type Tools = {
  /** Those that were asked for and could be had. */
  builders: Partial<Record<BuilderId, ToolImage>>;
  registry: ToolImage;
  /** True where base images are made here and served by a registry of Tare's own in docker.io's place. */
  ownBases: boolean;
};

/** A builder that was asked for where it can be had, and cannot. */
export type MissingBuilder = { builder: BuilderId; why: string; remedy: string };

/** How one image is made from Debian packages and Go modules. */
export type ToolMaker = {
  /** Name on the engine. Its last number goes up where the recipe changes. */
  image: string;
  /** What it is made of, for the person who waits. */
  madeOf: string;
  /** Debian packages that this machine needs for it, by the program that shows they are there. */
  packages: Readonly<Record<string, string>>;
  /** The oldest Go that builds it; null where it is not built. */
  oldestGo: string | null;
  /** Problem setup-refused where something is not installed; Outage where a download or the engine fails. */
  make(docker: Docker, cacheDirectory: string): Promise<void>;
};

/** Tells a person what set-up is about to do; `ask` answers true where it may go on. */
export type SetupDialogue = { say(line: string): void; ask(question: string): Promise<boolean> };
