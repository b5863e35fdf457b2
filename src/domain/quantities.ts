/** Figures as people read them: decimal bytes, binary memory, seconds; always with a unit. */

const BYTE_UNITS = [
  { unit: "kB", bytes: 1e3, upTo: 999.95 },
  // Whole MB up to 99,999 MB: images are compared in MB, and 1,658 MB says more than 1.66 GB.
  { unit: "MB", bytes: 1e6, upTo: 99_999.5 },
  { unit: "GB", bytes: 1e9, upTo: Number.POSITIVE_INFINITY },
] as const;

/** Digits in groups of three, for example `1,658`. */
function grouped(fixed: string): string {
  const [whole = "", fraction] = fixed.split(".");
  const groups = whole.replaceAll(/\B(?=(?:\d{3})+$)/g, ",");
  return fraction === undefined ? groups : `${groups}.${fraction}`;
}

/** Two decimals below 100, one below 1,000, none above: three to five digits that do not jump about. */
function fixed(value: number): string {
  const decimals = value < 99.995 ? 2 : value < 999.95 ? 1 : 0;
  return grouped(value.toFixed(decimals));
}

/** Bytes in decimal units: `512 B`, `2.98 kB`, `16.83 MB`, `1,658 MB`, `123.4 GB`. */
export function formatBytes(bytes: number): string {
  const size = Math.abs(bytes);
  const sign = bytes < 0 ? "-" : "";
  if (size < 1000) return `${sign}${Math.round(size)} B`;
  const unit = BYTE_UNITS.find((candidate) => size / candidate.bytes < candidate.upTo) ?? BYTE_UNITS[2];
  return `${sign}${fixed(size / unit.bytes)} ${unit.unit}`;
}

/** A difference of bytes, always with its sign: `+2.98 kB`, `-1,658 MB`, `+0 B`. */
export function formatByteDifference(bytes: number): string {
  return bytes < 0 ? formatBytes(bytes) : `+${formatBytes(bytes)}`;
}

/** Every byte: `16,825,269 B`. */
export function formatExactBytes(bytes: number): string {
  return `${bytes < 0 ? "-" : ""}${grouped(Math.abs(bytes).toFixed(0))} B`;
}

/** Memory in binary units: `8 GiB`, `9.52 GiB`, `412 MiB`. */
export function formatMemory(bytes: number): string {
  const mebibytes = Math.round(bytes / 2 ** 20);
  if (mebibytes < 1024) return `${mebibytes} MiB`;
  const gibibytes = bytes / 2 ** 30;
  return `${Number.isInteger(gibibytes) ? grouped(String(gibibytes)) : fixed(gibibytes)} GiB`;
}

/** A duration: `3.1 s`, `12 m 04 s`, `1 h 02 m`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 59_950) return `${(durationMs / 1000).toFixed(1)} s`;
  const seconds = Math.round(durationMs / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${twoDigits(seconds % 60)} s`;
  const minutes = Math.round(durationMs / 60_000);
  return `${grouped(String(Math.floor(minutes / 60)))} h ${twoDigits(minutes % 60)} m`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}

/** Relative change with its sign, `+36.2 %`; null where there is nothing to relate it to. */
export function formatPercent(current: number, proposed: number, decimals = 1): string | null {
  if (current === 0) return null;
  const percent = ((proposed - current) / Math.abs(current)) * 100;
  const sign = proposed < current ? "-" : "+";
  return `${sign}${grouped(Math.abs(percent).toFixed(decimals))} %`;
}

/** `one edit`, `2 edits`. */
export function formatCount(count: number, noun: string): string {
  return count === 1 ? `one ${noun}` : `${grouped(String(count))} ${noun}s`;
}
