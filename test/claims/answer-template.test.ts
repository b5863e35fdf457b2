import { describe, expect, it } from "vitest";
import { answerClaims } from "../../src/claims/answer-claims.ts";
import type { ClaimFacts } from "../../src/claims/facts.ts";
import type { DockerfileCopies } from "../../src/domain/report.ts";
import type { Assertion } from "../../src/claims/types.ts";
import type { Recipe } from "../../src/domain/recipe.ts";
import { dockerRecipe, kanikoRecipe } from "../fixtures/report/recipes.ts";
import { NOTHING } from "./some-facts.ts";
import { claimOf } from "./texts.ts";

const answer = (assertion: Assertion, facts: ClaimFacts, isQuestion = false) => {
  const [given] = answerClaims([claimOf(assertion, isQuestion)], facts);
  return `${given?.mark}: ${given?.sentence}`;
};
const FILE = ".gitlab-ci.d/container-template.yml";

describe("copies from the context", () => {
  const none: Assertion = { kind: "copies from the context", says: "none" };
  const some: Assertion = { kind: "copies from the context", says: "some" };
  const dockerfile = (path: string, given: Partial<DockerfileCopies> = {}): DockerfileCopies => ({
    path,
    jobs: [`${path}-job`],
    fromContext: [],
    fromElsewhere: [],
    unread: null,
    ...given,
  });
  const ADD = { line: 9, text: "ADD . /" };
  const withThese = (...dockerfiles: DockerfileCopies[]): ClaimFacts => ({ ...NOTHING, dockerfiles });

  it("are told for what is built, and what is not built is named", () => {
    const facts = withThese(
      dockerfile("d/a.docker"),
      dockerfile("d/b.docker"),
      dockerfile("d/c.docker", { jobs: [], fromContext: [ADD] }),
    );
    expect(answer(none, facts)).toBe(
      "confirmed: none of the 2 Dockerfiles that 2 jobs build takes files from the context; one Dockerfile beside them does, and no job of these builds it: d/c.docker:9 (ADD . /).",
    );
    expect(answer(some, facts)).toMatch(/^depends: none of the 2 Dockerfiles/);
    expect(answer(some, withThese(dockerfile("d/a.docker")))).toMatch(
      /^refuted: the one Dockerfile that one job builds takes no files from the context\.$/,
    );
  });

  it("refute it with each line, up to four", () => {
    const lines = [3, 4, 5, 6, 7].map((line) => ({ line, text: `COPY ${line} /` }));
    const facts = withThese(dockerfile("d/a.docker", { fromContext: lines }), dockerfile("d/b.docker"));
    expect(answer(none, facts)).toBe(
      "refuted: 1 of the 2 Dockerfiles that 2 jobs build takes files from the context: d/a.docker:3 (COPY 3 /), d/a.docker:4 (COPY 4 /), d/a.docker:5 (COPY 5 /), d/a.docker:6 (COPY 6 /) and 1 more.",
    );
    expect(answer(some, facts)).toMatch(/^confirmed: /);
    expect(answer(some, facts, true)).toMatch(/^answered: Yes: 1 of the 2 Dockerfiles/);
  });

  it("of a stage need no context", () => {
    const facts = withThese(
      dockerfile("d/a.docker", { fromElsewhere: [{ line: 7, text: "COPY --from=0 /x /x" }] }),
    );
    expect(answer(none, facts)).toBe(
      "confirmed: the one Dockerfile that one job builds takes no files from the context (from a stage, an image or an address: d/a.docker:7 (COPY --from=0 /x /x)).",
    );
  });

  it("depend where a Dockerfile could not be read", () => {
    const facts = withThese(
      dockerfile("d/a.docker"),
      dockerfile("d/b.docker", { unread: "d/b.docker is not in the tree" }),
    );
    expect(answer(none, facts)).toMatch(
      /^depends: .*; not read: 1 of them \(d\/b\.docker is not in the tree\)\.$/,
    );
  });

  it.each([
    ["no tree was read", NOTHING],
    ["nothing is built", withThese(dockerfile("d/a.docker", { jobs: [] }))],
  ])("are not tested where %s", (_, facts) => {
    expect(answer(none, facts)).toBe("not tested: no Dockerfile that a job builds was read.");
  });
});

