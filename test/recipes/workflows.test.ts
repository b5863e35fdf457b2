import { describe, expect, it } from "vitest";
import { notMeasured } from "../../src/domain/outside-caches.ts";
import type { Recipe } from "../../src/domain/recipe.ts";
import { compareRecipes } from "../../src/recipes/compare.ts";
import { readRecipes } from "../../src/recipes/read-recipes.ts";
import type { TreeRecipes } from "../../src/recipes/read-recipes.ts";
import { treeOf } from "./trees.ts";

const PATH = ".github/workflows/images.yml";

function read(workflow: string, files: Record<string, string> = {}): TreeRecipes {
  return readRecipes(treeOf({ [PATH]: workflow, ...files }));
}

/** A workflow for pushes to main with one job of these steps. */
function steps(text: string, on = "on: {push: {branches: [main]}}", more = ""): string {
  const indented = text.replaceAll(/^/gm, "      ");
  return `${on}\njobs:\n  image:\n    runs-on: ubuntu-latest\n${more}    steps:\n${indented}\n`;
}

function only({ recipes, unread }: TreeRecipes): Recipe {
  const [recipe] = recipes;
  if (recipe === undefined || recipes.length !== 1)
    throw new Error(`${recipes.length} recipes, unread: ${JSON.stringify(unread)}`);
  return recipe;
}

const said = (recipe: Recipe) => recipe.unresolved.map(({ part, why }) => `${part}: ${why}`);
const whys = ({ unread }: TreeRecipes) => unread.map(({ line, why }) => `${line}: ${why}`);

const BUILD = `
- uses: docker/setup-buildx-action@v3
- uses: docker/build-push-action@v6
  with:
    context: svc
    push: true
    tags: ghcr.io/larch/svc:main`;

describe("docker/build-push-action", () => {
  it("is the call of docker buildx build that it makes", () => {
    const recipe = only(
      read(
        steps(`
- uses: docker/setup-buildx-action@v3
  with:
    driver-opts: |
      network=host
      image=moby/buildkit:v0.19.0
- uses: docker/login-action@v3
  with: {registry: ghcr.io, username: u, password: "\${{ secrets.GITHUB_TOKEN }}"}
- uses: docker/build-push-action@v6
  with:
    context: svc
    file: svc/build.Dockerfile
    push: true
    tags: |
      ghcr.io/\${{ github.repository }}:latest
      ghcr.io/\${{ github.repository }}:\${{ github.sha }}
    build-args: |
      A=1
      B=x,y
    target: final
    platforms: linux/amd64,linux/arm64
    secrets: |
      npm=\${{ secrets.NPM_TOKEN }}
    cache-from: type=registry,ref=ghcr.io/\${{ github.repository }}:cache
    cache-to: type=registry,ref=ghcr.io/\${{ github.repository }}:cache,mode=max,ignore-error=true`),
      ),
    );
    expect(recipe).toMatchObject({
      job: "images.yml / image",
      file: PATH,
      line: 14,
      strategy: "buildkit/registry-max",
      program: "docker buildx build",
      services: ["moby/buildkit:v0.19.0"],
      dockerfile: "svc/build.Dockerfile",
      context: "svc",
      target: "final",
      images: ["ghcr.io/$GITHUB_REPOSITORY:latest", "ghcr.io/$GITHUB_REPOSITORY:$GITHUB_SHA"],
      cacheFrom: ["ghcr.io/$GITHUB_REPOSITORY:cache"],
      cacheTo: ["ghcr.io/$GITHUB_REPOSITORY:cache"],
      cacheToOptions: [{ mode: "max", "ignore-error": "true" }],
      buildArgs: { A: "1", B: "x,y" },
      logins: ["ghcr.io"],
      condition: "upstream",
      unresolved: [],
    });
    expect(recipe.flags).toContain("--secret=id=npm");
    expect(recipe.flags.join(" ")).not.toContain("NPM_TOKEN");
  });

  it.each([
    ["", ".", "Dockerfile"],
    ['context: "{{defaultContext}}:sub"', "sub", "sub/Dockerfile"],
    ['{context: "{{defaultContext}}:sub", file: own.Dockerfile}', "sub", "sub/own.Dockerfile"],
    ["{context: sub, file: ./own.Dockerfile}", "sub", "own.Dockerfile"],
    [
      "context: https://github.com/${{ github.repository }}.git#${{ github.ref }}:sub",
      "sub",
      "sub/Dockerfile",
    ],
  ])("has the tree as its context: %s", (given, context, dockerfile) => {
    const inputs = given.startsWith("{")
      ? given
      : `{push: true, tags: x${
          given === ""
            ? ""
            : `, ${given
                .replace(": ", ": '")
                .concat(given.includes('"') ? "" : "'")
                .replace(`'"`, '"')}`
        }}`;
    const recipe = only(read(steps(`- uses: docker/build-push-action@v6\n  with: ${inputs}`)));
    expect([recipe.context, recipe.dockerfile]).toEqual([context, dockerfile]);
  });

  it("uses the engine's own builder without an instance", () => {
    const recipe = only(read(steps("- uses: docker/build-push-action@v6\n  with: {push: true, tags: x}")));
    expect(recipe.strategy).toBe("docker/none");
  });

  it.each(["gha", "s3", "azblob"] as const)("says that a cache of type %s is not measured", (type) => {
    const recipe = only(read(steps(`${BUILD}\n    cache-to: type=${type},mode=max`)));
    expect([recipe.strategy, said(recipe)]).toEqual([`buildkit/${type}`, [`cache-to: ${notMeasured(type)}`]]);
  });

  it("names its first version, which has other inputs", () => {
    const result = read(steps("- uses: docker/build-push-action@v1\n  with: {repository: a/b}"));
    expect([result.recipes, whys(result)]).toEqual([
      [],
      ["6: docker/build-push-action@v1 has other inputs than those from v2 on: it is not read"],
    ]);
  });
});

