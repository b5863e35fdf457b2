import { assert, asyncProperty, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { parseStamp, postSticky, renderStamp, type Stamp } from "../../src/channels/sticky-comment.ts";
import type { Thread, ThreadComment } from "../../src/channels/types.ts";

const stamp: Stamp = {
  key: "acme/images",
  sha: "abc",
  base: "def",
  run: "1f",
  validAt: "2026-01-02T03:04:05.000Z",
};

function threadOf(comments: ThreadComment[]): Thread {
  return {
    maxChars: 1000,
    safe: (body) => body,
    list: async () => comments,
    async create(body) {
      comments.push({ id: comments.length, body, mine: true });
    },
    async update(id, body) {
      const comment = comments.find((comment) => comment.id === id);
      if (comment) comment.body = body;
    },
  };
}

describe("the stamp", () => {
  it("is one hidden line", () => {
    expect(renderStamp(stamp)).toBe(
      "<!-- tare:v1 key=acme%2Fimages sha=abc base=def run=1f valid-at=2026-01-02T03:04:05.000Z -->",
    );
  });

  it("is read back whatever the key, and cannot be closed by one", () => {
    assert(
      property(string({ minLength: 1, unit: "grapheme" }), (key) => {
        const line = renderStamp({ ...stamp, key });
        expect(parseStamp(`${line}\r\nBody`)).toEqual({ ...stamp, key });
        expect(line.indexOf("-->")).toBe(line.length - 3);
      }),
    );
  });

  it("counts only on the first line, whole and with a real time", () => {
    const line = renderStamp(stamp);
    expect(parseStamp(`Hello\n${line}`)).toBe(null);
    expect(parseStamp(`> ${line}`)).toBe(null);
    expect(parseStamp(line.replace("2026-01-02T03:04:05.000Z", "soon"))).toBe(null);
    expect(parseStamp(line.replace("%2F", "%E0"))).toBe(null);
  });
});

describe("the one comment", () => {
  it("is created, then unchanged, then updated, and one of another scope is left alone", async () => {
    const other = `${renderStamp({ ...stamp, key: "acme/other" })}\nOther`;
    const comments = [{ id: 0, body: other, mine: true }];
    const thread = threadOf(comments);
    expect(await postSticky(thread, stamp, "One\n")).toBe("created");
    const later = { ...stamp, validAt: "2026-01-02T04:00:00.000Z" };
    expect(await postSticky(thread, later, "One\n")).toBe("unchanged");
    expect(await postSticky(thread, later, "Two\n")).toBe("updated");
    expect(await postSticky(thread, stamp, "Three\n")).toBe("newer");
    expect(comments.map((comment) => comment.body)).toEqual([other, `${renderStamp(later)}\nTwo\n`]);
  });

  it("is the newest where there are two", async () => {
    const body = (validAt: string): string => `${renderStamp({ ...stamp, validAt })}\nOld`;
    const comments = [
      { id: 0, body: body("2026-01-01T00:00:00.000Z"), mine: true },
      { id: 1, body: body("2026-01-01T00:00:01.000Z"), mine: true },
    ];
    await postSticky(threadOf(comments), stamp, "New\n");
    expect(comments.map((comment) => comment.body.split("\n")[1])).toEqual(["Old", "New"]);
  });

  it("never exceeds the thread's limit", async () => {
    await assert(
      asyncProperty(string({ maxLength: 5000 }), async (body) => {
        const comments: ThreadComment[] = [];
        await postSticky(threadOf(comments), stamp, body);
        expect(comments[0]?.body.length).toBeLessThanOrEqual(1000);
      }),
    );
  });
});
