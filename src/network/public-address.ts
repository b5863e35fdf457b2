import { networkInterfaces } from "node:os";
import ipaddr from "ipaddr.js";

/**
 * Whether an address is one of the public internet: none of the machine itself, of a private network, of a link, of a
 * carrier, and none that is kept for documentation, tests or later. What cannot be read is not.
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.parse(address);
  if (parsed instanceof ipaddr.IPv4) return parsed.range() === "unicast";
  const embedded = embeddedAddress(parsed);
  if (embedded !== null) return embedded.range() === "unicast";
  // Global unicast is 2000::/3 so far: whatever else has no meaning yet is not public either.
  return parsed.range() === "unicast" && parsed.match(GLOBAL, 3);
}

const GLOBAL = ipaddr.IPv6.parse("2000::");
const TRANSLATED = ipaddr.IPv6.parse("64:ff9b::");

/** The IPv4 address that an IPv6 one stands for: mapped, or behind the well-known prefix of NAT64. */
function embeddedAddress(address: ipaddr.IPv6): ipaddr.IPv4 | null {
  if (address.isIPv4MappedAddress()) return address.toIPv4Address();
  if (!address.match(TRANSLATED, 96)) return null;
  return new ipaddr.IPv4(address.toByteArray().slice(12));
}

/** Whether an address is one of this machine's own now, public or not. */
export function isOwnAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const wanted = ipaddr.process(address).toNormalizedString();
  return Object.values(networkInterfaces())
    .flatMap((found) => found ?? [])
    .some((own) => ipaddr.process(own.address).toNormalizedString() === wanted);
}