describe("events", () => {
  const both = "on: {push: {branches: [main]}, pull_request: {}}";

  it("are followed until one pushes", () => {
    const text = BUILD.replace("push: true", "push: ${{ github.event_name != 'pull_request' }}");
    expect(only(read(steps(text, both)))).toMatchObject({
      images: ["ghcr.io/larch/svc:main"],
      condition: "both",
    });
  });

  it("leave out what is not run for them", () => {
    const never = BUILD.replaceAll("- uses: docker/build", "- if: failure()\n  uses: docker/build");
    expect(read(steps(never)).recipes).toEqual([]);
    const fork = BUILD.replace(
      "- uses: docker/build",
      "- if: github.event_name == 'push'\n  uses: docker/build",
    );
    expect(only(read(steps(fork, both))).condition).toBe("upstream");
  });

  it("keep a condition that only a run decides", () => {
    const text = BUILD.replace("- uses: docker/build", "- if: vars.PUBLISH == 'yes'\n  uses: docker/build");
    expect(said(only(read(steps(text))))).toEqual([
      "condition: built only if: vars.PUBLISH == 'yes' (vars.PUBLISH is set in the settings of the repository)",
    ]);
  });

  it("say once what a build and its builder share", () => {
    const text = BUILD.replaceAll("- uses: docker/", "- if: vars.X\n  uses: docker/");
    expect(said(only(read(steps(text)))).map((each) => each.split(":")[0])).toEqual(["condition"]);
    const apart = BUILD.replace("- uses: docker/setup", "- if: vars.X\n  uses: docker/setup");
    expect(said(only(read(steps(apart)))).map((each) => each.split(":")[0])).toEqual(["builder"]);
  });

  it("take the defaults of a form, as texts in the event and by their kind in inputs", () => {
    const form =
      "on: {workflow_dispatch: {inputs: {push: {type: boolean, default: true}, tag: {default: v1}}}}";
    const text = BUILD.replace(
      "- uses: docker/build",
      "- if: inputs.push && github.event.inputs.push == 'true'\n  uses: docker/build",
    ).replace(":main", ":${{ inputs.tag }}");
    expect(only(read(steps(text, form))).images).toEqual(["ghcr.io/larch/svc:v1"]);
  });

  it("take the branch from the workflow, and the project for the one that it names", () => {
    const text = BUILD.replace(
      "- uses: docker/build",
      "- if: github.ref == 'refs/heads/main' && github.repository == 'larch/svc'\n  uses: docker/build",
    ).replace(":main", ":${{ github.ref_name }}");
    expect(only(read(steps(text))).images).toEqual(["ghcr.io/larch/svc:main"]);
  });
});

