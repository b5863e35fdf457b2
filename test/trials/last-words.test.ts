import { describe, expect, it } from "vitest";
import { lastWords } from "../../src/trials/last-words.ts";

const logOf = (text: string) =>
  text.split("\n").map((line, index) => ({ atMs: index, stream: "stderr" as const, line }));

/** The end of what `docker build --progress=plain` prints (BuildKit of docker 26.1). */
const BUILDKIT = `#6 [2/2] RUN make && make check
#6 0.211 compiling
#6 0.212 cc: not found
#6 ERROR: process "/bin/sh -c make && make check" did not complete successfully: exit code: 3
------
 > [2/2] RUN make && make check:
0.211 compiling
0.212 cc: not found
------
lint.docker:3
--------------------
   1 |     FROM docker.io/library/busybox:1.36
   2 |     ENV A=b
   3 | >>> RUN make && \\
   4 | >>>     make check
   5 |     CMD ["sh"]
--------------------
ERROR: failed to solve: process "/bin/sh -c make && make check" did not complete successfully: exit code: 3`;

describe("the last words of a build", () => {
  it("are its last 24 lines", () => {
    const lines = Array.from({ length: 40 }, (_, index) => `line ${index + 1}`);
    expect(lastWords(logOf(lines.join("\n")))).toStrictEqual(lines.slice(16));
    expect(lastWords([])).toStrictEqual([]);
  });

  it("are the step's output and not its place in the Dockerfile, where BuildKit tells both", () => {
    const words = lastWords(logOf(BUILDKIT));
    expect(words.slice(-6)).toStrictEqual([
      "------",
      " > [2/2] RUN make && make check:",
      "0.211 compiling",
      "0.212 cc: not found",
      "------",
      'ERROR: failed to solve: process "/bin/sh -c make && make check" did not complete successfully: exit code: 3',
    ]);
    expect(words).toHaveLength(10);
  });

  it("keep a place that comes to no end", () => {
    const cut = BUILDKIT.split("\n").slice(0, 13).join("\n");
    expect(lastWords(logOf(cut))).toHaveLength(13);
  });
});
