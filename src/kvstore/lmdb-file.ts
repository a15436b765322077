/**
 * A look at an LMDB file before LMDB opens it: opening a damaged one ends the process in lmdb-js
 * 3.5.6, where an operator should read what is wrong. Finds files that are something else, cut
 * short, or not to be written to. Damage inside the tree stays unseen: LMDB's pages carry no
 * checksums.
 *
 * The two meta pages at the file's start (liblmdb/mdb.c, MDB_meta), little-endian:
 *
 *   offset  bytes  field
 *   24      4      magic
 *   28      4      version of the format
 *   48      48     free list's tree; its first 4 bytes are the page size, its last 8 the root's
 *   page 96      48     main tree; its last 8 bytes are the root's page
 *   152     8      transaction: the meta page with the higher one counts
 */

import * as fs from 'node:fs';
import { StoreError } from '../../include/kvstore.ts';

const MAGIC = 0xbeef_c0de;
const FORMAT_VERSION = 2;

const MAGIC_OFFSET = 24;
const VERSION_OFFSET = 28;
const PAGE_BYTES_OFFSET = 48;
const FREE_ROOT_OFFSET = 88;
const MAIN_ROOT_OFFSET = 136;
const TRANSACTION_OFFSET = 152;
const META_BYTES = 160;

/** Stands for the root of an empty tree. */
const NO_PAGE = 0xffff_ffff_ffff_ffffn;

/**
 * Checks a file that may or may not be there.
 * @throws StoreError
 */
export function checkLmdbFile(path: string): void {
  let file: number;
  try {
    file = fs.openSync(path, fs.constants.O_RDWR);
  } catch (cause) {
    if (isMissing(cause)) return;
    const text = cause instanceof Error ? cause.message : String(cause);
    const remedy = 'give the user of this process a file to read and write';
    const message = `cannot open the store ${path}: ${text}; ${remedy}`;
    throw new StoreError(message, path, { cause });
  }
  try {
    const sizeBytes = fs.fstatSync(file).size;
    const fault = sizeBytes === 0 ? undefined : findFault(file, sizeBytes);
    if (fault === undefined) return;
    const remedy = 'put back a store that belongs to this data directory';
    const message = `cannot open the store ${path}: ${fault}; ${remedy}`;
    throw new StoreError(message, path);
  } finally {
    fs.closeSync(file);
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** What is wrong with a file that is not empty. */
function findFault(file: number, sizeBytes: number): string | undefined {
  const first = readMeta(file, 0);
  if (first === undefined) return `${sizeBytes} bytes are too few for a store`;
  if (first.readUInt32LE(MAGIC_OFFSET) !== MAGIC) return 'it is damaged or not a store';
  const version = first.readUInt32LE(VERSION_OFFSET);
  if (version !== FORMAT_VERSION) return `LMDB format ${version} is unknown`;
  const pageBytes = first.readUInt32LE(PAGE_BYTES_OFFSET);
  const second = readMeta(file, pageBytes);
  if (second === undefined) return `it is cut short after ${sizeBytes} bytes`;
  if (second.readUInt32LE(MAGIC_OFFSET) !== MAGIC) return 'its second meta page is damaged';
  const isFirstNewer =
    first.readBigUInt64LE(TRANSACTION_OFFSET) >= second.readBigUInt64LE(TRANSACTION_OFFSET);
  const meta = isFirstNewer ? first : second;
  for (const offset of [FREE_ROOT_OFFSET, MAIN_ROOT_OFFSET]) {
    const root = meta.readBigUInt64LE(offset);
    if (root !== NO_PAGE && (Number(root) + 1) * pageBytes > sizeBytes) {
      return `it is cut short after ${sizeBytes} bytes`;
    }
  }
  return undefined;
}

function readMeta(file: number, offset: number): Buffer | undefined {
  const meta = Buffer.alloc(META_BYTES);
  return fs.readSync(file, meta, 0, META_BYTES, offset) === META_BYTES ? meta : undefined;
}
