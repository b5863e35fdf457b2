import type { SeriesJson } from "./series-schema.ts";

type One = SeriesJson["series"][number];

/** The same for people: each series with its parts, then the mails of none. */
export function seriesText({ messages, series }: SeriesJson): string {
  const loose = messages.filter((message) => message.series === null);
  const odd = messages.filter(({ series: of, flaws }) => of !== null && flaws.length > 0);
  return [
    ...series.map(oneText),
    ...(loose.length > 0 ? [["Mails of no series:", ...loose.map(looseText)].join("\n")] : []),
    ...(odd.length > 0 ? [["Odd mails:", ...odd.map(looseText)].join("\n")] : []),
    `${count(messages.length, "mail")}, ${count(series.length, "series", "series")}.`,
    "",
  ]
    .join("\n\n")
    .replace(/\n+$/, "\n");
}

function oneText(one: One): string {
  const version = one.version === 1 ? "" : ` v${one.version}`;
  const state = one.supersededBy === null ? one.state : `superseded by ${one.supersededBy}`;
  return [
    `${one.title || "(no subject)"}${version}: ${one.parts.length} of ${one.total}, ${state}`,
    `  ${one.author.name} <${one.author.address}>, ${one.date ?? "no date"}, ${one.id}`,
    ...one.parts.map((part) => `  ${String(part.index).padStart(3)} ${part.title}`),
    ...(one.missing.length > 0 ? [`  missing: ${one.missing.slice(0, 50).join(", ")}`] : []),
    ...(one.base.baseCommit === null ? [] : [`  base: ${one.base.baseCommit}`]),
    ...one.tags.map(
      ({ name, value, toCover, parts }) => `  ${name}: ${value} (${toCover ? "all" : parts.join(", ")})`,
    ),
    ...one.flaws.map(({ message }) => `  note: ${message}`),
  ].join("\n");
}

function looseText({ source, number, type, subject, flaws }: SeriesJson["messages"][number]): string {
  const why = flaws.map(({ message }) => message).join("; ");
  return `  ${source}:${number} ${type} ${JSON.stringify(subject.slice(0, 100))}${why === "" ? "" : `: ${why}`}`;
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
