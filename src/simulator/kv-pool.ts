/**
 * The paged KV cache of one worker. Blocks of a shared prefix that no request holds stay cached and count as free, as
 * in vLLM's block pool: they are given away, least recently used first, when blocks are needed.
 */

export type PrefixEntry = { readonly id: number; readonly blocks: number; holders: number };

export type KvPool = {
  readonly total: number;
  /** Blocks that can be given out, idle cached ones included. */
  readonly free: () => number;
  /** Blocks that no request holds and none can have: the leak. */
  readonly leaked: () => number;
  /** False, and nothing taken, when there are not so many. */
  readonly take: (blocks: number) => boolean;
  readonly give: (blocks: number) => void;
  /** Blocks in use that will never come back before a restart. */
  readonly leak: (blocks: number) => void;
  /** A cached prefix, held from now on; null when it is not cached. */
  readonly hold: (id: number) => PrefixEntry | null;
  /** Turns blocks that a request computed into a cached prefix that it holds; null when there is one already. */
  readonly share: (id: number, blocks: number) => PrefixEntry | null;
  readonly drop: (entry: PrefixEntry) => void;
  /** A new process: everything free, nothing cached. */
  readonly reset: () => void;
};

export function createKvPool(total: number): KvPool {
  let free = total;
  let leaked = 0;
  /** Blocks of `idle`, part of `free`. */
  let idleBlocks = 0;
  const entries = new Map<number, PrefixEntry>();
  /** Cached and not held, least recently used first. */
  const idle = new Map<number, PrefixEntry>();

  function evictIdle(): void {
    for (const [id, entry] of idle) {
      if (idleBlocks <= free) return;
      idle.delete(id);
      entries.delete(id);
      idleBlocks -= entry.blocks;
    }
  }

  return {
    total,
    free: () => free,
    leaked: () => leaked,
    take(blocks) {
      if (blocks > free) return false;
      free -= blocks;
      if (idleBlocks > free) evictIdle();
      return true;
    },
    give(blocks) {
      free += blocks;
    },
    leak(blocks) {
      leaked += blocks;
    },
    hold(id) {
      const entry = entries.get(id);
      if (entry === undefined) return null;
      if (entry.holders === 0) {
        idle.delete(id);
        idleBlocks -= entry.blocks;
        free -= entry.blocks;
        if (idleBlocks > free) evictIdle();
      }
      entry.holders += 1;
      return entry;
    },
    share(id, blocks) {
      if (entries.has(id)) return null;
      const entry = { id, blocks, holders: 1 };
      entries.set(id, entry);
      return entry;
    },
    drop(entry) {
      entry.holders -= 1;
      if (entry.holders > 0) return;
      free += entry.blocks;
      idleBlocks += entry.blocks;
      idle.set(entry.id, entry);
    },
    reset() {
      free = total;
      leaked = 0;
      idleBlocks = 0;
      entries.clear();
      idle.clear();
    },
  };
}
