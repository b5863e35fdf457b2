import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Problem } from "../../src/domain/problem.ts";
import { readRecipes } from "../../src/recipes/read-recipes.ts";
import { ciTree, scriptTree, treeOf } from "./trees.ts";

/** Milliseconds that nothing here may take, on a machine that does other work, too. */
const QUICK = 8000;

function reasonsOf(items: readonly string[], files: Record<string, string> = {}): string[] {
  return readRecipes(scriptTree(items, files)).unread.map(({ why }) => why);
}

describe("what feeds itself ends, and says so", () => {
  it.each<[string, string[], Record<string, string>?]>([
    ["arguments", ['f() { f "$@" "$@"; f "$@" "$@"; }; f docker build']],
    [
      "loops",
      [
        "for a in 1 2 3 4 5 6 7 8; do for b in 1 2 3 4 5 6 7 8 9; do for c in 1 2 3 4 5 6 7 8 9; do for d in 1 2 3 4 5 6 7 8 9; do docker info; done; done; done; done",
      ],
    ],
    [
      "a script",
      ["./docker.sh"],
      { "docker.sh": "docker build .\nfor i in 1 2 3 4 5 6 7 8 9; do ./docker.sh; done" },
    ],
    ["a list", [`for n in ${"x ".repeat(3000)}; do docker info; done`]],
  ])(
    "%s",
    (_, items, files = {}) => {
      expect(reasonsOf(items, files)).toContain("the script has too many commands");
    },
    QUICK,
  );

  it(
    "an array that doubles itself is not known",
    () => {
      const lines = [
        "A=(x x)",
        ...Array.from({ length: 40 }, () => 'A+=("${A[@]}" "${A[@]}")'),
        'docker build "${A[@]}" .',
      ];
      const [recipe] = readRecipes(scriptTree(lines)).recipes;
      expect(recipe?.unresolved[0]?.why).toBe("$A is an array whose members are not known");
    },
    QUICK,
  );

  it(
    "a loop without an end stops",
    () => {
      expect(readRecipes(scriptTree(["while true; do docker build -t x .; done"])).recipes).toHaveLength(200);
    },
    QUICK,
  );

  it(
    "pipelines that start each other stop",
    () => {
      const jobs = Array.from({ length: 30 }, (_, at) => `t${at}: {trigger: {include: c.yml}}`).join("\n");
      const { unread, jobs: names } = readRecipes(treeOf({ ".gitlab-ci.yml": jobs, "c.yml": jobs }));
      expect(names).toEqual([]);
      expect(unread.at(-1)?.why).toBe("at most 50 child pipelines, 2 deep, are read");
    },
    QUICK,
  );

  it.each([
    ["docker -a\\\n".repeat(20_000)],
    ["$DOCKER ".repeat(20_000)],
    ["buildctl ".repeat(20_000)],
    ["az ".repeat(50_000)],
    ["$".repeat(100_000)],
    ["then".repeat(50_000)],
    ["a/".repeat(60_000)],
    ["docker-compose ".repeat(10_000)],
    ["./a.sh ".repeat(10_000)],
  ])(
    "long texts are looked through in time",
    (text) => {
      const tree = treeOf({
        ".gitlab-ci.yml": JSON.stringify({ job: { script: ["./x.sh", text] } }),
        "x.sh": text,
      });
      expect(readRecipes(tree).jobs).toEqual(["job"]);
    },
    QUICK,
  );
});

describe("any script at all", () => {
  const words = [
    ..."docker build push tag pull buildx create --use use bake buildah bud podman buildctl skopeo copy /kaniko/executor".split(
      " ",
    ),
    ...'-t -f --cache-to --cache-from --push --load -o type=registry,ref=x,mode=max type= . - .. $A ${A:-x} ${A[@]} "$@" \''.split(
      " ",
    ),
    ..."if then else fi for in do done while case esac ;; ; && || | ( ) { } [ ] [[ ]] ! exit return break continue shift".split(
      " ",
    ),
    ..."cd a/b ./s.sh source . sh -c eval <<EOF EOF > >> 2>&1 A=b A=( ) A+=(x) $( ` \\ * {a,b} export set -- make python3".split(
      " ",
    ),
    "\n",
    "f() {",
    "}; f x",
  ];
  const script = fc.array(fc.constantFrom(...words), { maxLength: 40 }).map((parts) => parts.join(" "));

  it("gives recipes or what was not read, and nothing else", () => {
    const property = fc.property(fc.array(script, { minLength: 1, maxLength: 4 }), script, (items, file) => {
      const tree = treeOf({
        ".gitlab-ci.yml": JSON.stringify({
          job: { image: "docker:27", script: items, after_script: [file] },
        }),
        "s.sh": file,
        "a/b/s.sh": items.join("\n"),
        Makefile: `all:\n\t${items[0]}`,
      });
      const { recipes, jobs } = readRecipes(tree);
      expect(jobs).toEqual(["job"]);
      for (const recipe of recipes) expect(recipe.cacheToOptions).toHaveLength(recipe.cacheTo.length);
    });
    fc.assert(property, { numRuns: 1500, endOnFailure: true });
  }, 60_000);
});

describe("any configuration at all", () => {
  const leaf = fc.constantFrom<unknown>(
    "docker build -t $A . && docker push $A",
    "$CI_PROJECT_PATH == 'a/b' && ($X || !$Y)",
    "main@a/b",
    "c.yml",
    ".t",
    "never",
    true,
    7,
    null,
    "$[[ inputs.x ]]",
  );
  const key = fc.constantFrom(
    ..."script before_script after_script variables rules only except trigger include parallel matrix extends image services".split(
      " ",
    ),
    ..."inherit default workflow hooks pre_get_sources_script if when changes refs value expand local inputs name run needs A".split(
      " ",
    ),
  );
  const { node } = fc.letrec<{ node: unknown }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 5 },
      leaf,
      fc.array(tie("node"), { maxLength: 3 }),
      fc.dictionary(key, tie("node"), { maxKeys: 5 }),
    ),
  }));
  const config = fc.dictionary(
    fc.constantFrom("job", ".t", "build", "default", "variables", "workflow", "include"),
    node,
    {
      maxKeys: 5,
    },
  );

  it("gives recipes or a Problem, and nothing else", () => {
    const property = fc.property(config, config, (main, child) => {
      const tree = ciTree(JSON.stringify(main), { "c.yml": JSON.stringify(child) });
      try {
        expect(readRecipes(tree).files[0]).toBe(".gitlab-ci.yml");
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
      }
    });
    fc.assert(property, { numRuns: 1500, endOnFailure: true });
  }, 60_000);
});
