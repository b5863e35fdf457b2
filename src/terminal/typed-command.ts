/** The command as it can be typed again. */
export function typedCommand(argv: readonly string[]): string {
  const quoted = argv.map((word) =>
    /^[\w@%+=:,./~^-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`,
  );
  return ["tare", ...quoted].join(" ");
}
