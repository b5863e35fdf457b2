import { describe, expect, it } from "vitest";
import { createChangeQueue, type ChangeEvent } from "../../src/channels/change-queue.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** An event whose work ends when it is told to, or aborted. */
function event(key: string, head: string, atMs: number, done: string[]): ChangeEvent & { end(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return {
    key,
    head,
    atMs,
    end: resolve,
    async work(signal) {
      const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      await Promise.race([promise, aborted]);
      done.push(`${key}@${head}${signal.aborted ? " aborted" : ""}`);
    },
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe("the queue in memory", () => {
  it("works one at a time, in order, a newer head keeping the older one's place", async () => {
    const done: string[] = [];
    const queue = createChangeQueue({ log: silent });
    const [a, b1, c, b2] = [
      event("a", "1", 1, done),
      event("b", "1", 1, done),
      event("c", "1", 1, done),
      event("b", "2", 2, done),
    ];
    expect([a, b1, c, b2].map((event) => queue.add(event))).toEqual(["queued", "queued", "queued", "queued"]);
    await turn();
    expect(queue.size()).toEqual({ waiting: 2, running: true });
    for (const event of [a, b2, c]) event.end();
    await queue.idle();
    expect(done).toEqual(["a@1", "b@2", "c@1"]);
    expect(queue.size()).toEqual({ waiting: 0, running: false });
  });

  it("aborts a running older head, and ignores the same and an older one", async () => {
    const done: string[] = [];
    const queue = createChangeQueue({ log: silent });
    const [first, second] = [event("a", "1", 1, done), event("a", "2", 2, done)];
    queue.add(first);
    await turn();
    expect(queue.add(event("a", "1", 1, done))).toBe("known");
    expect(queue.add(second)).toBe("queued");
    expect(queue.add(event("a", "1", 1, done))).toBe("older");
    second.end();
    await queue.idle();
    expect(done).toEqual(["a@1 aborted", "a@2"]);
  });

  it("refuses what is too much, but not a newer head of what waits", () => {
    const queue = createChangeQueue({ log: silent, maxWaiting: 1 });
    const waiting = event("a", "1", 1, []);
    expect(queue.add(waiting)).toBe("queued");
    expect(queue.full()).toBe(true);
    expect(queue.add(event("b", "1", 1, []))).toBe("full");
    expect(queue.add(event("a", "2", 2, []))).toBe("queued");
  });

  it("goes on after a failure, and tells of it", async () => {
    const failed: string[] = [];
    const queue = createChangeQueue({ log: silent });
    queue.add({
      key: "a",
      head: "1",
      atMs: 1,
      work: () => Promise.reject(new Error("gone")),
      failed: () => void failed.push("a"),
    });
    const done: string[] = [];
    const next = event("b", "1", 1, done);
    queue.add(next);
    next.end();
    await queue.idle();
    expect([failed, done]).toEqual([["a"], ["b@1"]]);
  });

  it("closes by aborting what runs and dropping what waits", async () => {
    const done: string[] = [];
    const queue = createChangeQueue({ log: silent });
    queue.add(event("a", "1", 1, done));
    queue.add(event("b", "1", 1, done));
    await turn();
    await queue.close();
    expect(done).toEqual(["a@1 aborted"]);
    expect(queue.add(event("c", "1", 1, done))).toBe("full");
  });
});
