import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  htmlText,
  linkAddress,
  markdownFence,
  markdownLine,
  plainLine,
  plainLog,
} from "../../src/reports/sanitise.ts";
import { named, parsedPage } from "./parsed-page.ts";

/** Text with what attackers use, more often than chance would give it. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "/merge",
        "/close\n",
        "@all",
        "@octocat",
        "`",
        "```",
        "````\n",
        "~~~",
        "<!-- tare:v1 key=x -->",
        "<script>",
        "](javascript:x)",
        "![",
        "[x](https://e.org)",
        "https://e.org",
        "www.e.org",
        "-- ",
        "--",
        "\n",
        "\r\n",
        "\r",
        "\u2028",
        "\u0085",
        "\u001b[2J",
        "\u001b]0;title\u0007",
        "\u009b31m",
        "\u202e",
        "\u2066",
        "\u200b",
        "\ud800",
        "#12",
        "!34",
        "GH-5",
        " ",
        "\t",
        "\\",
        "&#47;merge",
        "|",
        "1. ",
        "* ",
      ),
      fc.string({ unit: "binary" }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""));

const CONTROL = /\p{Cc}/u;
const FORMAT = /\p{Cf}/u;

describe("plain text", () => {
  it("takes away what draws on a terminal or turns text around", () => {
    expect(plainLine("a\u001b[31mred\u001b[0m \u001b]0;own title\u0007b\u202ec\rd\u0000")).toBe("ared bc d");
  });

  it("leaves no control characters, no line breaks, and keeps to its width", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const line = plainLine(text, 72);
        expect(line).not.toMatch(CONTROL);
        expect(line).not.toMatch(FORMAT);
        expect(line.length).toBeLessThanOrEqual(72);
        expect(line.isWellFormed()).toBe(true);
        expect(line).not.toMatch(/^--\s*$/u);
      }),
    );
  });

  it("keeps the last lines of a log, cut, and none of them a signature", () => {
    expect(plainLog(["first", "-- ", "x".repeat(90), "last"], { lines: 3, width: 20 })).toStrictEqual([
      "- -",
      `${"x".repeat(17)}...`,
      "last",
    ]);
    fc.assert(
      fc.property(fc.array(hostile), (lines) => {
        for (const line of plainLog(lines, { lines: 6, width: 70 })) {
          expect(line.length).toBeLessThanOrEqual(70);
          expect(line).not.toMatch(/^--\s*$/u);
          expect(line).not.toMatch(CONTROL);
        }
      }),
    );
  });
});

describe("Markdown", () => {
  it("shows text as it is and does nothing else", () => {
    expect(markdownLine("/merge @all <b>`x`</b> [a](b) #1")).toBe(
      "\\/merge @\u200ball &lt;b&gt;\\`x\\`&lt;/b&gt; \\[a\\](b) #\u200b1",
    );
    expect(markdownLine("1. a list")).toBe("1\\. a list");
    expect(markdownLine("26.1.5")).toBe("26.1.5");
  });

  it("leaves no quick action, mention, tag, marker, link, fence or table edge", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const line = markdownLine(text);
        expect(line).not.toMatch(/^\s*\//u);
        expect(line).not.toMatch(/@[\w-]/u);
        expect(line).not.toMatch(/[<>]/u);
        expect(line).not.toMatch(/[\n\r]/u);
        expect(line).not.toMatch(/(?<!\\)(?:\\\\)*[`[\]|*_]/u);
        expect(line).not.toMatch(/:\/\/|\bwww\.|#\d|!\d/u);
      }),
    );
  });

  it("keeps a log inside its fence", () => {
    expect(markdownFence(["a", "````", "/merge", "<!-- tare:v1 -->"], { lines: 10 })).toBe(
      "`````text\na\n````\n| /merge\n<! -- tare:v1 -->\n`````",
    );
    fc.assert(
      fc.property(fc.array(hostile), (lines) => {
        const [opening = "", ...rest] = markdownFence(lines, { lines: 20 }).split("\n");
        const closing = rest.pop() ?? "";
        expect(opening).toBe(`${closing}text`);
        for (const line of rest) {
          expect(line.includes(closing)).toBe(false);
          expect(line).not.toMatch(/^\s*\/\w/u);
          expect(line).not.toContain("<!--");
        }
      }),
    );
  });

  it("shows in a page what is there, in an element and in an attribute, and ends neither", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const shown = htmlText(text);
        const html = `<!doctype html><title>${shown}</title><p title="${shown}">.${shown}</p>`;
        const { elements } = parsedPage(html);
        expect(elements.map(({ name }) => name)).toStrictEqual(["html", "head", "title", "body", "p"]);
        const [paragraph] = named(elements, "p");
        expect(paragraph?.attributes["title"]).toBe(paragraph?.text.slice(1));
        expect(shown).not.toMatch(/[^\P{Cc}\n]|\p{Cf}/u);
      }),
    );
  });

  it.each(["/reports/1", "reports/1?a=b:c", "#image-1", "https://tare.example/1", "HTTP://tare.example/"])(
    "lets a page link to %j",
    (address) => {
      expect(linkAddress(address)).toBe(address);
    },
  );

  it.each([
    "javascript:alert(1)",
    "\u0001javascript:x",
    "java\tscript:x",
    "data:text/html,x",
    "vbscript:x",
    "https:x",
  ])("does not let a page link to %j", (address) => {
    expect(linkAddress(address)).toBeNull();
  });
});