describe("docker/metadata-action", () => {
  const meta = (inputs: string) =>
    steps(
      `
- id: meta
  uses: docker/metadata-action@v5
  with:
${inputs.replaceAll(/^/gm, "    ")}
- uses: docker/build-push-action@v6
  with: {push: true, tags: "\${{ steps.meta.outputs.tags }}", labels: "\${{ steps.meta.outputs.labels }}"}`,
      "on: {push: {branches: [main], tags: ['v*']}}",
    );

  it.each([
    ["images: ghcr.io/Larch/App", ["ghcr.io/larch/app:main"]],
    [
      "images: a/b\ntags: |\n  # not a tag\n  type=raw,value=latest,enable={{is_default_branch}}\n  type=sha",
      ["a/b:latest", "a/b:sha-$GITHUB_SHORT_SHA"],
    ],
    [
      "images: a/b\ntags: type=edge\nflavor: |\n  latest=true\n  suffix=-slim",
      ["a/b:edge-slim", "a/b:latest"],
    ],
    [
      "images: |\n  name=a/b\n  name=c/d,enable=false\ntags: type=semver,pattern={{major}}.{{minor}},value=v1.4.2",
      ["a/b:1.4", "a/b:latest"],
    ],
    [
      "images: a/b\ntags: |\n  type=semver,pattern={{version}}\n  type=schedule\n  type=ref,event=pr\n  nightly",
      ["a/b:nightly"],
    ],
  ])("gives the tags of %j", (inputs, images) => {
    const recipe = only(read(meta(inputs)));
    expect([recipe.images, said(recipe)]).toEqual([images, []]);
  });

  it("names a tag that only Git knows", () => {
    const text = meta("images: a/b\ntags: type=semver,pattern={{version}}").replace(
      "{branches: [main], tags: ['v*']}",
      "{tags: ['v*']}",
    );
    expect(said(only(read(text)))).toEqual(["image: it is taken from a Git tag"]);
  });
});

describe("matrices", () => {
  it("have a recipe for each combination that differs", () => {
    const more =
      "    strategy: {matrix: {os: [a, b], py: [1, 2], exclude: [{os: b, py: 2}], include: [{os: c, py: 3}, {os: a, file: x}]}}\n";
    const text = `- uses: docker/build-push-action@v6\n  with: {push: true, tags: "r/\${{ matrix.os }}:\${{ matrix.py }}", target: "\${{ matrix.file }}"}`;
    const { recipes } = read(steps(text, "on: push", more));
    expect(recipes.map(({ job, images, target }) => [job, images[0], target])).toEqual([
      ["images.yml / image (a, 1, x)", "r/a:1", "x"],
      ["images.yml / image (a, 2, x)", "r/a:2", "x"],
      ["images.yml / image (b, 1)", "r/b:1", null],
      ["images.yml / image (c, 3)", "r/c:3", null],
    ]);
    const same = read(steps(BUILD, "on: push", "    strategy: {matrix: {node: [20, 22]}}\n"));
    expect(same.recipes.map(({ job }) => job)).toEqual(["images.yml / image (20)"]);
  });

  it("that another job computes are named", () => {
    const more =
      '    needs: plan\n    strategy: {matrix: {app: "${{ fromJSON(needs.plan.outputs.apps) }}"}}\n';
    const text = `- uses: docker/build-push-action@v6\n  with: {push: true, tags: "r/\${{ matrix.app }}", context: "\${{ matrix.app }}"}`;
    const recipe = only(read(steps(text, "on: push", more)));
    expect([recipe.context, said(recipe)[0]]).toEqual([null, "context: job plan sets apps when it runs"]);
  });

  it("and scripts that another job computes are named", () => {
    const more = "    needs: plan\n    strategy: ${{ fromJSON(needs.plan.outputs.all) }}\n";
    const result = read(steps("- name: Build\n  run: ${{ matrix.runs.build }}", "on: push", more));
    expect(whys(result)).toEqual(["9: what it runs is not known: job plan sets all when it runs"]);
  });

  it("of more than 256 jobs are refused, as GitHub does", () => {
    const axis = JSON.stringify(Array.from({ length: 17 }, (_, at) => at));
    const result = read(steps(BUILD, "on: push", `    strategy: {matrix: {a: ${axis}, b: ${axis}}}\n`));
    expect([result.recipes, whys(result)]).toEqual([[], ["4: the matrix has more than 256 jobs"]]);
  });
});

