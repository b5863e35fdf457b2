import { mapTexts } from "./map-texts.ts";
import { formsOf, redactForms } from "./redact.ts";

/** The secrets that a process holds. Whoever gets another one adds it; whoever lets a text out redacts it. */
export type Secrets = {
  /** Adds secrets that last as long as the process. */
  keep(...values: string[]): void;
  /** Adds secrets of an hour or a trial: only the newest of them are remembered. */
  add(...values: string[]): void;
  /** The text without them, and without what has the shape of a token. */
  redact(text: string): string;
  /** The same value with every text in it redacted. */
  redactTexts<T>(value: T): T;
  /** The values themselves, for a thread that redacts on its own. */
  values(): string[];
};

/** Tokens of an hour: a process that gets more of them in an hour than this has other worries. */
const SHORT_LIVED = 64;

export function createSecrets(lasting: readonly string[] = []): Secrets {
  const kept = new Set(lasting);
  const recent = new Set<string>();
  let forms = formsOf([...kept]);
  const values = () => [...kept, ...recent];
  const redact = (text: string) => redactForms(text, forms);
  return {
    keep(...added) {
      for (const value of added) kept.add(value);
      forms = formsOf(values());
    },
    add(...added) {
      const isNews = added.some((value) => !kept.has(value) && !recent.has(value));
      // Deleted first: what was used last is what stays.
      for (const value of added) if (recent.delete(value) || !kept.has(value)) recent.add(value);
      for (const value of [...recent].slice(0, -SHORT_LIVED)) recent.delete(value);
      if (isNews) forms = formsOf(values());
    },
    redact,
    redactTexts: (value) => mapTexts(value, redact),
    values,
  };
}
