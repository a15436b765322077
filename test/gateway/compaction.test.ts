/** A compaction that waits for the removal takes as long as it takes. */

import t from 'tap';
import { GATEWAY_TIMEOUT_MS } from '../../include/gateway.ts';
import { nextTick } from '../cluster/processes.ts';
import { ManualClock } from '../rpc/manual-clock.ts';
import { during, openGateway, startHung } from './ask-gateway.ts';

t.test('a physical compaction is not given up like others', async (t) => {
  const clock = new ManualClock();
  const ask = await openGateway(t, await startHung(t), 7n, clock);
  const compact = (physical: boolean) =>
    ask('/v3/kv/compaction', {
      method: 'POST',
      body: JSON.stringify({ revision: '1', physical }),
    });
  let isGivenUp = false;
  compact(true).then(
    () => {
      isGivenUp = true;
    },
    () => {},
  );
  t.equal((await during(compact(false), clock)).status, 503);
  for (let round = 0; round < 10; round += 1) {
    clock.advance(GATEWAY_TIMEOUT_MS);
    await nextTick();
  }
  t.notOk(isGivenUp);
});
