/**
 * HPACK's Huffman code, decoded four bits a step (RFC 7541 appendix B).
 *
 * The code is canonical: among codes of one length, symbols ascend. So the lengths say all.
 */

/** Bits of the code of each byte. */
// biome-ignore format: sixteen a row, as the byte's hex digits
const CODE_BITS: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
  28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
  5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
  6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
  24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
  21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
  26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
];

/** The symbol that ends a string; in the text it is an error. */
const END = 256;
const END_BITS = 30;

/** No symbol ends within these four bits. */
const NONE = -1;
/** These four bits cannot come here. */
const BROKEN = -2;

/** Padding is the beginning of END: at most this many bits, all ones. */
const PADDING_BITS_MAX = 7;

type Tree = {
  /** Children by node and bit; a leaf is -1 - symbol; 0 is the root, which is nobody's child. */
  readonly children: number[];
  /** Bits from the root, where all of them are ones; -1 elsewhere. */
  readonly paddingBits: number[];
};

const tree = buildTree();
const { next, symbols } = buildSteps(tree);

/**
 * Decodes a string.
 *
 * @param target gets the bytes, from `at` on; grown by the caller: a symbol has at least 5 bits
 * @returns where the bytes end; -1 when it is no such string
 */
export function decodeHuffman(
  source: Buffer,
  start: number,
  end: number,
  target: Buffer,
  at: number,
): number {
  let node = 0;
  for (let offset = start; offset < end; offset += 1) {
    const byte = source[offset]!;
    for (let shift = 4; shift >= 0; shift -= 4) {
      const step = (node << 4) | ((byte >> shift) & 15);
      const symbol = symbols[step]!;
      if (symbol === BROKEN) return -1;
      if (symbol !== NONE) {
        target[at] = symbol;
        at += 1;
      }
      node = next[step]!;
    }
  }
  const paddingBits = tree.paddingBits[node]!;
  return paddingBits >= 0 && paddingBits <= PADDING_BITS_MAX ? at : -1;
}

function buildTree(): Tree {
  const children: number[] = [0, 0];
  const paddingBits: number[] = [0];
  const order = [...CODE_BITS, END_BITS]
    .map((bits, symbol) => ({ bits, symbol }))
    .sort((a, b) => a.bits - b.bits || a.symbol - b.symbol);
  let code = 0;
  let codeBits = order[0]!.bits;
  for (const { bits, symbol } of order) {
    code *= 2 ** (bits - codeBits);
    codeBits = bits;
    let node = 0;
    for (let left = bits - 1; left >= 0; left -= 1) {
      const bit = (code >>> left) & 1;
      const place = node * 2 + bit;
      if (left === 0) children[place] = -1 - symbol;
      else {
        if (children[place] === 0) {
          children[place] = paddingBits.length;
          const isOnes = bit === 1 && paddingBits[node]! >= 0;
          paddingBits.push(isOnes ? paddingBits[node]! + 1 : -1);
          children.push(0, 0);
        }
        node = children[place]!;
      }
    }
    code += 1;
  }
  return { children, paddingBits };
}

/** For every node and four bits: the node they lead to, and the symbol that ends within them. */
function buildSteps({ children, paddingBits }: Tree): { next: Int16Array; symbols: Int16Array } {
  const next = new Int16Array(paddingBits.length * 16);
  const symbols = new Int16Array(paddingBits.length * 16).fill(NONE);
  for (let start = 0; start < paddingBits.length; start += 1) {
    for (let four = 0; four < 16; four += 1) {
      const step = (start << 4) | four;
      let node = start;
      for (let left = 3; left >= 0; left -= 1) {
        const child = children[node * 2 + ((four >> left) & 1)]!;
        if (child > 0) node = child;
        else {
          const symbol = -1 - child;
          symbols[step] = symbol === END ? BROKEN : symbol;
          node = 0;
        }
      }
      next[step] = node;
    }
  }
  return { next, symbols };
}
