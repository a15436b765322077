/** What a node does on its own account now and then, as flags say it. */

import { QUOTA_BYTES, QUOTA_BYTES_MAX } from '../../include/kvstore.ts';
import { CommandError, ExitCode } from './command-error.ts';

/** Reads a quota as etcd does: 0 is the default, below there is none but what a store can hold. */
export function readQuota(name: string, text: string): number {
  const quotaBytes = Number(text);
  if (!/^-?\d{1,15}$/.test(text) || quotaBytes > QUOTA_BYTES_MAX) {
    const what = `--${name} "${text}": expected bytes, at most ${QUOTA_BYTES_MAX}`;
    throw new CommandError(ExitCode.Error, what);
  }
  if (quotaBytes < 0) return QUOTA_BYTES_MAX;
  return quotaBytes === 0 ? QUOTA_BYTES : quotaBytes;
}
