import type { NodeApi } from '../api/meta/node-api.ts';
import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { TurnBudget } from '../base/turn.ts';
import type { Store } from '../store/store.ts';
import type { Admission } from './admission/admission.ts';
import type { ObjectCache } from './object-cache.ts';

/** A watch that the cache feeds. */
export interface OpenWatch {
	/** Tells the client that it knows all up to `revision`. */
	bookmark(revision: number): void;
	stop(): void;
}

/** What the verbs work with. */
export interface ServerContext {
	readonly store: Store;
	readonly cache: ObjectCache;
	readonly admission: Admission;
	/** The watches that the cache feeds: they get bookmarks now and then, and end with the server. */
	readonly watches: Set<OpenWatch>;
	readonly clock: Clock;
	readonly random: Random;
	/** How long callers in this process may write in one turn of the event loop. */
	readonly turn: Pick<TurnBudget, 'rest'>;
	/** The node agent behind a Node, if it can be reached. */
	readonly nodeApi: (nodeName: string) => NodeApi | undefined;
	/** Told of what nobody expected; `where` says in which part. */
	readonly onError: (where: string, error: unknown) => void;
}
