import { describe, expect, it } from "vitest";
import { growthChart } from "../../src/reports/growth-chart.ts";
import { parsedPage, type Parsed } from "./parsed-page.ts";

const MEGABYTE = 1_000_000;
const SCENARIOS = ["cold", "warm", "edit 1", "edit 2"];

function drawn(curves: (number | null)[][]): { svg: string; elements: Parsed[] } {
  const svg = growthChart({
    label: "bytes <&> runs",
    scenarios: SCENARIOS,
    curves: curves.map((bytes, index) => ({ name: `strategy ${index} <b>`, isTried: index > 1, bytes })),
  });
  return { svg, elements: parsedPage(`<!doctype html>${svg}`).elements };
}

/** Heights in a chart by its own axis: the labels of bytes stand at their lines. */
function scaleOf(elements: readonly Parsed[]): (height: number) => number {
  const labels = elements.filter(({ attributes }) => attributes["text-anchor"] === "end");
  const marks = labels.map(({ text, attributes }) => ({
    bytes: Number.parseFloat(text) * (text.endsWith(" MB") ? MEGABYTE : 1),
    height: Number(/translate\(\S+ (\S+)\)/u.exec(attributes["transform"] ?? "")?.[1]),
  }));
  const [lowest, highest] = [marks[0], marks.at(-1)];
  if (!lowest || !highest) throw new Error("the axis has labels");
  return (height) =>
    ((height - lowest.height) / (highest.height - lowest.height)) * (highest.bytes - lowest.bytes);
}

/** Each point as it is said and as it is drawn. */
function pointsOf(elements: readonly Parsed[]): { said: string; bytes: number }[] {
  const scale = scaleOf(elements);
  return elements.flatMap(({ name, children, attributes }) => {
    const [title] = children;
    if (name !== "path" || title?.name !== "title") return [];
    const height = Number(/matrix\((?:[^,]+,){5}([^)]+)\)/u.exec(attributes["transform"] ?? "")?.[1]);
    return [{ said: title.text, bytes: scale(height) }];
  });
}

describe("a chart of growth", () => {
  it("draws each point at the height of its figure, and says the figure", () => {
    const curves = [
      [10 * MEGABYTE, 10 * MEGABYTE, 12 * MEGABYTE, 14 * MEGABYTE],
      [20 * MEGABYTE, 20 * MEGABYTE, 31 * MEGABYTE, 47.5 * MEGABYTE],
    ];
    const points = pointsOf(drawn(curves).elements);
    expect(points.map(({ said }) => said)).toContain("strategy 1 <b>, edit 2: 47.50 MB");
    expect(points).toHaveLength(8);
    for (const [index, bytes] of curves.flat().entries()) {
      expect(Math.abs((points[index]?.bytes ?? 0) - bytes)).toBeLessThan(0.2 * MEGABYTE);
    }
  });

  it("leaves out what is not known, and begins at zero", () => {
    const { elements } = drawn([[null, 10 * MEGABYTE, null, 14 * MEGABYTE]]);
    expect(pointsOf(elements).map(({ said }) => said)).toStrictEqual([
      "strategy 0 <b>, warm: 10.00 MB",
      "strategy 0 <b>, edit 2: 14.00 MB",
    ]);
    expect(elements.find(({ attributes }) => attributes["text-anchor"] === "end")?.text).toBe("0 B");
  });

  it("has no two marks of its axis that read alike, where nothing is charged", () => {
    const marks = drawn([[0, 0, 0, 0]])
      .elements.filter(({ attributes }) => attributes["text-anchor"] === "end")
      .map(({ text }) => text);
    expect(new Set(marks).size).toBe(marks.length);
  });

  it("says the last figure at the end of a curve, once where curves end alike", () => {
    const same = [1, 1, 2, 3].map((megabytes) => megabytes * MEGABYTE);
    const { elements } = drawn([same, same, [1, 1, 1, 1].map((megabytes) => megabytes * MEGABYTE)]);
    const ends = elements.filter(({ attributes }) => attributes["text-anchor"] === "start");
    expect(ends.map(({ text }) => text)).toStrictEqual(["3.00 MB", "1.00 MB"]);
    const early = drawn([[MEGABYTE, 2 * MEGABYTE, null, null]]).elements;
    expect(early.find(({ attributes }) => attributes["text-anchor"] === "start")?.text).toBe("2.00 MB");
  });

  it("has no style, no ids, no marks of the library and nothing from outside", () => {
    const { svg } = drawn([
      [1, 2, 3, 4],
      [4, 3, 2, null],
    ]);
    expect(svg).not.toMatch(/style|class|\bid=|clip-path|ecmeta|xmlns|http|<defs|NaN|undefined/u);
    expect(svg).toContain('aria-label="bytes &lt;&amp;&gt; runs"');
    expect(svg).not.toContain("<b>");
    expect(
      drawn([
        [1, 2, 3, 4],
        [4, 3, 2, null],
      ]).svg,
    ).toBe(svg);
  });

  it("draws twelve strategies so that no two look alike", () => {
    const { elements } = drawn(
      Array.from({ length: 12 }, (_, index) => [1, 2, 3, 4].map((each) => each + index)),
    );
    const looks = elements
      .filter(({ name, children }) => name === "path" && children[0]?.text.includes("warm"))
      .map(({ attributes }) => `${attributes["d"]} ${attributes["fill"]}`);
    expect(new Set(looks).size).toBe(12);
  });
});
