/** An image reference cut in three; tag and digest are null where it names none. */
export type ImageReference = { repository: string; tag: string | null; digest: string | null };

/** Cuts a reference: a colon behind the last slash stands before a tag, one before it is a port's. */
export function splitReference(reference: string): ImageReference {
  const [name = "", digest = null] = reference.split("@");
  const colon = name.lastIndexOf(":");
  const tagged = colon > name.lastIndexOf("/");
  return {
    repository: tagged ? name.slice(0, colon) : name,
    tag: tagged ? name.slice(colon + 1) : null,
    digest,
  };
}

/** The registry that a reference names, or null: its first part is a host where it has a dot or a port, or is localhost. */
export function hostOf(reference: string): string | null {
  if (!reference.includes("/")) return null;
  const first = reference.split("/")[0] ?? "";
  return /[.:]/.test(first) || first === "localhost" ? first : null;
}
