/** Endpoints as people write them: `host:port`, `[::1]:7001`, `http://host:port`. */

import { ErrorCode, KvorumError } from '../../include/rpc.ts';

/** A place that a node listens at. */
export type Endpoint = {
  /** Name or IP address, without brackets. */
  readonly host: string;
  readonly port: number;
  /** `host:port`, an IPv6 address in brackets: equal for equal endpoints. */
  readonly name: string;
};

/**
 * Reads an endpoint.
 *
 * @throws KvorumError BadEndpoint
 */
export function parseEndpoint(text: string): Endpoint {
  const bare = text
    .trim()
    .replace(/^http:\/\//i, '')
    .replace(/\/$/, '');
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(bare)) throw refuse(text, 'only http:// may stand before it');

  const match = /^(?:\[([0-9a-fA-F:.%a-z]+)\]|([^:[\]/\s]+)):(\d{1,5})$/.exec(bare);
  if (match === null) throw refuse(text, 'expected host:port, IPv6 addresses in brackets');
  const [, inBrackets, plain, digits = ''] = match;
  const host = inBrackets ?? plain ?? '';
  const port = Number(digits);
  if (port < 1 || port > 65_535) throw refuse(text, 'a port is 1 to 65535');
  return { host, port, name: formatEndpoint(host, port) };
}

/** `host:port`, an IPv6 address in brackets. */
export function formatEndpoint(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function refuse(text: string, why: string): KvorumError {
  return new KvorumError(ErrorCode.BadEndpoint, `bad endpoint ${JSON.stringify(text)}: ${why}`);
}
