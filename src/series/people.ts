import type { Person } from "../domain/change.ts";
import { readPeople, type Mail } from "./read-mail.ts";

const NOBODY: Person = { name: "", address: "" };

/**
 * Who sent a mail. Lists that rewrite From for DMARC write `Name via List <list@host>`: the person is then in
 * X-Original-From, in Reply-To, or written into the address.
 */
export function senderOf(mail: Mail): Person {
  const from = mail.from?.address.includes("@") === true ? mail.from : nameAlone(mail);
  const via = /^(.*\S)\s+(?:via|durch|über)\s+\S.*$/i.exec(from.name);
  const encoded = /^([^@=]+)=([^@=]+\.[^@=]+)@/.exec(from.address);
  const isList = from.address !== "" && from.address.toLowerCase() === mail.listPost?.toLowerCase();
  if (!via && !isList && !encoded) return { name: from.name, address: withoutInvalid(from.address) };
  const name = (via?.[1] ?? from.name).replaceAll(/^["']|["']$/g, "");
  const other = originalOf(mail) ?? replyToOf(mail, from);
  if (other) return { name: other.name === "" || via ? name : other.name, address: other.address };
  return { name, address: encoded && !isList ? `${encoded[1]}@${encoded[2]}` : from.address };
}

/** A From without an address names somebody all the same. */
function nameAlone(mail: Mail): Person {
  const text = mail.headers.get("from")?.[0]?.replaceAll(/[<>"]/g, "").trim().slice(0, 200) ?? "";
  // Archives write addresses so that nobody collects them.
  const hidden = /^(?:"?([^<>"()]*)"?\s+)??(\S+)\s+at\s+([\w.-]+\.\w+)(?:\s+\((.*)\))?$/i.exec(text);
  if (hidden) return { name: (hidden[4] ?? hidden[1] ?? "").trim(), address: `${hidden[2]}@${hidden[3]}` };
  return text === "" || text.includes("@") ? NOBODY : { name: text, address: "" };
}

function originalOf(mail: Mail): Person | null {
  for (const name of ["x-original-from", "x-original-sender", "original-from", "x-mailfrom"]) {
    const [person] = readPeople(mail.headers.get(name)?.[0] ?? "");
    if (person?.address.includes("@") === true) return person;
  }
  return null;
}

/** Reply-To, unless it is the list's own address again. */
function replyToOf(mail: Mail, from: Person): Person | null {
  const values = (mail.headers.get("reply-to") ?? []).flatMap(readPeople);
  const list = new Set([from.address.toLowerCase(), mail.listPost?.toLowerCase()]);
  return values.find((person) => !list.has(person.address.toLowerCase())) ?? null;
}

/** Some lists put `.invalid` behind an address instead. */
function withoutInvalid(address: string): string {
  return address.replace(/\.invalid$/i, "");
}
