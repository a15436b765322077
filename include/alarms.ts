/**
 * Alarms: what is wrong with a member, as all members know it (etcd's alarms). Part of
 * include/kvstore.ts, which exports it.
 *
 * An alarm is replicated state: it survives restarts and travels in snapshots. It is raised by the
 * member concerned, or by who compared it with others, and stays until an operator disarms it.
 *
 * - NoSpace, of any member: every member refuses what would make stores grow.
 * - Corrupt: the member named refuses to serve; the others go on.
 */

import type { NodeId } from './configuration.ts';

/** What is wrong. The number is what log and wire carry (etcd AlarmType). */
export const AlarmKind = {
  /** Its store is larger than its quota. */
  NoSpace: 1,
  /** What its store holds differs from what most others hold. */
  Corrupt: 2,
} as const;
/** One of the values of AlarmKind. */
export type AlarmKind = (typeof AlarmKind)[keyof typeof AlarmKind];

/** One alarm: of a kind a member has at most one. */
export type Alarm = { readonly nodeId: NodeId; readonly kind: AlarmKind };

/** What is done to an alarm (etcd AlarmAction). */
export const AlarmAction = { Raise: 1, Disarm: 2 } as const;
/** One of the values of AlarmAction. */
export type AlarmAction = (typeof AlarmAction)[keyof typeof AlarmAction];

/** Raises or disarms an alarm. Doing it twice does no more than once. */
export type AlarmRequest = Alarm & { readonly action: AlarmAction };

/** The answer: the alarm concerned; none when one was to be disarmed that is not there. */
export type AlarmResult = { readonly revision: number; readonly alarms: readonly Alarm[] };

/** Default quota of a store, in bytes of its pages in use: no wall for any store of today. */
export const QUOTA_BYTES: number = 64 * 1024 ** 3;

/** Largest quota: half of the address space that a store reserves. */
export const QUOTA_BYTES_MAX: number = 512 * 1024 ** 3;
