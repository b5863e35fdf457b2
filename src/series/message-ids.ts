/** Longest id that is one: RFC 5322 lets no line be longer. */
const LONGEST = 998;
/** Ids of one header that are read: more say nothing more. */
const MOST = 2000;

/** Message-IDs of a header's text, with their angle brackets; one that stands bare gets them. */
export function readIds(text: string): string[] {
  const bracketed = text.match(/<[^<>\s]{1,998}>/g);
  if (bracketed !== null) return bracketed.slice(-MOST);
  // Some programs fold within an id, or leave the brackets out.
  const folded = /<([^<>]{1,998})>/.exec(text)?.[1]?.replaceAll(/\s+/g, "");
  if (folded?.includes("@") === true) return [`<${folded}>`];
  const bare = text.trim();
  return /^[^\s<>"(),;]+@[^\s<>"(),;]+$/.test(bare) && bare.length <= LONGEST ? [`<${bare}>`] : [];
}
