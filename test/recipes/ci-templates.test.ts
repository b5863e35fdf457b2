import { describe, expect, it } from "vitest";
import { readRecipes } from "../../src/recipes/read-recipes.ts";
import { ciTree } from "./trees.ts";

const INCLUDE = `include:
  - project: freedesktop/ci-templates
    ref: abc
    file: /templates/fedora.yml
`;

describe("freedesktop's ci-templates", () => {
  it("names each image that is built, with its tag", () => {
    const { recipes, unread } = readRecipes(
      ciTree(`${INCLUDE}
.base:
  variables:
    FDO_DISTRIBUTION_VERSION: "41"
    FDO_DISTRIBUTION_TAG: 2025-01-$SALT
    SALT: b
    FDO_UPSTREAM_REPO: group/main
prep:
  extends: [.base, .fdo.container-build@fedora]
prep-arm:
  extends: [.base, ".fdo.container-build@fedora@aarch64"]
  variables: { FDO_REPO_SUFFIX: arm }
`),
    );
    expect(recipes).toEqual([]);
    const jobs = unread.filter(({ job }) => job !== null);
    expect(jobs.map(({ job, line }) => [job, line])).toEqual([
      ["prep", 13],
      ["prep-arm", 15],
    ]);
    expect(jobs[0]?.why).toBe(
      "$CI_REGISTRY_IMAGE/fedora/41:2025-01-b is built by ci-templates (.fdo.container-build@fedora): it makes its " +
        "image from packages and a script, without a Dockerfile, where the registry has no such tag yet, unless " +
        "group/main has it already",
    );
    expect(jobs[1]?.why).toMatch(/^\$CI_REGISTRY_IMAGE\/arm:2025-01-b is built by ci-templates/);
  });

  it("says nothing of jobs that only run in such images, and reads what they build", () => {
    const { recipes, unread } = readRecipes(
      ciTree(`${INCLUDE}
check: { extends: .fdo.ci-fairy, script: [ci-fairy check-commits] }
build-it: { extends: .fdo.suffixed-image@fedora, script: [meson setup b] }
make-image:
  extends: .fdo.distribution-image@fedora
  variables: { FDO_DISTRIBUTION_VERSION: "41", FDO_DISTRIBUTION_TAG: one }
  script: [podman build -t r/a ., podman push r/a]
`),
    );
    expect(unread.map(({ job }) => job)).toEqual([null]);
    expect(recipes.map(({ job, runsIn, images }) => [job, runsIn, images])).toEqual([
      ["make-image", "$CI_REGISTRY_IMAGE/fedora/41:one", ["r/a"]],
    ]);
  });

  it("still refuses a template that nobody includes", () => {
    expect(() => readRecipes(ciTree("prep: { extends: .fdo.container-build@fedora }"))).toThrow(
      /which is not defined/,
    );
  });
});
