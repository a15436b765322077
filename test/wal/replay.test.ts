/** Segments that do not follow from each other are not taken for one log. */

import t from 'tap';
import type { HardState, LogIndex, SnapshotMeta } from '../../include/node.ts';
import { GroupFlag } from '../../src/node/wal/group-header.ts';
import { encodeMarker, MarkerKind } from '../../src/node/wal/records.ts';
import { createReplay, type Replay, replayGroup } from '../../src/node/wal/replay.ts';
import { hardState, INITIAL } from './log-fixture.ts';

function group(
  replay: Replay,
  flags: number,
  payload: Buffer,
  options: { state?: HardState; firstIndex?: LogIndex } = {},
): string | undefined {
  const state = options.state ?? hardState(5);
  const header = { group: 1, payloadBytes: payload.length, payloadCrc: 0, flags, hardState: state };
  return replayGroup(replay, header, payload, options.firstIndex ?? 8)?.why;
}

const meta = (index: number, term = 1): SnapshotMeta => ({ ...INITIAL, index, term });
const opens = (marker: SnapshotMeta) => encodeMarker(MarkerKind.Cut, marker);

/** A log whose oldest segment begins at index 8, behind a marker for 7. */
function begun(): Replay {
  const replay = createReplay(hardState(0), INITIAL);
  group(replay, GroupFlag.Opening, opens(meta(7)));
  return replay;
}

t.test('the oldest segment says where the log begins', async (t) => {
  t.match(begun(), { base: meta(7), firstIndex: 8, lastIndex: 7, entries: [] });
});

t.test('a segment that repeats what the log says follows on', async (t) => {
  t.equal(group(begun(), GroupFlag.Opening, opens(meta(7))), undefined);
});

const wrongs: readonly (readonly [string, (replay: Replay) => string | undefined, RegExp])[] = [
  [
    'begins elsewhere',
    (replay) => group(replay, GroupFlag.Opening, opens(meta(7)), { firstIndex: 9 }),
    /from index 9 on, though the log ends at 7/,
  ],
  [
    'repeats the marker of another index',
    (replay) => group(replay, GroupFlag.Opening, opens(meta(6))),
    /a repeated marker for index 6/,
  ],
  [
    'repeats the marker of another term',
    (replay) => group(replay, GroupFlag.Opening, opens(meta(7, 2))),
    /a repeated marker for index 7/,
  ],
  [
    'opens with an entry',
    (replay) => group(replay, GroupFlag.Opening, Buffer.alloc(21)),
    /an entry in an opening group/,
  ],
  [
    'goes back to an older term',
    (replay) => group(replay, GroupFlag.None, Buffer.alloc(0), { state: hardState(4) }),
    /term 4 after term 5/,
  ],
];
for (const [name, run, why] of wrongs) {
  t.test(`a segment that ${name} does not follow on`, async (t) => {
    t.match(run(begun()), why);
  });
}
