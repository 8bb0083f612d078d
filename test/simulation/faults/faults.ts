import type { ApiRequest } from '../../../src/api/contract/transport.ts';
import type { Random } from '../../../src/base/random.ts';

/**
 * Which faults occur between a process and the API server, and how often. Every number is the probability
 * of the fault for one request or one batch of events, unless its name ends in a unit.
 */
export interface FaultRates {
	/** Another client changes the object just before a write, so that the write meets a conflict. */
	readonly conflict: number;
	/** The server answers a request with an internal error and does nothing. */
	readonly refusal: number;
	/** The server performs a write, and its answer is lost. */
	readonly lostAnswer: number;
	/** A request is delayed on its way to the server, its answer on the way back, or both. */
	readonly slow: number;
	/** A watch holds back a batch of events, and all later ones, for a while. */
	readonly held: number;
	/** The watch ends instead of delivering a batch of events. */
	readonly cut: number;
	/** The longest time for which events are held back. */
	readonly longestHoldMs: number;
	/** The longest delay of a slow request in one direction. */
	readonly longestWayMs: number;
}

/** No fault ever occurs. */
export const NO_FAULTS: FaultRates = {
	...{ conflict: 0, refusal: 0, lostAnswer: 0, slow: 0, held: 0, cut: 0 },
	...{ longestHoldMs: 0, longestWayMs: 0 },
};

/**
 * Draws the rates of one run. Each kind of fault is left out with a probability of one half, so that runs
 * also show each kind without the others.
 */
export function drawFaultRates(random: Random): FaultRates {
	const draw = (most: number): number => (random.next() < 0.5 ? most * random.next() : 0);
	return {
		conflict: draw(0.2),
		refusal: draw(0.15),
		lostAnswer: draw(0.2),
		slow: draw(0.2),
		held: draw(0.2),
		cut: draw(0.05),
		longestHoldMs: 10 ** (1 + 4 * random.next()),
		longestWayMs: 10 ** (1 + 2.2 * random.next()),
	};
}

/** The faults that one request meets. */
export interface RequestFate {
	readonly conflict: boolean;
	readonly refused: boolean;
	readonly answerLost: boolean;
	/** How long events are held back, from before the server performs the request, if its answer is lost. */
	readonly heldMs: number;
	/** The delay on the way to the server. */
	readonly thereMs: number;
	/** The delay of the answer. */
	readonly backMs: number;
}

/** What happens to a watch when its next batch of events arrives. */
export type WatchFate =
	| { readonly kind: 'delivered' }
	| { readonly kind: 'held'; readonly forMs: number }
	| { readonly kind: 'cut'; readonly because: 'end' | 'fault' | 'expired' };

/** Decides which faults each request and each batch of events meets, until {@link stop} is called. */
export class Faults {
	readonly #random: Random;
	#rates: FaultRates;

	constructor(random: Random, rates: FaultRates) {
		this.#random = random;
		this.#rates = rates;
	}

	/** From now on no fault occurs. */
	stop(): void {
		this.#rates = NO_FAULTS;
	}

	/** The longest that a reconcile can take: about ten requests in sequence, each slow in both directions. */
	get longestPassMs(): number {
		return this.#rates.slow === 0 ? 0 : 20 * this.#rates.longestWayMs;
	}

	fateOf(request: ApiRequest): RequestFate {
		const { conflict, refusal, lostAnswer, slow, longestHoldMs } = this.#rates;
		const writes = request.method !== 'GET';
		const answerLost = writes && this.#happens(lostAnswer);
		const isSlow = this.#happens(slow);
		return {
			conflict: (request.method === 'PUT' || request.method === 'PATCH') && this.#happens(conflict),
			refused: this.#happens(refusal),
			answerLost,
			heldMs: answerLost && this.#happens(0.5) ? Math.ceil(this.#random.next() * longestHoldMs) : 0,
			thereMs: isSlow && this.#happens(0.7) ? this.#delay() : 0,
			backMs: isSlow && this.#happens(0.7) ? this.#delay() : 0,
		};
	}

	fateOfEvents(): WatchFate {
		const { held, cut, longestHoldMs } = this.#rates;
		if (this.#happens(cut)) {
			const because = (['end', 'fault', 'expired'] as const)[Math.floor(this.#random.next() * 3)] ?? 'end';
			return { kind: 'cut', because };
		}
		if (!this.#happens(held)) return { kind: 'delivered' };
		return { kind: 'held', forMs: Math.ceil(this.#random.next() * longestHoldMs) };
	}

	#delay(): number {
		return Math.ceil(this.#random.next() * this.#rates.longestWayMs);
	}

	#happens(probability: number): boolean {
		return probability > 0 && this.#random.next() < probability;
	}
}
