import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Problem } from "../../src/domain/problem.ts";
import { editDockerfile, listFromChain, readDockerfile } from "../../src/recipes/dockerfile.ts";
import { fixtureTree, problemOf } from "./trees.ts";

const staged = `ARG BASE=debian:12
ARG EXTRA
FROM \${BASE} AS build
RUN make
FROM build AS Test
RUN make check
FROM --platform=linux/amd64 \${EXTRA:-alpine}:3 AS tools
RUN true
FROM scratch
COPY --from=BUILD /out /out
COPY --from=registry.example/ca:1 /ca /ca
`;

describe("readDockerfile", () => {
  it("reads stages with their bases", () => {
    const { stages, finalBaseImage, problems } = readDockerfile(staged);
    expect(
      stages.map(({ name, from, baseImage, fromStage, line }) => [name, from, baseImage, fromStage, line]),
    ).toEqual([
      ["build", "${BASE}", "debian:12", null, 3],
      ["Test", "build", null, 0, 5],
      ["tools", "${EXTRA:-alpine}:3", "alpine:3", null, 7],
      [null, "scratch", null, null, 9],
    ]);
    expect([finalBaseImage, problems]).toEqual([null, []]);
  });

  it("lets build arguments win", () => {
    const { stages } = readDockerfile(staged, { BASE: "fedora:41", EXTRA: "busybox", UNUSED: "x" });
    expect(stages.map((stage) => stage.baseImage)).toEqual(["fedora:41", null, "busybox:3", null]);
  });

  it("says which base it cannot tell", () => {
    const reading = readDockerfile("ARG A\nFROM $A\nFROM 0\n");
    expect(reading.problems).toEqual([{ line: 2, why: "$A has no value" }]);
    expect(reading.stages[0]?.baseImage).toBeNull();
  });

  it.each([
    ["FROM ${X:?needed}", "X"],
    ["FROM ${X?}", "X"],
    ["FROM a:${X#v}", "X"],
    ["FROM ${X:-${Y}}", "Y"],
    ["FROM a-$TARGETARCH", "TARGETARCH"],
  ])("does not take %s for a name", (line, name) => {
    const reading = readDockerfile(`${line}\n`);
    expect([reading.finalBaseImage, reading.problems[0]]).toEqual([
      null,
      { line: 1, why: `$${name} has no value` },
    ]);
    expect(readDockerfile(`ARG X=1\nARG Y=2\nFROM \${X:?needed}\n`).finalBaseImage).toBe("1");
  });

  it("reads the escape directive, ONBUILD, platforms and here-documents", () => {
    const text =
      "# syntax=docker/dockerfile:1\n# escape=`\nFROM --platform=$BUILDPLATFORM x AS b\nRUN a `\n  b\n";
    const more = "ONBUILD COPY . /app\nRUN <<EOF\nFROM no\nCOPY no no\nEOF\nFROM --platform=linux/arm64 y\n";
    const reading = readDockerfile(text + more);
    expect(reading.stages.map(({ name, baseImage, line }) => [name, baseImage, line])).toEqual([
      ["b", "x", 3],
      [null, "y", 11],
    ]);
    expect(reading.instructions.map(({ keyword, line, makesLayer }) => [keyword, line, makesLayer])).toEqual([
      ["FROM", 3, false],
      ["RUN", 4, true],
      ["ONBUILD", 6, false],
      ["RUN", 7, true],
      ["FROM", 11, false],
    ]);
    expect([reading.usesContext, reading.problems]).toEqual([false, []]);
  });

  it("follows stages down to the base of the last one", () => {
    expect(readDockerfile("FROM a AS x\nFROM x AS y\nFROM y").finalBaseImage).toBe("a");
  });

  it("lists instructions and which make layers", () => {
    const { instructions } = readDockerfile(
      "ARG A\nFROM x\nENV a=b\nrun true\nCOPY a b\nADD c d\nWORKDIR /w\nCMD x\n",
    );
    expect(
      instructions.map(({ keyword, line, stage, makesLayer }) => [keyword, line, stage, makesLayer]),
    ).toEqual([
      ["ARG", 1, -1, false],
      ["FROM", 2, 0, false],
      ["ENV", 3, 0, false],
      ["RUN", 4, 0, true],
      ["COPY", 5, 0, true],
      ["ADD", 6, 0, true],
      ["WORKDIR", 7, 0, false],
      ["CMD", 8, 0, false],
    ]);
  });

  it.each([
    ["COPY a b", true],
    ['COPY ["a", "b"]', true],
    ["ADD a.tar /", true],
    ["ADD https://files.example/a /a", false],
    ["ADD git@git.example:a.git /a", false],
    ["ADD https://files.example/a b /c/", true],
    ["COPY --from=x a b", false],
    ["COPY <<EOF /etc/motd\nhello there\nEOF", false],
    ["COPY <<EOF a /etc/\nhello\nEOF", true],
    ["RUN --mount=type=bind,target=/src make", true],
    ["RUN --mount=target=/src make", true],
    ["RUN --mount=type=bind,from=x,target=/src make", false],
    ["RUN --mount=type=cache,target=/c make", false],
    ["RUN cp a b", false],
  ])("tells whether %j uses the context", (line, expected) => {
    const { usesContext, instructions } = readDockerfile(`FROM x\n${line}\n`);
    expect([usesContext, instructions.map((instruction) => instruction.takesContext)]).toEqual([
      expected,
      [false, expected],
    ]);
  });

  it("lists the images that the target needs", () => {
    expect(listFromChain(staged)).toEqual([
      { name: "debian:12", from: "${BASE}", line: 3 },
      { name: "registry.example/ca:1", from: "registry.example/ca:1", line: 9 },
    ]);
    expect(listFromChain(staged, {}, "tools")).toEqual([
      { name: "alpine:3", from: "${EXTRA:-alpine}:3", line: 7 },
    ]);
    expect(listFromChain(staged, {}, "test").map((base) => base.name)).toEqual(["debian:12"]);
  });

  it.each([
    [null, "dockerfile-missing: a/D is not in the tree"],
    ["", "template-unreadable: a/D is not a Dockerfile: there is no FROM"],
    ["RUN x\nFROM y", "template-unreadable: a/D:1 is not a Dockerfile: RUN stands before FROM"],
    ["FROM x\n\nRUM y", "template-unreadable: a/D:3 is not a Dockerfile: RUM is no instruction"],
    ["FROM", "template-unreadable: a/D:1 is not a Dockerfile: FROM names no image"],
    ["#!/bin/sh\nset -e\n", "template-unreadable: a/D:2 is not a Dockerfile: set is no instruction"],
  ])("refuses %j", (text, message) => {
    expect(problemOf(() => readDockerfile(text, {}, "a/D"))).toBe(message);
  });
});

