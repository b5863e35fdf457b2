import { LEDGERS } from "../domain/comparison.ts";
import type { LedgerId } from "../domain/comparison.ts";
import { formatByteDifference, formatBytes, formatCount } from "../domain/quantities.ts";
import {
  aboutImage,
  chargesOf,
  closeTo,
  decider,
  greatest,
  heldAgainst,
  markOf,
  namedLedgers,
  notTested,
  reaches,
  sidesOf,
  timesText,
} from "./charges.ts";
import type { Judged, Sides } from "./charges.ts";
import type { ClaimFacts, StrategyFacts } from "./facts.ts";
import type { Assertion } from "./types.ts";

type Of<Kind extends Assertion["kind"]> = Extract<Assertion, { kind: Kind }>;

/** One ledger of one image, before any edit (0) or after so many: what both sides are charged. */
type Row = {
  sides: Sides;
  ledger: LedgerId;
  edits: number;
  current: number;
  proposed: number;
};

/** Rows of all images and known ledgers; of a ledger without both figures, or without a base, there is none. */
function rowsOf(
  facts: ClaimFacts,
  bytes: (sides: Sides, ledger: LedgerId) => [number | null, number | null, number?],
): Row[] {
  const ledgers = heldAgainst(facts);
  return sidesOf(facts).flatMap((sides) =>
    ledgers.flatMap((ledger) => {
      const [current, proposed, edits = 0] = bytes(sides, ledger);
      return current === null || proposed === null || current <= 0
        ? []
        : [{ sides, ledger, edits, current, proposed }];
    }),
  );
}

/** What both sides are charged before any edit. */
function rowsBefore(facts: ClaimFacts): Row[] {
  return rowsOf(facts, ({ current, proposed }, ledger) => [
    chargesOf(current, ledger).before,
    chargesOf(proposed, ledger).before,
  ]);
}

/** What both sides are charged after the last edit that both have built: each side grows by the edits itself. */
function rowsAfter(facts: ClaimFacts): Row[] {
  return rowsOf(facts, ({ current, proposed }, ledger) => {
    const [own, other] = [chargesOf(proposed, ledger).edits, chargesOf(current, ledger).edits];
    const last = Math.max(0, ...[...own.keys()].filter((edit) => other.has(edit)));
    return [other.get(last) ?? null, own.get(last) ?? null, last];
  });
}

/** Rows of the image that shows most: the ledgers that are always named, and any other that says something else. */
function shown<R extends Row>(
  rows: readonly R[],
  holds: (row: R) => boolean,
  facts: ClaimFacts,
): { rows: R[]; about: string } {
  const named = namedLedgers(facts);
  const isNamed = ({ ledger }: Row) => named.includes(ledger);
  const most = greatest(
    rows.some(isNamed) ? rows.filter(isNamed) : rows,
    ({ current, proposed }) => proposed / current,
  );
  const image = most?.sides.image ?? "";
  const own = rows.filter(({ sides }) => sides.image === image);
  const first = named.flatMap((ledger) => own.filter((row) => row.ledger === ledger));
  const said = new Set(first.map(holds));
  const others = own.filter((row) => !isNamed(row) && !said.has(holds(row)));
  const images = new Set(rows.map(({ sides }) => sides.image)).size;
  return { rows: [...first, ...others], about: aboutImage(image, images, "the most") };
}

/** What decides where some figures hold and others do not: the ledger, the edits, or else the image. */
function why<R extends Row>(rows: readonly R[], holds: (row: R) => boolean, facts: ClaimFacts): string {
  const isMixedBy = (key: (row: Row) => string | number) => {
    const groups = Map.groupBy(rows, (row) => `${key(row)} ${row.sides.image}`);
    return [...groups.values()].some((own) => own.some(holds) && !own.every(holds));
  };
  const [byLedger, byEdits] = [isMixedBy(({ edits }) => edits), isMixedBy(({ ledger }) => ledger)];
  if (byLedger) return decider(facts, byEdits ? "the ledger and the edits decide" : "the ledger decides");
  return byEdits ? "the edits decide" : "the image decides";
}

