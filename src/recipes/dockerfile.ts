// The door of everything that Dockerfiles are asked.
export { editDockerfile } from "./dockerfile-edit.ts";
export type { DockerfileEdit, EditOptions } from "./dockerfile-edit.ts";
export { readDockerfile } from "./dockerfile-reading.ts";
export type { DockerfileInstruction, DockerfileReading, Stage } from "./dockerfile-reading.ts";
export { listFromChain, neededStages } from "./dockerfile-stages.ts";
