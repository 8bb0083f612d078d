import type { Client } from '../../src/client/client.ts';
import type { Dice } from './dice.ts';
import type { History } from './history.ts';
import type { Trace } from './trace.ts';

/** Something that a user does. */
export type Act = () => Promise<unknown>;

/** What the users of a simulated cluster act with. */
export interface ActOptions {
	readonly dice: Dice;
	readonly trace: Trace;
	readonly history: History;
	/** Reaches the server that runs at the moment. */
	client(): Client;
}
