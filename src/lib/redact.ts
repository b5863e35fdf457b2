import { escapeHtml } from "./html-text.ts";

const REDACTED = "[redacted]";
/** A shorter secret would blacken ordinary words; none of those that Tare holds is shorter. */
const SHORTEST = 4;
/** Shorter lines of a longer secret are no secret. */
const LONG_LINE = 16;

/** Where a word starts, also behind a line break that JSON has escaped. */
const START = String.raw`(?:(?<![A-Za-z0-9_])|(?<=\\[bfnrt]))`;

/** Tokens known by their shape, whoever they belong to. None of them crosses a quotation mark: JSON stays JSON. */
const SHAPES: { shape: RegExp; replacement: string }[] = [
  {
    shape:
      /-----BEGIN [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----[^"]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----|(?=")|$)/gu,
    replacement: REDACTED,
  },
  { shape: new RegExp(`${START}gh[pousr]_[A-Za-z0-9_]{10,}`, "gu"), replacement: REDACTED },
  { shape: new RegExp(`${START}github_pat_[A-Za-z0-9_]{10,}`, "gu"), replacement: REDACTED },
  // GitLab: personal, deploy, job, runner, feed, agent, trigger, SCIM and application tokens.
  {
    shape: new RegExp(
      `${START}gl(?:pat|dt|cbt|rt|rtr|ft|agent|ptt|soat|imt|oas|ffct|wt)-[A-Za-z0-9_.=-]{10,}`,
      "gu",
    ),
    replacement: REDACTED,
  },
  { shape: new RegExp(`${START}whsec_[A-Za-z0-9+/=]{16,}`, "gu"), replacement: REDACTED },
  { shape: new RegExp(String.raw`${START}(?:AKIA|ASIA)[A-Z0-9]{16}\b`, "gu"), replacement: REDACTED },
  // JSON Web Tokens: two parts that start as JSON does, and a signature.
  {
    shape: new RegExp(String.raw`${START}eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*`, "gu"),
    replacement: REDACTED,
  },
  {
    shape: new RegExp(String.raw`${START}(Basic|Bearer)\s+[A-Za-z0-9+/=_.~-]{8,}`, "giu"),
    replacement: `$1 ${REDACTED}`,
  },
  // A user's name alone may be a token, but for SSH, where it is a name.
  {
    shape: /\b(?!(?:git\+)?ssh:\/\/[^\s/?#"'<>:@]+@)([a-z][a-z0-9+.-]*:\/\/)[^\s/?#"'<>]+@/giu,
    replacement: `$1${REDACTED}@`,
  },
];

/**
 * The text without the given secrets (as they are, URI-encoded, escaped for JSON or HTML, or in base64, also inside a
 * longer base64 text) and without anything that has the shape of a token. Give a whole text: keys span lines.
 */
export function redact(text: string, secrets: readonly string[]): string {
  return redactForms(text, formsOf(secrets));
}

/** `redact` with the forms of the secrets made before: making them costs more than looking for them. */
export function redactForms(text: string, forms: readonly string[]): string {
  const byValue = forms.reduce((rest, form) => rest.replaceAll(form, REDACTED), text);
  return SHAPES.reduce((rest, { shape, replacement }) => rest.replaceAll(shape, replacement), byValue);
}

/** Every text that gives one of these secrets away, the longest first. */
export function formsOf(secrets: readonly string[]): string[] {
  const values = secrets.flatMap(wholeAndLines).filter((value) => value.length >= SHORTEST);
  return [...new Set(values.flatMap(forms))].sort((a, b) => b.length - a.length);
}

/** A key is also given away by a line of it. Its first and last lines are everybody's. */
function wholeAndLines(secret: string): string[] {
  const lines = secret
    .split(/\r?\n/u)
    .filter((line) => line.length >= LONG_LINE && !line.startsWith("-----"));
  return lines.length > 1 ? [secret, ...lines] : [secret];
}

function forms(secret: string): string[] {
  const escaped = JSON.stringify(secret).slice(1, -1);
  const encoded = encodeURIComponent(secret.toWellFormed());
  const html = escapeHtml(secret);
  return [secret, escaped, encoded, encoded.toLowerCase(), html, ...base64Forms(secret)].filter(
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
