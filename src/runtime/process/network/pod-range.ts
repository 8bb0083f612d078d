/** The addresses of the Pods' network: IPv4 ranges in CIDR notation, and which of them a machine does not use yet. Pure. */

/** A range of IPv4 addresses. */
export interface PodRange {
	/** The lowest address, as a number. */
	readonly base: number;
	/** The length of its prefix, in bits. */
	readonly length: number;
}

/** The range of Pods' addresses unless another one is wanted: the one that kubeadm's documentation and flannel use. */
export const DEFAULT_POD_RANGE = '10.244.0.0/16';

/** The lengths of a range: it holds at least the bridge and a Pod, and leaves most of the address space alone. */
const SHORTEST_PREFIX = 8;
const LONGEST_PREFIX = 29;
const ADDRESS_BITS = 32;

/** Decodes a range such as `10.244.0.0/16`; undefined if it is none that Pods can have. */
export function parseRange(text: string): PodRange | undefined {
	const range = parseNetwork(text);
	return range && range.length >= SHORTEST_PREFIX && range.length <= LONGEST_PREFIX ? range : undefined;
}

/** Decodes a range of any length. */
export function parseNetwork(text: string): PodRange | undefined {
	const [, address = '', bits = ''] = /^([\d.]+)\/(\d{1,2})$/.exec(text) ?? [];
	const base = parseAddress(address);
	const length = Number(bits);
	if (base === undefined || bits === '' || length > ADDRESS_BITS) return undefined;
	return base % sizeOf(length) === 0 ? { base, length } : undefined;
}

/** The range as text. */
export function rangeText({ base, length }: PodRange): string {
	return `${addressText(base)}/${length}`;
}

function sizeOf(length: number): number {
	return 2 ** (ADDRESS_BITS - length);
}

function parseAddress(text: string): number | undefined {
	const parts = text.split('.').map(Number);
	if (parts.length !== 4 || parts.some((part) => !Number.isInteger(part) || part < 0 || part > 255))
		return undefined;
	return parts.reduce((sum, part) => sum * 256 + part, 0);
}

function addressText(address: number): string {
	return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}

/** The address of the bridge, which is the first one. */
export function gatewayOf({ base }: PodRange): string {
	return addressText(base + 1);
}

/** The last address. */
export function lastAddressOf({ base, length }: PodRange): string {
	return addressText(base + sizeOf(length) - 1);
}

/** The number of addresses that Pods can have: all but those of the network, the bridge and the broadcast. */
export function podCountOf({ length }: PodRange): number {
	return sizeOf(length) - 3;
}

/** The address of the Pod with this number, from 0. */
export function podAddress(range: PodRange, index: number): string {
	return addressText(range.base + 2 + index);
}

/** The number of the Pod with this address; undefined if it is not one of the range. */
export function podIndex(range: PodRange, address: string): number | undefined {
	const index = (parseAddress(address) ?? -1) - range.base - 2;
	return index >= 0 && index < podCountOf(range) ? index : undefined;
}

/**
 * The destinations of the machine's routes, from the text of /proc/net/route. The default route is none: it is there for
 * what nothing else claims.
 */
export function routedRanges(text: string): readonly PodRange[] {
	return text
		.split('\n')
		.slice(1)
		.flatMap((line) => {
			const [, destination = '', , , , , , mask = ''] = line.split('\t');
			if (!/^[\dA-F]{8}$/.test(destination) || !/^[\dA-F]{8}$/.test(mask.trim())) return [];
			const length = bitsIn(hostOrder(mask.trim()));
			return length === 0 ? [] : [{ base: hostOrder(destination), length }];
		});
}

/** The kernel prints the bytes of an address in the order of a little-endian machine. */
function hostOrder(hex: string): number {
	return Buffer.from(hex, 'hex').readUInt32LE();
}

function bitsIn(mask: number): number {
	return mask.toString(2).replaceAll('0', '').length;
}

/** Whether the ranges have an address in common. */
export function overlap(one: PodRange, other: PodRange): boolean {
	const size = sizeOf(Math.min(one.length, other.length));
	return Math.floor(one.base / size) === Math.floor(other.base / size);
}

/** The ranges to try beside the wanted one: private ones that few networks use. */
const OTHERS = [...range(245, 254).map((part) => `10.${part}.0.0/16`), '172.29.0.0/16', '192.168.244.0/22'];

function range(first: number, last: number): readonly number[] {
	return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** The ranges that Pods can have on a machine with these routes, the best one first. */
export function freeRanges(wanted: PodRange, routed: readonly PodRange[]): readonly PodRange[] {
	const others = OTHERS.flatMap((text) => parseRange(text) ?? []);
	return [wanted, ...others].filter((each) => !routed.some((route) => overlap(route, each)));
}
