/**
 * What is answered about leases, in every format that has a form for it: grants, revocations,
 * renewals, what is left, lists.
 *
 * Source: etcdctl 3.4 lease, whose JSON has its own spelling for each.
 */

import type { ReplyHeader } from '../../../include/rpc.ts';
import { printField, printHeaderFields } from './field-lines.ts';
import { goQuote } from './go-quote.ts';
import { type Json, printJson, unlessEmpty } from './json.ts';
import { headerJson } from './json-parts.ts';
import { type LeasePrinter, leaseName, type Output } from './printer.ts';

/** Makes the one of the simple format. */
export function createSimpleLeasePrinter(output: Output): LeasePrinter {
  return {
    leaseGrant: ({ id, ttlSeconds }) => {
      output(`lease ${leaseName(id)} granted with TTL(${ttlSeconds}s)\n`);
    },
    leaseRevoke: (_reply, id) => output(`lease ${leaseName(id)} revoked\n`),
    leaseKeepAlive: ({ id, ttlSeconds }) => {
      output(`lease ${leaseName(id)} keepalived with TTL(${ttlSeconds})\n`);
    },
    leaseGone: (id) => output(`lease ${leaseName(id)} expired or revoked.\n`),
    leaseTimeToLive: ({ id, ttlSeconds, grantedTtlSeconds, keys }, wanted) => {
      if (grantedTtlSeconds === 0 && ttlSeconds === -1) {
        output(`lease ${leaseName(id)} already expired\n`);
        return;
      }
      const times = `granted with TTL(${grantedTtlSeconds}s), remaining(${ttlSeconds}s)`;
      output(`lease ${leaseName(id)} ${times}`);
      if (wanted.keys) {
        output(', attached keys([');
        keys.forEach((key, place) => {
          if (place > 0) output(' ');
          output(key);
        });
        output('])');
      }
      output('\n');
    },
    leaseList: ({ ids }) => {
      output(`found ${ids.length} leases\n`);
      for (const id of ids) output(`${leaseName(id)}\n`);
    },
  };
}

/** Makes the one of the JSON format. */
export function createJsonLeasePrinter(output: Output): LeasePrinter {
  const print = (reply: ReplyHeader, members: { readonly [name: string]: Json }): void =>
    output(`${printJson({ ...headerJson(reply), ...members })}\n`);
  return {
    leaseGrant: (reply) => print(reply, { ID: reply.id, TTL: reply.ttlSeconds, Error: '' }),
    leaseRevoke: (reply) => output(`${printJson({ header: headerJson(reply) })}\n`),
    leaseKeepAlive: (reply) => print(reply, { ID: reply.id, TTL: reply.ttlSeconds }),
    leaseGone: () => {},
    leaseTimeToLive: (reply) =>
      print(reply, {
        id: reply.id,
        ttl: reply.ttlSeconds,
        'granted-ttl': reply.grantedTtlSeconds,
        keys: unlessEmpty(reply.keys) ?? null,
      }),
    leaseList: (reply) => print(reply, { leases: reply.ids.map((id) => ({ id })) }),
  };
}

/** Makes the one of the fields format. */
export function createFieldsLeasePrinter(output: Output): LeasePrinter {
  return {
    leaseGrant: (reply) => {
      printHeaderFields(output, reply);
      printField(output, 'ID', reply.id);
      printField(output, 'TTL', reply.ttlSeconds);
    },
    leaseRevoke: (reply) => printHeaderFields(output, reply),
    leaseKeepAlive: (reply) => {
      printHeaderFields(output, reply);
      printField(output, 'ID', reply.id);
      printField(output, 'TTL', reply.ttlSeconds);
    },
    leaseGone: () => {},
    leaseTimeToLive: (reply) => {
      printHeaderFields(output, reply);
      printField(output, 'ID', reply.id);
      printField(output, 'TTL', reply.ttlSeconds);
      printField(output, 'GrantedTTL', reply.grantedTtlSeconds);
      for (const key of reply.keys) printField(output, 'Key', goQuote(key));
    },
    leaseList: (reply) => {
      printHeaderFields(output, reply);
      for (const id of reply.ids) printField(output, 'ID', id);
    },
  };
}
