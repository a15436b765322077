/** The URLs of etcd's flags: `http://host:port`, comma separated, and what they name. */

import { isIP } from 'node:net';
import { MEMBER_NAME_BYTES_MAX } from '../../../include/node.ts';
import { formatEndpoint } from '../../client/endpoint.ts';
import { isAddress } from '../../node/nodes-conf.ts';
import { refusal } from './options.ts';

/** A place that a URL names. */
export type Place = {
  /** A name or an IP address, without brackets. */
  readonly host: string;
  readonly port: number;
};

/** A member of an initial cluster. */
export type InitialMember = { readonly name: string; readonly places: readonly Place[] };

/** Reads the URLs of a flag, at least one. @throws CommandError */
export function readUrls(flag: string, text: string): Place[] {
  const urls = text.split(',').filter((url) => url !== '');
  if (urls.length === 0) throw verifying(`--${flag} is empty: expected http://host:port`);
  return urls.map((url) => readUrl(flag, url.trim()));
}

/** Reads URLs to listen at: addresses of this machine. @throws CommandError */
export function readListenUrls(flag: string, text: string): Place[] {
  return readUrls(flag, text).map(({ host, port }) => {
    if (host === 'localhost') return { host: '127.0.0.1', port };
    if (isIP(host) !== 0) return { host, port };
    throw verifying(`expected IP in URL for binding (${formatUrl({ host, port })})`);
  });
}

/** Where this machine reaches what listens at a place. */
export function reachable({ host, port }: Place): string {
  const own = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return formatEndpoint(own, port);
}

/** Reads `name=url,name=url`; a name with several URLs comes several times. @throws CommandError */
export function readInitialCluster(text: string): InitialMember[] {
  const members = new Map<string, Place[]>();
  for (const word of text.split(',').filter((each) => each.trim() !== '')) {
    const at = word.indexOf('=');
    const name = word.slice(0, at).trim();
    if (at < 1) throw verifying(`--initial-cluster has "${word}": expected NAME=http://host:port`);
    if (Buffer.byteLength(name) > MEMBER_NAME_BYTES_MAX) {
      throw verifying(
        `the name ${name.slice(0, 20)}… has more than ${MEMBER_NAME_BYTES_MAX} bytes`,
      );
    }
    const places = members.get(name) ?? [];
    places.push(readUrl('initial-cluster', word.slice(at + 1).trim()));
    members.set(name, places);
  }
  return [...members].map(([name, places]) => ({ name, places }));
}

/** Writes a place as a URL. */
export function formatUrl({ host, port }: Place): string {
  return `http://${formatEndpoint(host, port)}`;
}

function readUrl(flag: string, text: string): Place {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const port = /:(\d{1,5})\/?$/.exec(text)?.[1];
  if (url === undefined || port === undefined) {
    throw verifying(`--${flag} has "${text}": expected http://host:port`);
  }
  if (url.protocol === 'https:') {
    throw verifying(`--${flag} has "${text}": TLS is not served yet, give http://`);
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const isBare = url.protocol === 'http:' && url.pathname === '/' && url.search === '';
  if (isBare && isAddress(host) && Number(port) > 0) return { host, port: Number(port) };
  throw verifying(`--${flag} has "${text}": expected http://host:port`);
}

/** etcd's words for flags that make no sense. */
export function verifying(text: string): Error {
  return refusal(`error verifying flags, ${text}. See 'kvorum etcd --help'`);
}
