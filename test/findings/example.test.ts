import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findingsOf } from "../../src/findings/index.ts";
import { inputOf, same, toldOf } from "./marked-change.ts";
import type { Marked } from "./marked-change.ts";

const ROOT = join(import.meta.dirname, "../../example");
const TEMPLATE = ".gitlab-ci.d/container-template.yml";

function example(path: string): string {
  return readFileSync(join(ROOT, "project", path), "utf8");
}

/** The example's patch: its one hunk starts with line 1 and ends with the file's last. */
function examplePatch(): string {
  const mail = readFileSync(join(ROOT, "replace-docker-with-kaniko.eml"), "utf8");
  const [, hunk = ""] = /^@@ .*@@\n([\s\S]*?)^-- $/m.exec(mail) ?? [];
  return hunk;
}

function exampleChange(edit: (hunk: string) => string = (hunk) => hunk): Marked {
  const files = [
    ".gitlab-ci.yml",
    ".gitlab-ci.d/base.yml",
    ".gitlab-ci.d/containers.yml",
    ".gitlab-ci.d/project.yml",
    "docker/docs.docker",
    "docker/lint.docker",
    "docker/toolchain.docker",
  ];
  const unchanged = files.map((path): [string, string] => [path, same(example(path))]);
  return { ...Object.fromEntries(unchanged), [TEMPLATE]: edit(examplePatch()) };
}

const ARCHIVED =
  ".gitlab-ci.d/container-template.yml:4 head archived-builder-image: gcr.io/kaniko-project/executor is no longer maintained: it was archived on 2025-06-03, v1.24.0 is its last release, and the tag debug names no version (3 jobs).";
const FORKS =
  ".gitlab-ci.d/container-template.yml:9 head fork-cache: A fork's pipeline may not write the cache $CI_REGISTRY/lighthouse/lantern/ci/toolchain-cache, $CI_REGISTRY/lighthouse/lantern/ci/docs-cache and $CI_REGISTRY/lighthouse/lantern/ci/lint-cache: there kaniko warns and goes on, and what upstream's cache does not hold is built in every run (3 jobs).";
const LOGIN =
  ".gitlab-ci.d/container-template.yml:11 base login: kaniko can do without this login: it takes CI_REGISTRY_USER and CI_REGISTRY_PASSWORD by itself for the host of $CI_REGISTRY (3 jobs).";

describe("the example's change, which is of the shape of QEMU's", () => {
  it("has three findings, each of all jobs", () => {
    expect(toldOf(exampleChange())).toEqual([ARCHIVED, FORKS, LOGIN]);
  });

  it("has a fourth without the context, for the one Dockerfile that copies", () => {
    const marked = exampleChange((hunk) => hunk.replace('+      --context "$CI_PROJECT_DIR"\n', ""));
    expect(toldOf(marked)).toEqual([
      ARCHIVED,
      FORKS,
      LOGIN,
      ".gitlab-ci.d/container-template.yml:14 head context-missing: kaniko is given no --context and takes /workspace, but files are taken from the context in docker/docs.docker:3 (job docs-container).",
    ]);
  });

  it("has no finding about forks where each project has its own cache", () => {
    const marked = exampleChange((hunk) =>
      hunk.replace("$CI_REGISTRY/lighthouse/lantern/ci/$NAME-cache", "$CI_REGISTRY_IMAGE/ci/$NAME-cache"),
    );
    expect(toldOf(marked)).toEqual([ARCHIVED, LOGIN]);
  });

  it("gives the same twice, on lines of the diff alone", () => {
    const input = inputOf(exampleChange());
    const findings = findingsOf(input);
    expect(findingsOf(input)).toEqual(findings);
    const hunk = examplePatch().split("\n");
    const numbered = (mark: string) =>
      hunk
        .filter((line) => line.startsWith(" ") || line.startsWith(mark))
        .flatMap((line, at) => (line.startsWith(mark) ? [at + 1] : []));
    const lines = { base: numbered("-"), head: numbered("+") };
    expect(findings.filter(({ side, line }) => !lines[side].includes(line))).toEqual([]);
  });

  it("has no finding the other way round, but that docker floats", () => {
    const turned: Record<string, string> = { "-": "+", "+": "-" };
    const marked = exampleChange((hunk) => hunk.replaceAll(/^[-+]/gm, (mark) => turned[mark] ?? mark));
    expect(toldOf(marked).map((told) => told.split(" (")[0])).toEqual([
      ".gitlab-ci.d/container-template.yml:3 head floating-builder-image: docker:latest names no version: Docker 23 changed who builds, Docker 29 changed which caches it can export",
      ".gitlab-ci.d/container-template.yml:6 head floating-builder-image: docker:dind names no version: Docker 23 changed who builds, Docker 29 changed which caches it can export",
    ]);
  });
});
