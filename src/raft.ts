/**
 * The Raft core by itself, what `import … from 'kvorum/raft'` gives. Its contract is in
 * include/raft.ts, its surface in node/raft/raft.ts; docs/EMBEDDING.md shows a cluster on it.
 */

export * from '../include/raft.ts';
export * from './node/raft/raft.ts';
