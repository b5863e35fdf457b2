import { describe, expect, it } from "vitest";
import { readBothTrees } from "../src/bot.ts";
import { buildersOf, withoutMissing } from "../src/trial-builders.ts";
import { basesOf } from "../src/choose-images.ts";
import { DEFAULT_LIMITS } from "../src/domain/job.ts";
import { changeOfRevision } from "../src/git/read-change.ts";
import { openRepository } from "../src/git/repository.ts";
import { prepareTrial, type PreparedTrial, type TrialRequest } from "../src/prepare-trial.ts";
import { wantedStrategies } from "../src/trials/strategies.ts";
import { THRESHOLDS } from "../src/domain/comparison.ts";
import { sampleRepository, type SampleFile } from "./git/sample-repository.ts";

const REQUEST: TrialRequest = {
  images: [],
  mostImages: null,
  ignores: null,
  repeats: 3,
  otherRepeats: 1,
  edits: ["first", "last"],
  replay: 0,
  thread: [],
  forks: [],
  strategies: [],
  budgetMs: null,
  limits: DEFAULT_LIMITS,
  thresholds: THRESHOLDS,
  linkBytesPerSecond: null,
  downloads: "cache",
  ledger: { id: "namespace", why: "as GitLab charges" },
  projectPath: "group/project",
  command: "tare trial",
  argv: ["trial"],
};

/** A template that builds each of these images with one command line. */
const template = (command: string, images: Record<string, string>) =>
  Object.entries(images)
    .map(([name, more]) => {
      const line = command.replaceAll("NAME", name).replaceAll("MORE", more);
      return `${name}:\n  script:\n${line
        .split("\n")
        .map((each) => `    - ${each}\n`)
        .join("")}`;
    })
    .join("\n");

const DOCKER = [
  "docker build --tag $CI_REGISTRY_IMAGE/NAME --file images/NAME.docker MORE images",
  "docker push $CI_REGISTRY_IMAGE/NAME",
].join("\n");
const KANIKO =
  "/kaniko/executor --context images --dockerfile images/NAME.docker --destination $CI_REGISTRY_IMAGE/NAME MORE --cache=true --cache-repo $CI_REGISTRY_IMAGE/NAME-cache";

async function prepared(
  images: Record<string, string>,
  dockerfiles: Record<string, string>,
  more: Partial<TrialRequest> = {},
  obstacle: (base: string) => string | null = () => null,
): Promise<PreparedTrial> {
  const files = Object.fromEntries(
    Object.entries(dockerfiles).map(([name, text]): [string, SampleFile] => [`images/${name}.docker`, text]),
  );
  await using sample = await sampleRepository([
    { ".gitlab-ci.yml": template(DOCKER, images), ...files },
    { ".gitlab-ci.yml": template(KANIKO, images), ...files },
  ]);
  await using repository = await openRepository(sample.directory);
  const base = { revision: "main^", chosenBy: "test" };
  const change = await changeOfRevision(repository, "main", base, "trusted");
  const reading = await readBothTrees(repository, change);
  return await prepareTrial(repository, change, reading, { ...REQUEST, ...more }, obstacle);
}

const names = ({ trials }: PreparedTrial) => trials.map(({ pair }) => pair.image);

const TWO_RUNS = "FROM debian:12\nRUN true\nRUN false || true\n";

