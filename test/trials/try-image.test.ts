import { expect, it } from "vitest";
import { tryImage } from "../../src/trials/try-image.ts";
import { ended, quietDoors, trialWorld } from "../fakes/trial-world.ts";
import { conductOptions, imageTrial, trialRecipe } from "../fixtures/trial/image-trial.ts";

const OLD = "FROM docker.io/library/debian:8\n";

/** Builds anything but what starts from an old Debian. */
const world = () =>
  trialWorld((job, registry) => {
    const old = job.files.some(
      (file) => file.kind === "file" && Buffer.from(file.content).toString() === OLD,
    );
    if (old) return ended("failed", "404 Not Found");
    const layer = job.name.includes("edit") ? "edited" : "one";
    registry.push("group/project/qemu/alder", "latest", [[layer, 5_000]]);
    return {};
  });

async function tried(current: string | null) {
  const synthetic = await imageTrial(trialRecipe("docker/inline"), trialRecipe("docker/none"));
  const real = structuredClone({ ...synthetic, synthetic: null });
  for (const side of [real.current, real.proposed]) side.text = current ?? side.text;
  const { run, startRegistry } = world();
  const doors = { run, startRegistry, onProgress: () => {}, ...quietDoors() };
  const trial = { ...real, synthetic: async () => synthetic };
  return tryImage(trial, conductOptions(), doors, new AbortController().signal);
}

it("tries an image once where its history builds", async () => {
  const { image, notes } = await tried(null);
  expect(image.strategies.map(({ runs }) => runs.map(({ outcome }) => outcome))).toStrictEqual([
    ["succeeded", "succeeded", "succeeded"],
    ["succeeded", "succeeded", "succeeded"],
  ]);
  expect(notes).toStrictEqual([]);
});

it("tries it again with synthetic edits where an old Dockerfile does not build any more, and says so", async () => {
  const { image, notes, machineMs } = await tried(OLD);
  expect(image.verdict).not.toBe("infrastructure");
  expect(notes).toStrictEqual([
    "alder: an earlier Dockerfile does not build any more (cold), so the edits are synthetic.",
  ]);
  // Two jobs that failed and six that did not, a second each.
  expect(machineMs).toBe(8_000);
});
