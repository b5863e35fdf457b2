import { describe, expect, it } from "vitest";
import { readRecipes } from "../../src/recipes/read-recipes.ts";
import type { TreeRecipes } from "../../src/recipes/read-recipes.ts";
import { treeOf } from "./trees.ts";

const PATH = ".github/workflows/bake.yml";

function bake(files: Record<string, string>, inputs = "push: true", more = ""): TreeRecipes {
  const indented = inputs.replaceAll(/^/gm, "          ");
  const workflow = `on: {push: {branches: [main]}}
jobs:
  images:
    runs-on: ubuntu-latest
    steps:
      - uses: docker/setup-buildx-action@v3
${more}      - uses: docker/bake-action@v6
        env: {VERSION: "\${{ github.ref_name }}"}
        with:
${indented}
`;
  return readRecipes(treeOf({ [PATH]: workflow, ...files }));
}

const FILE = `# images of the project
variable "VERSION" { default = "dev" }
variable "REPO" {
  default = "ghcr.io/larch"
}
function "names" {
  params = [name]
  result = compact(["\${REPO}/\${name}:\${VERSION}", VERSION == "dev" ? "" : "\${REPO}/\${name}:latest"])
}
group "default" { targets = ["web", "job"] }
target "_base" {
  context = "src"
  args = { A = "1", B = upper("x") }
  cache-from = ["type=registry,ref=\${REPO}/cache"]
}
target "web" {
  inherits = ["_base"]
  dockerfile = "docker/web.Dockerfile"
  tags = names("web")
  args {
    B = null
    C = 3
  }
  cache-to = [{ type = "registry", ref = "\${REPO}/cache", mode = "max" }]
}
target "job" {
  name = "job-\${size}"
  matrix = { size = ["s", "l"] }
  inherits = ["_base"]
  target = size
  tags = [for tag in ["a", "b"] : "\${REPO}/job-\${size}:\${tag}"]
}
`;

describe("bake files in HCL", () => {
  it("have a recipe for each target, said where it stands", () => {
    const { recipes, unread } = bake({ "docker-bake.hcl": FILE });
    expect(unread).toEqual([]);
    expect(recipes.map(({ line, dockerfile, target, images }) => [line, dockerfile, target, images])).toEqual(
      [
        [16, "src/docker/web.Dockerfile", null, ["ghcr.io/larch/web:main", "ghcr.io/larch/web:latest"]],
        [26, "src/Dockerfile", "s", ["ghcr.io/larch/job-s:a", "ghcr.io/larch/job-s:b"]],
        [26, "src/Dockerfile", "l", ["ghcr.io/larch/job-l:a", "ghcr.io/larch/job-l:b"]],
      ],
    );
    expect(recipes[0]).toMatchObject({
      file: "docker-bake.hcl",
      program: "docker buildx bake",
      strategy: "buildkit/registry-max",
      buildArgs: { A: "1", B: "X", C: "3" },
      cacheFrom: ["ghcr.io/larch/cache"],
      cacheToOptions: [{ mode: "max" }],
      unresolved: [],
    });
  });

  it("take overrides, several files and named targets", () => {
    const second = 'target "web" { platforms = ["linux/arm64"] }\n';
    const inputs = `push: true
files: |
  docker-bake.hcl
  more.hcl
targets: web
set: |
  *.tags=r:1
  *.tags=r:2
  w*b.args.A=9
  web.cache-to=type=inline
  job.tags=never`;
    const { recipes } = bake({ "docker-bake.hcl": FILE, "more.hcl": second }, inputs);
    expect(recipes).toHaveLength(1);
    expect(recipes[0]).toMatchObject({
      images: ["r:1", "r:2"],
      buildArgs: { A: "9", B: "X", C: "3" },
      strategy: "buildkit/inline",
    });
    expect(recipes[0]?.flags).toContain("--platform=linux/arm64");
  });

  it("know what the runner sets, and what the files themselves define", () => {
    const file = `variable "GITHUB_SHA" { default = "none" }
variable "list" {
  type = list(string)
  default = ["p"]
}
kinds = {
  slim = { tag = "-slim", at = "x@y" }
}
function suffix {
  params = [kind]
  result = kinds[kind].tag
}
target "default" {
  tags = ["r:\${GITHUB_SHA}\${suffix("slim")}", "r:\${index(split("@", kinds.slim.at), 1)}", "r:\${list[0]}"]
}
`;
    expect(bake({ "docker-bake.hcl": file }).recipes[0]).toMatchObject({
      images: ["r:$GITHUB_SHA-slim", "r:y", "r:p"],
      unresolved: [],
    });
  });

  it("take the tags that docker/metadata-action gives", () => {
    const meta = `      - id: meta
        uses: docker/metadata-action@v5
        with: {images: ghcr.io/larch/app, tags: "type=raw,value=v3"}
`;
    const file =
      'target "docker-metadata-action" {}\ntarget "default" { inherits = ["docker-metadata-action"] }\n';
    const inputs = "push: true\nfiles: |\n  ./docker-bake.hcl\n  ${{ steps.meta.outputs.bake-file }}";
    expect(bake({ "docker-bake.hcl": file }, inputs, meta).recipes[0]?.images).toEqual([
      "ghcr.io/larch/app:v3",
    ]);
  });

  it.each([
    ['target "default" { tags = [timestamp()] }', "image: the function timestamp of bake files is not read"],
    ['target "default" { tags = [NONE] }', "image: NONE is not defined in the bake files"],
    [
      'variable "A" { default = B }\nvariable "B" { default = A }\ntarget "default" { tags = [A] }',
      "image: A is defined by itself",
    ],
    [
      'target "default" {\n dockerfile-inline = <<EOT\nFROM a\nEOT\n tags = ["t"] }',
      "dockerfile: the Dockerfile stands in the bake file (dockerfile-inline of default)",
    ],
    [
      'target "default" {\n inherits = ["default"]\n tags = ["t"] }',
      "target: target default inherits from itself",
    ],
  ])("name what is not known: %s", (file, why) => {
    const [recipe] = bake({ "docker-bake.hcl": file }).recipes;
    expect(recipe?.unresolved.map((each) => `${each.part}: ${each.why}`)).toContain(why);
  });

  it.each([
    ['target "a" { tags = ["x }', 1, "a text has no end"],
    ['target "a" {\n  tags = [\n', 3, "a value is wanted, not the end of the file"],
    ['target "a" {\n x = "${ {"\n}', 2, "a text has no end"],
    ["target 'a' {}", 1, '"\'" has no place here'],
    ["a = <<E\nx", 1, "<<E has no end"],
    [`a = ${"(".repeat(5000)}`, 1, "the expression is nested too deeply"],
  ])("are refused where they cannot be read: %j", (file, line, why) => {
    const { recipes, unread } = bake({ "docker-bake.hcl": file });
    expect(recipes).toEqual([]);
    expect(unread.map((each) => [each.file, each.line, each.why])).toEqual([
      ["docker-bake.hcl", line, `the bake file cannot be read: ${why}`],
    ]);
  });

  it("end what doubles itself", () => {
    const lines = Array.from({ length: 40 }, (_, at) => `v${at + 1} = "\${v${at}}\${v${at}}"`).join("\n");
    const [recipe] = bake({
      "docker-bake.hcl": `v0 = "xx"\n${lines}\ntarget "default" { tags = [v40] }\n`,
    }).recipes;
    expect(recipe?.unresolved.map(({ part }) => part)).toContain("image");
  });
});

