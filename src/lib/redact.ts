const REDACTED = "[redacted]";
/** A shorter secret would blacken ordinary words; none of those that Tare holds is shorter. */
const SHORTEST = 4;

/** Tokens known by their shape, whoever they belong to. */
const SHAPES: { shape: RegExp; replacement: string }[] = [
  {
    shape:
      /-----BEGIN [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----|$)/gu,
    replacement: REDACTED,
  },
  { shape: /\bgh[pousr]_[A-Za-z0-9_]{10,}/gu, replacement: REDACTED },
  { shape: /\bgithub_pat_[A-Za-z0-9_]{10,}/gu, replacement: REDACTED },
  // GitLab: personal, deploy, job, runner, feed, agent, trigger, SCIM and application tokens.
  {
    shape: /\bgl(?:pat|dt|cbt|rt|rtr|ft|agent|ptt|soat|imt|oas|ffct|wt)-[A-Za-z0-9_.=-]{10,}/gu,
    replacement: REDACTED,
  },
  { shape: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/gu, replacement: REDACTED },
  { shape: /\b(Basic|Bearer)\s+[A-Za-z0-9+/=_.~-]{8,}/giu, replacement: `$1 ${REDACTED}` },
  { shape: /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?#"'<>]+@/giu, replacement: `$1${REDACTED}@` },
];

/**
 * The text without the given secrets (as they are, URI-encoded, JSON-escaped or in base64, also inside a longer
 * base64 text) and without anything that has the shape of a token. Give a whole text: keys span lines.
 */
export function redact(text: string, secrets: readonly string[]): string {
  const values = secrets
    .filter((secret) => secret.length >= SHORTEST)
    .flatMap(forms)
    .sort((a, b) => b.length - a.length);
  const byValue = values.reduce((rest, value) => rest.replaceAll(value, REDACTED), text);
  return SHAPES.reduce((rest, { shape, replacement }) => rest.replaceAll(shape, replacement), byValue);
}

function forms(secret: string): string[] {
  const escaped = JSON.stringify(secret).slice(1, -1);
  const encoded = encodeURIComponent(secret.toWellFormed());
  return [secret, escaped, encoded, encoded.toLowerCase(), ...base64Forms(secret)].filter(
    (form) => form.length >= SHORTEST,
  );
}

/** Base64 of the secret at each of the three places it can have inside a longer text, such as `user:secret`. */
function base64Forms(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const inside = [0, 1, 2].flatMap((offset) => {
    const shifted = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString("base64")
      .replaceAll("=", "");
    // The first and last characters also depend on the neighbours, so only what is between is searched.
    const stable = shifted.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
    return stable.length >= 6 ? [stable] : [];
  });
  return [bytes.toString("base64"), ...inside].flatMap((form) => [
    form,
    form.replaceAll("+", "-").replaceAll("/", "_"),
  ]);
}
