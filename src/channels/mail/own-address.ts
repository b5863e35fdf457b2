/** An address as two mails are compared by: lower case, without the part behind `+`. */
export function plainAddress(address: string): string {
  const at = address.lastIndexOf("@");
  const local = address.slice(0, Math.max(at, 0)).split("+")[0] ?? "";
  return `${local}${address.slice(Math.max(at, 0))}`.toLowerCase();
}
