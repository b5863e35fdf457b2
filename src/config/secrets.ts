type Environment = Record<string, string | undefined>;

/** Settings of Tare that are secret as a whole; two of them are lists. */
const OWN: ReadonlySet<string> = new Set([
  "GITHUB_PRIVATE_KEY",
  "GITHUB_WEBHOOK_SECRET",
  "GITLAB_TOKEN",
  "GITLAB_WEBHOOK_SECRET",
  "TARE_PAGES_TOKEN",
  "PGPASSWORD",
]);

/** Variables of others whose names say what they hold. */
const NAMES =
  /(?:^|_)(?:TOKEN|SECRET|PASS|PASSWORD|PASSWD|PASSPHRASE|APIKEY|(?:API|ACCESS|PRIVATE|SECRET)_KEY)$/iu;
/** A guessed secret that is shorter may be an ordinary word. */
const SHORTEST_GUESSED = 8;

/**
 * Every secret that an environment holds: Tare's own settings, the passwords in addresses of all variables, and what others
 * named a token, secret, password or key. `readFile` gets the path in GITHUB_PRIVATE_KEY_FILE.
 */
export function secretsIn(environment: Environment, readFile: (path: string) => string): string[] {
  const entries = Object.entries(environment).flatMap(([name, value]) =>
    value === undefined || value.trim() === "" ? [] : [{ name, value: value.trim() }],
  );
  const found = entries.flatMap(({ name, value }) => {
    if (OWN.has(name)) return [value, ...listOf(name, value), ...keyOf(value)];
    if (NAMES.test(name) && value.length >= SHORTEST_GUESSED) return [value];
    return passwordsIn(value);
  });
  return [...new Set([...found, ...keyFile(environment["GITHUB_PRIVATE_KEY_FILE"], readFile)])];
}

function listOf(name: string, value: string): string[] {
  return name.endsWith("_WEBHOOK_SECRET") ? value.split(",").map((part) => part.trim()) : [];
}

/** A key on one line, as it is on many. */
function keyOf(value: string): string[] {
  return value.includes("\\n") ? [value.replaceAll("\\n", "\n")] : [];
}

/** The password of an address, as it stands there and as it is meant; a user's name alone may be a token. */
function passwordsIn(value: string): string[] {
  const url = /^[a-z][a-z0-9+.-]*:\/\//iu.test(value) ? URL.parse(value) : null;
  if (url === null) return [];
  const asked = [url.searchParams.get("password") ?? ""];
  const written = [url.password === "" ? "" : url.password, ...asked].filter((each) => each !== "");
  return written.flatMap((each) => [each, decoded(each)]);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function keyFile(path: string | undefined, readFile: (path: string) => string): string[] {
  if (path === undefined || path === "") return [];
  try {
    return [readFile(path).trim()];
  } catch {
    // Whoever needs the key says that it cannot be read.
    return [];
  }
}