describe("scripts", () => {
  it("are followed with expressions written in, GITHUB_ENV and outputs", () => {
    const recipe = only(
      read(
        steps(`
- run: echo "TAG=\${GITHUB_REF_NAME}-dev" >> $GITHUB_ENV
- id: name
  run: echo "image=ghcr.io/larch/app" >> "$GITHUB_OUTPUT"
- working-directory: svc
  run: |
    # build
    docker build -t '\${{ steps.name.outputs.image }}:'$TAG -f \${{ github.workspace }}/x.Dockerfile .
    docker push \${{ steps.name.outputs.image }}:\${{ env.TAG }}`),
      ),
    );
    expect(recipe).toMatchObject({
      line: 13,
      images: ["ghcr.io/larch/app:main-dev"],
      dockerfile: "x.Dockerfile",
      context: "svc",
      unresolved: [],
    });
  });

  it("may write values of several lines", () => {
    const recipe = only(
      read(
        steps(`
- id: names
  run: |
    echo "tags<<END" >> $GITHUB_OUTPUT
    echo "r:1" >> $GITHUB_OUTPUT
    echo "r:\${GITHUB_REF_NAME}" >> $GITHUB_OUTPUT
    echo "END" >> $GITHUB_OUTPUT
- uses: docker/build-push-action@v6
  with: {push: true, tags: "\${{ steps.names.outputs.tags }}"}`),
      ),
    );
    expect([recipe.images, said(recipe)]).toEqual([["r:1", "r:main"], []]);
  });

  it("keep what is not known, also between single quotes", () => {
    const recipe = only(read(steps(`- run: docker buildx build --push -t 'r:\${{ secrets.NAME }}' .`)));
    expect([recipe.images, said(recipe)]).toEqual([
      ["r:${{ secrets.NAME }}"],
      ["image: secrets.NAME is set in the settings of the repository"],
    ]);
  });

  it("of other shells are named", () => {
    const result = read(steps("- shell: pwsh\n  run: docker build -t x ."));
    expect(whys(result)).toEqual(["7: a script of pwsh: only shell scripts are read"]);
  });

  it("run in the directory that the defaults name", () => {
    const more = "    defaults: {run: {working-directory: app}}\n    container: docker:28\n";
    expect(only(read(steps("- run: docker build -t x . && docker push x", "on: push", more)))).toMatchObject({
      context: "app",
      runsIn: "docker:28",
    });
  });
});

