/** A sentence as written, and as it is searched: with what others say and code blotted out. */
export type Sentence = {
  written: string;
  masked: string;
  /** Masked text of the sentences before it in the same paragraph. */
  before: string;
};

/** What is longer was not written for people. */
const MAX_PARAGRAPH = 10_000;

const SEGMENTER = new Intl.Segmenter("en", { granularity: "sentence" });

/** Sentences of a paragraph. A full stop inside of quotation marks or of code ends none. */
export function sentencesOf(paragraph: string): Sentence[] {
  if (paragraph.length > MAX_PARAGRAPH) return [];
  const masked = mask(paragraph);
  return [...SEGMENTER.segment(masked)].map(({ segment, index }) => ({
    written: paragraph.slice(index, index + segment.length).trim(),
    masked: oneSpaced(segment),
    before: oneSpaced(masked.slice(0, index)),
  }));
}

/** Marks that were taken out leave spaces. */
function oneSpaced(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}

/**
 * Blots out, letter by letter: text between double quotation marks, code of more than one word, addresses. A word in
 * capitals between quotation marks is an instruction's name and stays.
 */
function mask(text: string): string {
  return (
    text
      .replaceAll(/`{1,3}([^`]{0,500})`{1,3}/g, (whole, code: string) =>
        /^\w+$/.test(code) ? whole.replaceAll("`", " ") : blot(whole),
      )
      .replaceAll(/"[^"]{0,1000}"|“[^”]{0,1000}”|«[^»]{0,1000}»/g, (whole) =>
        isCapitals(whole) ? ` ${whole.slice(1, -1)} ` : blot(whole),
      )
      // A mark that nothing closes: nobody can tell where the other's words end.
      .replaceAll(/["“«].*$/g, blot)
      .replaceAll(/\bhttps?:\/\/\S+|\S{1,100}@\S{1,100}/g, blot)
      .replaceAll(/\*{1,2}|__/g, (marks) => " ".repeat(marks.length))
  );
}

function isCapitals(quoted: string): boolean {
  return /^["“«][A-Z]+["”»]$/.test(quoted);
}

/** A run of marks that no pattern takes for a word. */
function blot(text: string): string {
  return "_".repeat(text.length);
}

const QUOTE_LENGTH = 200;

/** A sentence for a report: cut behind a word where it is longer than 200 characters. */
export function quoteOf(sentence: string): string {
  const text = sentence.replaceAll(/\s+/g, " ");
  if (text.length <= QUOTE_LENGTH) return text;
  const cut = text.slice(0, QUOTE_LENGTH - 1);
  const words = cut.includes(" ") ? cut.slice(0, cut.lastIndexOf(" ")) : cut;
  // Half of a surrogate pair is no character.
  return `${words.replace(/[\uD800-\uDBFF]$/, "")}…`;
}
