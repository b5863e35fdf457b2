/** Where mail programs put the mail that is answered below the answer, without quoting it. */
const FORWARDED =
  /^(?:-{2,} ?(?:Original|Forwarded|Ursprüngliche|Weitergeleitete|Mensaje|Message d)[^\n]{0,40}-*|_{20,}\s*\n(?:From|Von|De):|(?:From|Von|De): [^\n]+\n(?:Sent|Gesendet|Envoyé|Date|Datum): [^\n]+\n(?:To|An|À|Subject|Betreff):)/m;
const QUOTE = /^\s{0,3}(?:[A-Za-z]{0,4}>|\||»)/;

/** Lines that the sender of a mail wrote: no quotes, nothing behind the signature or a forwarded mail. */
export function unquotedLines(text: string): string[] {
  const cut = FORWARDED.exec(text)?.index ?? text.length;
  const lines = text.slice(0, cut).split("\n");
  const signature = lines.lastIndexOf("-- ");
  const own = signature > 0 ? lines.slice(0, signature) : lines;
  return withoutQuotes(own);
}

/** Lines that nothing quotes. */
export function withoutQuotes(lines: readonly string[]): string[] {
  return lines.filter((line) => !QUOTE.test(line)).map((line) => line.trimEnd());
}
