import type { Clock } from './clock.ts';

/**
 * Resolves in the next turn of the event loop. What takes long awaits it between its steps, so that no
 * other request, timer or connection waits for the whole of it.
 */
export function nextTurn(): Promise<void> {
	return new Promise((resolve) => void setImmediate(resolve));
}

/**
 * Limits how long callers that know nothing of each other work in one turn of the event loop. Each awaits
 * {@link rest} before a step that may take long. It is for real time: a virtual clock may advance by hours
 * before the event loop turns.
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
	 * Undefined while the budget of this turn lasts, and then not to be awaited: others would pass meanwhile.
	 * Else it resolves in a turn that has budget left.
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
			setImmediate(() => this.#renew());
		}
		return now - this.#startedAt >= this.#budgetMs;
	}

	#renew(): void {
		this.#startedAt = undefined;
	}
}

/** A budget that is never spent, so that virtual time alone decides who comes when. */
export const UNLIMITED_TURN: Pick<TurnBudget, 'rest'> = { rest: () => undefined };
