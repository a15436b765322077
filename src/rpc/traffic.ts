/** Bytes that travelled, of connections that are gone and of those that are open. */

/** Bytes both ways. */
export type Traffic = { receivedBytes: number; sentBytes: number };

/** Nothing yet. */
export function createTraffic(): Traffic {
  return { receivedBytes: 0, sentBytes: 0 };
}

/** Adds what another one counted. */
export function addTraffic(total: Traffic, { receivedBytes, sentBytes }: Readonly<Traffic>): void {
  total.receivedBytes += receivedBytes;
  total.sentBytes += sentBytes;
}
