const ZONE = /(?:[+-]\d{2}:?\d{2}|\b(?:GMT|UTC?|Z|[ECMP][SD]T))\s*$/i;
/** Zones by name that the language does not know, in minutes from UTC. */
const ZONES: Readonly<Record<string, string>> = {
  cet: "+0100",
  cest: "+0200",
  bst: "+0100",
  jst: "+0900",
  msk: "+0300",
  eet: "+0200",
  eest: "+0300",
  ist: "+0530",
  west: "+0100",
  wet: "+0000",
};

/** A date as mails write it; without a zone it is taken for UTC. Null where it is none. */
export function readDate(text: string | null): Date | null {
  if (text === null) return null;
  const bare = text
    .slice(0, 100)
    .replace(/\s*\([^)]*\)?\s*$/, "")
    .replace(/^(\w{3}),(?=\S)/, "$1, ")
    .trim();
  const named = bare.replace(
    /\s([a-z]{3,4})$/i,
    (whole, zone: string) => ` ${ZONES[zone.toLowerCase()] ?? whole.trim()}`,
  );
  const withZone = ZONE.test(named) ? named : `${named} UTC`;
  const ms = Date.parse(withZone);
  const other = Number.isNaN(ms) ? Date.parse(named.replace(/\s\S+$/, " UTC")) : ms;
  return Number.isNaN(other) ? null : new Date(other);
}
