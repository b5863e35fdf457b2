import { createHash } from "node:crypto";
import { expect } from "vitest";
import { named, parsedPage, tableOf } from "./parsed-page.ts";

/** All that a page consists of: nothing here runs, asks for anything, or takes what is typed. */
const ELEMENTS = new Set(
  ["html", "head", "meta", "title", "style", "body", "main", "header", "footer", "nav", "section", "article"]
    .concat(["h1", "h2", "h3", "h4", "p", "div", "span", "strong", "a", "code", "pre", "blockquote"])
    .concat(["ul", "li", "dl", "dt", "dd", "details", "summary"])
    .concat(["table", "caption", "thead", "tbody", "tr", "th", "td", "svg", "rect", "path", "text", "g"]),
);

/** Attributes that have a browser fetch, run or send something, but for `href` of a link. */
const ACTIVE = /^(?:on.*|style|src|srcset|srcdoc|action|formaction|poster|data|ping|background|xlink:href)$/u;

/** Fails where a page is no valid HTML, or could do more than be read. `links` are what it may link to beside itself. */
export function expectHarmless(html: string, links: readonly string[] = []): void {
  expect(html).not.toMatch(/[^\P{Cc}\n]|\p{Cf}/u);
  const { elements, faults } = parsedPage(html);
  expect(faults).toStrictEqual([]);
  expect([...new Set(elements.map(({ name }) => name))].filter((name) => !ELEMENTS.has(name))).toStrictEqual(
    [],
  );
  const attributes = elements.flatMap((element) => Object.keys(element.attributes));
  expect(attributes.filter((name) => ACTIVE.test(name))).toStrictEqual([]);
  const ids = elements.flatMap(({ attributes: { id } }) => id ?? []);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { name, attributes } of elements) {
    const { href } = attributes;
    if (href === undefined) continue;
    expect(name).toBe("a");
    expect(ids.map((id) => `#${id}`).concat(links)).toContain(href);
  }
  const values = elements.flatMap(({ attributes }) => Object.values(attributes));
  expect(values.filter((value) => /url\(/iu.test(value))).toStrictEqual([]);
  expectPolicy(elements);
  for (const table of named(elements, "table").map(tableOf)) {
    expect(table.caption).not.toBe("");
    expect(new Set(table.rows.map((row) => row.length)).size).toBe(1);
  }
}

/** One style sheet, which asks for nothing, and a policy that names it and nothing else. */
function expectPolicy(elements: ReturnType<typeof parsedPage>["elements"]): void {
  const [style, ...more] = named(elements, "style");
  expect(more).toStrictEqual([]);
  expect(style?.text).not.toMatch(/url\(|@import|@font-face/u);
  const digest = createHash("sha256")
    .update(style?.text ?? "")
    .digest("base64");
  const policy = named(elements, "meta").find(({ attributes }) => attributes["http-equiv"] !== undefined);
  expect(policy?.attributes).toStrictEqual({
    "http-equiv": "Content-Security-Policy",
    content: `default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'`,
  });
}
