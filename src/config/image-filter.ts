/**
 * Why a project's file leaves an image alone; null where it does not. `image` is the short name, `dockerfile` the path.
 * An image is tried where `include` names it, or is empty, and `ignore` does not.
 */
export function imageFilter(globs: {
  include: readonly string[];
  ignore: readonly string[];
}): (image: string, dockerfile: string) => string | null {
  return (image, dockerfile) => {
    const named = (glob: string) => matchesGlob(image, glob) || matchesGlob(dockerfile, glob);
    const ignored = globs.ignore.find(named);
    if (ignored !== undefined) return `.tare.yml ignores ${ignored}`;
    return globs.include.length === 0 || globs.include.some(named) ? null : ".tare.yml does not include it";
  };
}

/**
 * True where the whole name matches: `*` stands for any letters but `/`, `**` for any, `**` and `/` for any directories
 * or none, `?` for one letter. All ways are followed side by side: a regular expression would take exponential time.
 */
export function matchesGlob(name: string, glob: string): boolean {
  const parts = glob.match(/\*\*\/|\*\*|[^]/gu) ?? [];
  let places = skipped(new Set([0]), parts);
  for (const letter of name) {
    const next = new Set<number>();
    for (const place of places) {
      const part = parts[place];
      if (part === "**" || part === "**/" || (part === "*" && letter !== "/")) next.add(place);
      if (part === letter || (part === "?" && letter !== "/")) next.add(place + 1);
      // Directories end with their slash.
      if (part === "**/" && letter === "/") next.add(place + 1);
    }
    places = skipped(next, parts, letter);
  }
  return places.has(parts.length);
}

/** The places with those behind wildcards that stand for nothing more. Directories stand for nothing at the start alone. */
function skipped(places: Set<number>, parts: readonly string[], letter?: string): Set<number> {
  // A set hands out what is added to it meanwhile.
  for (const place of places) {
    const part = parts[place];
    const free =
      part === "*" || part === "**" || (part === "**/" && (letter === undefined || letter === "/"));
    if (free) places.add(place + 1);
  }
  return places;
}
