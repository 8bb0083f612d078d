import type { Client } from '../../../src/client/client.ts';
import type { Dice } from '../dice.ts';
import type { History } from '../oracles/history.ts';
import type { Trace } from '../trace.ts';

/** One action of a user. Rejects with an ApiError if the server refuses it. */
export type Act = () => Promise<unknown>;

/** What the users of a simulated cluster need. */
export interface ActOptions {
	readonly dice: Dice;
	readonly trace: Trace;
	readonly history: History;
	/** A client of the API server process that runs now. */
	client(): Client;
}