describe("login", () => {
  const unneeded: Assertion = { kind: "login", says: "not needed" };
  const needed: Assertion = { kind: "login", says: "needed" };
  const heads = (head: Partial<Recipe>, base = dockerRecipe("app")): ClaimFacts => ({
    ...NOTHING,
    recipes: { base: [base], head: [{ ...kanikoRecipe("app"), ...head }] },
  });

  it("is not needed by a kaniko that finds the job's credentials", () => {
    expect(answer(unneeded, heads({}))).toBe(
      `confirmed: kaniko takes CI_REGISTRY_USER and CI_REGISTRY_PASSWORD by itself for the host of $CI_REGISTRY (docker-credential-gitlabci), since v1.9.0: ${FILE}:13; docker has no such helper, so line 15 logged in before.`,
    );
    expect(answer(needed, heads({}))).toMatch(/^refuted: kaniko takes/);
  });

  it("is needed by an older one", () => {
    const old = { runsIn: "gcr.io/kaniko-project/executor:v1.8.1-debug" };
    expect(answer(unneeded, heads(old))).toMatch(
      /^refuted: .* only since v1\.9\.0, and .*:13 names gcr\.io\/kaniko-project\/executor:v1\.8\.1-debug\.$/,
    );
    expect(answer(unneeded, heads({ runsIn: "gcr.io/kaniko-project/executor:v1.9.0-debug" }))).toMatch(
      /^confirmed: /,
    );
    expect(answer(unneeded, heads({ runsIn: "gcr.io/kaniko-project/executor:v1.24.0" }))).toMatch(
      /^confirmed: /,
    );
  });

  it("depends where another registry is pushed to", () => {
    expect(answer(unneeded, heads({ images: ["quay.example.org/app:latest"] }))).toMatch(
      new RegExp(
        `^depends: .*, and ${FILE.replaceAll(".", "\\.")}:13 pushes to quay\\.example\\.org/app:latest\\.$`,
      ),
    );
  });

  it("is needed by builders without such a helper", () => {
    const docker = dockerRecipe("app");
    expect(answer(unneeded, heads(docker))).toBe(
      `refuted: docker finds no credentials for a registry by itself: the job of ${FILE}:15 logs in to $CI_REGISTRY.`,
    );
    expect(answer(unneeded, heads({ ...docker, logins: [] }))).toMatch(
      /^depends: .* logs in nowhere: its runner must bring them\.$/,
    );
  });

  it("is not tested where no job changes", () => {
    expect(answer(unneeded, NOTHING)).toBe("not tested: no changed job pushes an image.");
  });
});

describe("runners", () => {
  const fixed: Assertion = { kind: "runners", says: "fixed" };
  const free: Assertion = { kind: "runners", says: "no privileges" };
  const recipes = { base: [dockerRecipe("app")], head: [kanikoRecipe("app")] };
  const needs = { docker: "a daemon in the job: a privileged runner", kaniko: null };
  const facts: ClaimFacts = { ...NOTHING, recipes, needs };
  const before = `before the change, docker needs a daemon in the job: a privileged runner (service docker:dind, ${FILE}:15)`;

  it("depend on what failed there: privileges before and after are known, the site is not", () => {
    const said = `depends: ${before}; after it, kaniko needs no privileges (line 13): it helps where the privileges were what failed; another site's runners cannot be tried.`;
    expect(answer(fixed, facts)).toBe(said);
    expect(answer(fixed, facts, true)).toBe(said);
  });

  it("need no privileges, or do", () => {
    expect(answer(free, facts)).toBe(`confirmed: ${before}; after it, kaniko needs no privileges (line 13).`);
    const back = { ...facts, recipes: { base: recipes.head, head: recipes.base } };
    expect(answer(free, back)).toMatch(
      /^refuted: before the change, kaniko needs no privileges .*; after it, docker needs a daemon/,
    );
  });

  it("are not tested where nothing changes for them, or nothing is known", () => {
    const same = { ...facts, recipes: { base: recipes.base, head: recipes.base } };
    expect(answer(fixed, same)).toMatch(
      /^not tested: before the change, .*, so nothing is known to change for a runner; another site's runners cannot be tried\.$/,
    );
    expect(answer(fixed, NOTHING)).toBe(
      "not tested: what the proposed builder needs of a runner is not known; another site's runners cannot be tried.",
    );
  });
});