describe("other bake files", () => {
  it("in JSON are read like those in HCL", () => {
    const json = {
      group: { default: { targets: ["a"] } },
      variable: { T: { default: "1" } },
      target: { a: { tags: ["r:${T}"], args: { X: "y" } } },
    };
    expect(bake({ "docker-bake.json": JSON.stringify(json) }).recipes[0]).toMatchObject({
      images: ["r:1"],
      buildArgs: { X: "y" },
    });
  });

  it("may be compose files", () => {
    const compose = `services:
  api:
    image: ghcr.io/larch/api:\${VERSION:-dev}
    build:
      context: ./api
      args: [MODE=prod]
      cache_from: ["type=registry,ref=c"]
      x-bake: {platforms: [linux/amd64]}
  db: {image: postgres}
`;
    const { recipes } = bake({ "docker-compose.yml": compose });
    expect(recipes).toHaveLength(1);
    expect(recipes[0]).toMatchObject({
      images: ["ghcr.io/larch/api:main"],
      context: "api",
      dockerfile: "api/Dockerfile",
      line: 5,
      buildArgs: { MODE: "prod" },
      cacheFrom: ["c"],
    });
  });

  it("that are not there are named", () => {
    const missing = bake({}, "files: none.hcl");
    expect(missing.unread.map(({ file, line, why }) => [file, line, why])).toEqual([
      [PATH, 7, "none.hcl is not in the tree"],
    ]);
  });
});

describe("expressions of bake files", () => {
  it.each([
    ['("a" == "b"\n ? ["x"]\n : ["y"]\n)', ["y"]],
    [
      'flatten([\n for r in split(",", "p,q") :\n [for t in ["1"] : t == "0" ? "none" : "${r}:${t}"]\n])',
      ["p:1", "q:1"],
    ],
    ['[for k, v in { a = 1, b = 2 } : "${k}-${v}" if v != 1]', ["b-2"]],
    ['formatlist("%s/%s", ["a", "b"], "x")', ["a/x", "b/x"]],
    ['concat(["a"], coalesce("", "no") == "no" ? [] : ["b"])', ["a"]],
    ['[{ n = "z" }.n, ["p", "q"][1], "$${n}", "\\u0041"]', ["z", "q", "${n}", "A"]],
    ['[1 + 2 * 3 == 7 && !false ? "yes" : "no"]', ["yes"]],
  ])("%s", (expression, images) => {
    const { recipes, unread } = bake({
      "docker-bake.hcl": `target "default" {\n  tags = ${expression}\n}\n`,
    });
    expect([recipes.map((recipe) => recipe.images), unread]).toEqual([[images], []]);
  });
});