function edited(run: string, which: number | "first" | "last" = 1): string {
  return editDockerfile(`FROM x\n${run}\n`, which, 1).text.slice("FROM x\n".length, -1);
}

describe("editDockerfile", () => {
  it.each([
    ["RUN make", "RUN : tare edit 1 && make"],
    ["run make || true", "run : tare edit 1 && make || true"],
    [
      "RUN --mount=type=cache,target=/c --network=none make",
      "RUN --mount=type=cache,target=/c --network=none : tare edit 1 && make",
    ],
    [
      "RUN \\\n  # why\n  make && \\\n  # more\n  check",
      "RUN \\\n  # why\n  : tare edit 1 && make && \\\n  # more\n  check",
    ],
    [
      "RUN --mount=type=cache,target=/c \\\n    make",
      "RUN --mount=type=cache,target=/c \\\n    : tare edit 1 && make",
    ],
    ['RUN if [ -n "$A" ]; then b; fi', 'RUN : tare edit 1 && if [ -n "$A" ]; then b; fi'],
    ["RUN [ -f a ] && b", "RUN : tare edit 1 && [ -f a ] && b"],
    ["RUN <<EOF\nmake\nEOF", "RUN <<EOF\n: tare edit 1\nmake\nEOF"],
    ["RUN <<-'EOF'\n\tmake\n\tEOF", "RUN <<-'EOF'\n: tare edit 1\n\tmake\n\tEOF"],
    ["RUN <<EOF bash\nmake\nEOF", "RUN : tare edit 1 && <<EOF bash\nmake\nEOF"],
    ["RUN python3 <<EOF\n#!x\nEOF", "RUN : tare edit 1 && python3 <<EOF\n#!x\nEOF"],
    ['SHELL ["/bin/bash", "-c"]\nRUN make', 'SHELL ["/bin/bash", "-c"]\nRUN : tare edit 1 && make'],
  ])("edits %j", (run, expected) => {
    expect(edited(run)).toBe(expected);
  });

  it("keeps CRLF, the escape directive and a byte order mark", () => {
    expect(editDockerfile("\uFEFFFROM x\r\nRUN a && \\\r\n  b\r\n", "last", 3).text).toBe(
      "\uFEFFFROM x\r\nRUN : tare edit 3 && a && \\\r\n  b\r\n",
    );
    expect(editDockerfile("FROM x\r\nRUN <<EOF\r\na\r\nEOF\r\n", 1, 1).text).toBe(
      "FROM x\r\nRUN <<EOF\r\n: tare edit 1\r\na\r\nEOF\r\n",
    );
    expect(editDockerfile("# escape=`\nFROM x\nRUN `\n  a\n", 1, 1).text).toBe(
      "# escape=`\nFROM x\nRUN `\n  : tare edit 1 && a\n",
    );
  });

  it("says which RUN it edited", () => {
    const text = fixtureTree("docker").read("images/alder.docker");
    const first = editDockerfile(text, "first", 1);
    expect([first.line, first.description]).toEqual([2, "RUN 1 of 2, line 2"]);
    const last = editDockerfile(text, "last", 2);
    expect([last.line, last.description]).toEqual([7, "RUN 2 of 2, line 7"]);
    expect(last.text).toBe(text?.replace("RUN if", "RUN : tare edit 2 && if"));
  });

  it("counts the stages that are built, and no others", () => {
    expect(editDockerfile(staged, "last", 1).description).toBe("RUN 1 of 1, line 4");
    expect(editDockerfile(staged, "last", 1, { target: "test" }).description).toBe("RUN 2 of 2, line 6");
  });

  it.each([
    ['FROM x\nRUN ["make"]', 1, "edit-impossible: a/D:2 is in exec form: no shell reads it"],
    [
      "FROM x\nRUN <<EOF\n#!/usr/bin/env python3\nEOF",
      1,
      "edit-impossible: a/D:2 is a here-document with an interpreter of its own",
    ],
    [
      'FROM x\nSHELL ["powershell", "-c"]\nRUN make',
      1,
      "edit-impossible: a/D:3 runs in the shell powershell",
    ],
    ['FROM x AS a\nSHELL ["pwsh"]\nFROM a\nRUN make', 1, "edit-impossible: a/D:4 runs in the shell pwsh"],
    ["FROM x\nCMD y", "first", "edit-impossible: a/D has no RUN first: it has 0"],
    ["FROM x\nRUN y", 2, "edit-impossible: a/D has no RUN 2: it has 1"],
    ["FROM x\nRUN", 1, "edit-impossible: a/D:2 has no command"],
    [null, 1, "dockerfile-missing: a/D is not in the tree"],
  ] as const)("refuses %j", (text, run, message) => {
    expect(problemOf(() => editDockerfile(text, run, 1, { path: "a/D" }))).toBe(message);
  });

  it("changes nothing but the edited RUN, whatever the text", () => {
    const lines = fc.constantFrom(
      "RUN a",
      "RUN \\\n  b",
      "# c",
      "ENV A=b",
      "RUN <<EOF\nd\nEOF",
      'RUN ["e"]',
      "RUN --mount=type=tmpfs,target=/t f",
      "COPY a b",
      "",
      "\\",
      "EOF",
      "RUN a \\",
    );
    const property = fc.property(
      fc.array(lines, { maxLength: 8 }),
      fc.constantFrom("first" as const, "last" as const),
      (body, run) => {
        const text = ["FROM x", ...body].join("\n");
        try {
          const { text: changed } = editDockerfile(text, run, 7);
          const undone = changed.replace(": tare edit 7 && ", "").replace(": tare edit 7\n", "");
          expect(undone).toBe(text);
          expect(changed).not.toBe(text);
        } catch (error) {
          if (!(error instanceof Problem)) throw error;
        }
      },
    );
    fc.assert(property, { numRuns: 500 });
  });
});