describe("a trial that is prepared", () => {
  it("is of the first image, with both edits, where no budget is given", async () => {
    const plan = await prepared({ ash: "", birch: "" }, { ash: TWO_RUNS, birch: TWO_RUNS });
    expect(names(plan)).toStrictEqual(["ash"]);
    expect(plan.trials[0]?.proposed.edits.map(({ description }) => description)).toStrictEqual([
      "RUN 1 of 2, line 2",
      "RUN 2 of 2, line 3",
    ]);
    expect(plan.selection.notBuilt).toStrictEqual([{ what: "birch", why: "not chosen for this trial" }]);
    expect(buildersOf(plan)).toStrictEqual({ needed: ["docker", "kaniko"], others: [] });
  });

  it("edits the only RUN once", async () => {
    const plan = await prepared({ ash: "" }, { ash: "FROM debian:12\nRUN true\n" });
    expect(plan.trials[0]?.current.edits).toHaveLength(1);
  });

  it("samples images of every base within the budget, and estimates them", async () => {
    const plan = await prepared(
      { ash: "", birch: "", cedar: "" },
      { ash: TWO_RUNS, birch: TWO_RUNS, cedar: TWO_RUNS.replace("debian:12", "busybox") },
      { budgetMs: 200_000 },
    );
    expect(names(plan)).toStrictEqual(["ash", "cedar"]);
    // Two images of 2 s: three trials of 0.4 + 1 + 1 + 0.6 builds a side, each run with its start, and one build more.
    const sides = 700 + 4 * 2_700 + 6_000 + (700 + 4 * 1_300 + 6_000);
    expect(plan.estimate.wallMs).toBe(2 * (3 * sides + 2_000));
    expect(plan.repeats).toStrictEqual({ own: 3, others: 1 });
    expect(plan.selection.reason).toBe(
      "a sample of 2 of 3 images by base and size (2 of 2 base images), for a time budget of 3 m 20 s",
    );
  });

  it("has fewer repeats where the budget holds no more, and says so", async () => {
    const plan = await prepared({ ash: "" }, { ash: TWO_RUNS }, { budgetMs: 1_000 });
    expect(plan.repeats).toStrictEqual({ own: 1, others: 1 });
    expect(plan.notes.slice(-2)).toStrictEqual([
      "One repeat instead of 3, for a time budget of 1.0 s.",
      "ash alone is expected to take 31.4 s with one repeat: the time budget of 1.0 s will not be kept.",
    ]);
  });

  it("takes no more images than the settings allow, and leaves alone what they ignore", async () => {
    const three = { ash: TWO_RUNS, birch: TWO_RUNS, cedar: TWO_RUNS };
    const plan = await prepared({ ash: "", birch: "", cedar: "" }, three, {
      budgetMs: 86_400_000,
      mostImages: 1,
      ignores: (image) => (image === "ash" ? ".tare.yml ignores ash" : null),
    });
    expect(names(plan)).toStrictEqual(["birch"]);
    expect(plan.selection.notBuilt).toStrictEqual([
      { what: "ash", why: ".tare.yml ignores ash" },
      { what: "cedar", why: "not chosen for this trial" },
    ]);
  });

  it("names strategies that cannot be tried, and takes those of the change itself once", async () => {
    const plan = await prepared(
      { ash: "" },
      { ash: TWO_RUNS },
      {
        strategies: wantedStrategies(["docker/none", "kaniko/layers", "buildah/layers", "docker/layers"]),
      },
    );
    const others = (each: PreparedTrial) =>
      each.trials[0]?.others.map(({ source }) => source.recipe.strategy);
    expect(others(plan)).toStrictEqual(["buildah/layers"]);
    expect(plan.selection.notBuilt.map(({ what }) => what)).toStrictEqual(["ash with docker/layers"]);
    expect(buildersOf(plan)).toStrictEqual({ needed: ["docker", "kaniko"], others: ["buildah"] });
    const without = withoutMissing(plan, [{ builder: "buildah", why: "no package", remedy: "none" }]);
    expect(others(without)).toStrictEqual([]);
    expect(without.selection.notBuilt.at(-1)).toStrictEqual({
      what: "ash with buildah/layers",
      why: "no package",
    });
  });

  it("tries a variant of the change's own strategy with the template's own cache", async () => {
    const plan = await prepared(
      { ash: "" },
      { ash: TWO_RUNS },
      {
        strategies: wantedStrategies(["kaniko/layers+redo", "kaniko/layers+own-repository"]),
      },
    );
    const recipes = plan.trials[0]?.others.map(({ source }) => source.recipe);
    expect(recipes?.map(({ cacheTo }) => cacheTo)).toStrictEqual([
      ["$CI_REGISTRY_IMAGE/ash-cache"],
      ["$CI_REGISTRY_IMAGE/ash"],
    ]);
    expect(recipes?.[0]?.flags).toContain("--snapshot-mode=redo");
    expect(recipes?.[0]?.flags.filter((flag) => flag === "--cache=true")).toHaveLength(1);
  });

  it("builds equal images once", async () => {
    const twice = DOCKER.replaceAll("NAME", "ash").replaceAll("MORE", "");
    const again = KANIKO.replaceAll("NAME", "ash").replaceAll("MORE", "");
    const jobs = (command: string) =>
      ["one", "two"]
        .map(
          (job) =>
            `${job}:\n  script:\n${command
              .split("\n")
              .map((line) => `    - ${line}\n`)
              .join("")}`,
        )
        .join("");
    await using sample = await sampleRepository([
      { ".gitlab-ci.yml": jobs(twice), "images/ash.docker": TWO_RUNS },
      { ".gitlab-ci.yml": jobs(again), "images/ash.docker": TWO_RUNS },
    ]);
    await using repository = await openRepository(sample.directory);
    const change = await changeOfRevision(
      repository,
      "main",
      { revision: "main^", chosenBy: "test" },
      "trusted",
    );
    const reading = await readBothTrees(repository, change);
    const plan = await prepareTrial(
      repository,
      change,
      reading,
      { ...REQUEST, budgetMs: 86_400_000 },
      () => null,
    );
    expect(names(plan)).toStrictEqual(["ash"]);
    expect(plan.selection.notBuilt).toStrictEqual([
      { what: "ash (job two)", why: "its runs are those of ash (job one)" },
    ]);
  });
});

describe("an image that starts from another job's image", () => {
  const CHILD = "ARG BASE\nFROM $BASE\nRUN true\n";
  const argument = "--build-arg BASE=$CI_REGISTRY_IMAGE/ash";

  it("has that one built first; only the outermost base comes from outside", async () => {
    const plan = await prepared(
      { birch: argument, ash: "" },
      { ash: TWO_RUNS, birch: CHILD },
      { images: ["birch"] },
      (base) => (base === "debian:12" ? null : `${base} cannot be had`),
    );
    const [trial] = plan.trials;
    expect(trial?.proposed.startsFrom.map(({ dockerfile, edits }) => [dockerfile, edits])).toStrictEqual([
      ["images/ash.docker", []],
    ]);
    expect(trial && basesOf(trial)).toStrictEqual(["debian:12"]);
    expect(plan.notes).toContain(
      "birch starts from the image of images/ash.docker (job ash): that was built first, untimed, and is part of every total.",
    );
  });

  it("is refused where the images lead in a circle", async () => {
    const circle = prepared(
      { birch: argument, ash: "--build-arg BASE=$CI_REGISTRY_IMAGE/birch" },
      { ash: CHILD, birch: CHILD },
      { images: ["birch"] },
    );
    await expect(circle).rejects.toThrow("starts from an image that starts from it");
  });
});
