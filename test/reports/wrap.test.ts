import { execFileSync } from "node:child_process";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { plainTable } from "../../src/reports/plain-table.ts";
import { wrap, wrapCommand } from "../../src/reports/wrap.ts";

const words = fc.array(fc.stringMatching(/^[a-z0-9./$-]{1,120}$/u), { minLength: 1, maxLength: 20 });

describe("wrap", () => {
  it("keeps a figure with its unit", () => {
    expect(wrap("it stores 1,658 MB more in 12 m 04 s", 17)).toBe("it stores\n1,658 MB more in\n12 m 04 s");
  });

  it("loses nothing and keeps to its width", () => {
    fc.assert(
      fc.property(words, fc.integer({ min: 10, max: 80 }), (list, width) => {
        const wrapped = wrap(list.join(" "), width, { first: "- ", rest: "  " });
        expect(wrapped.split("\n").every((line) => line.length <= width)).toBe(true);
        expect(wrapped.slice(2).replaceAll(/\s/gu, "")).toBe(list.join(""));
      }),
    );
  });
});

describe("wrapCommand", () => {
  it("means the same to a shell as the command in one line", () => {
    const argument = fc.oneof(
      fc.stringMatching(/^-?-?[a-z0-9./=_-]{1,90}$/u),
      fc.stringMatching(/^[a-z <>@.-]{1,150}$/u).map((text) => `'${text}'`),
    );
    fc.assert(
      fc.property(fc.array(argument, { minLength: 1, maxLength: 12 }), (list) => {
        const wrapped = wrapCommand(`printf '%s,' ${list.join(" ")}`, 72, "  ");
        expect(wrapped.split("\n").filter((line) => line.length > 72)).toStrictEqual([]);
        const said = execFileSync("sh", ["-c", wrapped], { encoding: "utf8" });
        expect(said).toBe(list.map((each) => `${each.replaceAll("'", "")},`).join(""));
      }),
      { numRuns: 60 },
    );
  });
});

describe("plainTable", () => {
  it("aligns, and cuts names in the middle where it must", () => {
    const grid = {
      head: ["repository", "size"],
      align: ["left" as const, "right" as const],
      rows: [
        ["qemu-project/qemu/debian-cross-cache", "1,658 MB"],
        ["short", "2 B"],
      ],
    };
    expect(plainTable(grid, 30)).toBe(
      [
        "repository                size",
        "--------------------  --------",
        "qemu-proj...ss-cache  1,658 MB",
        "short                      2 B",
      ].join("\n"),
    );
  });
});
