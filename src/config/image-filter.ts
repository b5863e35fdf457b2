import { posix } from "node:path";

/**
 * Why a project's file leaves an image alone; null where it does not. `image` is the short name, `dockerfile` the path.
 * An image is tried where `include` names it, or is empty, and `ignore` does not.
 */
export function imageFilter(globs: {
  include: readonly string[];
  ignore: readonly string[];
}): (image: string, dockerfile: string) => string | null {
  return (image, dockerfile) => {
    const named = (glob: string) =>
      [image, dockerfile].some((name) => name === glob || posix.matchesGlob(name, glob));
    const ignored = globs.ignore.find(named);
    if (ignored !== undefined) return `.tare.yml ignores ${ignored}`;
    return globs.include.length === 0 || globs.include.some(named) ? null : ".tare.yml does not include it";
  };
}
