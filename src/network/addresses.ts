import { lookup, type LookupAddress, type LookupAllOptions } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";

/** Decides whether the download cache may connect to an address for a host: both as the request leads to them. */
export type AllowAddress = (host: string, address: string) => boolean;

/** Looks all addresses of a name up, as `node:dns` does. */
export type Resolve = (
  host: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** A request led to an address that is not allowed. */
export class AddressRefused extends Error {
  override readonly name = "AddressRefused";

  constructor(host: string) {
    super(`${host} leads to an address that downloads may not reach`);
  }
}

const closed = new BlockList();
// "This" network: Linux connects 0.0.0.0 to the machine itself.
closed.addSubnet("0.0.0.0", 8, "ipv4");
closed.addSubnet("127.0.0.0", 8, "ipv4");
// Link-local, where clouds serve the machine's own credentials.
closed.addSubnet("169.254.0.0", 16, "ipv4");
closed.addAddress("::", "ipv6");
closed.addAddress("::1", "ipv6");
closed.addSubnet("fe80::", 10, "ipv6");

/**
 * The rule where none is given: everything but the machine itself and link-local addresses. Private ranges are allowed,
 * because a site's own package mirror has an address of that kind.
 */
export const allowAllButMachine: AllowAddress = (_host, address) =>
  !closed.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");

/** Whether an address is one of the machine's loopback. */
export function isLoopback(address: string): boolean {
  return loopback.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}

const loopback = new BlockList();
loopback.addSubnet("0.0.0.0", 8, "ipv4");
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::", "ipv6");
loopback.addAddress("::1", "ipv6");

/** Throws AddressRefused for a host that is an address itself and not allowed: no name is looked up then. */
export function refuseLiteral(host: string, allow: AllowAddress): void {
  const bare = host.replaceAll(/[[\]]/g, "");
  if (isIP(bare) !== 0 && !allow(host, bare)) throw new AddressRefused(host);
}

/** Looks names up for a connection and leaves out addresses that are not allowed, so that none is connected to. */
export function guardedLookup(allow: AllowAddress, resolve: Resolve = lookup): LookupFunction {
  return (host, options, callback) => {
    resolve(host, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, "");
      const allowed = addresses.filter(({ address }) => allow(host, address));
      const [first] = allowed;
      if (first === undefined) return callback(new AddressRefused(host), "");
      if (options.all === true) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
}
