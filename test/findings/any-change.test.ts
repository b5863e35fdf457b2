import * as fc from "fast-check";
import { expect, it } from "vitest";
import { Problem } from "../../src/domain/problem.ts";
import type { Finding } from "../../src/domain/finding.ts";
import { findingsOf } from "../../src/findings/index.ts";
import type { FindingInput } from "../../src/findings/types.ts";
import { changedLines } from "../../src/git/changed-lines.ts";
import { inputOf } from "./marked-change.ts";

const TEMPLATE = `.build:
  image: docker:latest
  image: gcr.io/kaniko-project/executor:debug
  services:
    - docker:dind
  variables:
    CACHE_REPO: "$CI_REGISTRY/up/stream/$NAME-cache"
    MORE: --reproducible --single-snapshot
  before_script:
    - docker login $CI_REGISTRY -u "$CI_REGISTRY_USER" -p "$CI_REGISTRY_PASSWORD"
    - docker buildx create --use
  script:
    - docker build -t $CI_REGISTRY_IMAGE/$NAME:1
      --build-arg BUILDKIT_INLINE_CACHE=1 .
    - docker push $CI_REGISTRY_IMAGE/$NAME:1
    - |
      docker buildx build --push -t $CI_REGISTRY_IMAGE/$NAME:2 \\
        --cache-to type=registry,ref=$CI_REGISTRY_IMAGE/$NAME:2 \\
        --cache-to type=registry,ref=$CACHE_REPO,compression=zstd \\
        --cache-to type=registry,ref=$CI_REGISTRY_IMAGE/c \\
        .
    - buildah build --layers --cache-to $CACHE_REPO:x
      --cache-from $CI_REGISTRY_IMAGE/c
      -t $CI_REGISTRY_IMAGE/$NAME:3 .
    - buildah push $CI_REGISTRY_IMAGE/$NAME:3
    - /kaniko/executor
      --destination $CI_REGISTRY_IMAGE/$NAME:4
      --cache
      --cache-repo=$CACHE_REPO
      --cache-repo=$CI_REGISTRY_IMAGE/c:1
      --reproducible
      --compression=zstd
      $MORE
a:
  extends: .build
  variables: {NAME: a}
b:
  extends: .build
  variables: {NAME: b}`.split("\n");
const DOCKERFILE =
  "FROM debian:12 AS tools\nRUN make\nCOPY a /a\nFROM debian:12\nCOPY --from=tools /t /t".split("\n");

/** Lines that give the others their place are kept as they are. */
const FRAME =
  /^\S|^ {2}(?:script|extends|before_script|services|variables:.*)|^ {4}- (?:\/kaniko|docker (?!login)|buildah)|type=|FROM/;

/** A diff of these lines: each is kept, added, removed or left out. */
function diffs(lines: readonly string[]): fc.Arbitrary<string> {
  const marks = lines.map((line) =>
    fc.constantFrom(...(FRAME.test(line) ? [" ", " ", "+"] : [" ", "+", "+", "-", "x"])),
  );
  return fc
    .tuple(...marks)
    .map((chosen) => lines.map((line, at) => (chosen[at] === "x" ? "" : `${chosen[at]}${line}\n`)).join(""));
}

function inputOrNull(marked: Record<string, string>): FindingInput | null {
  try {
    return inputOf(marked);
  } catch (error) {
    if (error instanceof Problem) return null;
    throw error;
  }
}

it("of any change stand on lines of its diff, each once, and the same each time", () => {
  const told = new Set<string>();
  const property = fc.property(diffs(TEMPLATE), diffs(DOCKERFILE), (template, dockerfile) => {
    const input = inputOrNull({ ".gitlab-ci.yml": template, Dockerfile: dockerfile });
    if (input === null) return;
    const findings = findingsOf(input);
    const lines = new Set(
      input.change.files.flatMap((file) => {
        const { added, removed } = changedLines(file);
        return [
          ...added.map((line) => `head ${place(line)}`),
          ...removed.map((line) => `base ${place(line)}`),
        ];
      }),
    );
    expect(findings.filter((finding) => !lines.has(`${finding.side} ${place(finding)}`))).toEqual([]);
    expect(new Set(findings.map((finding) => JSON.stringify(finding))).size).toBe(findings.length);
    expect(findingsOf(input)).toEqual(findings);
    for (const { id } of findings) told.add(id);
  });
  fc.assert(property, { numRuns: 120, seed: 1 });
  // What is never found proves nothing.
  expect([...told].sort()).toEqual([
    "archived-builder-image",
    "buildah-cache-tag",
    "cache-over-image",
    "context-missing",
    "floating-builder-image",
    "fork-cache",
    "ignore-error",
    "inline-stages",
    "kaniko-cache-tag",
    "login",
    "reproducible",
    "single-snapshot",
    "zstd",
  ]);
});

function place({ file, line }: Pick<Finding, "file" | "line">): string {
  return `${file}:${line}`;
}
