/**
 * The arguments that run a trial again: those of the report, but its files are not written again. `format` and `out` are
 * what is asked for now; null where nothing is, and then the format is the report's and the answer is printed.
 */
export function repeatArguments(
  argv: readonly string[],
  { format, out }: { format: string | null; out: string | null },
): string[] {
  const dropped = new Set(["--out", "--report", ...(format === null ? [] : ["--format"])]);
  const kept = argv.filter((word, index) => {
    const [name = ""] = word.split("=", 1);
    return !dropped.has(name) && !dropped.has(argv[index - 1] ?? "");
  });
  const given = Object.entries({ "--format": format, "--out": out });
  return [...kept, ...given.flatMap(([name, value]) => (value === null ? [] : [name, value]))];
}