describe("other builders' actions", () => {
  it("are read as the programs that they run", () => {
    const { recipes } = read(
      steps(`
- uses: int128/kaniko-action@v1
  with:
    executor: gcr.io/kaniko-project/executor:v1.23.0
    push: true
    tags: r/kaniko:1
    cache: true
    cache-repository: r/kaniko/cache
- id: built
  uses: redhat-actions/buildah-build@v2
  with: {image: app, tags: v1 latest, containerfiles: ./Containerfile, layers: true}
- uses: redhat-actions/push-to-registry@v2
  with: {image: "\${{ steps.built.outputs.image }}", tags: "\${{ steps.built.outputs.tags }}", registry: quay.io/larch}`),
    );
    expect(
      recipes.map(({ builder, strategy, runsIn, images, cacheTo }) => [
        builder,
        strategy,
        runsIn,
        images,
        cacheTo,
      ]),
    ).toEqual([
      [
        "kaniko",
        "kaniko/layers",
        "gcr.io/kaniko-project/executor:v1.23.0",
        ["r/kaniko:1"],
        ["r/kaniko/cache"],
      ],
      ["buildah", "buildah/none", null, ["quay.io/larch/app:v1", "quay.io/larch/app:latest"], []],
    ]);
  });
});

describe("workflows and actions of the same tree", () => {
  const reusable = `on: {workflow_call: {inputs: {app: {type: string, required: true}, push: {type: boolean, default: true}}}}
jobs:
  x:
    runs-on: ubuntu-latest
    steps:
      - uses: ./.github/actions/build
        with: {name: "\${{ inputs.app }}", push: "\${{ inputs.push }}"}
`;
  const action = `name: build
inputs: {name: {required: true}, push: {default: "false"}, tag: {default: latest}}
runs:
  using: composite
  steps:
    - uses: docker/build-push-action@v6
      with: {context: "\${{ inputs.name }}", push: "\${{ inputs.push }}", tags: "r/\${{ inputs.name }}:\${{ inputs.tag }}"}
`;
  const files = { ".github/workflows/reusable.yml": reusable, ".github/actions/build/action.yml": action };

  it("are read where they are called, with their inputs", () => {
    const call =
      "on: push\njobs:\n  web:\n    uses: ./.github/workflows/reusable.yml\n    with: {app: web}\n";
    expect(only(read(call, files))).toMatchObject({
      job: "images.yml / web / x",
      file: ".github/actions/build/action.yml",
      line: 6,
      context: "web",
      images: ["r/web:latest"],
    });
  });

  it("that nobody calls have inputs that are not known", () => {
    const recipe = only(readRecipes(treeOf(files)));
    expect(said(recipe)[0]).toBe("context: the input app is given by the workflow that calls this one");
  });

  it("may lie below a checkout of the project itself, and not below one of another", () => {
    const text = steps(`
- uses: actions/checkout@v4
  with: {path: own}
- uses: actions/checkout@v4
  with: {path: other, repository: larch/other}
- uses: ./own/.github/actions/build
  with: {name: own/web, push: true}
- uses: ./other/.github/actions/build`);
    const result = read(text, { ".github/actions/build/action.yml": action });
    expect(only(result)).toMatchObject({ context: "web", dockerfile: "web/Dockerfile" });
    expect(whys(result)).toEqual(["13: other is a checkout of larch/other, which is not in the tree"]);
  });

  it("that are elsewhere, missing or circles are named", () => {
    const circle = "runs: {using: composite, steps: [{uses: ./.github/actions/loop}]}";
    const result = read(
      `on: push
jobs:
  far:
    uses: larch/ci/.github/workflows/image.yml@v1
  gone:
    uses: ./.github/workflows/gone.yml
  loop:
    runs-on: ubuntu-latest
    steps:
      - uses: ./.github/actions/loop
      - uses: ./.github/actions/none
      - uses: depot/build-push-action@v1
`,
      { ".github/actions/loop/action.yml": circle },
    );
    expect(result.recipes).toEqual([]);
    expect(whys(result)).toEqual([
      "4: the reusable workflow larch/ci/.github/workflows/image.yml@v1 is of another repository: it is not in the tree",
      "6: the reusable workflow .github/workflows/gone.yml is not in the tree, or is not readable",
      "1: .github/actions/loop/action.yml is an action that uses itself",
      "11: ./.github/actions/none has no action.yml in the tree",
      "12: depot/build-push-action is not read: Depot's builders keep their cache in Depot's own service",
    ]);
  });
});

