import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readClaims } from "../../src/claims/read-claims.ts";
import { CHANGE, claimsIn, inShort, reply } from "./texts.ts";

describe("readClaims", () => {
  it("says who wrote what, when and where", () => {
    const texts = [
      {
        ...CHANGE,
        body: "ci: use kaniko\n\nNo Dockerfile is using COPY\nor ADD instructions.\n\nSigned-off-by: Ben\n",
      },
      reply(
        "> No Dockerfile is using COPY or ADD instructions.\n\nGood. It doubles our storage usage.\n\nAda\n",
      ),
    ];
    expect(readClaims(texts)).toStrictEqual([
      {
        quote: "No Dockerfile is using COPY or ADD instructions.",
        author: "Ben Author",
        date: "2026-03-01T08:00:00.000Z",
        messageId: "<change@example.org>",
        quotedIn: null,
        isQuestion: false,
        assertion: { kind: "copies from the context", says: "none" },
      },
      {
        quote: "It doubles our storage usage.",
        author: "Ada Reviewer",
        date: "2026-03-01T09:00:00.000Z",
        messageId: "<reply-1@example.org>",
        quotedIn: null,
        isQuestion: false,
        assertion: { kind: "storage multiplied", factor: 2, atLeast: false },
      },
    ]);
  });

  it("cuts a quote behind a word at 200 characters", () => {
    const [claim] = claimsIn(`It doubles our storage, ${"and that is long ".repeat(20)}.`);
    expect(claim?.quote).toHaveLength(198);
    expect(claim?.quote.endsWith("is long and…")).toBe(true);
  });

  it("takes the same words of two messages for two claims, and of one for one", () => {
    const twice = reply("It doubles our storage. It doubles our storage.");
    expect(readClaims([CHANGE, twice])).toHaveLength(1);
    expect(readClaims([CHANGE, twice, { ...twice, messageId: "<reply-2@example.org>" }])).toHaveLength(2);
  });

  it("reads nothing beyond fifty claims", () => {
    const texts = Array.from({ length: 60 }, (_, at) =>
      reply("It doubles our storage.", { messageId: `<${at}@example.org>` }),
    );
    expect(readClaims([CHANGE, ...texts])).toHaveLength(50);
  });
});

describe("a message that is not among the texts", () => {
  const ATTRIBUTION = "On Fri, Mar 1, 2026 at 08:24:44AM +0200, Cyd Asker wrote:";
  const quoting = (body: string) =>
    readClaims([CHANGE, reply(body, { inReplyTo: "<question@example.org>" })]).map((claim) => [
      claim.author,
      inShort(claim),
      claim.messageId,
      claim.quotedIn,
    ]);

  it("is read where its answer quotes it, and its own quotes are not", () => {
    const body = `${ATTRIBUTION}\n> On 01/03/2026 20.24, Ada Reviewer wrote:\n> > It doubles our storage.\n> \n> Will this fix the k8s\n> runners?\n\nHardly.\n`;
    expect(quoting(body)).toStrictEqual([
      ["Cyd Asker", "runners fixed?", "<question@example.org>", "<reply-1@example.org>"],
    ]);
  });

  it.each([
    ["Gmail's", "On Fri, Mar 1, 2026 at 9:14 AM Cyd Asker <cyd@example.org> wrote:"],
    ["one on two lines", "On Fri, Mar 1, 2026 at 9:14 AM Cyd Asker <cyd@example.org>\nwrote:"],
  ])("is named by %s attribution", (_, attribution) => {
    expect(quoting(`${attribution}\n> It doubles our storage.\n`)).toStrictEqual([
      ["Cyd Asker", "storage 2", "<question@example.org>", "<reply-1@example.org>"],
    ]);
  });

  it.each([
    ["nobody is named", "> It doubles our storage.\n"],
    ["two are named", `${ATTRIBUTION}\n> Hello.\n\nOn 2 March, Dan wrote:\n> It doubles our storage.\n`],
    ["the sentence breaks off", `${ATTRIBUTION}\n> It doubles our storage\n\nDoes it?\n`],
    ["an answer interrupts the sentence", `${ATTRIBUTION}\n> It doubles\n\nHm.\n\n> our storage.\n`],
    ["the quote is of the second level", `${ATTRIBUTION}\n>> It doubles our storage.\n`],
  ])("is not read where %s", (_, body) => {
    expect(quoting(body)).toStrictEqual([]);
  });

  it("is not read where it is among the texts", () => {
    const answer = reply(`${ATTRIBUTION}\n> It doubles our storage.\n`);
    expect(readClaims([{ ...CHANGE, body: "It doubles our storage." }, answer])).toHaveLength(1);
    expect(readClaims([CHANGE, answer])).toStrictEqual([]);
  });
});

describe("hostile texts", () => {
  it.each([
    ["opened quotation marks", "“".repeat(200_000)],
    ["backticks", "`".repeat(200_000)],
    ["a word without end", "a".repeat(200_000)],
    ["addresses", "a@".repeat(100_000)],
    ["rules", "---\n".repeat(50_000)],
    ["comments", "<!--".repeat(50_000)],
    ["brackets", "(".repeat(200_000)],
    ["filler between verb and object", "doubles our the our the ".repeat(8_000)],
    ["edits", "every RUN edit ".repeat(12_000)],
    ["attributions", "On a wrote\n".repeat(18_000)],
    ["sentences", "It doubles our storage if. ".repeat(7_000)],
  ])("of %s are passed over in time", (_, body) => {
    const startMs = performance.now();
    expect(claimsIn(body)).toStrictEqual([]);
    expect(claimsIn(body.replaceAll(/(.{70})/g, "$1\n"))).toStrictEqual([]);
    expect(performance.now() - startMs).toBeLessThan(5_000);
  });

  it("of any kind break nothing, and quotes stay within 200 characters", () => {
    const words = fc.constantFrom(
      "It",
      "doubles",
      "our",
      "storage",
      ".",
      "?",
      "\n",
      "> ",
      "`",
      '"',
      "RUN",
      "not",
      "forks",
      "cache",
      "-- ",
      "…",
      "😀",
    );
    fc.assert(
      fc.property(fc.array(words, { maxLength: 200 }), (parts) => {
        for (const { quote } of claimsIn(parts.join(" "))) expect(quote.length).toBeLessThanOrEqual(200);
      }),
    );
  });
});
