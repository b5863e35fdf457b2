import { describe, expect, it } from "vitest";
import { Problem } from "../../src/domain/problem.ts";
import {
  expandPredefined,
  forkContext,
  forkNamespace,
  namedProject,
  repositoryOf,
  sameReference,
  tagOf,
  trialReference,
} from "../../src/trials/references.ts";
import { trialRecipe } from "../fixtures/trial/image-trial.ts";

const HOST = "127.0.0.1:5000";
const context = { projectPath: "Group/Sub/Project", branch: "Feature/Größe_1--x" };
const recipe = trialRecipe("docker/inline");
const mapped = (reference: string) => trialReference(reference, context, HOST, recipe);

describe("a fork in a trial", () => {
  it("has upstream's project in a namespace of its own", () => {
    expect(forkContext(context)).toStrictEqual({ ...context, projectPath: "contributor/Project" });
    expect(trialReference("$CI_REGISTRY_IMAGE/alder", forkContext(context), HOST, recipe)).toBe(
      `${HOST}/contributor/project/alder`,
    );
  });

  it("is never in upstream's own namespace", () => {
    expect(forkNamespace({ ...context, projectPath: "Contributor/app" })).toBe("forker");
    expect(forkNamespace({ ...context, projectPath: "contributors/app" })).toBe("contributor");
  });
});

describe("a reference in a trial", () => {
  it.each([
    ["$CI_REGISTRY_IMAGE/qemu/alder:latest", `${HOST}/group/sub/project/qemu/alder:latest`],
    ["${CI_REGISTRY_IMAGE}/qemu/alder", `${HOST}/group/sub/project/qemu/alder`],
    ["$CI_REGISTRY_IMAGE:latest", `${HOST}/group/sub/project:latest`],
    ["$CI_REGISTRY/qemu-project/qemu/alder-cache", `${HOST}/qemu-project/qemu/alder-cache`],
    ["$CI_REGISTRY/$CI_PROJECT_PATH/x", `${HOST}/Group/Sub/Project/x`],
    ["$CI_REGISTRY/$CI_PROJECT_NAMESPACE/x", `${HOST}/Group/Sub/x`],
    ["$CI_REGISTRY/$CI_PROJECT_ROOT_NAMESPACE/$CI_PROJECT_NAME", `${HOST}/Group/Project`],
    ["$CI_REGISTRY_IMAGE:$CI_COMMIT_REF_SLUG", `${HOST}/group/sub/project:feature-gr--e-1--x`],
    ["registry.example.org/group/app:v1", `${HOST}/group/app:v1`],
    ["registry.example.org:5050/group/app:v1", `${HOST}/group/app:v1`],
    ["localhost/app", `${HOST}/app`],
    ["docker.io/library/app:1", `${HOST}/library/app:1`],
    ["group/app:1", `${HOST}/group/app:1`],
    ["app", `${HOST}/app`],
    ["app:1.0", `${HOST}/app:1.0`],
    [`${HOST}/group/app`, `${HOST}/group/app`],
    ["registry.example.org/group/app@sha256:ab", `${HOST}/group/app@sha256:ab`],
  ])("%s is %s", (reference, expected) => {
    expect(mapped(reference)).toBe(expected);
  });

  it("cuts the slug of a long branch as GitLab does: 63 characters, no hyphen at the end", () => {
    const branch = `-${"a".repeat(61)}/${"b".repeat(9)}`;
    const slug = trialReference("x:$CI_COMMIT_REF_SLUG", { ...context, branch }, HOST, recipe);
    expect(slug).toBe(`${HOST}/x:${"a".repeat(61)}`);
  });

  it.each(["$CI_COMMIT_SHA", "${NAME}", "$CI_REGISTRY_IMAGE_X"])("cannot hold %s", (variable) => {
    const call = () => mapped(`$CI_REGISTRY_IMAGE/app:${variable}`);
    expect(call).toThrow(
      new Problem(
        "strategy-unsupported",
        `.ci/template.yml:14 (job alder-container): ${variable} in $CI_REGISTRY_IMAGE/app:${variable} has a value in a pipeline only.`,
        "Leave this image out with --images.",
      ),
    );
  });
});

describe("a text that names the pipeline's variables", () => {
  it("has those replaced that a trial knows, and no others", () => {
    expect(expandPredefined("$CI_REGISTRY_IMAGE/base:${CI_COMMIT_REF_NAME}-$COMMIT", context, HOST)).toBe(
      `${HOST}/group/sub/project/base:Feature/Größe_1--x-$COMMIT`,
    );
  });
});

describe("two references", () => {
  it.each([
    ["$CI_REGISTRY_IMAGE/base:latest", "$CI_REGISTRY/group/sub/project/base", true],
    ["$CI_REGISTRY_IMAGE/base:latest", "$CI_REGISTRY_IMAGE/base:v1", false],
    // A name without the pipeline's registry is some other image of that name.
    ["base:latest", "base:latest", false],
    ["$CI_REGISTRY_IMAGE/base:$UNKNOWN", "$CI_REGISTRY_IMAGE/other:$UNKNOWN", false],
  ])("%s and %s name one image: %s", (a, b, same) => {
    expect(sameReference(a, b, context)).toBe(same);
  });
});

describe("parts of a reference", () => {
  it.each([
    [`${HOST}/group/app:latest`, "group/app", "latest"],
    [`${HOST}/group/app`, "group/app", "latest"],
    [`${HOST}/group/app:v1@sha256:ab`, "group/app", "v1"],
    [`${HOST}/app@sha256:ab`, "app", "latest"],
    ["other:5001/group/app", "other:5001/group/app", "latest"],
  ])("of %s are %s and %s", (reference, repository, tag) => {
    expect([repositoryOf(reference, HOST), tagOf(reference)]).toStrictEqual([repository, tag]);
  });
});

describe("the project that templates name", () => {
  const using = (...references: string[]) =>
    trialRecipe("docker/inline", { images: [], cacheTo: [], cacheFrom: references });

  it("is what they spell out after $CI_REGISTRY", () => {
    const recipes = [
      using("$CI_REGISTRY_IMAGE/x", "$CI_REGISTRY/qemu-project/qemu/alder"),
      using("${CI_REGISTRY}/qemu-project/qemu/deep/birch:latest"),
    ];
    expect(namedProject(recipes)).toBe("qemu-project/qemu");
  });

  it("is none where two are named, where none is, or where variables stand in for it", () => {
    expect(namedProject([using("$CI_REGISTRY/a/b/x"), using("$CI_REGISTRY/a/c/x")])).toBeNull();
    expect(namedProject([using("$CI_REGISTRY_IMAGE/x", "registry.example.org/a/b/x")])).toBeNull();
    expect(namedProject([using("$CI_REGISTRY/$CI_PROJECT_PATH/x", "$CI_REGISTRY/a/b")])).toBeNull();
    expect(namedProject([])).toBeNull();
  });
});
