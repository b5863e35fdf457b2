/** The same value with every text in it, keys too, passed through `clean`. */
export function mapTexts<T>(value: T, clean: (text: string) => string): T {
  return mapped(value, clean) as T;
}

function mapped(value: unknown, clean: (text: string) => string): unknown {
  if (typeof value === "string") return clean(value);
  if (Array.isArray(value)) return value.map((each) => mapped(each, clean));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [clean(key), mapped(each, clean)]));
}
