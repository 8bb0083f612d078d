/**
 * The ranges from which addresses and node ports of Services are allocated. The lower part of a range is allocated only
 * once the rest is full, so that users who choose a value themselves find one there (upstream: KEP-3070,
 * `calculateRangeOffset` in pkg/registry/core/service/{ipallocator,portallocator}).
 */

import { masked, parseIp, parseIpRange } from '../../../api/network/ip-address.ts';

/** Numbers from `first` on. */
export interface NumberRange {
	readonly first: number;
	readonly size: number;
	/** How many of the first numbers are allocated last. */
	readonly kept: number;
}

/** The addresses of Services: those of an IPv4 range without the first, which names the network, and the last one. */
export interface AddressRange extends NumberRange {
	/** The range as text, such as `10.96.0.0/12`. */
	readonly text: string;
}

/** The node ports (upstream: the default of --service-node-port-range). */
export const NODE_PORTS: NumberRange = {
	first: 30_000,
	size: 2768,
	kept: keptOf(2768, { step: 32, max: 128 }),
};

/**
 * The addresses of Services by default. Pods have the network of the machine, so the addresses must lead to this machine,
 * and to no other: all of 127.0.0.0/8 does.
 */
export const DEFAULT_SERVICE_RANGE = rangeAt([127, 96, 0, 0], 16);

const MIN_PREFIX = 8;
const MAX_PREFIX = 30;

/** The addresses in a text such as `10.96.0.0/12`; undefined if it is no IPv4 range with a prefix of 8 to 30 bits. */
export function addressRangeOf(text: string): AddressRange | undefined {
	const range = parseIpRange(text);
	if (range?.address.family !== 'IPv4' || range.address.ambiguity) return undefined;
	const { address, prefixLength } = range;
	if (prefixLength < MIN_PREFIX || prefixLength > MAX_PREFIX) return undefined;
	return rangeAt(masked(address, prefixLength).bytes, prefixLength);
}

function rangeAt(network: readonly number[], prefixLength: number): AddressRange {
	const total = 2 ** (32 - prefixLength);
	return {
		text: `${network.join('.')}/${prefixLength}`,
		first: numberOf(network) + 1,
		size: total - 2,
		kept: keptOf(total, { step: 16, max: 256 }),
	};
}

/** The number of an IPv4 address; undefined for other texts. */
export function addressNumber(text: string): number | undefined {
	const address = parseIp(text);
	return address?.family === 'IPv4' ? numberOf(address.bytes) : undefined;
}

/** The IPv4 address with this number. */
export function addressText(value: number): string {
	return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}

/** Whether the number is in the range. */
export function contains({ first, size }: NumberRange, value: number): boolean {
	return value >= first && value < first + size;
}

/**
 * A number of the range that is not used, or undefined if there is none. The search starts at a random number: a value
 * that a deleted Service had is then rarely allocated again at once. `draw(n)` returns a random number from 0 to n - 1.
 */
export function freeNumber(
	{ first, size, kept }: NumberRange,
	isUsed: (value: number) => boolean,
	draw: (count: number) => number,
): number | undefined {
	const upper = firstFree({ first: first + kept, size: size - kept }, isUsed, draw);
	return upper ?? firstFree({ first, size: kept }, isUsed, draw);
}

function firstFree(
	{ first, size }: Pick<NumberRange, 'first' | 'size'>,
	isUsed: (value: number) => boolean,
	draw: (count: number) => number,
): number | undefined {
	if (size <= 0) return undefined;
	const start = draw(size);
	for (let i = 0; i < size; i++) {
		const value = first + ((start + i) % size);
		if (!isUsed(value)) return value;
	}
	return undefined;
}

function keptOf(size: number, { step, max }: { readonly step: number; readonly max: number }): number {
	return size <= 16 ? 0 : Math.min(Math.max(16, Math.floor(size / step)), max);
}

function numberOf(bytes: readonly number[]): number {
	return bytes.reduce((value, byte) => value * 256 + byte, 0);
}
