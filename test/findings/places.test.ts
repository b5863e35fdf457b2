import { describe, expect, it } from "vitest";
import { commandLines } from "../../src/findings/command-lines.ts";
import { readRecipes } from "../../src/recipes/read-recipes.ts";
import { ciTree } from "../recipes/trees.ts";
import { toldOf } from "./marked-change.ts";

/** Line numbers of each build command of a template. */
function extents(text: string, files: Record<string, string> = {}): number[][] {
  const tree = ciTree(text, files);
  const { recipes } = readRecipes(tree);
  return recipes.map((recipe) =>
    commandLines(recipe, recipes, tree.read(recipe.file)).map(({ line }) => line),
  );
}

describe("commandLines", () => {
  it.each([
    [
      "an item",
      "job:\n  script:\n    - echo a\n    - docker build .\n      -t a\n      --pull\n    - echo b\n",
      [[4, 5, 6]],
    ],
    ["an item before a key", "job:\n  script:\n    - docker build .\n      -t a\n  tags: [b]\n", [[3, 4]]],
    [
      "items as deep as their key",
      "job:\n  script:\n  - docker build .\n    -t a\n  - echo b\n  tags: [b]\n",
      [[3, 4]],
    ],
    ["a key's own text", "job:\n  script: docker build .\n    -t a\n  tags: [b]\n", [[2, 3]]],
    [
      "a literal block",
      "job:\n  script:\n    - |\n      docker build . \\\n        -t a\n      echo --pull\n",
      [[4, 5]],
    ],
    [
      "a folded block",
      "job:\n  script:\n    - >-\n      docker build .\n      -t a\n\n      --pull\n",
      [[4, 5]],
    ],
    [
      "two builds",
      "job:\n  script:\n    - docker build -t a . &&\n      docker build -t b .\n      --pull\n",
      [[3], [4, 5]],
    ],
  ])("takes the lines of %s", (_what, text, lines) => {
    expect(extents(text)).toEqual(lines);
  });

  it("takes the lines of a script", () => {
    const script = "#!/bin/sh\nset -e\ndocker build -t a \\\n  --pull \\\n  .\necho --no-cache\n";
    expect(extents("job:\n  script: [./b.sh]\n", { "b.sh": script })).toEqual([[3, 4, 5]]);
  });

  it("takes none of a file that is not there", () => {
    const [recipe] = readRecipes(ciTree("job:\n  script: [docker build -t a .]\n")).recipes;
    expect(recipe && commandLines(recipe, [recipe], null)).toEqual([]);
  });
});

const DOCKERFILE = { Dockerfile: " FROM debian:12\n RUN make\n" };

describe("the line of a finding", () => {
  it("is in the script that holds the command", () => {
    expect(
      toldOf({
        ...DOCKERFILE,
        ".gitlab-ci.yml": " job:\n   script: [./b.sh]\n",
        "b.sh":
          " #!/bin/sh\n /kaniko/executor -c . \\\n   -d r/a:1 \\\n+  --single-snapshot \\\n   --cache\n",
      }),
    ).toEqual([
      "b.sh:4 head single-snapshot: --single-snapshot makes one layer of the whole stage: nothing useful reaches the cache that --cache asks for (job job).",
    ]);
  });

  it("is that of the one cache of two that is meant", () => {
    const lines = [
      " job:",
      "   script:",
      "     - docker buildx create --use",
      "     - docker buildx build --push -t r/a:1 .",
      "+      --cache-to type=registry,ref=r/c,ignore-error=true",
      "+      --cache-to type=registry,ref=r/d",
    ];
    expect(toldOf({ ...DOCKERFILE, ".gitlab-ci.yml": `${lines.join("\n")}\n` })).toEqual([
      ".gitlab-ci.yml:6 head ignore-error: Without ignore-error=true a failed export of the cache to r/d fails the whole build (job job).",
    ]);
  });

  it("is one for all jobs of a template, and one for each line", () => {
    const job = (name: string) => [` ${name}:`, "   extends: .build", "   variables:", `     NAME: ${name}`];
    const own = ["+own:", "+  script:", "+    - /kaniko/executor -c . -d r/own:1 --reproducible"];
    const template = [
      " .build:",
      "   script:",
      "+    # --reproducible is here below",
      "     - /kaniko/executor -c . -d r/$NAME:1",
      "+      --reproducible",
    ];
    const lines = [...template, ...["a", "b", "c", "d", "e"].flatMap(job), ...own];
    const text =
      "reproducible: --reproducible writes every layer anew, those of the base too: the image shares no blob with its base image, and each layer is held in memory";
    expect(toldOf({ ...DOCKERFILE, ".gitlab-ci.yml": `${lines.join("\n")}\n` })).toEqual([
      `.gitlab-ci.yml:5 head ${text} (5 jobs).`,
      `.gitlab-ci.yml:28 head ${text} (job own).`,
    ]);
  });

  it("is none where nothing of the command is in the diff", () => {
    const lines = [" .build:", "   script:", "     - /kaniko/executor -c . -d r/a:1 --reproducible"];
    const job = ["+job:", "+  extends: .build"];
    expect(toldOf({ ...DOCKERFILE, ".gitlab-ci.yml": `${[...lines, ...job].join("\n")}\n` })).toEqual([]);
  });

  it("names the first of many that differ, and counts the others", () => {
    const job = (name: string) => [` ${name}:`, "   extends: .build", "   variables:", `     NAME: ${name}`];
    const template = [
      " .build:",
      "   script:",
      "     - /kaniko/executor -c . -d $CI_REGISTRY_IMAGE/$NAME",
      "+      --cache --cache-repo $CI_REGISTRY/up/stream/$NAME-cache",
    ];
    const lines = [...template, ...["a", "b", "c", "d"].flatMap(job)];
    expect(toldOf({ ...DOCKERFILE, ".gitlab-ci.yml": `${lines.join("\n")}\n` })).toEqual([
      ".gitlab-ci.yml:4 head fork-cache: A fork's pipeline may not write the cache $CI_REGISTRY/up/stream/a-cache and 3 others: there kaniko warns and goes on, and what upstream's cache does not hold is built in every run (4 jobs).",
    ]);
  });
});
