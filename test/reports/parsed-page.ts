import { parse, type DefaultTreeAdapterTypes } from "parse5";

/** An element of a page: its name, attributes, the text within, and its own elements. */
export type Parsed = { name: string; attributes: Record<string, string>; text: string; children: Parsed[] };

/** Every element of a page in order, and what a browser would have to mend. */
export function parsedPage(html: string): { elements: Parsed[]; faults: string[] } {
  const faults: string[] = [];
  const document = parse(html, {
    onParseError: ({ code, startLine, startCol }) => faults.push(`${startLine}:${startCol} ${code}`),
  });
  return { elements: elementsIn(document), faults };
}

function elementsIn(node: DefaultTreeAdapterTypes.Node): Parsed[] {
  if (!("childNodes" in node)) return [];
  return node.childNodes.flatMap((child) =>
    "tagName" in child ? [parsed(child), ...elementsIn(child)] : elementsIn(child),
  );
}

function parsed(element: DefaultTreeAdapterTypes.Element): Parsed {
  return {
    name: element.tagName,
    attributes: Object.fromEntries(element.attrs.map(({ name, value }) => [name, value])),
    text: textIn(element),
    children: element.childNodes.flatMap((child) => ("tagName" in child ? [parsed(child)] : [])),
  };
}

function textIn(node: DefaultTreeAdapterTypes.Node): string {
  if (node.nodeName === "#text") return (node as DefaultTreeAdapterTypes.TextNode).value;
  return "childNodes" in node ? node.childNodes.map(textIn).join("") : "";
}

/** The elements of one name, in order. */
export function named(elements: readonly Parsed[], name: string): Parsed[] {
  return elements.filter((element) => element.name === name);
}

/** A table as texts: its caption and its rows, the head first. */
export function tableOf(table: Parsed): { caption: string; rows: string[][] } {
  const caption = table.children.find(({ name }) => name === "caption");
  const rows = table.children.flatMap((part) => part.children.filter(({ name }) => name === "tr"));
  return { caption: caption?.text ?? "", rows: rows.map((row) => row.children.map(({ text }) => text)) };
}
