import {
	type AddressRange,
	addressNumber,
	addressText,
	contains,
	freeNumber,
	type NumberRange,
} from './ranges.ts';

/** What is allocated: addresses by their numbers, and node ports. */
export interface Held {
	readonly addresses: ReadonlySet<number>;
	readonly ports: ReadonlySet<number>;
}

/** What a {@link Pool} allocates from. */
export interface PoolOptions {
	/** The ranges of addresses, in the order in which they are filled. */
	readonly addresses: readonly AddressRange[];
	readonly ports: NumberRange;
	/** Whether the address with this number is in use. */
	isAddressUsed(address: number): boolean;
	/** Whether another Service has this node port. */
	isPortUsed(port: number): boolean;
	/** Returns a random number from 0 to `count` - 1. */
	draw(count: number): number;
}

const FULL = 'range is full';

/** The result of an allocation: the value, or why there is none. */
export type Taken<T> = { readonly value: T } | { readonly problem: string };

/**
 * The addresses and node ports that one write of a Service can take (upstream: ipallocator and portallocator in
 * pkg/registry/core/service, with their texts). It records what was taken; the caller reserves that until the write has
 * ended.
 */
export class Pool {
	readonly #options: PoolOptions;
	readonly #addresses = new Set<number>();
	readonly #ports = new Set<number>();

	constructor(options: PoolOptions) {
		this.#options = options;
	}

	/** What this write has taken. */
	get taken(): Held {
		return { addresses: this.#addresses, ports: this.#ports };
	}

	/** Takes any free address. */
	takeAddress(): Taken<string> {
		const { addresses, draw } = this.#options;
		for (const range of addresses) {
			const address = freeNumber(range, (value) => this.#isAddressUsed(value), draw);
			if (address === undefined) continue;
			this.#addresses.add(address);
			return { value: addressText(address) };
		}
		return { problem: FULL };
	}

	/** Takes this address. Returns why it cannot be taken; undefined if it was. */
	claimAddress(text: string): string | undefined {
		const address = addressNumber(text);
		const { addresses } = this.#options;
		if (address === undefined || !addresses.some((range) => contains(range, address))) {
			return 'the provided network does not match the current range';
		}
		if (this.#isAddressUsed(address)) return 'provided IP is already allocated';
		this.#addresses.add(address);
		return undefined;
	}

	/** Takes any free node port. */
	takePort(): Taken<number> {
		const { ports, draw } = this.#options;
		const port = freeNumber(ports, (value) => this.#isPortUsed(value), draw);
		if (port === undefined) return { problem: FULL };
		this.#ports.add(port);
		return { value: port };
	}

	/** Takes this node port. Returns why it cannot be taken; undefined if it was. */
	claimPort(port: number): string | undefined {
		const { ports } = this.#options;
		if (!contains(ports, port)) {
			const range = `${ports.first}-${ports.first + ports.size - 1}`;
			return `provided port is not in the valid range. The range of valid ports is ${range}`;
		}
		if (this.#isPortUsed(port)) return 'provided port is already allocated';
		this.#ports.add(port);
		return undefined;
	}

	#isAddressUsed(address: number): boolean {
		return this.#addresses.has(address) || this.#options.isAddressUsed(address);
	}

	#isPortUsed(port: number): boolean {
		return this.#ports.has(port) || this.#options.isPortUsed(port);
	}
}