/** `it doubles our storage` */
export function answerMultiplied({ factor, atLeast }: Of<"storage multiplied">, facts: ClaimFacts): Judged {
  const holds = ({ current, proposed }: Row) => reaches(proposed / current, factor, atLeast);
  const rows = statesOf(facts, holds);
  const mark = markOf(rows.map(holds));
  if (mark === null) return notTested("no image was built by both strategies, so nothing can be compared.");
  const { rows: own, about } = shown(rows, holds, facts);
  const states = Map.groupBy(own, ({ edits }) => edits);
  const texts = [...states].map(([edits, state]) => {
    const times = state.map((row) => timesText(row, holds(row) ? factor : null));
    return { name: editsText(state[0]?.sides, edits), times: times.join(", ") };
  });
  const [first] = own;
  const names = first ? `${first.sides.proposed.label} against ${first.sides.current.label}` : "";
  const said =
    texts.length === 1
      ? `${names} ${texts[0]?.name ?? ""}: ${texts[0]?.times ?? ""}`
      : `${names}: ${texts.map(({ name, times }) => `${name} ${times}`).join("; ")}`;
  const end = mark === "depends" ? `: ${why(rows, holds, facts)}` : "";
  const least = atLeast && mark === "confirmed" ? ` (claimed: at least ${factor} times)` : "";
  return { mark, sentence: `${about}${said}${least}${end}.` };
}

/** The state before any edit, and the one after them where that says something else of a ledger. */
function statesOf(facts: ClaimFacts, holds: (row: Row) => boolean): Row[] {
  const [before, after] = [rowsBefore(facts), rowsAfter(facts)];
  if (before.length === 0) return after;
  const key = ({ sides, ledger }: Row) => `${ledger} ${sides.image}`;
  const first = new Map(before.map((row) => [key(row), holds(row)]));
  return after.some((row) => first.get(key(row)) !== holds(row)) ? [...before, ...after] : before;
}

/** `after 3 made-up edits` */
function editsText(sides: Sides | undefined, edits: number): string {
  if (edits === 0) return "before any edit";
  return `after ${formatCount(edits, sides?.facts.edits.synthetic ? "made-up edit" : "edit")}`;
}

/** `slope` in bytes an edit; `after` is measured up to so many edits, and computed beyond. */
type Growth = { slope: number; after(edits: number): number };

/** Growth of one side over the edits of a row; null where nothing was charged before them. */
function growthOf(strategy: StrategyFacts, { ledger, edits: last }: Row): Growth | null {
  const { before, edits } = chargesOf(strategy, ledger);
  const bytes = edits.get(last);
  if (before === null || bytes === undefined) return null;
  const slope = (bytes - before) / last;
  const measured = (count: number) => (count > last ? undefined : edits.get(count));
  return { slope, after: (count) => measured(count) ?? before + slope * count };
}

/** Both sides of a row after so many edits each; null where one was not charged before them. */
type Pace = { own: Growth; other: Growth; timesAfter: (edits: number) => number };

function paceOf(row: Row): Pace | null {
  const own = growthOf(row.sides.proposed, row);
  const other = growthOf(row.sides.current, row);
  if (own === null || other === null) return null;
  return { own, other, timesAfter: (edits) => own.after(edits) / other.after(edits) };
}

type PacedRow = Row & { pace: Pace };

/** "Triple" is said of the first edit after "double", "quadruple" of the second. */
function claimedEdits(factor: number): number {
  return Math.max(1, factor - 2);
}

/** What growth is less than counts as none: 1 % of what was there before the edits. */
const GROWTH_FROM = 0.01;

/** `update the RUN command again, and we now have quadruple` */
export function answerGrowth({ factor }: Of<"growth by edits">, facts: ClaimFacts): Judged {
  const rows = rowsAfter(facts).flatMap((row) => {
    const pace = paceOf(row);
    return pace === null ? [] : [{ ...row, pace }];
  });
  const holds = ({ pace }: PacedRow) => {
    if (factor !== null) return reaches(pace.timesAfter(claimedEdits(factor)), factor);
    return pace.own.slope >= GROWTH_FROM * pace.own.after(0);
  };
  const mark = markOf(rows.map(holds));
  if (mark === null) return notTested("no edit was built by both strategies; `--edits 4` replays four.");
  const { rows: own, about } = shown(rows, holds, facts);
  const texts = own.map((row) => (factor === null ? slopeText(row) : reachText(row, factor)));
  const end = mark === "depends" ? `: ${why(rows, holds, facts)}` : "";
  return { mark, sentence: `${about}${growthStart(own[0], factor)}: ${texts.join(", ")}${end}.` };
}

function growthStart(row: Row | undefined, factor: number | null): string {
  if (row === undefined) return "";
  const { current, proposed } = row.sides;
  const edits = editsText(row.sides, row.edits);
  if (factor === null) return `${edits}, on average, ${proposed.label} beside ${current.label}`;
  return `${edits} ${proposed.label} against ${current.label}`;
}

/** `+2.00 MB an edit beside +0 B` */
function paceText({ own, other }: Pace): string {
  return `${formatByteDifference(own.slope)} an edit beside ${formatByteDifference(other.slope)}`;
}

function slopeText({ pace, ledger }: PacedRow): string {
  return `${paceText(pace)} ${LEDGERS[ledger].by}`;
}

