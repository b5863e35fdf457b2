import { editNumber, LEDGERS, ledgersBeside, pairOf } from "../domain/comparison.ts";
import type { LedgerId } from "../domain/comparison.ts";
import { formatBytes } from "../domain/quantities.ts";
import type { ClaimFacts, ImageFacts, StrategyFacts } from "./facts.ts";
import type { ClaimAnswer } from "./types.ts";

/** What an assertion comes to; a question is worded afterwards. */
export type Judged = Pick<ClaimAnswer, "mark" | "sentence">;

/** An image of which both sides were built. */
export type Sides = { image: string; current: StrategyFacts; proposed: StrategyFacts; facts: ImageFacts };

export function sidesOf(facts: ClaimFacts): Sides[] {
  return facts.images.flatMap((image) => {
    const { current, proposed } = pairOf(image.strategies);
    return current && proposed ? [{ image: image.image, current, proposed, facts: image }] : [];
  });
}

/** Bytes of the last state before any edit, and of each edit by its number. */
export function chargesOf(
  strategy: StrategyFacts,
  ledger: LedgerId,
): { before: number | null; edits: Map<number, number> } {
  const edits = new Map<number, number>();
  let before: number | null = null;
  for (const { scenario, charges } of strategy.runs) {
    const bytes = charges[ledger];
    if (bytes === undefined) continue;
    if (editNumber(scenario) > 0) edits.set(editNumber(scenario), bytes);
    else before = bytes;
  }
  return { before, edits };
}

/** The ledgers that a sentence names: repositories added up, and what the forge charges by. */
export function namedLedgers(facts: ClaimFacts): LedgerId[] {
  const forge = facts.ledger ?? "namespace";
  return forge === "perRepository" ? ["perRepository", "namespace"] : ["perRepository", forge];
}

/** The ledgers that a claim is held against: those of another forge say nothing about it. */
export function heldAgainst({ ledger }: ClaimFacts): LedgerId[] {
  const all = ledgersBeside(ledger ?? "namespace");
  return ledger === "ghcr" ? all.filter((each) => each !== "namespace") : all;
}

/** The ledger that the forge charges by, as the reason why figures that differ do not contradict each other. */
export function decider(facts: ClaimFacts, what: string): string {
  // Who is charged by GitLab's count needs not be told that GitLab charges by it.
  if (facts.ledger === "namespace") return what;
  return facts.ledger === null
    ? `${what} (which ledger the forge charges by is not known)`
    : `${what} (the forge charges ${LEDGERS[facts.ledger].by})`;
}

/** A multiple counts as reached from 85 % of it on: 1.7 times is "double"; from 95 % on where it is said to be the least. */
const REACHED_FROM = 0.85;
const LEAST_FROM = 0.95;

export function reaches(times: number, factor: number, atLeast = false): boolean {
  return times >= (atLeast ? LEAST_FROM : REACHED_FROM) * factor;
}

/** `, close to 2,` where a multiple that counts as reached is below it, as it is shown; empty otherwise. */
export function closeTo(times: number, factor: number): string {
  return Number(times.toFixed(2)) < factor ? `, close to ${factor},` : "";
}

/** `1.90 times, close to 2, counted per repository (21.09 MB against 11.08 MB)`; `reached` is the multiple that counts. */
export function timesText(
  { ledger, current, proposed }: { ledger: LedgerId; current: number; proposed: number },
  reached: number | null,
): string {
  const times = proposed / current;
  const close = reached === null ? "" : closeTo(times, reached);
  return `${times.toFixed(2)} times${close} ${LEDGERS[ledger].by} (${formatBytes(proposed)} against ${formatBytes(current)})`;
}

/** `confirmed` where everything says so, `refuted` where nothing does; null where nothing says anything. */
export function markOf(holds: readonly boolean[]): "confirmed" | "refuted" | "depends" | null {
  if (holds.length === 0) return null;
  if (holds.every(Boolean)) return "confirmed";
  return holds.some(Boolean) ? "depends" : "refuted";
}

/** `alpine: ` where there are several images. */
export function aboutImage(image: string, count: number, why: string): string {
  return count > 1 ? `${image}, ${why} of ${count} images: ` : "";
}

export function notTested(sentence: string): Judged {
  return { mark: "not tested", sentence };
}

/** The entry with the greatest weight; null for none. */
export function greatest<T>(entries: readonly T[], weight: (entry: T) => number): T | null {
  return entries.reduce<T | null>(
    (best, entry) => (best === null || weight(entry) > weight(best) ? entry : best),
    null,
  );
}
