/** Sequences that run before the random ones: rules worth a sequence, and what was found. */

import type { Operation } from '../../include/client.ts';
import type { Sequence } from './steps.ts';

const gets = (count: number): Operation[] => Array.from({ length: count }, () => ({ get: 'a' }));

/** For stores that were never compacted: the one thing that the others cannot show. */
export const NEVER_COMPACTED: Sequence = [
  { get: 'a', revision: 1 },
  { put: 'a', value: '1' },
  { compact: -3 },
  { compact: 0 },
  { compact: 0 },
  { get: 'a', revision: 1 },
  { get: 'a', revision: 2 },
  { compact: 2, physical: true },
  { get: 'a', revision: 1 },
  { get: 'a', revision: 2 },
];

/** By name. */
export const FIXED: Readonly<Record<string, Sequence>> = {
  'a key is compared as it was before the transaction': [
    { put: 'a', value: '1' },
    {
      txn: {
        then: [
          { put: 'a', value: '2' },
          { get: 'a' },
          { txn: { when: [{ key: 'a', value: '1' }], then: [{ delete: 'b' }, { get: 'a' }] } },
        ],
      },
    },
  ],
  'an absent key compares as 0, its value never': [
    {
      txn: {
        when: [
          { key: 'x', version: 0 },
          { key: 'x', createRevision: 0 },
          { key: 'x', modRevision: 0 },
          { key: 'x', lease: 0n },
          { key: 'x', rangeEnd: 'y', version: 0 },
        ],
        then: [{ put: 'b', value: 'all hold' }],
      },
    },
    { txn: { when: [{ key: 'x', operator: '!=', value: 'v' }], then: [{ get: 'b' }] } },
    { txn: { when: [{ key: 'x', operator: '<', value: 'v' }], then: [{ get: 'b' }] } },
  ],
  'an answer in a transaction tells the revision of its operation': [
    { put: 'a', value: '1' },
    {
      txn: {
        then: [
          { get: 'a' },
          { delete: 'x' },
          { put: 'b', value: '1' },
          { get: 'a' },
          { delete: 'x' },
        ],
      },
    },
    { txn: { then: [{ get: 'a' }, { txn: { then: [{ get: 'a' }, { put: 'c', value: '1' }] } }] } },
  ],
  'operations are counted on the way down': [
    { txn: { then: gets(128) } },
    { txn: { then: gets(129) } },
    { txn: { then: [], otherwise: gets(129) } },
    { txn: { when: Array.from({ length: 128 }, () => ({ key: 'a', version: 0 })) } },
    { txn: { when: Array.from({ length: 129 }, () => ({ key: 'a', version: 0 })) } },
    { txn: { then: [...gets(99), { txn: { then: gets(28) } }] } },
    { txn: { then: [...gets(99), { txn: { then: gets(29) } }] } },
    { txn: { then: [...gets(127), { txn: {} }] } },
    { txn: { then: [{ txn: { then: [{ txn: { then: gets(126) } }] } }] } },
    { txn: { then: [{ txn: { then: [{ txn: { then: gets(127) } }] } }] } },
  ],
  'a key is written once in a branch': [
    {
      txn: {
        then: [
          { put: 'a', value: '1' },
          { put: 'a', value: '2' },
        ],
      },
    },
    { txn: { then: [{ put: 'a', value: '1' }], otherwise: [{ put: 'a', value: '2' }] } },
    { txn: { then: [{ delete: 'a' }, { put: 'a', value: '2' }] } },
    {
      txn: {
        then: [
          { put: 'b', value: '2' },
          { delete: 'a', rangeEnd: 'c' },
        ],
      },
    },
    {
      txn: {
        then: [
          { put: 'c', value: '2' },
          { delete: 'a', rangeEnd: 'c' },
        ],
      },
    },
    { txn: { then: [{ delete: 'a' }, { delete: 'a', rangeEnd: 'c' }] } },
    {
      txn: {
        then: [
          { txn: { then: [{ put: 'a', value: '1' }], otherwise: [{ put: 'a', value: '2' }] } },
          { txn: { then: [{ put: 'a', value: '3' }] } },
        ],
      },
    },
    {
      txn: {
        then: [
          { put: 'a', value: '3' },
          { txn: { when: [{ key: 'a', version: 9 }], then: [{ delete: '\0', rangeEnd: '\0' }] } },
        ],
      },
    },
  ],
  'a refusal in a transaction leaves nothing behind': [
    {
      txn: {
        then: [
          { put: 'a', value: '1' },
          { put: 'b', value: '', lease: 9n },
        ],
      },
    },
    {
      txn: {
        then: [
          { put: 'a', value: '1' },
          { get: 'a', revision: 2 },
        ],
      },
    },
    {
      txn: {
        then: [
          { put: 'a', value: '1' },
          { put: 'b', value: '', ignoreValue: true },
        ],
      },
    },
    { txn: { then: [{ put: 'a', value: '1' }, { txn: { then: [{ get: '' }] } }] } },
    { get: '\0', rangeEnd: '\0' },
  ],
  'a lease takes its keys with it': [
    { grant: 7n, ttlSeconds: 1_000 },
    { grant: 7n, ttlSeconds: 9_000_000_001 },
    { grant: 7n, ttlSeconds: 1_000 },
    { grant: 8n, ttlSeconds: 9_000_000_001 },
    { grant: -8n, ttlSeconds: 9_000_000_000 },
    { put: 'b', value: '', lease: 7n },
    { put: 'a', value: '', lease: 7n },
    { put: 'c', value: '', lease: -8n },
    { put: 'a', value: '2', ignoreLease: true },
    { txn: { when: [{ key: 'a', rangeEnd: 'c', lease: 7n }], then: [{ get: 'a' }] } },
    { timeToLive: 7n, keys: true },
    { watch: 'a', rangeEnd: 'd', prevKv: true },
    { put: 'b', value: 'free' },
    { put: 'a', value: 'moved', lease: -8n },
    { revoke: 7n },
    { revoke: -8n },
    { revoke: 0n },
    { timeToLive: 7n, keys: true },
    { keepAlive: 7n },
    { leases: true },
  ],
  'a node that is killed loses nothing, and its watches go on': [
    { grant: 3n, ttlSeconds: 1_000 },
    { put: 'a', value: '1', lease: 3n },
    { watch: '\0', rangeEnd: '\0', prevKv: true },
    { watch: 'a', startRevision: 9 },
    { put: 'a', value: '2', lease: 3n },
    { delete: 'a' },
    { put: 'b', value: '1', lease: 3n },
    { compact: 3 },
    { restart: true },
    { get: '\0', rangeEnd: '\0' },
    { get: 'a', revision: 2 },
    { get: 'a', revision: 3 },
    { timeToLive: 3n, keys: true },
    { put: 'b', value: '2', ignoreLease: true },
    { restart: true },
    { revoke: 3n },
    { leases: true },
  ],
  'a watch is told of more than fits one message': [
    { watch: 'k', rangeEnd: 'l' },
    { watch: 'k', rangeEnd: 'l', prevKv: true },
    ...Array.from({ length: 12 }, (_, round) => ({
      txn: {
        then: Array.from({ length: 100 }, (_, number) => ({
          put: `k${number}`,
          value: `${round}`,
        })),
      },
    })),
    { txn: { then: ['k1', 'k2', 'k3'].map((key) => ({ put: key, value: 'x'.repeat(400_000) })) } },
    { txn: { then: ['k1', 'k2', 'k3'].map((key) => ({ put: key, value: 'y'.repeat(400_000) })) } },
    { delete: 'k', rangeEnd: 'l' },
    { watch: 'k', rangeEnd: 'l', startRevision: 3, prevKv: true },
    { watch: 'k1', startRevision: 2, noDelete: true },
  ],
  'what can never be applied is refused': [
    { put: '', value: 'v' },
    { put: '', value: 'v', ignoreValue: true },
    { put: 'a', value: 'v', ignoreValue: true },
    { put: 'a', value: 'v', ignoreLease: true, lease: 1n },
    { get: '' },
    { delete: '' },
    { delete: '', rangeEnd: '\0' },
    { txn: { when: [{ key: '', version: 0 }] } },
    { txn: { then: [], otherwise: [{ put: '', value: 'v' }] } },
  ],
  'a request as large as is allowed': [
    { put: 'a', value: 'x'.repeat(1_572_864 - 100) },
    { put: 'a', value: 'x'.repeat(1_572_864) },
    { get: 'a', keysOnly: true },
  ],
  'a watch from the past, the future and before what is compacted': [
    { put: 'a', value: '1' },
    { put: 'a', value: '2' },
    { delete: 'a' },
    {
      txn: {
        then: [
          { put: 'b', value: '1' },
          { put: 'a', value: '3' },
        ],
      },
    },
    { watch: '\0', rangeEnd: '\0', startRevision: 2, prevKv: true },
    { watch: 'a', startRevision: 9 },
    { watch: 'a', startRevision: 4, noPut: true },
    { watch: 'a', rangeEnd: 'a' },
    { watch: '', rangeEnd: '\0' },
    { compact: 5, physical: true },
    { watch: 'a', startRevision: 4 },
    { put: 'a', value: '4' },
  ],
  'a bound below every revision leaves nothing, or everything': [
    { put: 'a', value: '1' },
    { get: '\0', rangeEnd: '\0', maxModRevision: -1 },
    { get: '\0', rangeEnd: '\0', minModRevision: -1, maxCreateRevision: 9 },
    { get: '\0', rangeEnd: '\0', maxCreateRevision: -9 },
  ],
  'a key put and deleted by one transaction had no pair before': [
    { watch: '\0', rangeEnd: '\0', prevKv: true },
    {
      txn: {
        then: [
          { put: 'b', value: '1' },
          { delete: 'a', rangeEnd: '\0', prevKv: true },
        ],
      },
    },
    { put: 'a', value: '1' },
    {
      txn: {
        then: [
          { delete: 'a', rangeEnd: '\0' },
          { put: 'a', value: '2' },
        ],
      },
    },
    { watch: 'a', startRevision: 2, prevKv: true },
  ],
};