/** `2.26 times counted per repository (+2.00 MB an edit beside +0 B; computed: 4 times after 10 edits)` */
function reachText({ pace, ...row }: PacedRow, factor: number): string {
  const times = `${(row.proposed / row.current).toFixed(2)} times ${LEDGERS[row.ledger].by}`;
  return `${times} (${paceText(pace)}; ${reachedAfter(pace, row.edits, factor)})`;
}

/** With which edit a multiple was reached, or would be at the pace that was seen. */
function reachedAfter(pace: Pace, last: number, factor: number): string {
  const { own, other, timesAfter } = pace;
  if (timesAfter(0) >= factor) return `${factor} times before any edit`;
  const claimed = claimedEdits(factor);
  const at = (edits: number) => `after ${formatCount(edits, "edit")}`;
  const then = `${timesAfter(claimed).toFixed(2)} times`;
  const isClose = reaches(timesAfter(claimed), factor) && timesAfter(claimed) < factor;
  if (isClose && claimed === last) return `close to ${factor}`;
  if (isClose)
    return `${claimed > last ? "computed: " : ""}${then}${closeTo(timesAfter(claimed), factor)} ${at(claimed)}`;
  for (let edits = 1; edits <= last; edits += 1)
    if (timesAfter(edits) >= factor) return `${factor} times ${at(edits)}`;
  // Both sides grow: the multiple comes nearer only where one grows so much faster.
  const nearer = own.slope - factor * other.slope;
  if (nearer <= 0) return `so ${factor} times never`;
  const edits = Math.ceil((factor * other.after(0) - own.after(0)) / nearer);
  const first = claimed > last && claimed < edits ? `${then} ${at(claimed)}, ` : "";
  return `computed: ${first}${factor} times ${at(edits)}`;
}

/** `cleanup stops it growing without bound, but storage stays doubled` */
export function answerCleanup({ factor }: Of<"cleanup">, facts: ClaimFacts): Judged {
  const rows = rowsOf(facts, ({ current, proposed }, ledger) => [
    current.cleanup?.floor[ledger] ?? chargesOf(current, ledger).before,
    proposed.cleanup?.floor[ledger] ?? null,
  ]);
  const shrinks = ({ sides, ledger, proposed }: Row) =>
    proposed < (sides.proposed.cleanup?.before[ledger] ?? proposed);
  const holds = (row: Row) => (factor === null ? shrinks(row) : reaches(row.proposed / row.current, factor));
  // Where the policy deletes nothing yet, what is left when it does is between this and the newest build alone.
  const isIdle = rows.length > 0 && rows.every(({ sides }) => sides.proposed.cleanup?.deletedTags === 0);
  const fresh = isIdle && factor !== null ? rowsBefore(facts) : [];
  const mark = markOf([...rows, ...fresh].map(holds));
  if (mark === null) return notTested(`no cleanup policy was simulated${freshText(facts)}.`);
  const { rows: own, about } = shown(rows, holds, facts);
  const texts = own.map((row) => {
    const before = row.sides.proposed.cleanup?.before[row.ledger];
    const from = isIdle || before === undefined ? "" : `, from ${formatBytes(before)}`;
    return `${timesText(row, holds(row) ? factor : null)}${from}`;
  });
  const [first] = own;
  const { label, cleanup } = first?.sides.proposed ?? {};
  const idle = isIdle ? ", which deletes nothing yet" : "";
  const start = `after cleanup (${cleanup?.policy ?? ""}${idle}) ${label ?? ""} keeps`;
  const alone = isIdle ? aloneText(facts) : "";
  const end = mark === "depends" ? `: ${why([...rows, ...fresh], holds, facts)}` : "";
  return { mark, sentence: `${about}${start} ${texts.join("; ")}${alone}${end}.` };
}

/** What a cleanup that leaves nothing but the newest build would leave; empty where it is not known. */
function freshText(facts: ClaimFacts): string {
  const { rows: own, about } = shown(rowsBefore(facts), () => true, facts);
  if (own.length === 0) return ", so what remains after it is not known";
  const texts = own.map((row) => timesText(row, null));
  return `; the newest build alone, as in a fresh registry, is ${about}${texts.join(", ")}`;
}

/** `; the newest build alone 2.15 times counted per repository, 1.10 times by GitLab's count` */
function aloneText(facts: ClaimFacts): string {
  const texts = shown(rowsBefore(facts), () => true, facts).rows.map(
    ({ ledger, current, proposed }) => `${(proposed / current).toFixed(2)} times ${LEDGERS[ledger].by}`,
  );
  return texts.length === 0 ? "" : `; the newest build alone would be ${texts.join(", ")}`;
}
