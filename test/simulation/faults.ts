import type { ApiRequest } from '../../src/api/meta/transport.ts';
import type { Random } from '../../src/base/random.ts';

/** What goes wrong between a process and the API server, and how often; probabilities unless said otherwise. */
export interface FaultRates {
	/** Of a write that somebody else is a moment faster: it meets a changed object. */
	readonly conflict: number;
	/** Of a request that the server answers it with an internal error and does nothing. */
	readonly refusal: number;
	/** Of a write that it is done and the answer lost. */
	readonly lostAnswer: number;
	/** Of a request that it is slow, on the way there, on the way back or both. */
	readonly slow: number;
	/** Of a batch of events that it, and what comes after it, is held back for a while. */
	readonly held: number;
	/** Of a batch of events that the watch ends instead. */
	readonly cut: number;
	/** The longest that events are held back. */
	readonly longestHoldMs: number;
	/** The longest that one way of a slow request takes. */
	readonly longestWayMs: number;
}

/** Nothing goes wrong. */
export const NO_FAULTS: FaultRates = {
	...{ conflict: 0, refusal: 0, lostAnswer: 0, slow: 0, held: 0, cut: 0 },
	...{ longestHoldMs: 0, longestWayMs: 0 },
};

/** A rates in which each kind of fault occurs or does not, so that some are seen without the others. */
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

/** What becomes of one request. */
export interface RequestFate {
	readonly conflict: boolean;
	readonly refused: boolean;
	readonly answerLost: boolean;
	/** For how long events are held back as well from before it is done, if its answer is lost. */
	readonly heldMs: number;
	/** How long it takes to the server. */
	readonly thereMs: number;
	/** How long its answer takes. */
	readonly backMs: number;
}

/** What becomes of a watch when the next events come. */
export type WatchFate =
	| { readonly kind: 'told' }
	| { readonly kind: 'held'; readonly forMs: number }
	| { readonly kind: 'cut'; readonly because: 'end' | 'fault' | 'expired' };

/** Decides the fate of each request and each batch of events, until it is told to be calm. */
export class Faults {
	readonly #random: Random;
	#rates: FaultRates;

	constructor(random: Random, rates: FaultRates) {
		this.#random = random;
		this.#rates = rates;
	}

	/** Nothing goes wrong from now on. */
	stopFaults(): void {
		this.#rates = NO_FAULTS;
	}

	/** The longest that a pass of a controller takes: about ten requests one after the other. */
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
			thereMs: isSlow && this.#happens(0.7) ? this.#way() : 0,
			backMs: isSlow && this.#happens(0.7) ? this.#way() : 0,
		};
	}

	fateOfEvents(): WatchFate {
		const { held, cut, longestHoldMs } = this.#rates;
		if (this.#happens(cut)) {
			const because = (['end', 'fault', 'expired'] as const)[Math.floor(this.#random.next() * 3)] ?? 'end';
			return { kind: 'cut', because };
		}
		if (!this.#happens(held)) return { kind: 'told' };
		return { kind: 'held', forMs: Math.ceil(this.#random.next() * longestHoldMs) };
	}

	#way(): number {
		return Math.ceil(this.#random.next() * this.#rates.longestWayMs);
	}

	#happens(probability: number): boolean {
		return probability > 0 && this.#random.next() < probability;
	}
}
