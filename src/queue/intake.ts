import { DatabaseError, type Pool } from "pg";
import type { PgBoss } from "pg-boss";
import type { Admission, ChangeEvent } from "../channels/types.ts";
import { admitBatch } from "./admit-batch.ts";
import { transaction } from "./database.ts";
import type { Intake } from "./types.ts";

/** Transactions at once: one is being written to disk while the next one is put together. */
const MOST_AT_ONCE = 2;
const MOST_IN_BATCH = 100;

type Waiting = {
  event: ChangeEvent;
  resolve: (admission: Admission) => void;
  reject: (error: unknown) => void;
};

/** One delivery; those after the first are the same one, sent again meanwhile. */
type Arrival = [Waiting, ...Waiting[]];

/**
 * Takes events in: delivery, request and job in one transaction, what the request replaces with them. Events that come
 * while others are written share the next transaction: a disk takes a hundred in hardly longer than one.
 */
export function createIntake(pool: Pool, boss: PgBoss): Intake {
  let waiting: Waiting[] = [];
  let running = 0;
  const admit = async (events: ChangeEvent[]) =>
    transaction(pool, async (client) => admitBatch(client, boss, events));

  async function settle(batch: Arrival[]): Promise<void> {
    try {
      const admissions = await admit(batch.map(([{ event }]) => event));
      for (const [index, arrival] of batch.entries()) tell(arrival, admissions[index]);
    } catch (error) {
      if (batch.length > 1 && isOfOneEvent(error)) {
        for (const each of batch) await settle([each]);
        return;
      }
      for (const { reject } of batch.flat()) reject(error);
    }
  }

  function start(): void {
    if (running >= MOST_AT_ONCE || waiting.length === 0) return;
    const { batch, rest } = nextBatch(waiting);
    waiting = rest;
    running += 1;
    void settle(batch).finally(() => {
      running -= 1;
      start();
    });
  }

  return {
    async admit(event) {
      const { promise, resolve, reject } = Promise.withResolvers<Admission>();
      waiting.push({ event, resolve, reject });
      // What comes in the same turn of the loop goes together.
      if (waiting.length === 1) setImmediate(start);
      return promise;
    },
  };
}

function tell([first, ...again]: Arrival, admission: Admission | undefined): void {
  if (admission === undefined) return first.reject(new Error("an event got no answer"));
  first.resolve(admission);
  for (const { resolve } of again) resolve(admission === "full" ? "full" : "seen");
}

/** Whether the database answers and refuses what one event says, or in which order: the others are not to blame. */
function isOfOneEvent(error: unknown): boolean {
  return error instanceof DatabaseError && /^(?:22|23|40)/u.test(error.code ?? "");
}

/** The first ones, of each change one delivery: a second one must see what became of the first. */
function nextBatch(waiting: readonly Waiting[]): { batch: Arrival[]; rest: Waiting[] } {
  const batch = new Map<string, Arrival>();
  const rest: Waiting[] = [];
  const held = new Set<string>();
  for (const each of waiting) {
    const { channel, deliveryId, key } = each.event;
    const delivery = JSON.stringify([channel, deliveryId, key]);
    const same = batch.get(delivery);
    const names = [`change ${key}`, `delivery ${channel} ${deliveryId}`];
    if (same !== undefined) same.push(each);
    else if (batch.size < MOST_IN_BATCH && !names.some((name) => held.has(name))) batch.set(delivery, [each]);
    else rest.push(each);
    for (const name of names) held.add(name);
  }
  return { batch: [...batch.values()], rest };
}
