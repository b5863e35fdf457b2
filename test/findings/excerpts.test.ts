import { expect, it } from "vitest";
import type { Change } from "../../src/domain/change.ts";
import type { Finding } from "../../src/domain/finding.ts";
import { excerptsOf } from "../../src/findings/excerpts.ts";

const hunks = [
  "@@ -3,3 +3,3 @@ build:",
  " one",
  "-two",
  "+deux",
  " three",
  "@@ -90 +90 @@",
  "-x",
  "+y",
  "",
].join("\n");
const change = { files: [{ oldPath: "ci.yml", newPath: "ci.yml", hunks }] } as unknown as Change;
const finding = (line: number, side: "base" | "head", file = "ci.yml"): Finding => ({
  id: "zstd",
  file,
  line,
  side,
  text: "",
  why: "",
});

it("shows the diff around each place once, and no other hunk", () => {
  const excerpts = excerptsOf(change, [finding(4, "head"), finding(4, "head"), finding(90, "base")]);
  expect(excerpts.map(({ line, side }) => [line, side])).toStrictEqual([
    [4, "head"],
    [90, "base"],
  ]);
  expect(excerpts[0]?.lines).toStrictEqual([
    { mark: "kept", base: 3, head: 3, text: "one" },
    { mark: "removed", base: 4, head: null, text: "two" },
    { mark: "added", base: null, head: 4, text: "deux" },
    { mark: "kept", base: 5, head: 5, text: "three" },
  ]);
  expect(excerpts[1]?.lines.map(({ text }) => text)).toStrictEqual(["x", "y"]);
});

it("has none for a line that the diff does not show", () => {
  expect(excerptsOf(change, [finding(50, "head"), finding(4, "head", "other.yml")])).toStrictEqual([]);
});
