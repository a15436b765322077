/** How an address and a port are written for people: IPv6 addresses in brackets. */

/** `address:port`. */
export function remoteName(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
