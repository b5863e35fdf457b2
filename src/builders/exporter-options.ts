import { drop, own, refuse, WHY, words, type FlagReading } from "./flags.ts";

/** Options of BuildKit's image exporter that change its bytes (README of moby/buildkit, "Image/Registry"). */
const KNOWN =
  /^(?:oci-mediatypes|oci-artifact|compression|compression-level|force-compression|rewrite-timestamp|annotation(?:-[\w-]+)?\..+)$/;
/** Tare states these itself, or they change nothing that is pushed. */
const OWN = /^(?:type|name|push|registry\.insecure|unpack|store|name-canonical|dangling-name-prefix)$/;

/** `type=image,push=true` as pairs; a lone word is a destination directory. */
function pairsOf(value: string): [name: string, value: string][] {
  return fieldsOf(value).map((field) => {
    const equals = field.indexOf("=");
    return equals === -1 ? ["dest", field] : [field.slice(0, equals), field.slice(equals + 1)];
  });
}

/** Fields of a line of comma separated values; a quoted one may hold commas. */
function fieldsOf(value: string): string[] {
  return [...value.matchAll(/"((?:[^"]|"")*)"|[^,]+/g)].map(([whole, quoted]) =>
    quoted === undefined ? whole : quoted.replaceAll('""', '"'),
  );
}

/** Whether an `--output` pushes an image: to `registry`, or as `image` with `push`. */
export function pushesImage(value: string): boolean {
  const { type, push } = Object.fromEntries(pairsOf(value)) as { type?: string; push?: string };
  return type === "registry" || (type === "image" && push !== undefined && /^(?:true|1|)$/.test(push));
}

/** An `--output` of docker that pushes, under the names that Tare states: those written in it are the template's. */
export function readPushingOutput(value: string | null): FlagReading {
  const given = value ?? "";
  if (!pushesImage(given)) return refuse(WHY.notPushed);
  const reading = readOutput(given);
  if (reading.action !== "own") return reading;
  return words("--output", ["type=image", "push=true", ...exporterOptions([given]).map(csvField)].join(","));
}

/** What becomes of an `--output`: its options are collected by `exporterOptions`. */
export function readOutput(value: string | null): FlagReading {
  const given = value ?? "";
  const type = Object.fromEntries(pairsOf(given))["type"];
  if (type === "docker") return drop("the image is pushed from where it was built");
  if (type !== "image" && type !== "registry") return refuse(WHY.notPushed);
  const unknown = pairsOf(given).find(([name]) => !KNOWN.test(name) && !OWN.test(name));
  return unknown === undefined ? own : refuse(`Tare does not know the option ${unknown[0]} of its exporter`);
}

/** Options of every `--output` that change the image's bytes, as `name=value`. */
export function exporterOptions(outputs: readonly string[]): string[] {
  return outputs
    .flatMap(pairsOf)
    .filter(([name]) => KNOWN.test(name))
    .map(([name, value]) => `${name}=${value}`);
}

/** `--annotation [type:]key=value` of buildx as an option of the exporter; null where it is none. */
export function annotationOption(value: string): string | null {
  const [, type, rest] =
    /^(?:(manifest|index|manifest-descriptor|index-descriptor):)?([^=]+=.*)$/.exec(value) ?? [];
  if (rest === undefined) return null;
  return type === undefined || type === "manifest" ? `annotation.${rest}` : `annotation-${type}.${rest}`;
}

/** One field of comma separated values, quoted where it holds a comma or a quote. */
export function csvField(field: string): string {
  return /[",]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
