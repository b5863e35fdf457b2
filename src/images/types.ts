import type { BuilderId } from "../domain/recipe.ts";

/** Images that a trial needs on the engine, and where they came from. */
export type ToolImage = {
  /** Name on the engine. */
  image: string;
  version: string;
  digest: string | null;
  origin: "official image" | "made from packages";
};

export type Tools = {
  /** Those that were asked for. */
  builders: Partial<Record<BuilderId, ToolImage>>;
  registry: ToolImage;
  /** True where base images are made here and served by a registry of Tare's own in docker.io's place. */
  ownBases: boolean;
};

/** Tells a person what set-up is about to do; `ask` answers true where it may go on. */
export type SetupDialogue = { say(line: string): void; ask(question: string): Promise<boolean> };
