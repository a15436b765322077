/**
 * What is answered about members, in every format that has a form for it.
 *
 * Source: etcdctl 3.4 member. What `member add` prints for the new node's environment is kvorum's.
 */

import type { ChangedMembersReply, Member, MembersReply } from '../../../include/client.ts';
import { assert } from '../../assert.ts';
import { formatEndpoint } from '../endpoint.ts';
import { printField, printHeaderFields } from './field-lines.ts';
import { goQuote } from './go-quote.ts';
import { type Json, unlessEmpty } from './json.ts';
import { headerJson } from './json-parts.ts';
import { hexId, type MemberPrinter, type Output } from './printer.ts';
import { drawTable } from './table.ts';

const HEADERS = ['ID', 'status', 'name', 'peer addrs', 'client addrs', 'is learner'];

/** Columns that etcdctl gives the id of a cluster. */
const ID_COLUMNS = 16;

/** Makes the one of the simple format. */
export function createSimpleMemberPrinter(output: Output): MemberPrinter {
  return {
    memberList: ({ members }) => {
      for (const member of members) output(`${memberCells(member).join(', ')}\n`);
    },
    memberChange: (reply, changes) => {
      for (const { id, became } of changes) {
        output(`Member ${hexId(id)} ${became} cluster ${clusterName(reply.clusterId)}\n`);
      }
      for (const member of addedOf(reply)) {
        const name = changes.find(({ id }) => id === member.id)?.name ?? '';
        output(`\n${startLines(member, name, reply.members).join('\n')}\n`);
      }
    },
  };
}

/** Makes the one of the JSON format. */
export function createJsonMemberPrinter(print: (value: Json) => void): MemberPrinter {
  return {
    memberList: (reply) => {
      print({ header: headerJson(reply), members: reply.members.map(memberJson) });
    },
    memberChange: (reply) => {
      const [added] = addedOf(reply);
      print({
        header: headerJson(reply),
        member: added === undefined ? undefined : memberJson(added),
        members: reply.members.map(memberJson),
      });
    },
  };
}

/** Makes the one of the fields format. */
export function createFieldsMemberPrinter(output: Output): MemberPrinter {
  return {
    memberList: (reply) => {
      printHeaderFields(output, reply);
      for (const member of reply.members) {
        printField(output, 'ID', member.id);
        printField(output, 'Name', goQuote(Buffer.from(member.name)));
        printField(output, 'PeerURL', goQuote(Buffer.from(peerUrl(member))));
        const client = clientUrl(member);
        if (client !== '') printField(output, 'ClientURL', goQuote(Buffer.from(client)));
        printField(output, 'IsLearner', member.isLearner);
        output('\n');
      }
    },
    memberChange: () => assert(false, 'a change of members has no form as fields'),
  };
}

/** Draws the members as a table. */
export function drawMembers({ members }: MembersReply): string {
  return drawTable(HEADERS, members.map(memberCells));
}

function memberCells(member: Member): string[] {
  return [
    hexId(member.id),
    member.name === '' ? 'unstarted' : 'started',
    member.name,
    peerUrl(member),
    clientUrl(member),
    String(member.isLearner),
  ];
}

function memberJson(member: Member): Json {
  return {
    ID: member.id,
    name: unlessEmpty(member.name),
    peerURLs: [peerUrl(member)],
    clientURLs: unlessEmpty([clientUrl(member)].filter((url) => url !== '')),
    isLearner: unlessEmpty(member.isLearner),
  };
}

function peerUrl({ address, port }: Member): string {
  return `http://${formatEndpoint(address, port)}`;
}

function clientUrl({ address, clientPort }: Member): string {
  return clientPort === undefined ? '' : `http://${formatEndpoint(address, clientPort)}`;
}

function addedOf({ added, members }: ChangedMembersReply): readonly Member[] {
  return members.filter(({ id }) => added.includes(id));
}

/** The environment of `kvorum serve` on the new member's machine. */
function startLines(member: Member, name: string, members: readonly Member[]): string[] {
  const started = members.filter((other) => other.name !== '');
  const join = started.map(({ address, port }) => formatEndpoint(address, port)).join();
  const lines = [
    `KVORUM_JOIN="${join}"`,
    `KVORUM_LISTEN="${formatEndpoint(member.address, member.port)}"`,
  ];
  return name === '' ? lines : [`KVORUM_NAME="${name}"`, ...lines];
}

function clusterName(id: bigint): string {
  return id.toString(16).padStart(ID_COLUMNS);
}
