import type { Clock } from './clock.ts';

/**
 * Resolves in the next event loop turn. A long computation awaits it between its steps, so that requests,
 * timers and connections are served in between.
 */
export function nextTurn(): Promise<void> {
	return new Promise(inNextTurn);
}

/**
 * Calls `act` in the next event loop turn. A browser has no setImmediate. There a message is the fastest way: a
 * nested timer waits for 4 ms.
 */
function inNextTurn(act: () => void): void {
	const immediately: ((act: () => void) => unknown) | undefined = globalThis.setImmediate;
	if (immediately) {
		immediately(act);
		return;
	}
	const { port1, port2 } = new MessageChannel();
	port1.onmessage = () => {
		port1.close();
		act();
	};
	port2.postMessage(undefined);
}

/**
 * Limits the time that independent callers together use in one event loop turn. Each awaits {@link rest}
 * before a step that may take long. Only for real time: a virtual clock may advance by hours within one turn.
 */
export class TurnBudget {
	readonly #clock: Pick<Clock, 'monotonic'>;
	readonly #budgetMs: number;
	#startedAt: number | undefined;

	constructor(clock: Pick<Clock, 'monotonic'>, budgetMs: number) {
		this.#clock = clock;
		this.#budgetMs = budgetMs;
	}

	/**
	 * Undefined while this turn has budget left. Then the caller must not `await` the result: even awaiting
	 * undefined lets other callers run first. Otherwise a promise that resolves in a later turn with budget left.
	 */
	rest(): Promise<void> | undefined {
		return this.#isSpent() ? this.#wait() : undefined;
	}

	async #wait(): Promise<void> {
		do await nextTurn();
		while (this.#isSpent());
	}

	#isSpent(): boolean {
		const now = this.#clock.monotonic();
		if (this.#startedAt === undefined) {
			this.#startedAt = now;
			inNextTurn(() => this.#renew());
		}
		return now - this.#startedAt >= this.#budgetMs;
	}

	#renew(): void {
		this.#startedAt = undefined;
	}
}

/**
 * Runs `step` after `wait`, or at once if there is nothing to wait for. A caller that awaits `wait` itself lets the other
 * callers pass the same place before its step begins, even if `wait` is undefined, so that the budget of the turn stops
 * none of them.
 */
export function runAfter<T>(wait: Promise<unknown> | undefined, step: () => T | Promise<T>): T | Promise<T> {
	return wait ? wait.then(step) : step();
}

/** A budget that is never spent: for virtual time, where only the clock decides the order of events. */
export const UNLIMITED_TURN: Pick<TurnBudget, 'rest'> = { rest: () => undefined };
