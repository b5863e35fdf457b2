import { describe, expect, it } from "vitest";
import { behindGate } from "../src/behind-gate.ts";
import { DEFAULT_LIMITS } from "../src/domain/job.ts";
import type { Strategy } from "../src/domain/recipe.ts";
import { Problem } from "../src/domain/problem.ts";
import type { HeldJob } from "../src/executors/gate-check.ts";
import type { Testbed } from "../src/images/testbed.ts";
import type { PreparedTrial } from "../src/prepare-trial.ts";
import { imageTrial, trialRecipe, trialSource } from "./fixtures/trial/image-trial.ts";

async function preparedOf(own: Strategy, others: Strategy[]): Promise<PreparedTrial> {
  const trial = await imageTrial(trialRecipe(own), trialRecipe("kaniko/layers"));
  const sources = await Promise.all(others.map((other) => trialSource(trialRecipe(other))));
  const trials = [{ ...trial, others: sources.map((source) => ({ variant: null, source })) }];
  return { selection: { notBuilt: [] }, trials } as unknown as PreparedTrial;
}

/** An executor that says what it was asked to hold. */
function asking(refuses = false) {
  const asked: HeldJob[] = [];
  const refuseUnheld = async (jobs: readonly HeldJob[]) => {
    asked.push(...jobs);
    if (refuses) throw new Problem("gate-impossible", "It cannot be held.", "Mend it.");
  };
  return { asked, testbed: { executor: { refuseUnheld } } as unknown as Testbed };
}

const request = { limits: DEFAULT_LIMITS };

describe("a trial behind the gate", () => {
  it("leaves out other strategies whose builder needs privileges, and says so", async () => {
    const { asked, testbed } = asking();
    const prepared = await preparedOf("kaniko/layers", ["docker/none", "buildah/layers"]);
    const { trials, selection } = await behindGate(prepared, request, testbed);
    expect(trials[0]?.others).toStrictEqual([]);
    expect(selection.notBuilt.map(({ what }) => what)).toStrictEqual([
      "alder with docker/none",
      "alder with buildah/layers",
    ]);
    expect(selection.notBuilt[0]?.why).toContain("a job of code that is not trusted gets none");
    expect(asked).toStrictEqual([
      {
        privileges: "none",
        limits: { ...DEFAULT_LIMITS, processes: 1024, diskBytes: 10 * 1024 ** 3 },
      },
    ]);
  });

  it("asks for what the change's own builders need, and ends with why they are not held", async () => {
    const { asked, testbed } = asking(true);
    const prepared = await preparedOf("docker/none", []);
    await expect(behindGate(prepared, request, testbed)).rejects.toMatchObject({ code: "gate-impossible" });
    expect(asked.map(({ privileges }) => privileges)).toStrictEqual(["daemon", "none"]);
  });
});
