/**
 * Where the body of the writer's thread is. The binary has another module in place of this one,
 * with the code itself (scripts/package.ts): only its main thread can start others by a file.
 */

/** The body: a file's name, or code. */
export const WRITER_BODY = {
  code: import.meta.filename.replace('lmdb-writer-body', 'lmdb-writer-thread'),
  /** Whether `code` is code. */
  eval: false,
};