describe("a tree with both kinds of templates", () => {
  it("has the recipes of both, and its changes are compared", () => {
    const gitlab = {
      ".gitlab-ci.yml": JSON.stringify({
        old: { image: "docker:28", script: ["docker build -t x . && docker push x"] },
      }),
    };
    const before = read(steps(`${BUILD}\n    cache-to: type=inline`), gitlab);
    const after = read(steps(`${BUILD}\n    cache-to: type=registry,ref=r,mode=min`), gitlab);
    expect(before.recipes.map(({ file }) => file)).toEqual([".gitlab-ci.yml", PATH]);
    expect(compareRecipes(before.recipes, after.recipes, after.jobs).sentence).toBe(
      "job images.yml / image: buildkit/inline becomes buildkit/registry-min",
    );
  });
});

describe("workflows that nobody should write", () => {
  it.each([
    [
      "an expression without an end",
      BUILD.replace("main", "${{ github.sha"),
      "image: the expression has no end: ${{ github.sha",
    ],
    ["nested expressions", BUILD.replace("main", "${{ ${{ github.sha }} }}"), "image: "],
    ["a function that there is not", BUILD.replace("main", "${{ nope(1) }}"), "image: "],
    [
      "a deep expression",
      BUILD.replace("main", `\${{ ${"(".repeat(5000)}1${")".repeat(5000)} }}`),
      "image: ",
    ],
  ])("%s: the part is named", (_what, text, start) => {
    expect(said(only(read(steps(text))))[0]).toMatch(new RegExp(`^${start.replaceAll(/[${}()]/g, "\\$&")}`));
  });

  it.each([
    ["a tab", "on: push\njobs:\n\ta: {}\n"],
    ["a list", "- a\n"],
    ["nothing", ""],
    ["no events", "jobs: {}\n"],
    ["texts where maps belong", "on: push\njobs: build\n"],
    ["numbers as steps", "on: push\njobs: {a: {steps: [1, null, {uses: 3, with: 4}, {run: [x]}]}}\n"],
    [
      "aliases that double",
      `on: push\na: &a [x, x]\n${Array.from({ length: 30 }, (_, at) => `a${at}: &a${at} [*a${at === 0 ? "" : at - 1}, *a${at === 0 ? "" : at - 1}]`).join("\n")}\n`,
    ],
    ["needs in a circle", "on: push\njobs: {a: {needs: b, steps: []}, b: {needs: a, steps: []}}\n"],
  ])("%s: no recipe, and the others are read", (_what, text) => {
    const result = readRecipes(treeOf({ ".github/workflows/bad.yml": text, [PATH]: steps(BUILD) }));
    expect(result.recipes.map(({ file }) => file)).toEqual([PATH]);
  });

  it("with a byte order mark, CRLF and anchors are read as they are", () => {
    const text = `\uFEFFon: push\nx-env: &env {TAG: v1}\njobs:\n  a:\n    runs-on: ubuntu-latest\n    env: *env\n    steps:\n      - run: |\n          docker build -t r:$TAG .\n          docker push r:$TAG\n`;
    expect(only(read(text.replaceAll("\n", "\r\n")))).toMatchObject({ images: ["r:v1"], line: 9 });
  });

  it("in a tree of 3,000 files are read within seconds", () => {
    const files = Object.fromEntries(
      Array.from({ length: 3000 }, (_, at) => [`.github/workflows/w${at}.yml`, steps("- run: make test")]),
    );
    const result = readRecipes(treeOf(files));
    expect([result.recipes, result.unread.map(({ why }) => why)]).toEqual([
      [],
      ["more than 500 workflows: the others are not read"],
    ]);
  });
});
