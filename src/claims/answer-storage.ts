import { LEDGERS } from "../domain/comparison.ts";
import type { LedgerId } from "../domain/comparison.ts";
import { formatByteDifference, formatBytes, formatCount } from "../domain/quantities.ts";
import {
  aboutImage,
  chargesOf,
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
import type { ClaimFacts } from "./facts.ts";
import type { Assertion } from "./types.ts";

type Of<Kind extends Assertion["kind"]> = Extract<Assertion, { kind: Kind }>;

/** One ledger of one image: what both sides are charged, and how they go on. */
type Row = {
  sides: Sides;
  ledger: LedgerId;
  current: number;
  proposed: number;
};

/** Rows of all images and known ledgers; of a ledger without both figures, or without a base, there is none. */
function rowsOf(
  facts: ClaimFacts,
  bytes: (sides: Sides, ledger: LedgerId) => [number | null, number | null],
): Row[] {
  const ledgers = heldAgainst(facts);
  return sidesOf(facts).flatMap((sides) =>
    ledgers.flatMap((ledger) => {
      const [current, proposed] = bytes(sides, ledger);
      return current === null || proposed === null || current <= 0
        ? []
        : [{ sides, ledger, current, proposed }];
    }),
  );
}

/** Rows of the image that shows most: the ledgers that are always named, and any other that says something else. */
function shown(
  rows: readonly Row[],
  holds: (row: Row) => boolean,
  facts: ClaimFacts,
): { rows: Row[]; about: string } {
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

/** What decides where some figures hold and others do not: the ledger, unless each image has its own answer. */
function why(rows: readonly Row[], holds: (row: Row) => boolean, facts: ClaimFacts): string {
  const byImage = Map.groupBy(rows, ({ sides }) => sides.image);
  const mixed = [...byImage.values()].some((own) => own.some(holds) && !own.every(holds));
  return mixed ? decider(facts) : "the image decides";
}

/** `it doubles our storage` */
export function answerMultiplied({ factor, atLeast }: Of<"storage multiplied">, facts: ClaimFacts): Judged {
  const rows = rowsOf(facts, ({ current, proposed }, ledger) => [
    chargesOf(current, ledger).before,
    chargesOf(proposed, ledger).before,
  ]);
  const holds = ({ current, proposed }: Row) => reaches(proposed / current, factor);
  const mark = markOf(rows.map(holds));
  if (mark === null) return notTested("No image was built by both strategies, so nothing can be compared.");
  const { rows: own, about } = shown(rows, holds, facts);
  const texts = own.map(({ ledger, current, proposed }) => timesText(ledger, proposed, current));
  const [first] = own;
  const names = first ? `${first.sides.proposed.label} against ${first.sides.current.label}` : "";
  const end = mark === "depends" ? `: ${why(rows, holds, facts)}` : "";
  const least = atLeast && mark === "confirmed" ? ` (claimed: at least ${factor} times)` : "";
  return { mark, sentence: `${about}${names} before any edit: ${texts.join(", ")}${least}${end}.` };
}

/** `slope` in bytes an edit over `edits` edits; `after` is measured as far as it can be, and computed beyond. */
type Growth = { slope: number; edits: number; after(edits: number): number };

/** Growth of the proposed side in one row; null where no edit can be charged. */
function growthOf(row: Row): Growth | null {
  const { before, edits } = chargesOf(row.sides.proposed, row.ledger);
  const last = Math.max(0, ...edits.keys());
  const bytes = edits.get(last);
  if (before === null || bytes === undefined || last === 0) return null;
  const slope = (bytes - before) / last;
  return { slope, edits: last, after: (count) => edits.get(count) ?? before + slope * count };
}

/** "Triple" is said of the first edit after "double", "quadruple" of the second. */
function claimedEdits(factor: number): number {
  return Math.max(1, factor - 2);
}

/** What growth is less than counts as none: 1 % of what was there before the edits. */
const GROWTH_FROM = 0.01;

/** `update the RUN command again, and we now have quadruple` */
export function answerGrowth({ factor }: Of<"growth by edits">, facts: ClaimFacts): Judged {
  const rows = rowsOf(facts, ({ current, proposed }, ledger) => {
    const { before, edits } = chargesOf(proposed, ledger);
    const last = edits.get(Math.max(0, ...edits.keys()));
    return before === null ? [null, null] : [chargesOf(current, ledger).before, last ?? null];
  });
  const holds = (row: Row) => {
    const growth = growthOf(row);
    if (growth === null) return false;
    if (factor !== null) return reaches(growth.after(claimedEdits(factor)) / row.current, factor);
    return growth.slope >= GROWTH_FROM * growth.after(0);
  };
  const mark = markOf(rows.map(holds));
  if (mark === null)
    return notTested("No edit was built by the proposed strategy; `--edits 4` replays four.");
  const { rows: own, about } = shown(rows, holds, facts);
  const texts = own.map((row) => (factor === null ? slopeText(row) : reachText(row, factor)));
  const end = mark === "depends" ? `: ${why(rows, holds, facts)}` : "";
  return { mark, sentence: `${about}${growthStart(own[0], factor)}: ${texts.join(", ")}${end}.` };
}

function growthStart(row: Row | undefined, factor: number | null): string {
  if (row === undefined) return "";
  const { current, proposed, facts } = row.sides;
  const edits = formatCount(growthOf(row)?.edits ?? 0, facts.edits.synthetic ? "made-up edit" : "edit");
  if (factor === null) return `after ${edits}, on average, ${proposed.label} beside ${current.label}`;
  return `after ${edits} ${proposed.label} holds, against ${current.label} before any`;
}

/** `+2.00 MB an edit beside +0 B by GitLab's count` */
function slopeText(row: Row): string {
  const own = growthOf(row);
  const other = growthOf({ ...row, sides: { ...row.sides, proposed: row.sides.current } });
  const beside = other === null ? "" : ` beside ${formatByteDifference(other.slope)}`;
  return `${formatByteDifference(own?.slope ?? 0)} an edit${beside} ${LEDGERS[row.ledger].by}`;
}

/** `2.26 times counted per repository (25.09 MB against 11.08 MB, +2.00 MB an edit; computed: 4 times after 10 edits)` */
function reachText(row: Row, factor: number): string {
  const growth = growthOf(row);
  const times = `${(row.proposed / row.current).toFixed(2)} times ${LEDGERS[row.ledger].by}`;
  const bytes = `${formatBytes(row.proposed)} against ${formatBytes(row.current)}`;
  if (growth === null) return `${times} (${bytes})`;
  return `${times} (${bytes}, ${formatByteDifference(growth.slope)} an edit; ${reachedAfter(growth, row.current, factor)})`;
}

/** With which edit a multiple was reached, or would be at the growth that was seen. */
function reachedAfter(growth: Growth, base: number, factor: number): string {
  if (growth.after(0) >= factor * base) return `${factor} times before any edit`;
  for (let edits = 1; edits <= growth.edits; edits += 1)
    if (growth.after(edits) >= factor * base) return `${factor} times after ${formatCount(edits, "edit")}`;
  if (growth.slope <= 0) return `so ${factor} times never`;
  const claimed = claimedEdits(factor);
  const then = (growth.after(claimed) / base).toFixed(2);
  const edits = Math.ceil((factor * base - growth.after(0)) / growth.slope);
  const first =
    claimed > growth.edits && claimed < edits ? `${then} times after ${formatCount(claimed, "edit")}, ` : "";
  return `computed: ${first}${factor} times after ${formatCount(edits, "edit")}`;
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
  const mark = markOf(rows.map(holds));
  if (mark === null) return notTested(`No cleanup policy was simulated${freshText(facts)}.`);
  const { rows: own, about } = shown(rows, holds, facts);
  const texts = own.map(({ ledger, current, proposed, sides }) => {
    const before = sides.proposed.cleanup?.before[ledger];
    const from = before === undefined ? "" : `, from ${formatBytes(before)}`;
    return `${timesText(ledger, proposed, current)}${from}`;
  });
  const [first] = own;
  const start = `after cleanup (${first?.sides.proposed.cleanup?.policy ?? ""}) ${first?.sides.proposed.label ?? ""} keeps`;
  const end = mark === "depends" ? `: ${why(rows, holds, facts)}` : "";
  return { mark, sentence: `${about}${start} ${texts.join("; ")}${end}.` };
}

/** What a cleanup that leaves nothing but the newest build would leave; empty where it is not known. */
function freshText(facts: ClaimFacts): string {
  const rows = rowsOf(facts, ({ current, proposed }, ledger) => [
    chargesOf(current, ledger).before,
    chargesOf(proposed, ledger).before,
  ]);
  const { rows: own, about } = shown(rows, () => true, facts);
  if (own.length === 0) return ", so what remains after it is not known";
  const texts = own.map(({ ledger, current, proposed }) => timesText(ledger, proposed, current));
  return `; the newest build alone, as in a fresh registry, is ${about}${texts.join(", ")}`;
}
