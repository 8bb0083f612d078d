import type { NodeApi } from '../api/contract/node-api.ts';
import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { TurnBudget } from '../base/turn.ts';
import type { Store } from '../store/store.ts';
import type { Authorizer } from './access/authorizer.ts';
import type { ServiceAccountTokens } from './access/tokens/service-account-tokens.ts';
import type { TokenAuthenticator } from './access/tokens/token-authenticator.ts';
import type { Admission } from './admission/admission.ts';
import type { ServiceAddresses } from './allocation/service-addresses.ts';
import type { ObjectCache } from './storage/object-cache.ts';

/** An open watch, as the server handles it. */
export interface OpenWatch {
	/**
	 * Sends the client a bookmark with `revision`, if it asked for bookmarks: it has received all changes up to
	 * it.
	 */
	bookmark(revision: number): void;
	stop(): void;
}

/** What the verbs receive from the server, besides the request. */
export interface ServerContext {
	readonly store: Store;
	readonly cache: ObjectCache;
	readonly admission: Admission;
	/** Allocates the addresses and node ports of Services. */
	readonly serviceAddresses: ServiceAddresses;
	/** Decides which requests are allowed; reviews ask it about others. */
	readonly authorizer: Authorizer;
	/** Finds the users of bearer tokens. */
	readonly tokens: TokenAuthenticator;
	/** Issues the tokens of ServiceAccounts. */
	readonly accountTokens: ServiceAccountTokens;
	/** All open watches. Housekeeping sends them bookmarks, and the server stops them. */
	readonly watches: Set<OpenWatch>;
	readonly clock: Clock;
	readonly random: Random;
	/** Limits how long callers in this process may write in one event loop turn. */
	readonly turn: Pick<TurnBudget, 'rest'>;
	/** Returns the node agent of a Node; undefined if the server has no connection to it. */
	readonly nodeApi: (nodeName: string) => NodeApi | undefined;
	/** Called with unexpected errors, which are logged; `where` names the component. */
	readonly onError: (where: string, error: unknown) => void;
}
