import * as fc from "fast-check";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { assemble } from "../../src/series/assemble.ts";
import { readMessage } from "../../src/series/read-message.ts";
import { seriesJson } from "../../src/series/series-json.ts";
import { seriesJsonSchema } from "../../src/series/series-schema.ts";
import { seriesText } from "../../src/series/series-text.ts";
import { mailText, patchText } from "./mails.ts";

/** Pieces that mean something to a reader of mails. */
const PIECES = [
  ..."[]<>@:;,=?\r\n\0 ".split(""),
  "\n\n",
  "\r\n",
  "> ",
  "Re: ",
  "[PATCH v2 1/3]",
  "=?utf-8?q?=C3?=",
  "Message-ID: <a@x>\n",
  "Content-Type: multipart/mixed; boundary=b\n",
  "--b\n",
  "--b--\n",
  "Content-Transfer-Encoding: base64\n",
  "diff --git a/x b/x\n",
  "--- a/x\n+++ b/x\n",
  "@@ -1,2 +1,3 @@\n",
  "GIT binary patch\nliteral 3\n",
  "-- \n",
  "-- >8 --\n",
  "Reviewed-by: R <r@x>\n",
  "\u00fc",
  "\xff",
];

const anything = fc
  .tuple(
    fc.constantFrom("", mailText({ subject: "[PATCH 1/2] oven" }).toString("latin1"), patchText()),
    fc.array(fc.tuple(fc.nat(2000), fc.constantFrom(...PIECES), fc.nat(60)), { maxLength: 12 }),
  )
  .map(([start, edits]) => {
    const edited = edits.reduce(
      (text, [at, piece, cut]) => text.slice(0, at) + piece + text.slice(at + cut),
      start,
    );
    return Buffer.from(edited, "latin1");
  });

describe("mails of any kind", () => {
  it("are listed, each, whatever they hold", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anything, { maxLength: 6 }), async (raws) => {
        const messages = await Promise.all(raws.map((raw) => readMessage(raw)));
        const json = seriesJson(assemble(messages, { now: new Date(0) }), []);
        expect(json.messages).toHaveLength(raws.length);
        expect(seriesText(json)).toContain(`${raws.length} mail`);
        for (const { id } of json.messages) expect(id).toMatch(/^<.+>$/);
      }),
      { numRuns: 150, seed: 20240304 },
    );
  });

  it("are put together the same in any order", async () => {
    const part = (n: number) =>
      mailText({ subject: `[PATCH ${n}/4] part`, id: `<p${n}@x>`, reply: "<p1@x>", minute: n });
    const messages = await Promise.all([1, 2, 3, 4].map((n) => readMessage(part(n))));
    const inOrder = (order: typeof messages) =>
      assemble(order, { now: new Date(0) }).series.map(({ id, parts }) => [
        id,
        parts.map(({ message }) => message.id),
      ]);
    fc.assert(
      fc.property(fc.shuffledSubarray(messages, { minLength: 4 }), (order) => {
        expect(inOrder(order)).toEqual([["<p1@x>", ["<p1@x>", "<p2@x>", "<p3@x>", "<p4@x>"]]]);
      }),
      { numRuns: 24, seed: 1 },
    );
  });
});

it("the published schema is that of the program", () => {
  const published: unknown = JSON.parse(
    readFileSync(join(import.meta.dirname, "../../docs/series.schema.json"), "utf8"),
  );
  expect(published).toEqual(JSON.parse(JSON.stringify(seriesJsonSchema())));
});
