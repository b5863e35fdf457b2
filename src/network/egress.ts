import { lookup } from "node:dns";
import type { AllowAddress, Resolve } from "./addresses.ts";
import { parseEgress } from "./egress-list.ts";
import { isOwnAddress, isPublicAddress } from "./public-address.ts";

/** What leads out of a gate: hosts by name and port before anything is looked up, then addresses as names lead there. */
export type Egress = {
  knowsHost: (host: string) => boolean;
  allowsHost: (host: string, port: number) => boolean;
  allowsAddress: AllowAddress;
  resolve: Resolve;
};

/**
 * Egress to the hosts of a list, where they lead to public addresses that are none of this machine. `resolve` and
 * `allowsAddress` are given by tests alone, which reach nothing but their own machine.
 */
export function egressTo(
  hosts: readonly string[],
  given: Partial<Pick<Egress, "resolve" | "allowsAddress">> = {},
): Egress {
  const list = parseEgress(hosts);
  return {
    knowsHost: list.knows,
    allowsHost: list.allows,
    allowsAddress: (_host, address) => isPublicAddress(address) && !isOwnAddress(address),
    resolve: lookup,
    ...given,
  };
}
