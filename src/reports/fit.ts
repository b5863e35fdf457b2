/**
 * The longest version of a text that is within the limit: sections are left out whole, in the order given, and
 * never cut. `render` gets the sections left out so far.
 */
export function fit<Section extends string>(
  render: (omitted: ReadonlySet<Section>) => string,
  order: readonly Section[],
  withinLimit: (text: string) => boolean,
): string {
  const omitted = new Set<Section>();
  let text = render(omitted);
  for (const section of order) {
    if (withinLimit(text)) return text;
    omitted.add(section);
    text = render(omitted);
  }
  return text;
}
